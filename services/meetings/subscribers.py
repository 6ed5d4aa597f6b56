"""Meetings' consumer: how agreements about its minutes ended, and what came back of mails about its meetings."""

from services.meetings.minutes import handlers as minutes
from services.meetings.notice import handlers as notice
from services.meetings.transaction import MeetingsTransaction
from shared.messaging.gate import Gate
from shared.messaging.inbound import Handlers, Inbound
from shared.messaging.transaction import UnitOfWork
from shared.service import Subscription

GROUP = "meetings"
EVENT_HANDLERS: Handlers[MeetingsTransaction] = {**minutes.EVENT_HANDLERS, **notice.EVENT_HANDLERS}


def inbound(unit_of_work: UnitOfWork[MeetingsTransaction]) -> Inbound[MeetingsTransaction]:
    return Inbound(GROUP, unit_of_work, EVENT_HANDLERS)


def subscription(gate: Gate) -> Subscription:
    return Subscription(GROUP, gate.topics, gate.handle)
