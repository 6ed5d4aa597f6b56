"""Minutes that were drafted, or are out for signature, are opened again: their text goes back to be edited.

Signing withdraws the agreement about them when it reads the fact, and tells those who were asked. Its own fact of that
comes back, and the next version may be drafted (`revision`): with the same numbers. Where there is no
draft of them, what was withdrawn is that draft again (`manuscript`).
"""

from dataclasses import dataclass
from typing import Any

from services.meetings.manuscript.manuscript import Manuscript, Source, begun
from services.meetings.minutes.at_once import before_it, of_row
from services.meetings.minutes.revision import require_unlockable
from services.meetings.minutes.store import version_of_row
from services.meetings.transaction import MeetingsTransaction
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.errors import InvalidInput, Refused
from shared.events import BlobRef, ProtocolUnlocked
from shared.messaging.transaction import UnitOfWork
from shared.text import clean_ip, clean_reason


@dataclass(frozen=True, slots=True)
class Unlocked:
    """`version`: the one that is withdrawn. `markdown`: what it was drafted of; None where that was not kept yet.
    `is_draft`: whether that is the meeting's draft again."""

    meeting_id: str
    version: int
    agreement_id: str
    markdown: str | None
    is_draft: bool


class UnlockCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock, blobs: BlobStore) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._blobs = blobs

    async def unlock(
        self, organisation: str, meeting_id: str, reason: str, *, ip: str, at_once: str | None = None
    ) -> Unlocked:
        """`reason`: told to those who were asked to sign. `at_once`: the agreement about a paragraph that is approved
        on its own, instead of the minutes. Raises NotFound, Refused, InvalidInput, Unavailable."""
        said, sender_ip = clean_reason(reason), clean_ip(ip)
        seen = await self._unit_of_work.look(lambda transaction: _last(transaction, organisation, meeting_id, at_once))
        before = require_unlockable(version_of_row(seen) if seen is not None else None)
        markdown = await self._text(organisation, seen)
        draft = _as_draft(markdown)

        async def work(transaction: MeetingsTransaction) -> Unlocked:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            row: Any = await _last(transaction, organisation, meeting_id, at_once)
            version = require_unlockable(version_of_row(row) if row is not None else None)
            if version.number != before.number:
                raise Refused("another version was drafted at this moment", hint="look at it first")
            now, told_as = self._clock.now(), await _told_as(transaction, organisation, row)
            await transaction.unlock_minutes(organisation, meeting_id, version.number, now)
            changed = meeting.model_copy(update={"version": meeting.version + 1})
            await transaction.save_meeting(organisation, changed)
            fact = ProtocolUnlocked(
                meeting_id=meeting_id,
                agreement_id=version.agreement_id,
                document_name=row.document_name,
                version=told_as,
                reason=said,
                ip=sender_ip,
            )
            transaction.tell(organisation, changed, fact, now)
            # one that is there is somebody's work, newer maybe, and stays
            there = await transaction.manuscript(organisation, meeting_id)
            if draft is not None and there is None and at_once is None:
                await transaction.save_manuscript(organisation, meeting_id, there := draft)
            is_draft = there is not None and (there is draft or there.numbered == version.number)
            return Unlocked(meeting_id, told_as, version.agreement_id, markdown, is_draft)

        return await self._unit_of_work.run(work)

    async def _text(self, organisation: str, row: Any) -> str | None:
        if row.source is None:
            return None
        return (await self._blobs.get(organisation, BlobRef.model_validate(row.source))).decode()


def _as_draft(markdown: str | None) -> Manuscript | None:
    """None for a text that cannot be cut into paragraphs: headings that are underlined are no places to cut."""
    try:
        return None if markdown is None else begun(markdown, Source.TEXT)
    except InvalidInput:
        return None


async def _told_as(transaction: MeetingsTransaction, organisation: str, row: Any) -> int:
    """The version as `ProtocolDrafted` told it."""
    if row.version > 0:
        return int(row.version)
    there = [of_row(one) for one in await transaction.adjusted_at_once(organisation, row.meeting_id)]
    before = [one for one in there if one.version > row.version]
    return before_it(before, row.first_paragraph, row.piece, row.heading)[0]


async def _last(
    transaction: MeetingsTransaction, organisation: str, meeting_id: str, at_once: str | None
) -> Any | None:
    await transaction.meeting(organisation, meeting_id)
    if at_once is not None:
        there = await transaction.adjusted_at_once(organisation, meeting_id)
        return next((row for row in there if row.agreement_id == at_once), None)
    return await transaction.minutes_of(organisation, meeting_id)
