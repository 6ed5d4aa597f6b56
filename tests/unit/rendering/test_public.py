"""The public rendition: what a person confirmed is masked, wherever it stands, and nothing else is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput, Refused
from shared.events.base import BlobRef
from shared.rendering.minutes import Annex, BulletList, MinutesDocument, Paragraph, Run, Table, Text
from shared.rendering.public import MOST_MASKS, Mask, masked, masked_stamps, masked_text, masking
from tests.integration.rendering.sample import full_minutes, sample_stamps

SVEN = Mask(kind="name", text="Sven Dahl")


def document(*blocks: Text | BulletList | Table, number: int = 28) -> MinutesDocument:
    paragraph = Paragraph(number=number, heading="Ärende om Sven Dahl", blocks=blocks)
    return full_minutes().model_copy(update={"paragraphs": (paragraph,)})


def text(*parts: str) -> Text:
    return Text(runs=tuple(Run(text=part, bold=place % 2 == 1) for place, part in enumerate(parts)))


def public(found: MinutesDocument, *masks: Mask) -> MinutesDocument:
    return masked(found, masks, confirmed=masking(found, masks).pin)


def test_a_name_is_gone_from_every_place() -> None:
    """Also where it begins in one style and ends in another, over a line's end, and in the genitive."""
    cell = (Run(text="av SVEN  DAHL"),)
    made = public(
        document(
            text("Enligt ", "Sven", " Dahl."),
            BulletList(items=((Run(text="Sven\nDahls uppdrag"),),)),
            Table(header=((Run(text="Vem"),),), align=("left",), rows=((cell,),)),
        ).model_copy(
            update={"annexes": (Annex(number=1, title="Sven Dahls brev", file_name="sven dahl.pdf", content=BLOB),)}
        ),
        SVEN,
    )
    everything = made.model_dump_json()
    assert "sven" not in everything.casefold()
    assert "dahl" not in everything.casefold()
    (paragraph,) = made.paragraphs
    assert paragraph.heading == "Ärende om [maskerat]"
    assert paragraph.blocks[0] == Text(runs=(Run(text="Enligt "), Run(text="[maskerat]", bold=True), Run(text=".")))
    assert made.adjusters == ("[maskerat]",)
    assert "[maskerat]" in [place.name for place in made.places]
    assert made.model_copy(update={"language": "en"}).secretary == "Maja Lind"


BLOB = BlobRef(sha256="a" * 64, size=1)


def test_a_name_is_no_part_of_another_word() -> None:
    (paragraph,) = public(document(text("Ek, Ekonomi och Karin Eks")), Mask(kind="name", text="Ek")).paragraphs
    assert paragraph.blocks[0] == text("[maskerat], Ekonomi och Karin [maskerat]")


def test_a_passage_is_gone_from_its_paragraph_alone() -> None:
    sample = full_minutes()
    mask = Mask(kind="passage", text="hur kommunernas  behov fångas", paragraph=29)
    made = public(sample, mask)
    assert [("kommunernas behov" in one.model_dump_json()) for one in made.paragraphs] == [
        True,
        False,
        True,
        True,
        True,
    ]


def test_what_would_be_masked_is_shown_with_what_stands_around_it() -> None:
    found = masking(document(text("Före ", "Sven Dahl", " efter")), [SVEN, Mask(kind="name", text="Ingen Alls")])
    assert found.unused == (1,)
    inside = [hit for hit in found.hits if hit.paragraph == 28]
    assert [(hit.before, hit.masked, hit.after) for hit in inside] == [
        ("Ärende om ", "Sven Dahl", ""),
        ("Före ", "Sven Dahl", " efter"),
    ]


def test_only_what_was_looked_at_is_masked() -> None:
    found = document(text("a"))
    pin = masking(found, [SVEN]).pin
    for changed, masks in (
        (found, [SVEN, Mask(kind="name", text="Maja Lind")]),
        (found, []),
        (found.model_copy(update={"title": "Annat"}), [SVEN]),
    ):
        with pytest.raises(Refused, match="not what was looked at"):
            masked(changed, masks, confirmed=pin)


@pytest.mark.parametrize("wrong", ["", " ", "a", " a "])
def test_a_mask_of_nearly_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidInput, match="masks, number 1"):
        masking(document(), [Mask(kind="name", text=wrong)])


def test_too_many_masks_are_refused_where_they_are_given() -> None:
    many = [SVEN] * (MOST_MASKS + 1)
    with pytest.raises(InvalidInput, match="more than 200"):
        masking(document(), many)
    with pytest.raises(InvalidInput, match="more than 200"):
        masked(document(), many, confirmed="")
    assert masked_text("Sven Dahls cykel", many, "en") == "[masked] cykel", "of several documents together"


def test_stamps_lose_their_names_and_annexes_are_only_listed() -> None:
    assert [one.name for one in masked_stamps(sample_stamps(), [SVEN], "en")] == ["Maja Lind", "Olof Berg", "[masked]"]
    annex = Annex(number=1, title="A", file_name="a.pdf", content=BLOB, bound=True)
    made = public(document().model_copy(update={"annexes": (annex,)}), SVEN)
    assert made.annexes == (annex.model_copy(update={"bound": False}),)


_LETTERS = st.text(alphabet="ab \n", max_size=8)


@given(st.lists(st.tuples(_LETTERS, st.booleans()), max_size=6), st.text(alphabet="ab", min_size=2, max_size=3))
def test_nothing_of_a_passage_is_left_and_nothing_else_is_lost(parts: list[tuple[str, bool]], wanted: str) -> None:
    runs = tuple(Run(text=part, bold=bold) for part, bold in parts)
    (paragraph,) = public(document(Text(runs=runs)), Mask(kind="passage", text=wanted)).paragraphs
    block = paragraph.blocks[0]
    assert isinstance(block, Text)
    before = "".join(run.text for run in runs)
    after = "".join(run.text for run in block.runs)
    assert all(wanted not in piece for piece in after.split("[maskerat]"))
    assert after.count("[maskerat]") <= before.count(wanted[0])
    kept = after.split("[maskerat]")
    place = 0
    for piece in kept:
        place = before.index(piece, place) + len(piece)


def test_without_masks_the_minutes_are_as_they_were() -> None:
    sample = full_minutes()
    assert json.loads(public(sample).model_dump_json()) == json.loads(sample.model_dump_json())
