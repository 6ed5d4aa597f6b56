"""A Word document becomes the Markdown of minutes; what cannot is listed, and what is dangerous is refused."""

import zipfile
from contextlib import suppress
from datetime import datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.minutes.minutes import MinutesDraft, parse_minutes
from services.meetings.minutes.word import Known, read_word
from services.meetings.minutes.word_package import MAX_WORD
from shared.errors import InvalidInput, TooLarge
from shared.rendering.minutes import BulletList, OrderedList, Run, Subheading, Table, Text
from tests.unit.meetings.word_documents import W, document, external, note, paragraph, run, table, text

KNOWN = Known("Styrelsemöte", "Styrelsen", "Granvik", datetime(2022, 9, 23, 13, 0), datetime(2022, 9, 23, 15, 0))
FRONT = (
    text("Protokoll styrelsen Norrdalen", style="Title"),
    text("Plats: Digitalt via Teams"),
    text("Närvarande:"),
    text("Olof Berg (S), Björkå, ordförande"),
    text("Åsa Näs (S), Tallnäs 2 v. ordf."),
    text("Frånvarande:"),
    text("Leo Ström (C), Granvik"),
    text("Utses att justera: Sven Dahl"),
    text("Paragrafer 28 – 29"),
    text("Sekreterare: Maja Lind"),
    text("Kallade: alla"),
)


def imported(*body: str, **more: tuple[str, ...]) -> tuple[MinutesDraft, tuple[str, ...]]:
    found = read_word(document(*FRONT, *body, **more), KNOWN)
    return parse_minutes(found.markdown), found.not_kept


def test_the_seeds_shape_becomes_minutes() -> None:
    draft, not_kept = imported(
        text("§ 28 Ledningens information", style="Heading1"),
        text("Beslut", style="Heading2"),
        text("Styrelsen beslutar att"),
        paragraph(run("lägga "), run("informationen", bold=True), run(" till *handlingarna*."), numbered=1),
        paragraph(run("notera den"), numbered=1),
        text("Bakgrund"),
        paragraph(run("Se not"), note(2), run(".")),
        table(("Post", "Kronor"), ("Resor | mat", "1 200")),
        text("1. Ingen lista"),
        text("§ 29 Övriga frågor"),
        paragraph(run("ett"), numbered=2),
        paragraph(run("två"), numbered=2),
        notes=("En fotnot.",),
    )
    front = draft.front
    assert (front.title, front.place, front.body) == (
        "Protokoll styrelsen Norrdalen",
        "Digitalt via Teams",
        "Styrelsen",
    )
    assert (front.secretary, front.adjusters, front.chair) == ("Maja Lind", ("Sven Dahl",), "Olof Berg")
    assert [(who.name, who.party, who.municipality, who.role) for who in (*front.present, *front.absent)] == [
        ("Olof Berg", "S", "Björkå", "ordförande"),
        ("Åsa Näs", "S", "Tallnäs", "2 v. ordf."),
        ("Leo Ström", "C", "Granvik", ""),
    ]
    assert front.first_paragraph == 28
    first, second = draft.sections
    assert (first.heading, second.heading) == ("Ledningens information", "Övriga frågor")
    assert first.blocks == (
        Subheading(text="Beslut"),
        Text(runs=(Run(text="Styrelsen beslutar att"),)),
        BulletList(
            items=(
                (Run(text="lägga "), Run(text="informationen", bold=True), Run(text=" till *handlingarna*.")),
                (Run(text="notera den"),),
            )
        ),
        Subheading(text="Bakgrund"),
        Text(runs=(Run(text="Se not[1]."),)),
        Table(
            header=((Run(text="Post"),), (Run(text="Kronor"),)),
            align=("left", "left"),
            rows=(((Run(text="Resor | mat"),), (Run(text="1 200"),)),),
        ),
        Text(runs=(Run(text="1. Ingen lista"),)),
        Text(runs=(Run(text="[1] En fotnot."),)),
    )
    assert second.blocks == (OrderedList(start=1, items=((Run(text="ett"),), (Run(text="två"),))),)
    assert not_kept == ("before the first paragraph: Kallade: alla",)


def test_without_numbers_headings_of_the_upmost_level_are_paragraphs() -> None:
    draft, _ = imported(text("Delårsrapport", style="Heading2"), text("Text"), text("Övrigt", style="Heading2"))
    assert [section.heading for section in draft.sections] == ["Delårsrapport", "Övrigt"]


def test_what_is_not_kept_is_listed() -> None:
    wide = tuple("abcdefghijk")
    _, not_kept = imported(
        text("§ 28 A"),
        text("x", style="Own"),
        paragraph(run("a"), numbered=1),
        paragraph(run("b"), numbered=1, level=1),
        table(wide, wide),
    )
    assert not_kept[:3] == (
        "the look of the style Own look (its text was kept)",
        "a list inside a list (its lines follow in the outer one)",
        "a table of more than 10 columns (its rows became lines)",
    )


def main_part_is(target: str, part: str | bytes) -> bytes:
    """A document whose main part is another one than it seems."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    one = f'<Relationship Id="r1" Type="{kind}" Target="{target}"/>'
    rels = f'<Relationships xmlns="{space}">{one}</Relationships>'
    return document(text("§ 1 A"), parts={"_rels/.rels": rels, target: part})


def bomb() -> bytes:
    return document(text("§ 1 A"), parts={"word/media/a.bin": b"\0" * (201 * 1024 * 1024)})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no Word document"),
        (b"PK\x03\x04" + b"x" * 100, "no Word document"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "no Word document"),
        (document(text("§ 1 A"), parts={"word/vbaProject.bin": b"x"}), "holds macros"),
        (
            document(text("§ 1 A"), parts={"word/_x.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'}),
            "XML that Word does not write",
        ),
        (external("attachedTemplate"), "loads a template from elsewhere"),
        (external("image"), "loads a picture from elsewhere"),
        (external("oleObject"), "loads something from elsewhere"),
        (
            document(text("§ 1 A"), parts={"word/_x.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'.encode("utf-16-le")}),
            "XML that Word does not write",
        ),
        (external("image", "https://a.example/?a>b"), "loads a picture from elsewhere"),
        (external("image", mode="&#69;xternal"), "loads a picture from elsewhere"),
        (main_part_is("word/other.xml", f"<w:document {W}><w:body/></w:document>"), "as Word writes it"),
        (main_part_is("word/evil.txt", '<!DOCTYPE a [<!ENTITY b "c">]><a/>'), "as Word writes it"),
        (document(parts={"word/_rels/document.xml.rels": "<Relationships"}), "is damaged"),
        (document(text("Bara text")), "no paragraph was found"),
        (document(parts={"word/document.xml": "<w:document"}), "is damaged"),
    ],
)
def test_what_is_none_or_dangerous_is_refused_with_one_sentence(content: bytes, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_word(content, KNOWN)
    assert why in caught.value.message
    assert "\n" not in caught.value.message


def test_what_is_too_large_is_not_opened() -> None:
    with pytest.raises(TooLarge, match="at most 20 MiB, and this one 200"):
        read_word(b"x" * (10 * MAX_WORD), KNOWN)
    with pytest.raises(TooLarge, match="unpacks to far more"):
        read_word(bomb(), KNOWN)


@pytest.mark.parametrize(
    "parts",
    [
        {"word/document.xml": f"<w:document {W}><w:body>{'<w:p/>' * 150_000}</w:body></w:document>"},
        {"word/comments.xml": "<a>" + "<w:p/>" * 150_000 + "</a>"},
        {"word/document.xml": "<a " + " ".join(f'a{number}=""' for number in range(200_000)) + "/>"},
        {"word/document.xml": '<w:fldChar w:fldCharType="begin"/>' * 5000 + "<w:r/>" * 20_000},
        {f"word/{name}.xml": b" " * (6 * 1024 * 1024) for name in "abc"},
    ],
)
def test_a_document_of_more_than_can_be_read_soon_is_not_opened(parts: dict[str, str | bytes]) -> None:
    with pytest.raises(TooLarge, match="longer than any minutes"):
        read_word(document(text("§ 1 A"), parts=parts), KNOWN)


@pytest.mark.parametrize("kind", ["styles", "footnotes", "numbering"])
def test_no_part_is_read_that_was_not_looked_at(kind: str) -> None:
    """mammoth opens whatever the relationships name, under any ending."""
    types = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    rels = f'<Relationships xmlns="{space}"><Relationship Id="a" Type="{types}/{kind}" Target="a.bin"/></Relationships>'
    parts: dict[str, str | bytes] = {"word/_rels/document.xml.rels": rels, "word/a.bin": b"<no XML"}
    assert "## A" in read_word(document(text("§ 1 A"), parts=parts), KNOWN).markdown


def test_a_link_that_is_followed_is_no_reference() -> None:
    assert "## A" in read_word(external("hyperlink"), KNOWN).markdown


@given(st.text(st.sampled_from("ab *_\\#-|+1.)•–[]§å\t"), min_size=1, max_size=40))
def test_no_letter_is_lost_and_nothing_becomes_a_mark(words: str) -> None:
    content = document(*FRONT, text("§ 28 A"), paragraph(run("före "), run(words, bold=True), run(" efter")))
    draft = parse_minutes(read_word(content, KNOWN).markdown)
    (section,) = draft.sections
    (block,) = section.blocks
    assert isinstance(block, Text)
    assert "".join(run.text for run in block.runs).split() == f"före {words} efter".split()


@given(st.binary(max_size=300), st.integers(0, 3000))
def test_any_damage_is_read_or_refused(damage: bytes, at: int) -> None:
    content = bytearray(document(text("§ 1 A")))
    content[at : at + len(damage)] = damage
    with suppress(InvalidInput, TooLarge):
        read_word(bytes(content), KNOWN)


def test_the_documents_of_these_tests_are_archives() -> None:
    assert zipfile.ZipFile(BytesIO(document(text("a")))).testzip() is None
