"""The archive's two consumers: completed agreements, and the journal of everything."""

from services.archive.handlers import EVENT_HANDLERS
from services.archive.journal import CONSUMER, Journal
from services.archive.transaction import ArchiveTransaction
from shared import organisations
from shared.events import topics
from shared.messaging.gate import Gate
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import UnitOfWork
from shared.service import Subscription

GROUP = "archive"
_JOURNAL_LINGER = 0.25  # seconds; people read the journal, no process waits for it


def inbound(unit_of_work: UnitOfWork[ArchiveTransaction]) -> Inbound[ArchiveTransaction]:
    return Inbound(GROUP, unit_of_work, {**EVENT_HANDLERS, **organisations.EVENT_HANDLERS})


def subscriptions(gate: Gate, journal: Journal) -> tuple[Subscription, ...]:
    return (
        Subscription(GROUP, gate.topics, gate.handle),
        Subscription(CONSUMER, topics.ALL, journal.handle, linger=_JOURNAL_LINGER),
    )
