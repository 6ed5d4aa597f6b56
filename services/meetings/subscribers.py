"""Meetings' consumer: how agreements about its minutes ended, what came back of mails about its meetings, and who is
no longer logged in."""

from services.meetings.minutes import handlers as minutes
from services.meetings.notice import handlers as notice
from services.meetings.poll import handlers as poll
from services.meetings.publication import handlers as publication
from services.meetings.review import handlers as review
from services.meetings.transaction import MeetingsTransaction
from shared.events import BounceDetected, LoginEnded
from shared.messaging.gate import Gate
from shared.messaging.inbound import Handlers, Inbound
from shared.messaging.transaction import Received, UnitOfWork
from shared.passed_sessions import end_login
from shared.service import Subscription

GROUP = "meetings"


async def on_bounced(transaction: MeetingsTransaction, received: Received[BounceDetected]) -> None:
    """A mail's purpose says what it is about."""
    purpose = received.event.purpose
    if poll.is_of_a_poll(purpose):
        await poll.on_bounced(transaction, received)
    elif review.is_of_a_review(purpose):
        await review.on_bounced(transaction, received)
    else:
        await notice.on_bounced(transaction, received)


async def on_login_ended(transaction: MeetingsTransaction, received: Received[LoginEnded]) -> None:
    await end_login(transaction.connection, received.event.login)


EVENT_HANDLERS: Handlers[MeetingsTransaction] = {
    **minutes.EVENT_HANDLERS,
    **notice.EVENT_HANDLERS,
    **publication.EVENT_HANDLERS,
    BounceDetected: on_bounced,
    LoginEnded: on_login_ended,
}


def inbound(unit_of_work: UnitOfWork[MeetingsTransaction]) -> Inbound[MeetingsTransaction]:
    return Inbound(GROUP, unit_of_work, EVENT_HANDLERS)


def subscription(gate: Gate) -> Subscription:
    return Subscription(GROUP, gate.topics, gate.handle)
