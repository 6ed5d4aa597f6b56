"""typst, set up once: our fonts, our templates, no file of the machine's, no network."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import typst

from shared.rendering.coverage import FALLBACK_FONTS, FONT_FOLDER, printable

_TEMPLATES = Path(__file__).parent / "templates"


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
    # typst reads only below its root: a folder that holds the template and the attachments, and nothing else.
    with tempfile.TemporaryDirectory(prefix="justera-render-") as scratch:
        root = Path(scratch)
        shutil.copytree(_TEMPLATES / folder, root, dirs_exist_ok=True)
        for file in attachments:
            (root / file.name).write_bytes(file.content)
        try:
            return _compile(root, {**printable(data), "attachments": listed}, at)
        except typst.TypstError:
            # A sequence that no font shapes, such as an emoji of several parts: leave only what the body font draws.
            return _compile(root, {**printable(data, body_font_only=True), "attachments": listed}, at)


def typeset_appearance(folder: str, data: Mapping[str, Any]) -> bytes:
    """A PDF of one untagged page, to be drawn inside another document (an annotation's appearance)."""
    return typst.compile(
        str(_TEMPLATES / folder / "main.typ"),
        root=str(_TEMPLATES / folder),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs=_inputs(printable(data)),
        pdf_tags=False,
        timestamp=0,
    )


def _compile(root: Path, data: Mapping[str, Any], at: datetime) -> bytes:
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be placed")
    return typst.compile(
        str(root / "main.typ"),
        root=str(root),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs=_inputs(data),
        pdf_standards=["a-3a", "ua-1"],
        timestamp=int(at.timestamp()),
    )


def _inputs(data: Mapping[str, Any]) -> dict[str, str]:
    return {"data": json.dumps({**data, "fallback-fonts": FALLBACK_FONTS})}


@cache
def _fonts() -> typst.Fonts:
    """Our fonts and those in typst, never the machine's: the same bytes everywhere."""
    return typst.Fonts(include_system_fonts=False, font_paths=[str(FONT_FOLDER)])
