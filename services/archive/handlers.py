"""What the archive does on each fact of another service: a completed agreement is put in line to be archived."""

from services.archive.transaction import ArchiveTransaction
from shared.events import AgreementCompleted
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received


async def on_agreement_completed(transaction: ArchiveTransaction, received: Received[AgreementCompleted]) -> None:
    """Rendering and sealing take too long for a batch of events: the worker does it, from a row of its own."""
    transaction.enqueue(received.envelope)


EVENT_HANDLERS: Handlers[ArchiveTransaction] = {AgreementCompleted: on_agreement_completed}
