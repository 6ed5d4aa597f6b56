"""What the archive does on each fact of another service: a completed agreement is put in line, links and logins end, an
extract's mail that did not arrive is told, and what came back to one and cannot be read stands on its page."""

import re

from services.archive import extract_sending as rules
from services.archive import extract_sending_store, extract_store, store
from services.archive.extract import Extract
from services.archive.extract_sending import Sending
from services.archive.store import Archived, EndedLink
from services.archive.transaction import ArchiveTransaction
from shared.events import AgreementCompleted, BounceDetected, LinksEnded, LoginEnded, ReplyLeftUnread
from shared.links import holder_of
from shared.logging import get_logger
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received
from shared.passed_sessions import end_login

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
    if (found := await _sent(transaction, received)) is None:
        return
    event, at = received.event, received.envelope.time
    archived, extract, sent = found
    said = event.diagnostic or event.status
    became = rules.bounced(
        sent, extract, archived.document_name, version=event.request_version or 0, diagnostic=said, at=at
    )
    if became is not None:
        await extract_sending_store.change(transaction.connection, archived.organisation, became[0])
        await transaction.tell_of_extract(archived, became[1], at=at, cause=received.envelope)


async def on_reply_left_unread(transaction: ArchiveTransaction, received: Received[ReplyLeftUnread]) -> None:
    """It may be a bounce: it stands where the extract was sent. No event of ours: notifications' own says it."""
    if (found := await _sent(transaction, received)) is None:
        return
    archived, _, sent = found
    version = received.event.request_version or 0
    if (became := rules.left_unread(sent, version=version, at=received.envelope.time)) is not None:
        await extract_sending_store.change(transaction.connection, archived.organisation, became, tells=False)


async def _sent(
    transaction: ArchiveTransaction, received: Received[BounceDetected] | Received[ReplyLeftUnread]
) -> tuple[Archived, Extract, Sending] | None:
    """What the mail brought, its agreement locked; None of a mail that brought no extract."""
    event, organisation = received.event, received.envelope.organisation
    if event.purpose != _EXTRACT_MAIL or not _NUMBER.fullmatch(event.request_id or ""):
        return None
    number, holder = int(event.request_id or ""), holder_of(event.agreement_id, event.recipient)
    await extract_store.lock_archived(transaction.connection, organisation, event.agreement_id)
    archived = await store.find_archived(transaction.connection, organisation, event.agreement_id)
    made = await extract_store.extracts_of(transaction.connection, organisation, event.agreement_id)
    extract = next((Extract.model_validate(row, from_attributes=True) for row in made if row.number == number), None)
    sent = await extract_sending_store.sending(transaction.connection, organisation, event.agreement_id, number, holder)
    if archived is None or extract is None or sent is None:
        log.info("mail.of_no_extract", agreement_id=event.agreement_id, number=number)
        return None
    return archived, extract, sent


async def on_login_ended(transaction: ArchiveTransaction, received: Received[LoginEnded]) -> None:
    await end_login(transaction.connection, received.event.login)


EVENT_HANDLERS: Handlers[ArchiveTransaction] = {
    AgreementCompleted: on_agreement_completed,
    LinksEnded: on_links_ended,
    LoginEnded: on_login_ended,
    BounceDetected: on_bounced,
    ReplyLeftUnread: on_reply_left_unread,
}
