"""The final copy of a completed agreement: what it is made of, checked, and how it is made. No I/O but CPU work."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from services.archive.seal import Sealer
from shared import invalid
from shared.errors import InvalidInput
from shared.events import AgreementCompleted, AgreementCreated, event_class
from shared.history import VerifiedHistory, verify_chain
from shared.rendering.annexes import bound_files
from shared.rendering.minutes import MinutesDocument, Stamp
from shared.rendering.press import Press
from shared.rendering.render import final_job, history_attachment, original_attachment
from shared.rendering.report import build_report, signatures
from shared.rendering.typesetting import Job


@dataclass(frozen=True, slots=True)
class Sources:
    """The documents that AgreementCompleted refers to, each already checked against its SHA-256."""

    original: bytes  # PDF
    history: bytes  # history.json
    render_input: bytes  # JSON of MinutesDocument
    annexes: Mapping[int, bytes] = field(default_factory=dict)  # those that are bound in, by number


def checked_history(agreement: AgreementCompleted, sources: Sources) -> VerifiedHistory:
    """The history. Raises BrokenChain or InvalidInput when the sources do not belong together."""
    history = verify_chain(sources.history)
    _check_belonging(agreement, history)
    return history


def final_copy_job(
    agreement: AgreementCompleted, sources: Sources, history: VerifiedHistory, *, completed_at: datetime
) -> Job:
    """Signed minutes, audit report, original, history and annexes attached, to be set. `history`: of `checked_history`.

    Raises InvalidInput for a render input that cannot be read.
    """
    document = document_of(sources.render_input)
    return final_job(
        document,
        stamps=[Stamp(role=one.role, name=one.name, at=one.signed_at) for one in signatures(history.entries)],
        report=build_report(history.entries, language=agreement.language, sealed_only=True),
        attachments=[
            original_attachment(sources.original),
            history_attachment(sources.history),
            *bound_files(document, sources.annexes),
        ],
        at=completed_at,
    )


async def make_final_copy(
    agreement: AgreementCompleted,
    sources: Sources,
    history: VerifiedHistory,
    *,
    completed_at: datetime,
    press: Press,
    sealer: Sealer,
) -> bytes:
    """The sealed PDF. Raises as `final_copy_job`, and Unavailable when the time-stamp authority is."""
    job = await asyncio.to_thread(final_copy_job, agreement, sources, history, completed_at=completed_at)
    unsealed = await press.set(job)
    return await asyncio.to_thread(sealer.seal, unsealed)


def document_of(render_input: bytes) -> MinutesDocument:
    """Raises InvalidInput for a render input that cannot be read."""
    try:
        return MinutesDocument.model_validate_json(render_input)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = invalid.place(first["loc"])
        raise InvalidInput(f"the render input cannot be read: {where}: {invalid.what(first)}") from error


def _check_belonging(agreement: AgreementCompleted, history: VerifiedHistory) -> None:
    """The chain, not the event, is what everybody signed: what the event says must stand in it."""
    if history.agreement_id != agreement.agreement_id:
        raise InvalidInput("the history is another agreement's")
    if history.document_sha256 != agreement.document.sha256:
        raise InvalidInput("the history speaks of another document")
    events = [event for entry in history.entries if (event := entry.event()) is not None]
    created = next((event for event in events if isinstance(event, AgreementCreated)), None)
    if created is None:
        raise InvalidInput("the history does not say which minutes it is about: its first entry was erased")
    if created.render_input != agreement.render_input:
        raise InvalidInput("the history speaks of another render input")
    if event_class(history.entries[-1].type) is not AgreementCompleted:
        raise InvalidInput("the history does not end with the agreement's completion")
