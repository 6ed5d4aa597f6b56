"""The annexes of minutes: named by their paragraphs, found among the meeting's files, numbered and labelled."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.annex.annex import MOST_ANNEX_FILES, AnnexFile, MeetingFile, files_of, hand_in
from services.meetings.attachment.attachment import Attachment, AttachmentDetails, FileVersion
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus
from services.meetings.minutes.annexes import MOST_BOUND, resolved
from services.meetings.minutes.front_matter import NamedAnnex
from services.meetings.minutes.minutes import number_paragraphs, parse_minutes
from shared.errors import InvalidInput, Refused
from shared.events.base import BlobRef
from shared.rendering.annexes import annexes_of, bound_files, bound_name
from shared.rendering.minutes import Annex, Attached, BulletList, Run

NOW = datetime(2022, 9, 24, 9, tzinfo=UTC)
FRONT = """---
title: Protokoll styrelsen
body: Styrelsen
place: Granvik
starts: 2022-09-23T13:00
ends: 2022-09-23T15:00
present: [{name: Olof Berg, role: ordförande}]
secretary: Maja Lind
adjuster: Sven Dahl
annexes:
  - {title: Delårsrapport, file: delar.pdf}
  - {title: Bildspel, file: bild.pptx}
---
"""
BODY = """## Ekonomi

### Bilaga

- *Delårsrapport*
- En länk

## Rapporter

### Bilagor:

1. bildspel
2. Bilaga 1
"""


def blob(number: int = 1, size: int = 10) -> BlobRef:
    return BlobRef(sha256=f"{number:064x}", size=size, media_type="application/pdf")


def named(file: str = "delar.pdf", sha256: str = "", title: str = "Delårsrapport") -> NamedAnnex:
    return NamedAnnex(title=title, file=file, sha256=sha256, line=11)


def refusal(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_minutes(text)
    return caught.value.message


def test_each_paragraph_names_its_annexes_by_title_or_number() -> None:
    draft = parse_minutes(FRONT + BODY)
    files = [MeetingFile("a", "delar.pdf", blob()), MeetingFile("b", "BILD.pptx", blob(2))]
    document = number_paragraphs(draft, 28, annexes=resolved(draft.front.annexes, files, bind=True))
    assert [(one.number, one.title, one.file_name, one.paragraphs) for one in document.annexes] == [
        (1, "Delårsrapport", "delar.pdf", (28, 29)),
        (2, "Bildspel", "BILD.pptx", (29,)),
    ]
    first, second = document.paragraphs
    assert first.blocks[1] == BulletList(
        items=((Run(text="Bilaga 1: "), Run(text="Delårsrapport", italic=True)), (Run(text="En länk"),))
    )
    assert [run.text for item in second.blocks[1].items for run in item] == [  # type: ignore[union-attr]
        *("Bilaga 2: ", "bildspel"),
        *("Bilaga 1: ", "Delårsrapport"),
    ]
    assert first.attachments == (Attached(title="Delårsrapport", annex=1), Attached(title="En länk"))
    english = number_paragraphs(draft, 28, language="en")
    assert english.paragraphs[0].blocks[1].items[0][0].text == "Annex 1: "  # type: ignore[union-attr]


def test_minutes_without_annexes_print_what_was_written() -> None:
    front = FRONT[: FRONT.index("annexes:")] + "---\n"
    (first, _) = number_paragraphs(parse_minutes(front + BODY), 1).paragraphs
    assert first.blocks[1].items[0] == (Run(text="Delårsrapport", italic=True),)  # type: ignore[union-attr]
    assert first.attachments[0] == Attached(title="Delårsrapport")


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("- *Delårsrapport*", "- Annat", None),  # still named as Bilaga 1
        ("1. bildspel", "1. annat", "line 12: annexes, number 2: no paragraph names it"),
        ("2. Bilaga 1", "2. Bilaga 3", "line 21: the paragraph names Bilaga 3, but the minutes have 2 annexes"),
        ("file: bild.pptx}", "}", "line 12: annexes, number 2: file is missing"),
        ("{title: Bildspel, file: bild.pptx}", "bild.pptx", "line 12: annexes, number 2: must be fields"),
        ("title: Bildspel", "title: DELÅRSRAPPORT", "line 12: annexes, number 2: DELÅRSRAPPORT is there twice"),
        ("file: bild.pptx", "file: bild.pptx, sha256: abc", "line 12: annexes, number 2, sha256: must be 64"),
        ("file: bild.pptx", "file: bild.pptx, hash: abc", "line 12: annexes, number 2: unknown field 'hash'"),
    ],
)
def test_what_is_wrong_with_an_annex_is_told_with_its_line(was: str, becomes: str, message: str | None) -> None:
    text = FRONT + BODY
    assert was in text
    changed = text.replace(was, becomes)
    if message is None:
        parse_minutes(changed)
    else:
        assert message in refusal(changed)


def test_too_many_annexes_are_refused() -> None:
    many = "annexes: [" + ", ".join(f"{{title: T{n}, file: a.pdf}}" for n in range(51)) + "]\n---\n"
    assert refusal(FRONT[: FRONT.index("annexes:")] + many + BODY) == "line 10: annexes: more than 50 files"


def test_a_file_is_found_by_its_name_its_id_or_its_hash() -> None:
    old, new = (MeetingFile("a", "delar.pdf", blob(n), origin="agenda", last=n == 2) for n in (1, 2))
    other = MeetingFile("b", "delar.pdf", blob(3))
    for annex, found in (
        (named("Delar.PDF"), blob(2)),
        (named("a"), blob(2)),
        (named(sha256=blob(1).sha256), blob(1)),
        (named("a", blob(1).sha256), blob(1)),
    ):
        assert resolved([annex], [old, new], bind=True)[0].content == found
    with pytest.raises(InvalidInput, match=r"line 11: annexes, number 1: the meeting has several files 'delar.pdf'"):
        resolved([named()], [new, other], bind=True)
    assert resolved([named("b")], [new, other], bind=True)[0].content == blob(3)


@pytest.mark.parametrize(
    ("annex", "message"),
    [
        (named("annan.pdf"), "line 11: annexes, number 1: the meeting has no file 'annan.pdf'"),
        (named(sha256="f" * 64), "line 11: annexes, number 1: delar.pdf is another file than the one whose SHA-256"),
    ],
)
def test_a_file_that_is_not_the_one_that_is_meant_is_refused(annex: NamedAnnex, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        resolved([annex], [MeetingFile("a", "delar.pdf", blob())], bind=True)


def test_what_is_bound_in_is_as_the_body_chooses_and_never_confidential() -> None:
    open_to_all = MeetingFile("a", "delar.pdf", blob())
    secret = MeetingFile("b", "lön.pdf", blob(2), origin="agenda", confidential=True)
    both = [named(), named("lön.pdf", title="Löner")]
    assert [one.bound for one in resolved(both, [open_to_all, secret], bind=True)] == [True, False]
    assert [one.bound for one in resolved(both, [open_to_all, secret], bind=False)] == [False, False]


def test_a_file_that_is_confidential_in_one_place_is_not_bound_in_by_another() -> None:
    twice = [MeetingFile("a", "delar.pdf", blob()), MeetingFile("b", "delar.pdf", blob(), confidential=True)]
    assert not resolved([named()], twice, bind=True)[0].bound


@given(st.lists(st.integers(0, MOST_BOUND + 10), min_size=1, max_size=12))
def test_no_more_is_bound_in_than_there_is_room_for(sizes: list[int]) -> None:
    files = [MeetingFile(str(n), f"{n}.pdf", blob(n, size)) for n, size in enumerate(sizes)]
    made = resolved([named(one.name, title=one.name) for one in files], files, bind=True)
    assert sum(one.content.size for one in made if one.bound) <= MOST_BOUND
    assert [one.content for one in made] == [one.content for one in files]
    left = MOST_BOUND - sum(one.content.size for one in made if one.bound)
    assert all(one.content.size > left for one in made if not one.bound)


def test_files_in_the_pdf_have_plain_names_of_ours() -> None:
    document = number_paragraphs(parse_minutes(FRONT + BODY), 1)
    annexes = (
        Annex(number=1, title="A", file_name="history.json", content=blob(), bound=True),
        Annex(number=2, title="B", file_name="../../x", content=blob(), bound=False),
    )
    document = document.model_copy(update={"annexes": annexes})
    (file,) = bound_files(document, {1: b"x"})
    assert (file.name, file.description, file.relationship) == ("bilaga-1.json", "Bilaga 1: A", "supplement")
    assert bound_name(annexes[1], "en") == "annex-2"
    first, second = annexes_of(document)
    assert (first["title"], first["hash"]) == ("Bilaga 1: A", f"SHA-256: {blob().sha256}")
    assert "ligger i protokollets PDF" in first["where"]
    assert "ligger inte" in second["where"]


def _meeting(status: MeetingStatus = MeetingStatus.SCHEDULED) -> Meeting:
    details = MeetingDetails(
        body="Styrelsen",
        title="Styrelsen",
        place="Granvik",
        starts=datetime(2022, 9, 23, 13),
        ends=datetime(2022, 9, 23, 15),
    )
    return Meeting(id="m", version=1, details=details, status=status)


def test_a_file_that_is_handed_in_takes_the_place_of_one_of_its_name() -> None:
    first = hand_in("1", _meeting(), [], "Bild.pptx", blob(), now=NOW)
    assert hand_in("2", _meeting(), [first], "Bild.pptx", blob(), now=NOW) is first
    again = hand_in("2", _meeting(), [first], "BILD.pptx", blob(2), now=NOW)
    assert (again.id, again.name, again.content) == ("1", "BILD.pptx", blob(2))
    assert hand_in("2", _meeting(), [first], "Annan.pptx", blob(), now=NOW).id == "2"


def test_a_meeting_takes_so_many_files_and_none_when_it_is_called_off() -> None:
    there = [AnnexFile(id=str(n), meeting_id="m", name=f"{n}.pdf", content=blob(n), at=NOW) for n in range(50)]
    assert len(there) == MOST_ANNEX_FILES
    with pytest.raises(Refused, match="50 files"):
        hand_in("x", _meeting(), there, "ny.pdf", blob(), now=NOW)
    assert hand_in("x", _meeting(), there, "7.pdf", blob(99), now=NOW).id == "7"
    with pytest.raises(Refused, match="called off"):
        hand_in("x", _meeting(MeetingStatus.CANCELLED), [], "ny.pdf", blob(), now=NOW)


def test_older_versions_of_an_attachment_can_be_named_by_their_hash_alone() -> None:
    versions = tuple(FileVersion(number=n, name="a.pdf", content=blob(n), late=False, at=NOW) for n in (1, 2))
    attachment = Attachment(
        id="a", version=2, item_id="i", details=AttachmentDetails(title="A", confidential=True), files=versions
    )
    found = files_of([], [attachment])
    assert [(one.content, one.last, one.confidential) for one in found] == [
        (blob(2), True, True),
        (blob(1), False, True),
    ]
