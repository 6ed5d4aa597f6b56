"""Minutes and their final copy as PDF: tagged, PDF/A-3a and PDF/UA-1, byte for byte the same for the same input.

`…_job` says what is to be set; `press.Press` sets it in another process, `render_…` in this one (for tests and tools).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.errors import InvalidInput
from shared.rendering.annexes import annexes_heading, annexes_of, bound_files
from shared.rendering.column_widths import column_widths
from shared.rendering.minutes import (
    INITIALLING_ROLES,
    Letterhead,
    MinutesDocument,
    Paragraph,
    Stamp,
    Table,
    initials_of,
    pair_stamps,
)
from shared.rendering.people import changes_of, people_of
from shared.rendering.report import Report
from shared.rendering.report_times import stamp_time
from shared.rendering.typesetting import Attachment, Job, has_template, typeset

ORIGINAL_NAME = "original.pdf"
HISTORY_NAME = "history.json"


def original_attachment(pdf: bytes) -> Attachment:
    """The unsigned document that the signers saw."""
    return Attachment(ORIGINAL_NAME, pdf, "application/pdf", "The document as it was signed", "source")


def history_attachment(history: bytes) -> Attachment:
    """The hash-chained history of the agreement, as stored."""
    return Attachment(HISTORY_NAME, history, "application/json", "The history of the agreement", "data")


def minutes_job(document: MinutesDocument, *, at: datetime, annexes: Mapping[int, bytes] | None = None) -> Job:
    """The original: what the signers read. `at` (aware) is the PDF's creation time; only seconds count.

    `annexes`: the bytes of those that are bound in, by number; without, none lies in it.

    Raises InvalidInput for a template version that this installation does not have.
    """
    files = bound_files(document, annexes) if annexes is not None else ()
    return Job(_template(document), page_data(document), at, files)


def final_job(
    document: MinutesDocument,
    *,
    stamps: Sequence[Stamp],
    report: Report,
    attachments: Sequence[Attachment],
    at: datetime,
    initials: Sequence[str] | None = None,
) -> Job:
    """The same pages with signatures and initials, then the audit report, with files attached.

    `stamps` come in signing order. `initials` are those of chair and adjusters, in that order; by default those of the
    stamps. Apart from both, each page's text is the original's. Raises InvalidInput for an unknown template version.
    """
    letters = tuple(initials_of(stamps)) if initials is None else tuple(initials)
    data = page_data(document, stamps, letters) | {"report": report.model_dump(mode="json")}
    return Job(_template(document), data, at, tuple(attachments))


def render_minutes(document: MinutesDocument, *, at: datetime, annexes: Mapping[int, bytes] | None = None) -> bytes:
    return typeset(minutes_job(document, at=at, annexes=annexes))


def render_final(
    document: MinutesDocument,
    *,
    stamps: Sequence[Stamp],
    report: Report,
    attachments: Sequence[Attachment],
    at: datetime,
    initials: Sequence[str] | None = None,
) -> bytes:
    return typeset(final_job(document, stamps=stamps, report=report, attachments=attachments, at=at, initials=initials))


def _template(document: MinutesDocument) -> str:
    folder = f"v{document.template_version}"
    if not has_template(folder):
        raise InvalidInput(f"template_version {document.template_version} is not known here; upgrade first")
    return folder


def page_data(document: MinutesDocument, stamps: Sequence[Stamp] = (), letters: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a template is given."""
    boxes = sum(place.role in INITIALLING_ROLES for place in document.places)
    return {
        "name": document.name,
        "document": document.model_dump(mode="json") | _local_times(document) | {"paragraphs": _paragraphs(document)},
        "letterhead": _letterhead(document),
        "people": people_of(document),
        "annexes": {"heading": annexes_heading(document.language), "files": annexes_of(document)},
        "places": _places(document, stamps),
        "initials": [*letters, *[""] * (boxes - len(letters))],
        "report": None,
        "extract": None,
    }


def _paragraphs(document: MinutesDocument) -> list[dict[str, Any]]:
    changes = changes_of(document)
    return [_paragraph(paragraph) | {"changes": changes.get(paragraph.number, ())} for paragraph in document.paragraphs]


def _paragraph(paragraph: Paragraph) -> dict[str, Any]:
    blocks = [
        block.model_dump(mode="json") | ({"widths": column_widths(block)} if isinstance(block, Table) else {})
        for block in paragraph.blocks
    ]
    return paragraph.model_dump(mode="json", exclude={"blocks"}) | {"blocks": blocks}


def _letterhead(document: MinutesDocument) -> dict[str, Any]:
    """The picture as numbers, one a byte: a template reads no file for it, and no text of ours changes it."""
    found = document.letterhead or Letterhead()
    logo = found.logo and {"type": found.logo.type, "alt": found.logo.alt, "content": list(found.logo.content)}
    return {"colour": found.colour, "foot": found.foot, "logo": logo}


def _places(document: MinutesDocument, stamps: Sequence[Stamp]) -> Sequence[Mapping[str, str]]:
    return [
        {"label": place.label, "name": place.name, "stamp": _stamp_text(document, stamp) if stamp else ""}
        for place, stamp in pair_stamps(document.places, stamps, document.language)
    ]


def _stamp_text(document: MinutesDocument, stamp: Stamp) -> str:
    """`Maja Lind (26 sep 2022 10:58 GMT+2)`."""
    return f"{stamp.name} ({stamp_time(stamp.at, document.timezone, document.language)})"


def _local_times(document: MinutesDocument) -> dict[str, str]:
    return {"starts": f"{document.starts:%Y-%m-%dT%H:%M}", "ends": f"{document.ends:%Y-%m-%dT%H:%M}"}
