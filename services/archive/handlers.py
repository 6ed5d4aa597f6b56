"""What the archive does on each fact of another service: a completed agreement is put in line, links end, an extract's
mail that did not arrive is told."""

import re

from services.archive import extract_sending as rules
from services.archive import extract_sending_store, extract_store, store
from services.archive.extract import Extract
from services.archive.store import EndedLink
from services.archive.transaction import ArchiveTransaction
from shared.events import AgreementCompleted, BounceDetected, LinksEnded
from shared.links import holder_of
from shared.logging import get_logger
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received

log = get_logger(__name__)

_EXTRACT_MAIL = "extract"
_NUMBER = re.compile("[0-9]{1,6}")


async def on_agreement_completed(transaction: ArchiveTransaction, received: Received[AgreementCompleted]) -> None:
    """Rendering and sealing take too long for a batch of events: the worker does it, from a row of its own."""
    transaction.enqueue(received.envelope)


async def on_links_ended(transaction: ArchiveTransaction, received: Received[LinksEnded]) -> None:
    """Also before the copy is archived: what is mailed of it then has the version that the event names."""
    event = received.event
    for one in event.people:
        holder = holder_of(event.agreement_id, one.email)
        transaction.end_link(EndedLink(received.envelope.organisation, event.agreement_id, holder, one.version))


async def on_bounced(transaction: ArchiveTransaction, received: Received[BounceDetected]) -> None:
    """Only of mails that bring an extract: who sent it is told, once for each time that it was sent."""
    event, organisation = received.event, received.envelope.organisation
    if event.purpose != _EXTRACT_MAIL or not _NUMBER.fullmatch(event.request_id or ""):
        return
    number, holder = int(event.request_id or ""), holder_of(event.agreement_id, event.recipient)
    await extract_store.lock_archived(transaction.connection, organisation, event.agreement_id)
    archived = await store.find_archived(transaction.connection, organisation, event.agreement_id)
    made = await extract_store.extracts_of(transaction.connection, organisation, event.agreement_id)
    extract = next((Extract.model_validate(row, from_attributes=True) for row in made if row.number == number), None)
    sent = await extract_sending_store.sending(transaction.connection, organisation, event.agreement_id, number, holder)
    if archived is None or extract is None or sent is None:
        log.info("bounce.of_no_extract", agreement_id=event.agreement_id, number=number)
        return
    at = received.envelope.time
    said = event.diagnostic or event.status
    became = rules.bounced(
        sent, extract, archived.document_name, version=event.request_version or 0, diagnostic=said, at=at
    )
    if became is not None:
        await extract_sending_store.change(transaction.connection, organisation, became[0])
        await transaction.tell_of_extract(archived, became[1], at=at, cause=received.envelope)


EVENT_HANDLERS: Handlers[ArchiveTransaction] = {
    AgreementCompleted: on_agreement_completed,
    LinksEnded: on_links_ended,
    BounceDetected: on_bounced,
}
