"""typst, set up once: our fonts, our templates, no file of the machine's, no network."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import typst

from shared.rendering.coverage import FALLBACK_FONTS, FONT_FOLDER, printable

_TEMPLATES = Path(__file__).parent / "templates"
_aging = Lock()  # a compiler serves one thread at a time


@dataclass(frozen=True)
class Attachment:
    """A file inside a PDF. `relationship` is PDF's (ISO 32000-2, § 7.11.3); `name` is a plain file name."""

    name: str
    content: bytes
    mime_type: str
    description: str
    relationship: Literal["source", "data", "supplement"]


def has_template(folder: str) -> bool:
    return (_TEMPLATES / folder / "main.typ").is_file()


def typeset(folder: str, data: Mapping[str, Any], *, at: datetime, attachments: Sequence[Attachment] = ()) -> bytes:
    """A tagged PDF/A-3a + PDF/UA-1 of the template in `folder`. `at` (aware) is its creation time, to the second.

    `data` is JSON-like; what the fonts cannot draw in it becomes U+FFFD. Raises typst.TypstError for a faulty template.
    """
    listed = [
        {
            "name": file.name,
            "mime-type": file.mime_type,
            "description": file.description,
            "relationship": file.relationship,
        }
        for file in attachments
    ]
    with _root(folder, attachments) as root:
        try:
            return _compile(root, {**printable(data), "attachments": listed}, at)
        except typst.TypstError:
            # A sequence that no font shapes, such as an emoji of several parts: leave only what the body font draws.
            return _compile(root, {**printable(data, body_font_only=True), "attachments": listed}, at)


@contextmanager
def _root(folder: str, attachments: Sequence[Attachment]) -> Iterator[Path]:
    """What typst may read: a folder that holds the template and the attachments, and nothing else."""
    if not attachments:
        yield _TEMPLATES / folder
        return
    with tempfile.TemporaryDirectory(prefix="justera-render-") as scratch:
        root = Path(scratch)
        for name, content in _template_files(folder):
            (root / name).write_bytes(content)
        for file in attachments:
            (root / file.name).write_bytes(file.content)
        yield root


@cache
def _template_files(folder: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((path.name, path.read_bytes()) for path in (_TEMPLATES / folder).iterdir())


def typeset_appearance(folder: str, data: Mapping[str, Any]) -> bytes:
    """A PDF of one untagged page, to be drawn inside another document (an annotation's appearance)."""
    return _typst(_TEMPLATES / folder, printable(data), pdf_tags=False, timestamp=0)


def _compile(root: Path, data: Mapping[str, Any], at: datetime) -> bytes:
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be placed")
    return _typst(root, data, pdf_standards=["a-3a", "ua-1"], timestamp=int(at.timestamp()))


def _typst(root: Path, data: Mapping[str, Any], **options: Any) -> bytes:
    try:
        pdf: bytes = typst.compile(
            str(root / "main.typ"),
            root=str(root),
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps({**data, "fallback-fonts": FALLBACK_FONTS})},
            **options,
        )
    finally:
        _forget_documents()
    return pdf


def _forget_documents() -> None:
    """Each compilation ages what typst remembers, and what ten have not used is dropped: 2 to 4 MB a document.

    Some empty ones, a fraction of a millisecond each, age it faster; what all documents share stays.
    """
    with _aging:
        for _ in range(4):
            _empty_page().compile(format="svg")


@cache
def _empty_page() -> typst.Compiler:
    root = _TEMPLATES / "empty"
    return typst.Compiler(str(root / "main.typ"), root=str(root), font_paths=_fonts(), ignore_system_fonts=True)


@cache
def _fonts() -> typst.Fonts:
    """Our fonts and those in typst, never the machine's: the same bytes everywhere."""
    return typst.Fonts(include_system_fonts=False, font_paths=[str(FONT_FOLDER)])
