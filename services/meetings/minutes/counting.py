"""What drafting looks up: which numbers the paragraphs get, and which files the minutes name."""

from services.meetings.body.body import Annexes, Body, BodyRules, Numbering
from services.meetings.meeting.meeting import body_key
from services.meetings.minutes.annexes import resolved
from services.meetings.minutes.minutes import MinutesDraft
from services.meetings.minutes.numbering import first_number, first_of_meeting
from services.meetings.minutes.revision import Version, kept_numbers
from services.meetings.transaction import MeetingsTransaction
from shared.rendering.minutes import Annex


def first_in_year(draft: MinutesDraft, before: Version | None, next_in_year: int | None) -> int:
    """The first number; a version after another keeps its numbers. Raises Refused."""
    front = draft.front
    if before is None:
        return first_number(next_in_year, front.first_paragraph)
    return kept_numbers(
        before,
        year=front.starts.year,
        wanted=front.first_paragraph,
        count=len(draft.sections),
        next_in_year=next_in_year,
    )


async def annexes_of(
    transaction: MeetingsTransaction, organisation: str, meeting_id: str, body: Body | None, draft: MinutesDraft
) -> tuple[Annex, ...]:
    """The files that the minutes name. Raises InvalidInput that names the line."""
    if not draft.front.annexes:
        return ()
    rules = body.details.rules if body else BodyRules()
    files = await transaction.files_of_meeting(organisation, meeting_id)
    return resolved(draft.front.annexes, files, bind=rules.annexes is Annexes.BOUND)


def counted_by(body: Body | None, draft: MinutesDraft) -> str:
    """What the numbers of the body's year stand under; see `NumberingRow`."""
    return body_key(body.details.name if body else draft.front.body)


def begins_anew(body: Body | None) -> bool:
    """Whether each meeting of the body has numbers of its own. What the register does not know counts by the year."""
    return body is not None and body.details.rules.numbering is Numbering.MEETING


def first_of(draft: MinutesDraft, before: Version | None) -> int:
    """Raises Refused."""
    if before is None or before.first == 1:
        return first_of_meeting(draft.front.first_paragraph)
    return first_in_year(draft, before, before.last + 1)  # numbered while the body's numbers ran through the year
