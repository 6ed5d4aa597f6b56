"""What came back of mails of date polls: that one did not arrive. What fits nothing that is known is left."""

from services.meetings.bounced import said_of
from services.meetings.notice.notice import told_to
from services.meetings.notice.scene import scene_of
from services.meetings.poll import poll as rules
from services.meetings.poll.poll import Bounced
from services.meetings.transaction import MeetingsTransaction
from shared.errors import NotFound
from shared.events import BounceDetected
from shared.logging import get_logger
from shared.messaging.transaction import Received
from shared.names import subject_of_mail

log = get_logger(__name__)

_TOLD_BY = frozenset({"date-poll", "date-poll-called-off"})
"""Purposes of mails to those who are asked; those to who looks after the meeting are none of them."""


def is_of_a_poll(purpose: str) -> bool:
    return subject_of_mail(purpose) == "poll"


async def on_bounced(transaction: MeetingsTransaction, received: Received[BounceDetected]) -> None:
    """The poll's row is locked, if there is one (`MeetingsTransaction.prepare`)."""
    event, organisation = received.event, received.envelope.organisation
    if event.purpose not in _TOLD_BY:
        return
    person_id = event.request_id or ""
    person = (await transaction.people_among(organisation, [person_id])).get(person_id)
    try:
        poll = await transaction.poll(organisation, event.agreement_id, for_update=True)
    except NotFound:
        poll = None
    if poll is None or person is None:
        log.info("bounce.of_nobody_asked", poll_id=event.agreement_id, person_id=person_id)
        return
    meeting = await transaction.meeting(organisation, poll.meeting_id)
    body = await transaction.body(organisation, poll.body_id)
    scene = await scene_of(transaction, organisation, meeting)
    looking_after = told_to(scene.looking_after()) if scene else ()
    bounced = Bounced(event.recipient, event.status, said_of(event))
    found = rules.not_reached(poll, meeting, body, person, bounced, looking_after)
    if found is None:
        log.info("bounce.known_or_of_another_address", poll_id=poll.id, person_id=person_id)
        return
    unreached, fact = found
    await transaction.save_poll(organisation, unreached)
    transaction.tell(organisation, unreached, fact, received.envelope.time)
