"""Attachments: what a file is by its content, versions, and when one is late."""

import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.attachment import attachment as rules
from services.meetings.attachment.attachment import Attachment, AttachmentDetails, HandedIn
from services.meetings.attachment.file_type import ANY, Content, NotWhatItSays, clean_file_name, media_type
from shared.errors import InvalidInput, Refused
from shared.events.base import BlobRef
from tests.unit.meetings.test_agenda import HELD, NOVEMBER, NOW

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
HTML = b"<!DOCTYPE html>\n<script>alert(1)</script>"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def archive(*names: str, first: bytes = b"<Types/>") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name in names:
            file.writestr(name, first)
    return made.getvalue()


DOCX = archive("[Content_Types].xml", "word/document.xml")
XLSX = archive("[Content_Types].xml", "xl/workbook.xml")
ODT = archive("mimetype", first=b"application/vnd.oasis.opendocument.text")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("Budget.PDF", PDF, "application/pdf"),
        ("karta.png", PNG, "image/png"),
        ("foto.jpeg", JPEG, "image/jpeg"),
        ("brev.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("siffror.xlsx", XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("brev.odt", ODT, "application/vnd.oasis.opendocument.text"),
        ("brev.doc", OLE, "application/msword"),
        ("allt.zip", DOCX, "application/zip"),
        ("rader.csv", "år;kronor\n2022;10\n".encode("cp1252"), "text/csv"),
        ("läs.txt", "Hej på er\n".encode(), "text/plain"),
        ("sida.html", HTML, "text/html"),
        ("bild.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        ("ritning.dwg", b"AC1032\0\0", ANY),
        ("utan ändelse", HTML, ANY),
    ],
)
def test_a_file_is_what_its_content_says(name: str, content: bytes, expected: str) -> None:
    assert media_type(name, Content(content, content)) == expected


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", HTML, "a.pdf is not a PDF: its content is HTML or XML"),
        ("a.pdf", b"\n" + HTML + PDF, "its content is HTML"),
        ("a.pdf", PNG, "its content is a PNG image"),
        ("a.pdf", b"Hej", "its content is text"),
        ("a.png", JPEG, "is not a PNG image: its content is a JPEG image"),
        ("a.jpg", PDF, "is not a JPEG image: its content is a PDF"),
        ("a.docx", XLSX, "is not a Word document: its content is an Excel workbook"),
        ("a.docx", OLE, "its content is a Word document"),
        ("a.xls", HTML, "is not an Excel workbook: its content is HTML"),
        ("a.odt", DOCX, "is not an OpenDocument text"),
        ("a.txt", HTML, "is not plain text: its content is HTML"),
        ("a.txt", PDF + b"\0", "its content is a PDF"),
        ("a.csv", OLE, "is not a table of text"),
        ("a.mp3", b"MZ\x90\0", "is not an MP3 recording: its content is another, or damaged"),
    ],
)
def test_one_that_lies_about_its_type_is_refused_with_one_message(name: str, content: bytes, said: str) -> None:
    with pytest.raises(NotWhatItSays, match=said):
        media_type(name, Content(content, content))


def test_an_empty_file_is_none() -> None:
    with pytest.raises(InvalidInput, match="empty"):
        media_type("a.pdf", Content(b""))


@given(st.text(max_size=40), st.binary(min_size=1, max_size=300))
def test_any_content_under_any_name_is_a_type_or_one_refusal(name: str, content: bytes) -> None:
    """And only what says so at its beginning is shown by a browser as a PDF or an image."""
    for ending in ("", ".pdf", ".png", ".jpg", ".docx", ".txt", ".gif", ".tiff", ".mp4"):
        try:
            found = media_type(name + ending, Content(content, content))
        except InvalidInput:
            continue
        if found == "application/pdf":
            assert b"%PDF-" in content[:300]
            assert not content.lstrip().startswith(b"<")


@pytest.mark.parametrize(
    ("name", "clean"),
    [("C:\\Mina\\Budget.pdf", "Budget.pdf"), ("../../etc/passwd", "passwd"), (" a  b.pdf ", "a b.pdf")],
)
def test_folders_are_no_part_of_a_files_name(name: str, clean: str) -> None:
    assert clean_file_name(name) == clean


@pytest.mark.parametrize("name", ["", " ", "/", "a\u202efdp.exe", "x" * 151, "a\0.pdf"])
def test_a_name_that_is_none_or_misleads_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        clean_file_name(name)


def ref(number: int) -> BlobRef:
    return BlobRef(sha256=f"{number:064}", size=number, media_type="application/pdf")


def handed_in(number: int, name: str = "Budget.pdf") -> HandedIn:
    return HandedIn(name=name, content=ref(number))


def added(title: str = "Budget") -> Attachment:
    details = AttachmentDetails(title=title)
    return rules.add("a", "i", NOVEMBER, [], details, handed_in(1), NOW)


def test_a_new_version_keeps_those_before_it() -> None:
    first = added()
    second = rules.replace(first, NOVEMBER, handed_in(2), NOW + timedelta(days=1))
    assert [(one.number, one.content.size) for one in second.files] == [(1, 1), (2, 2)]
    assert second.version == 2
    assert second.numbered(1) == first.file
    assert second.numbered(None) == second.file
    assert second.numbered(3) is None
    again = rules.replace(second, NOVEMBER, handed_in(2), NOW)
    assert again is second, "the same file is no new version"


def test_what_came_after_the_notice_is_late_wherever_its_item_stands_by_then() -> None:
    both = rules.replace(added(), NOVEMBER, handed_in(2), NOW + timedelta(days=1))
    between = rules.shown(both, NOW + timedelta(hours=1))
    assert [one.late for one in between.files] == [False, True]
    assert between.late
    assert not rules.shown(both, NOW + timedelta(days=1)).late, "at the moment the notice goes out, it is in it"
    assert [one.late for one in rules.shown(both, NOW - timedelta(days=9)).files] == [True, True]
    waiting = rules.shown(both, None)
    assert not waiting.late
    assert waiting.model_dump(exclude={"files"}) == both.model_dump(exclude={"files"})


def test_what_is_sent_twice_is_found_again() -> None:
    there = [added()]
    assert rules.sent_again(there, handed_in(1), confidential=False) is there[0]
    assert rules.sent_again(there, handed_in(2), confidential=False) is None
    assert rules.sent_again(there, handed_in(1, "Annat.pdf"), confidential=True) is None


def test_what_is_handed_in_as_a_secret_is_not_taken_for_one_that_all_read() -> None:
    there = [added()]
    with pytest.raises(Refused, match="already, and is for everyone") as told:
        rules.sent_again(there, handed_in(1), confidential=True)
    assert told.value.hint
    details = AttachmentDetails(title="Budget", confidential=True)
    secret = rules.add("b", "i", NOVEMBER, there, details, handed_in(1), NOW)
    with pytest.raises(Refused, match="already, and is confidential"):
        rules.sent_again([secret], handed_in(1), confidential=False)
    assert rules.sent_again([*there, secret], handed_in(1), confidential=True) is secret


def test_attachments_of_a_meeting_that_was_held_stand() -> None:
    with pytest.raises(Refused, match="was held"):
        rules.add("a", "i", HELD, [], AttachmentDetails(title="Budget"), handed_in(1), NOW)
    with pytest.raises(Refused, match="was held"):
        rules.replace(added(), HELD, handed_in(2), NOW)
    with pytest.raises(Refused, match="was held"):
        rules.change(added(), HELD, AttachmentDetails(title="Annat"), NOW)


def test_an_item_and_an_attachment_take_so_many() -> None:
    there = [added()] * rules.MOST_ATTACHMENTS
    with pytest.raises(Refused, match="50 attachments"):
        rules.add("a", "i", NOVEMBER, there, AttachmentDetails(title="Till"), handed_in(1), NOW)
    full = added().model_copy(update={"files": added().files * rules.MOST_VERSIONS})
    with pytest.raises(Refused, match="100 versions"):
        rules.replace(full, NOVEMBER, handed_in(2), NOW)


def test_a_title_has_the_form_of_all_lines() -> None:
    assert added("  Budget\n2023 ").details.title == "Budget 2023"
    with pytest.raises(InvalidInput, match="title: is empty"):
        added(" ")
    assert [rules.title_of(name) for name in ("Budget 2023.pdf", "README", ".profile")] == [
        "Budget 2023",
        "README",
        ".profile",
    ]


def test_change_says_what_differs() -> None:
    first = added()
    assert rules.change(first, NOVEMBER, AttachmentDetails(title="Budget"), NOW) is first
    changed = rules.change(first, None, AttachmentDetails(title="Budget", confidential=True), NOW)
    assert (changed.version, changed.details.confidential, changed.files) == (2, True, first.files)
    assert first.file.at == datetime(2022, 9, 23, 15, 30, tzinfo=UTC)
