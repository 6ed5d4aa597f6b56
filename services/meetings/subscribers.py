"""Meetings' consumer: how agreements about its minutes ended."""

from services.meetings.minutes.handlers import EVENT_HANDLERS
from services.meetings.transaction import MeetingsTransaction
from shared.messaging.gate import Gate
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import UnitOfWork
from shared.service import Subscription

GROUP = "meetings"


def inbound(unit_of_work: UnitOfWork[MeetingsTransaction]) -> Inbound[MeetingsTransaction]:
    return Inbound(GROUP, unit_of_work, EVENT_HANDLERS)


def subscription(gate: Gate) -> Subscription:
    return Subscription(GROUP, gate.topics, gate.handle)
