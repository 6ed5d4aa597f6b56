"""Signing's consumer: drafted minutes, what became of the mails that ask for signatures, and sealed copies."""

from services.signing.deadlines import Deadlines
from services.signing.handlers import EVENT_HANDLERS, releasing
from services.signing.transaction import SigningTransaction
from shared import organisations
from shared.messaging.gate import Gate
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import UnitOfWork
from shared.service import Subscription

GROUP = "signing"


def inbound(unit_of_work: UnitOfWork[SigningTransaction], deadlines: Deadlines) -> Inbound[SigningTransaction]:
    return Inbound(GROUP, unit_of_work, {**EVENT_HANDLERS, **releasing(deadlines), **organisations.EVENT_HANDLERS})


def subscription(gate: Gate) -> Subscription:
    return Subscription(GROUP, gate.topics, gate.handle)
