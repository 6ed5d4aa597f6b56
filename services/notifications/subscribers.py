"""Notifications' consumer: the facts that ask for a mail, or make one needless."""

from services.notifications.agreement import extracts, handlers
from services.notifications.member import date_polls, notices, plans, publications, reviews, tasks
from services.notifications.transaction import NotificationsTransaction
from shared import organisations
from shared.messaging.gate import Gate
from shared.messaging.inbound import Handlers, Inbound
from shared.messaging.transaction import UnitOfWork
from shared.service import Subscription

GROUP = "notifications"
EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    **handlers.EVENT_HANDLERS,
    **extracts.EVENT_HANDLERS,
    **plans.EVENT_HANDLERS,
    **notices.EVENT_HANDLERS,
    **date_polls.EVENT_HANDLERS,
    **reviews.EVENT_HANDLERS,
    **tasks.EVENT_HANDLERS,
    **publications.EVENT_HANDLERS,
    **organisations.EVENT_HANDLERS,
}


def inbound(unit_of_work: UnitOfWork[NotificationsTransaction]) -> Inbound[NotificationsTransaction]:
    return Inbound(GROUP, unit_of_work, EVENT_HANDLERS)


def subscription(gate: Gate) -> Subscription:
    return Subscription(GROUP, gate.topics, gate.handle)
