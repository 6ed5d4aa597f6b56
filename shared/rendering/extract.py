"""An extract of minutes (protokollsutdrag): one paragraph under the heading of its meeting, with who certifies it.

It is a document of its own, made of what was signed: always set by the newest template, whatever the minutes were.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.clock import timestamp
from shared.errors import NotFound
from shared.rendering.html import facts_of
from shared.rendering.minutes import CURRENT_TEMPLATE, Language, MinutesDocument, Stamp, place_label
from shared.rendering.people import changes_of
from shared.rendering.render import page_data
from shared.rendering.report_times import stamp_time
from shared.rendering.typesetting import Attachment, Job

EXTRACT_NAME = "extract.json"
EXTRACT_FORMAT = "justera-extract/1"

_WORDS: dict[Language, dict[str, str]] = {
    "sv": {
        "heading": "Protokollsutdrag",
        "body": "Organ",
        "signed": "Protokollet är signerat av",
        "certified": "Utdragets riktighet bestyrkes",
        "made": "Utdraget är gjort ur det signerade och arkiverade protokollet.",
        "agreement": "Protokollets transaktions-ID",
        "sealed": "Den förseglade kopians SHA-256",
    },
    "en": {
        "heading": "Extract of minutes",
        "body": "Body",
        "signed": "The minutes are signed by",
        "certified": "Certified to be a true extract",
        "made": "The extract is made of the signed and archived minutes.",
        "agreement": "The minutes’ transaction ID",
        "sealed": "SHA-256 of the sealed copy",
    },
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """Who certifies the extract, and when (aware); of which agreement, whose sealed copy has which SHA-256."""

    by: str
    at: datetime
    agreement_id: str
    sealed_sha256: str


def extract_name(document: MinutesDocument, paragraph: int) -> str:
    """`Protokoll styrelsen 2022-09-23 § 32`."""
    return f"{document.name} § {paragraph}"


def extract_job(document: MinutesDocument, paragraph: int, stamps: Sequence[Stamp], certificate: Certificate) -> Job:
    """`stamps`: of all who signed, in signing order. Raises NotFound for a paragraph that the minutes do not have."""
    found = next((one for one in document.paragraphs if one.number == paragraph), None)
    if found is None:
        numbers = f"{document.paragraphs[0].number}–{document.paragraphs[-1].number}"
        raise NotFound(f"the minutes have no § {paragraph}; theirs are §§ {numbers}")
    part = document.model_copy(
        update={
            "template_version": CURRENT_TEMPLATE,
            "paragraphs": (found,),
            "annexes": tuple(one for one in document.annexes if paragraph in one.paragraphs),
        }
    )
    data = dict(page_data(part))
    data["name"] = extract_name(document, paragraph)
    data["document"]["paragraphs"][0]["changes"] = changes_of(document).get(paragraph, ())
    data["extract"] = _said(document, stamps, certificate)
    return Job(f"v{CURRENT_TEMPLATE}", data, certificate.at, (_attached(document, paragraph, certificate),))


def _said(document: MinutesDocument, stamps: Sequence[Stamp], certificate: Certificate) -> dict[str, object]:
    words = _WORDS[document.language]
    return {
        "heading": words["heading"],
        "facts": [(words["body"], document.body), *facts_of(document)],
        "signed_heading": words["signed"],
        "signed": [
            f"{place_label(one.role, document.language)}: {one.name} ({_time(document, one.at)})" for one in stamps
        ],
        "certified_heading": words["certified"],
        "certified": [certificate.by, _time(document, certificate.at)],
        "made": words["made"],
        "proof": [(words["agreement"], certificate.agreement_id), (words["sealed"], certificate.sealed_sha256)],
    }


def _attached(document: MinutesDocument, paragraph: int, certificate: Certificate) -> Attachment:
    """The same for programs: what `justera verify` reads."""
    said = {
        "format": EXTRACT_FORMAT,
        "document_name": document.name,
        "paragraph": paragraph,
        "agreement": certificate.agreement_id,
        "sealed_copy_sha256": certificate.sealed_sha256,
        "certified_by": certificate.by,
        "certified_at": timestamp(certificate.at),
    }
    content = json.dumps(said, ensure_ascii=False, indent=1).encode()
    return Attachment(EXTRACT_NAME, content, "application/json", "What this is an extract of", "data")


def _time(document: MinutesDocument, at: datetime) -> str:
    return stamp_time(at, document.timezone, document.language)
