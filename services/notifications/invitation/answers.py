"""What an answer of a calendar program does: the person and the meeting are found, and what is new is told."""

from dataclasses import dataclass
from datetime import datetime

from services.notifications.delivery import delivery as rules
from services.notifications.delivery.delivery import Delivery
from services.notifications.invitation import store as invited
from services.notifications.invitation.calendar_replies import ABSENT, CalendarReply, NotBelieved, answer_of
from services.notifications.invitation.store import Invited, Mailed
from services.notifications.transaction import NotificationsTransaction
from shared.calendars import meeting_uid
from shared.logging import get_logger
from shared.web.limits import RateLimit, TooMany

log = get_logger(__name__)

_MOST_FACTS = 100  # about one mail: who answers without end fills no history


@dataclass(frozen=True)
class Found:
    """Whose answers come to an address. `delivery`: the last mail to them about the meeting, locked."""

    invited: Invited
    mailed: Mailed
    delivery: Delivery


async def found(transaction: NotificationsTransaction, organisation: str, invitation: str) -> Found | None:
    """None when nobody was invited so."""
    who = await invited.lock(transaction.connection, organisation, invitation)
    mailed = None if who is None else await invited.mailed(transaction.connection, who)
    if who is None or mailed is None:
        return None
    key = organisation, mailed.delivery_id
    delivery = (await transaction.lock([key])).get(key)
    return None if delivery is None else Found(who, mailed, delivery)


async def record(
    transaction: NotificationsTransaction, found: Found, reply: CalendarReply, now: datetime, limit: RateLimit
) -> None:
    """Told once for each change. `limit`: on changes of an answer, by invitation. Raises NotBelieved."""
    if found.mailed.ended:
        raise NotBelieved(
            "the calendar's answer is to an invitation whose address or links have ended: a person must ask"
        )
    answer = answer_of(
        reply,
        uid=meeting_uid(found.invited.meeting_id),
        addresses=found.mailed.addresses,
        latest=found.mailed.latest,
        invited_at=found.delivery.created_at,
        now=now,
        before=found.invited.answer,
    )
    if answer is None:
        log.info("answer.nothing_new", delivery_id=found.delivery.id)
        return
    if found.mailed.called_off:
        if answer.answer == ABSENT:
            log.info("answer.nothing_new", delivery_id=found.delivery.id)
            return
        raise NotBelieved("the calendar's answer is to a meeting that was called off: a person must tell them")
    if found.delivery.version >= _MOST_FACTS:
        raise NotBelieved("more answers have come to this invitation than anybody means: a person must ask")
    before = found.invited.answer
    if before is None or before.answer != answer.answer:
        try:
            limit.spend(found.invited.id)
        except TooMany:
            raise NotBelieved("the calendar's answer changes faster than anybody's mind: a person must ask") from None
    await invited.save_answer(transaction.connection, found.invited, answer)
    transaction.change(rules.answered(found.delivery, answer, at=now))
    log.info("answer.recorded", delivery_id=found.delivery.id)
