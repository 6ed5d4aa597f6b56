"""What is said when minutes are drafted, and what a draft makes: its row and its fact. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.meeting.meeting import known_timezone
from services.meetings.minutes.minutes import MinutesDraft
from services.meetings.minutes.revision import Version, next_version
from shared.errors import InvalidInput
from shared.events import BlobRef, Person, ProtocolDrafted, ProtocolReleased, SignerInvitation
from shared.rendering.minutes import Language, MinutesDocument, SignaturePlace, place_label
from shared.text import clean_mailbox, clean_name, named_twice

MOST_SIGNERS = 20
_TRANSACTION_ID = re.compile(r"^[A-Za-z0-9_-]{44}$")


class Drafting(BaseModel):
    """What drafting needs beyond the text: who sends, who signs in which order, in what language and time zone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sender: Person
    signers: tuple[SignerInvitation, ...] = Field(min_length=1, max_length=MOST_SIGNERS)
    language: Language = "sv"
    timezone: str = "Europe/Stockholm"
    transaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class DraftedMinutes:
    meeting_id: str
    agreement_id: str
    document_name: str
    first_paragraph: int
    last_paragraph: int
    pdf: BlobRef
    version: int = 1
    replaces: str | None = None  # the agreement about the version before


def known_transaction_id(text: str) -> str:
    """Raises InvalidInput."""
    if not _TRANSACTION_ID.match(text):
        raise InvalidInput("transaction_id: needs 44 characters of A-Z, a-z, 0-9, - and _")
    return text


def clean_drafting(drafting: Drafting) -> Drafting:
    """Raises InvalidInput: a malformed address, name, zone or id, or one address that is to sign twice."""
    if drafting.transaction_id is not None:
        known_transaction_id(drafting.transaction_id)
    known_timezone(drafting.timezone)
    signers = tuple(_clean_signer(signer, drafting.language) for signer in drafting.signers)
    if address := named_twice(signer.email for signer in signers):
        raise InvalidInput(f"signers: {address} is named twice; each place needs an address of its own")
    if not drafting.sender.name:
        raise InvalidInput("sender: needs a name")
    sender = Person(
        email=clean_mailbox(drafting.sender.email), name=clean_name(drafting.sender.name), language=drafting.language
    )
    return drafting.model_copy(update={"signers": signers, "sender": sender})


def signature_places(draft: MinutesDraft, drafting: Drafting) -> tuple[SignaturePlace, ...]:
    """One place a signer, in signing order, with the name that the minutes (else the invitation) give for the role."""
    front = draft.front
    expected = {"secretary": [front.secretary], "chair": [front.chair], "adjuster": list(front.adjusters)}
    places = []
    for signer in drafting.signers:
        names = expected.get(signer.role, [])
        name = names.pop(0) if names else ""
        label = place_label(signer.role, drafting.language)
        places.append(SignaturePlace(role=signer.role, label=label, name=name or signer.name or ""))
    return tuple(places)


def _clean_signer(signer: SignerInvitation, language: Language) -> SignerInvitation:
    name = clean_name(signer.name) if signer.name else None
    role = clean_name(signer.role)
    return signer.model_copy(update={"email": clean_mailbox(signer.email), "name": name, "role": role})


def drafted_of(
    meeting_id: str, agreement_id: str, document: MinutesDocument, pdf: BlobRef, before: Version | None
) -> DraftedMinutes:
    version = next_version(before)
    return DraftedMinutes(
        meeting_id,
        agreement_id,
        document.name if version == 1 else f"{document.name} (version {version})",
        document.paragraphs[0].number,
        document.paragraphs[-1].number,
        pdf,
        version,
        before.agreement_id if before else None,
    )


def minutes_row(
    organisation: str,
    drafted: DraftedMinutes,
    document: MinutesDocument,
    render_input: BlobRef,
    source: BlobRef,
    at: datetime,
) -> dict[str, Any]:
    return {
        "organisation": organisation,
        "meeting_id": drafted.meeting_id,
        "agreement_id": drafted.agreement_id,
        "document_name": drafted.document_name,
        "year": document.starts.year,
        "first_paragraph": drafted.first_paragraph,
        "last_paragraph": drafted.last_paragraph,
        "pdf": drafted.pdf.model_dump(),
        "render_input": render_input.model_dump(),
        "source": source.model_dump(),
        "drafted_at": at,
        "version": drafted.version,
    }


def drafted_fact(
    drafted: DraftedMinutes,
    document: MinutesDocument,
    drafting: Drafting,
    render_input: BlobRef,
    ip: str,
    *,
    at_once: bool = False,
) -> ProtocolDrafted:
    return ProtocolDrafted(
        meeting_id=drafted.meeting_id,
        agreement_id=drafted.agreement_id,
        document_name=drafted.document_name,
        body=document.body,
        year=document.starts.year,
        first_paragraph=drafted.first_paragraph,
        last_paragraph=drafted.last_paragraph,
        pdf=drafted.pdf,
        render_input=render_input,
        template_version=str(document.template_version),
        sender=drafting.sender,
        sender_ip=ip,
        signers=drafting.signers,
        language=drafting.language,
        timezone=drafting.timezone,
        version=drafted.version,
        replaces=drafted.replaces,
        at_once=at_once,
    )


def released(drafted: DraftedMinutes) -> ProtocolReleased:
    """Nobody is to read it first: signing sends it."""
    return ProtocolReleased(
        meeting_id=drafted.meeting_id,
        agreement_id=drafted.agreement_id,
        document_name=drafted.document_name,
        version=drafted.version,
    )
