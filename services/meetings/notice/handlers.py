"""What came back of mails about a meeting: that one did not arrive, or what a calendar answers.

These are facts of another service: what fits nothing that is known is left, with a line in the log.
"""

from services.meetings.bounced import said_of
from services.meetings.meeting.meeting import Meeting
from services.meetings.notice import notice as rules
from services.meetings.notice.scene import scene_of
from services.meetings.person.person import Person
from services.meetings.reply.commands import record_answer
from services.meetings.reply.reply import Answer, Via
from services.meetings.transaction import MeetingsTransaction
from shared.errors import InvalidInput, NotFound, Refused
from shared.events import BounceDetected, InvitationAnswered, NoticeUnreached
from shared.logging import get_logger
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received
from shared.text import clean_reason, same_email

log = get_logger(__name__)

_TOLD_BY = frozenset(
    {
        "notice-preliminary",
        "notice",
        "notice-updated",
        "notice-substitute",
        "notice-reminder",
        "notice-withdrawn",
        "notice-released",
        "papers-published",
        "proposal-taken",
        "proposal-declined",
    }
)
"""Purposes of mails by which people are told of a meeting; those to who looks after it are none of them."""


async def on_bounced(transaction: MeetingsTransaction, received: Received[BounceDetected]) -> None:
    """A mail that an address got which the person no longer has says nothing about them."""
    event, organisation = received.event, received.envelope.organisation
    if event.purpose not in _TOLD_BY:
        return
    meeting = await _meeting(transaction, organisation, event.agreement_id)
    scene = await scene_of(transaction, organisation, meeting) if meeting else None
    person_id = event.request_id or ""
    reply = scene.replies.get(person_id) if scene else None
    person = scene.people.get(person_id) if scene else None
    if meeting is None or scene is None or reply is None or person is None:
        log.info("bounce.of_nobody_asked", meeting_id=event.agreement_id, person_id=person_id)
        return
    if reply.unreached is not None or not same_email(person.details.email or "", event.recipient):
        log.info("bounce.known_or_of_another_address", meeting_id=event.agreement_id, person_id=person_id)
        return
    said = said_of(event)
    await transaction.save_replies(organisation, meeting.id, [reply.model_copy(update={"unreached": said})])
    people = [one for one in scene.looking_after() if one.person_id != person_id]
    known = rules.as_known(scene.notice, scene.draft(), people)
    fact = NoticeUnreached.model_validate(
        known | {"person_id": person_id, "name": person.details.name, "email": event.recipient, "diagnostic": said}
    )
    await transaction.tell_notice(organisation, meeting, fact, received.envelope.time)


async def on_answered(transaction: MeetingsTransaction, received: Received[InvitationAnswered]) -> None:
    """An answer to an invitation whose time is no longer the meeting's says nothing about the present one; nor does one
    that came by an address which the person no longer has, or from before their links were ended."""
    event, organisation = received.event, received.envelope.organisation
    ids = {"meeting_id": event.agreement_id, "person_id": event.request_id}
    meeting = await _meeting(transaction, organisation, event.agreement_id)
    if meeting is None or event.answer not in tuple(Answer):
        log.info("answer.to_nothing_known", **ids)
        return
    if event.sequence < (await transaction.notice(organisation, meeting.id)).time_since:
        log.info("answer.about_another_time", **ids)
        return
    person_id = event.request_id or ""
    person = (await transaction.people_among(organisation, [person_id])).get(person_id)
    if person is None or not _still_reaches(person, event):
        log.info("answer.by_what_has_ended", **ids)
        return
    try:
        await record_answer(
            transaction,
            organisation,
            meeting,
            person_id,
            Answer(event.answer),
            Via.CALENDAR,
            _comment(event.comment),
            received.envelope.time,
        )
    except Refused as refused:
        log.info("answer.not_wanted", reason=refused.message, **ids)


async def _meeting(transaction: MeetingsTransaction, organisation: str, meeting_id: str) -> Meeting | None:
    try:
        return await transaction.lock_meeting(organisation, meeting_id)
    except NotFound:
        return None


def _still_reaches(person: Person, event: InvitationAnswered) -> bool:
    is_theirs = same_email(person.details.email or "", event.recipient)
    return is_theirs and event.page_version in (None, person.page_version)


def _comment(text: str | None) -> str | None:
    """What a calendar program sent along; what nobody could read is left out, and the answer stands."""
    try:
        return clean_reason(text) if text and text.strip() else None
    except InvalidInput:
        return None


EVENT_HANDLERS: Handlers[MeetingsTransaction] = {InvitationAnswered: on_answered}
