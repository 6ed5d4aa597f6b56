"""What the archive does on each fact of another service: a completed agreement is put in line, links end."""

from services.archive.store import EndedLink
from services.archive.transaction import ArchiveTransaction
from shared.events import AgreementCompleted, LinksEnded
from shared.links import holder_of
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received


async def on_agreement_completed(transaction: ArchiveTransaction, received: Received[AgreementCompleted]) -> None:
    """Rendering and sealing take too long for a batch of events: the worker does it, from a row of its own."""
    transaction.enqueue(received.envelope)


async def on_links_ended(transaction: ArchiveTransaction, received: Received[LinksEnded]) -> None:
    """Also before the copy is archived: what is mailed of it then has the version that the event names."""
    event = received.event
    for one in event.people:
        holder = holder_of(event.agreement_id, one.email)
        transaction.end_link(EndedLink(received.envelope.organisation, event.agreement_id, holder, one.version))


EVENT_HANDLERS: Handlers[ArchiveTransaction] = {
    AgreementCompleted: on_agreement_completed,
    LinksEnded: on_links_ended,
}
