"""Whether a Word document (.docx) may be read at all, by what its package says of itself (ECMA-376, part 2). Pure.

One that is a bomb, holds macros or loads something from elsewhere is refused before anything reads its XML.
"""

import re
import zipfile
from collections import Counter
from collections.abc import Iterable
from io import BytesIO
from typing import Never
from xml.parsers import expat

from shared.errors import InvalidInput, TooLarge

MAX_WORD = 20 * 1024 * 1024  # bytes of the file, most of them pictures, which are not read
MAX_UNPACKED = 200 * 1024 * 1024  # bytes of all that it holds
MAX_TEXT_PART = 8 * 1024 * 1024  # bytes of XML: ten times what a thousand pages of minutes have
MAX_ALL_TEXT = 2 * MAX_TEXT_PART
MAX_TAGS = 150_000  # in all its XML; each costs mammoth some 40 microseconds, and a hundred pages have some 80,000
MAX_ATTRIBUTES = 200_000
MAX_FIELD_STEPS = 75_000_000  # at each run mammoth looks through all fields that are open
MAX_PARTS = 5000

_MAIN = "word/document.xml"


def look_inside(content: bytes, lost: Counter[str]) -> bytes:
    """An archive of its XML and nothing else; `lost` gains what is in it that is not read.

    Raises InvalidInput, TooLarge with one sentence.
    """
    if len(content) > MAX_WORD:
        raise TooLarge(f"a Word document has at most {MAX_WORD // 1024**2} MiB, and this one {len(content) // 1024**2}")
    try:
        archive = zipfile.ZipFile(BytesIO(content))
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise InvalidInput(
            "the file is no Word document (.docx)", hint="in Word: save it as Word document (.docx), not .doc"
        ) from None
    names = {part.filename for part in parts}
    if "[Content_Types].xml" not in names or _MAIN not in names:
        raise InvalidInput("the file is no Word document (.docx), but another archive")
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise TooLarge("the Word document unpacks to far more than a document holds, and is not opened")
    xml = [part for part in parts if part.filename.endswith((".xml", ".rels"))]
    sizes = [part.file_size for part in xml]
    if max(sizes) > MAX_TEXT_PART or sum(sizes) > MAX_ALL_TEXT or len(names) < len(parts):
        _too_long()
    try:
        texts = {part.filename: archive.read(part) for part in xml}
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError):
        raise InvalidInput("the Word document is damaged, or locked by a password") from None
    except Exception as error:  # zlib.error has no public base
        raise InvalidInput("the Word document is damaged") from error
    _count_marks(texts.values())
    types = texts["[Content_Types].xml"].lower()
    if b"macroenabled" in types or b"vbaproject" in types or any("vbaproject" in name.lower() for name in names):
        raise InvalidInput("the Word document holds macros", hint="save it as Word document (.docx) without macros")
    for name, text in texts.items():
        # UTF-16, with a mark at its beginning or without, could hide a declaration from this look.
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text or b"\0" in text or text[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise InvalidInput("the Word document holds XML that Word does not write, and is not opened")
        if name.endswith(".rels"):
            _check_relationships(name, text)
    body = texts[_MAIN]
    if b"<w:del " in body or b"<w:ins " in body:
        lost["tracked changes (taken as accepted)"] = 1
    if any(re.fullmatch(r"word/comments\.xml", name) for name in names):
        lost["comments in the margin"] = 1
    if any(re.fullmatch(r"word/(header|footer)\d*\.xml", name) for name in names):
        lost["heads and feet of pages"] = 1
    if any(name.startswith("word/embeddings/") for name in names):
        lost["an embedded object"] = 1
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as plain:
        for name, text in texts.items():
            plain.writestr(name, text)
    return made.getvalue()


def _count_marks(texts: Iterable[bytes]) -> None:
    """Work grows with what is marked up, not with bytes. Raises TooLarge."""
    tags = attributes = fields = 0
    for text in texts:
        tags += text.count(b"<")
        attributes += text.count(b"=")
        fields += text.count(b"fldCharType")
    if tags > MAX_TAGS or attributes > MAX_ATTRIBUTES or fields * tags > MAX_FIELD_STEPS:
        _too_long()


def _too_long() -> Never:
    raise TooLarge(
        "the text of the Word document is longer than any minutes, and is not opened",
        hint="copy the minutes alone into a new document, save that, and try again",
    )


def _check_relationships(name: str, text: bytes) -> None:
    """Raises InvalidInput."""

    def element(tag: str, given: dict[str, str]) -> None:
        if tag.rpartition(" ")[2] != "Relationship":
            return
        kind = given.get("Type", "").rpartition("/")[2]
        if given.get("TargetMode", "").strip().lower() == "external":
            _refuse_external(kind)
        if name == "_rels/.rels" and kind == "officeDocument" and given.get("Target", "").lstrip("/") != _MAIN:
            raise InvalidInput(
                "the file is no Word document (.docx) as Word writes it", hint="open it and save it again"
            )

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = element
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise InvalidInput("the Word document is damaged") from None


def _refuse_external(kind: str) -> None:
    """A link that a reader may follow is no reference that is loaded; its address is not kept."""
    if kind == "hyperlink":
        return
    what = {"attachedTemplate": "a template", "image": "a picture"}.get(kind, "something")
    raise InvalidInput(
        f"the Word document loads {what} from elsewhere",
        hint="copy all of it into a new document, save that, and try again",
    )
