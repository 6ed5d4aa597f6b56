"""What came back of a mail that asks someone to read minutes: who looks after the meeting is told."""

from services.meetings.bounced import said_of
from services.meetings.notice.scene import scene_of
from services.meetings.review import review as rules
from services.meetings.review.following import asked_among
from services.meetings.transaction import MeetingsTransaction
from shared.errors import NotFound
from shared.events import BounceDetected
from shared.logging import get_logger
from shared.messaging.transaction import Received
from shared.names import subject_of_mail
from shared.text import same_email

log = get_logger(__name__)

_ASKED_BY = frozenset({"review", "review-again"})
"""Purposes of mails that ask someone to read minutes; those to who writes them are none of them."""


def is_of_a_review(purpose: str) -> bool:
    return subject_of_mail(purpose) == "review"


async def on_bounced(transaction: MeetingsTransaction, received: Received[BounceDetected]) -> None:
    """A mail that an address got which the person no longer has says nothing about them."""
    event, organisation = received.event, received.envelope.organisation
    if event.purpose not in _ASKED_BY:
        return
    person_id = event.request_id or ""
    try:
        review = await transaction.review(organisation, event.agreement_id)
        person = await transaction.person(organisation, person_id)
    except NotFound:
        log.info("bounce.of_nobody_asked", review_id=event.agreement_id, person_id=person_id)
        return
    if person_id not in review.people or not same_email(person.details.email or "", event.recipient):
        log.info("bounce.known_or_of_another_address", review_id=review.id, person_id=person_id)
        return
    meeting = await transaction.lock_meeting(organisation, review.meeting_id)
    review = await transaction.review(organisation, review.id, for_update=True)
    if not review.is_open or person_id not in review.waiting_for or person_id in review.unreached:
        log.info("bounce.of_what_ended_or_is_known", review_id=review.id, person_id=person_id)
        return
    said = said_of(event)
    scene = await scene_of(transaction, organisation, meeting)
    looking = [one.person_id for one in scene.looking_after() if one.person_id != person_id] if scene else []
    told = await asked_among(transaction, organisation, looking)
    changed, fact = rules.unreached(review, person_id, person.details.name, event.recipient, said, told)
    await transaction.save_review(organisation, changed)
    transaction.tell(organisation, changed, fact, received.envelope.time)
