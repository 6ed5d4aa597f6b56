"""What a file is, by its content: one that its name says another thing of is refused. Pure.

Signatures come from puremagic's table; what it cannot tell apart (office files are archives) is looked at here. A name
with an ending that nobody knows is any file, and handed on as just that: `application/octet-stream`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import puremagic

from shared.errors import InvalidInput
from shared.plain_text import unfit
from shared.text import clean_line

HEAD = 64 * 1024
"""So many bytes of either end of a file tell what it is."""
MAX_FILE_NAME = 150  # characters; file systems take 255 bytes
ANY = "application/octet-stream"
ARCHIVE = b"PK\x03\x04"  # how a ZIP file begins, and so an office document (PKWARE, APPNOTE, 4.3.7)
_SPACE = b" \t\r\n\x0c\xef\xbb\xbf"  # and the byte-order mark of UTF-8
# What makes a browser read a text as HTML (WHATWG, MIME Sniffing, section 7.1), and what may hold scripts beside it.
_MARKUP = (
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<script",
    b"<iframe",
    b"<body",
    b"<title",
    b"<svg",
    b"<?xml",
    b"<!--",
)


class NotWhatItSays(InvalidInput):
    """The name says one type, the content another, or none."""

    slug = "file-type"


class Damaged(InvalidInput):
    """It is what its name says, and cannot be read."""

    slug = "damaged-file"


@dataclass(frozen=True, slots=True)
class Content:
    """The first and the last bytes of a file, at most `HEAD` of each."""

    head: bytes
    tail: bytes = b""


@dataclass(frozen=True, slots=True)
class _Type:
    media_type: str
    called: str
    is_it: Callable[[Content], bool]


def clean_file_name(name: str) -> str:
    """As people see it; folders before it are left out. Raises InvalidInput."""
    cleaned = clean_line(PurePosixPath(name.replace("\\", "/")).name or " ", "name")
    if found := unfit(cleaned):
        raise InvalidInput(f"name: holds {found}")
    if len(cleaned) > MAX_FILE_NAME:
        raise InvalidInput(f"name: is longer than {MAX_FILE_NAME} characters")
    return cleaned


def media_type(name: str, content: Content) -> str:
    """By the content, which the name must not contradict. Raises NotWhatItSays, InvalidInput for an empty file."""
    if not content.head:
        raise InvalidInput("the file is empty")
    ending = _ending(name)
    known = _TYPES.get(ending)
    if known is None:
        return ANY
    if not known.is_it(content):
        raise NotWhatItSays(
            f"{name} is not {known.called}: its content is {_called(content)}",
            hint="give the file the ending of what it is, or save it as what its name says",
        )
    return known.media_type


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower().lstrip(".")


def _called(content: Content) -> str:
    """What a content is, as far as it can be told."""
    if _is_markup(content):
        return "HTML or XML"
    for known in (one for ending, one in _TYPES.items() if ending in _TELLING):
        if known.is_it(content):
            return known.called
    return "text" if _is_text(content) else "another, or damaged"


def _signed(*endings: str) -> Callable[[Content], bool]:
    """A signature of one of these stands there."""
    return lambda content: bool(_signatures(content.head) & set(endings))


def _signatures(head: bytes) -> set[str]:
    try:
        return {str(one.extension).lstrip(".") for one in puremagic.magic_string(head)}
    except (puremagic.PureError, ValueError):
        return set()


def _is_pdf(content: Content) -> bool:
    """At its beginning (ISO 32000-2, 7.5.2): what comes first could be another document."""
    return content.head.lstrip(_SPACE).startswith(b"%PDF-")


def _is_text(content: Content) -> bool:
    """UTF-8, or what Windows wrote before it; no markup, and nothing that no text holds."""
    if _is_markup(content) or b"\0" in content.head:
        return False
    return not any(byte < 9 or 13 < byte < 27 for byte in content.head[:4096])


def _is_markup(content: Content) -> bool:
    return content.head.lstrip(_SPACE)[:14].lower().startswith(_MARKUP)


def _is_xml(content: Content) -> bool:
    return content.head.lstrip(_SPACE).startswith(b"<")


def _is_archive(content: Content) -> bool:
    return content.head.startswith(ARCHIVE)


def _office(folder: bytes) -> Callable[[Content], bool]:
    """Office Open XML (ECMA-376, part 2): an archive of parts, whose names stand in its directory at the end, too."""

    def is_it(content: Content) -> bool:
        ends = content.head + content.tail
        return _is_archive(content) and b"[Content_Types].xml" in ends and folder in ends

    return is_it


def _open_document(kind: bytes) -> Callable[[Content], bool]:
    """OpenDocument 1.3, part 2, section 3.3: its first part says what it is, 30 bytes in."""
    says = b"mimetypeapplication/vnd.oasis.opendocument." + kind
    return lambda content: _is_archive(content) and content.head[30:].startswith(says)


def _old_office(content: Content) -> bool:
    """Compound File Binary ([MS-CFB] 2.2)."""
    return content.head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
_JPEG = _Type("image/jpeg", "a JPEG image", _signed("jpg", "jpeg", "jpe", "jfif"))
_TIFF = _Type("image/tiff", "a TIFF image", _signed("tif", "tiff"))
_HTML = _Type("text/html", "HTML", lambda content: not _is_pdf(content) and b"\0" not in content.head)
_TYPES = {
    "pdf": _Type("application/pdf", "a PDF", _is_pdf),
    "png": _Type("image/png", "a PNG image", lambda content: content.head.startswith(b"\x89PNG\r\n\x1a\n")),
    "jpg": _JPEG,
    "jpeg": _JPEG,
    "gif": _Type("image/gif", "a GIF image", _signed("gif")),
    "webp": _Type("image/webp", "a WebP image", _signed("webp")),
    "tif": _TIFF,
    "tiff": _TIFF,
    "docx": _Type(_OOXML + "wordprocessingml.document", "a Word document", _office(b"word/")),
    "xlsx": _Type(_OOXML + "spreadsheetml.sheet", "an Excel workbook", _office(b"xl/")),
    "pptx": _Type(_OOXML + "presentationml.presentation", "a PowerPoint presentation", _office(b"ppt/")),
    "odt": _Type(_ODF + "text", "an OpenDocument text", _open_document(b"text")),
    "ods": _Type(_ODF + "spreadsheet", "an OpenDocument spreadsheet", _open_document(b"spreadsheet")),
    "odp": _Type(_ODF + "presentation", "an OpenDocument presentation", _open_document(b"presentation")),
    "doc": _Type("application/msword", "a Word document", _old_office),
    "xls": _Type("application/vnd.ms-excel", "an Excel workbook", _old_office),
    "ppt": _Type("application/vnd.ms-powerpoint", "a PowerPoint presentation", _old_office),
    "msg": _Type("application/vnd.ms-outlook", "an Outlook message", _old_office),
    "zip": _Type("application/zip", "an archive", _is_archive),
    "rtf": _Type("application/rtf", "rich text", lambda content: content.head.startswith(b"{\\rtf")),
    "txt": _Type("text/plain", "plain text", _is_text),
    "csv": _Type("text/csv", "a table of text", _is_text),
    "md": _Type("text/markdown", "plain text", _is_text),
    "html": _HTML,
    "htm": _HTML,
    "svg": _Type("image/svg+xml", "an SVG image", _is_xml),
    "xml": _Type("application/xml", "XML", _is_xml),
    "mp3": _Type("audio/mpeg", "an MP3 recording", _signed("mp3")),
    "mp4": _Type("video/mp4", "an MP4 film", _signed("mp4", "m4v", "mov", "m4a")),
}
_TELLING = ("pdf", "png", "jpg", "gif", "docx", "xlsx", "pptx", "odt", "ods", "odp", "doc", "zip", "rtf")
BINDABLE = frozenset({"application/pdf", "image/png", "image/jpeg"})
"""What can be bound into papers."""
SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg"})
"""What a browser may show from our address: nothing in it is run there. All else is kept as a file."""
