"""What a publication waits for, in a transaction: it begins, all sign, and its timer stands at the next moment."""

from datetime import datetime

from services.meetings.body.body import Body
from services.meetings.meeting.meeting import Meeting
from services.meetings.publication import publication as rules
from services.meetings.publication.publication import Publication
from services.meetings.transaction import MeetingsTransaction
from shared.ids import new_id


async def begin_publication(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, body: Body
) -> Publication:
    """The meeting's own, locked."""
    return await transaction.begin_posting(organisation, rules.begin(new_id(), meeting, body))


async def can_be_posted(transaction: MeetingsTransaction, organisation: str, meeting_id: str, at: datetime) -> None:
    """All have signed. Of a body that the register does not know, nothing is waited for."""
    meeting = await transaction.meeting(organisation, meeting_id)
    body = await transaction.body_of(organisation, meeting)
    if body is None:
        return
    publication = await begin_publication(transaction, organisation, meeting, body)
    adjusted = rules.adjusted(publication, body, at)
    await transaction.save_posting(organisation, adjusted)
    await transaction.set_posting_timer(organisation, adjusted)
