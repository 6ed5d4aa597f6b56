"""How decisions come into the register: a timer of minutes that everyone signed reads what they were set from.

The timer is set in the transaction that learns of the last signature, and fires at once: a document is fetched in a
transaction of its own, which holds nothing that others wait for. What cannot be fetched now is tried again.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Literal

from services.meetings.decision.decision import entries_of, fits
from services.meetings.transaction import MeetingsTransaction
from shared.blobs import BlobStore
from shared.events import BlobRef
from shared.logging import get_logger
from shared.rendering.minutes import MinutesDocument
from shared.timers import Timer, set_timers

SIGNED = "minutes-signed"

log = get_logger(__name__)


async def all_signed(
    transaction: MeetingsTransaction, organisation: str, agreement_id: str, at: datetime, render_input: BlobRef | None
) -> Literal["entered", "known", "unknown", "unreadable"]:
    """Keep that everyone signed at `at`, and have the paragraphs entered.

    `render_input`: used where the minutes were drafted before it was kept here. Known already, nothing happens.
    """
    given = render_input.model_dump() if render_input else None
    row = await transaction.minutes_signed(organisation, agreement_id, at, given)
    if row is None:
        known = await transaction.minutes_of_agreement(organisation, agreement_id)
        return "known" if known is not None and known.signed_at is not None else "unknown"
    if row.render_input is None:
        return "unreadable"
    # Due by any clock: signing's may be ahead of ours, and it told when the last one signed.
    await set_timers(transaction.connection, [Timer(organisation, SIGNED, agreement_id, row.drafted_at)])
    return "entered"


class Entering:
    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def handlers(self) -> Mapping[str, Callable[[MeetingsTransaction, Timer], Awaitable[None]]]:
        return {SIGNED: self._enter}

    async def _enter(self, transaction: MeetingsTransaction, timer: Timer) -> None:
        organisation = timer.organisation
        minutes = await transaction.minutes_of_agreement(organisation, timer.subject)
        if minutes is None or minutes.signed_at is None or minutes.render_input is None:
            return
        content = await self._blobs.get(organisation, BlobRef.model_validate(minutes.render_input))
        document = MinutesDocument.model_validate_json(content)
        numbers = {"year": minutes.year, "first": minutes.first_paragraph, "last": minutes.last_paragraph}
        if not fits(document, **numbers):
            log.error("decisions.other_minutes", meeting_id=minutes.meeting_id, version=minutes.version)
            return
        await transaction.hold_register(organisation)  # a body that gets its name now takes these decisions, too
        meeting = await transaction.lock_meeting(organisation, minutes.meeting_id)
        entries = entries_of(document)
        await transaction.enter_decisions(organisation, meeting, minutes, document, entries)
        log.info("decisions.entered", meeting_id=meeting.id, version=minutes.version, count=len(entries))
