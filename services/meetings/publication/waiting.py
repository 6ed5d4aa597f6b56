"""What a publication waits for, in a transaction: it begins, all sign, and its timer stands at the next moment."""

from datetime import datetime
from typing import Any

from services.meetings.body.body import Body
from services.meetings.meeting.meeting import Meeting
from services.meetings.publication.publication import Publication
from services.meetings.transaction import MeetingsTransaction


async def begin_publication(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, body: Body, now: datetime
) -> Publication:
    """The meeting's own, locked, as far as its minutes are."""
    seen = await transaction.posting_of(organisation, meeting.id)
    await transaction.hold_postings(organisation, [seen.id] if seen else [])
    return await transaction.follow_meeting(organisation, meeting, body, now)


async def begin_part(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, body: Body, row: Any, now: datetime
) -> Publication:
    """Of a paragraph that was approved at once, a row of `MINUTES`; locked."""
    seen = await transaction.posting_of(organisation, meeting.id, row.version)
    await transaction.hold_postings(organisation, [seen.id] if seen else [])
    return await transaction.follow_part(organisation, meeting, body, row, now)


async def can_be_posted(
    transaction: MeetingsTransaction, organisation: str, meeting_id: str, version: int, at: datetime
) -> None:
    """All have signed: the minutes, or, by a version below 0, a paragraph of theirs alone. Of a body that the register
    does not know, nothing is waited for."""
    meeting = await transaction.meeting(organisation, meeting_id)
    body = await transaction.body_of(organisation, meeting)
    if body is None:
        return
    if version > 0:
        await begin_publication(transaction, organisation, meeting, body, at)
        return
    for row in await transaction.adjusted_at_once(organisation, meeting_id):
        if row.version == version:
            await begin_part(transaction, organisation, meeting, body, row, at)
