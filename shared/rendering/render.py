"""Plain data -> PDF by typst: tagged, PDF/A-3a and PDF/UA-1, and byte for byte the same for the same input.

All of it is CPU work (tens of milliseconds a document): call it in a thread from asynchronous code.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typst

from shared.errors import InvalidInput
from shared.rendering.coverage import FALLBACK_FONTS, FONT_FOLDER, printable
from shared.rendering.minutes import (
    INITIALLING_ROLES,
    MinutesDocument,
    Stamp,
    initials_of,
    pair_stamps,
)
from shared.rendering.report_times import stamp_time

if TYPE_CHECKING:
    from shared.rendering.report import Report

_TEMPLATES = Path(__file__).parent / "templates"
_STANDARDS: list[Any] = ["a-3a", "ua-1"]


@dataclass(frozen=True)
class Attachment:
    """A file inside the final copy. `relationship` is PDF's (ISO 32000-2, § 7.11.3)."""

    name: str
    content: bytes
    mime_type: str
    description: str
    relationship: Literal["source", "data", "supplement"]


def original_attachment(pdf: bytes) -> Attachment:
    """The unsigned document that the signers saw."""
    return Attachment("original.pdf", pdf, "application/pdf", "The document as it was signed", "source")


def history_attachment(history: bytes) -> Attachment:
    """The hash-chained history of the agreement, as stored."""
    return Attachment("history.json", history, "application/json", "The history of the agreement", "data")


def render_minutes(document: MinutesDocument, *, at: datetime) -> bytes:
    """The original: what the signers read. `at` (aware) is the PDF's creation time; only seconds count.

    Raises InvalidInput for a template version that this installation does not have.
    """
    return _compile(document, _page_data(document, ()), (), at)


def render_final(
    document: MinutesDocument,
    *,
    stamps: Sequence[Stamp],
    report: "Report",
    attachments: Sequence[Attachment],
    at: datetime,
    initials: Sequence[str] | None = None,
) -> bytes:
    """The same pages with signatures and initials, then the audit report, with files attached.

    `initials` are those of chair and adjusters, in that order; by default those of the `stamps`. Apart from them, each
    page's text is the original's. Raises InvalidInput for an unknown template version.
    """
    data = _page_data(document, stamps, initials) | {"report": report.model_dump(mode="json")}
    return _compile(document, data, attachments, at)


def _page_data(
    document: MinutesDocument, stamps: Sequence[Stamp], initials: Sequence[str] | None = None
) -> dict[str, Any]:
    boxes = sum(place.role in INITIALLING_ROLES for place in document.places)
    letters = list(initials_of(stamps) if initials is None else initials)
    return {
        "name": document.name,
        "document": document.model_dump(mode="json") | _minutes_of_the_day(document),
        "places": [
            {
                "label": place.label,
                "name": place.name,
                "stamp": f"{stamp.name} ({stamp_time(stamp.at, document.timezone, document.language)})"
                if stamp
                else "",
            }
            for place, stamp in pair_stamps(document.places, stamps, document.language)
        ],
        "initials": letters + [""] * (boxes - len(letters)),
        "fallback-fonts": FALLBACK_FONTS,
        "report": None,
    }


def _minutes_of_the_day(document: MinutesDocument) -> dict[str, str]:
    return {"starts": f"{document.starts:%Y-%m-%dT%H:%M}", "ends": f"{document.ends:%Y-%m-%dT%H:%M}"}


def _compile(document: MinutesDocument, data: dict[str, Any], attachments: Sequence[Attachment], at: datetime) -> bytes:
    template = _TEMPLATES / f"v{document.template_version}"
    if not template.is_dir():
        raise InvalidInput(f"template_version {document.template_version} is not known here; upgrade first")
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be placed")
    data["attachments"] = [
        {
            "name": file.name,
            "mime-type": file.mime_type,
            "description": file.description,
            "relationship": file.relationship,
        }
        for file in attachments
    ]
    # typst reads only below its root: a folder that holds the template and the attachments, and nothing else.
    with tempfile.TemporaryDirectory(prefix="justera-render-") as folder:
        root = Path(folder)
        shutil.copytree(template, root, dirs_exist_ok=True)
        for file in attachments:
            (root / file.name).write_bytes(file.content)
        try:
            return _run_typst(root, printable(data), at)
        except typst.TypstError:
            # A sequence that no font shapes, such as an emoji of several parts; nothing of ours differs between the two.
            return _run_typst(root, printable(data, body_font_only=True), at)


def _run_typst(root: Path, data: dict[str, Any], at: datetime) -> bytes:
    return typst.compile(
        str(root / "main.typ"),
        root=str(root),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=_STANDARDS,
        timestamp=int(at.timestamp()),
    )


@cache
def _fonts() -> typst.Fonts:
    """Our fonts and those in typst, never the machine's: the same bytes everywhere."""
    return typst.Fonts(include_system_fonts=False, font_paths=[str(FONT_FOLDER)])
