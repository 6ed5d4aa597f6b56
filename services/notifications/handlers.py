"""What notifications does on each event: queue a mail, or withdraw those that nobody needs to get any more."""

from services.notifications.delivery import Facts, NewDelivery
from services.notifications.messages import Language, Purpose
from services.notifications.store import Ended
from services.notifications.transaction import NotificationsTransaction
from shared.events import (
    AgreementCancelled,
    AgreementCreated,
    AgreementExpired,
    AlternateSignerAdded,
    Envelope,
    Person,
    ProtocolArchived,
    SignatureRequested,
    SignerAddressCorrected,
    SigningDeclined,
    SigningLinkRevoked,
)
from shared.events.signing import DocumentSigned, ReminderRequested
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received
from shared.rendering.report_times import stamp_time
from shared.text import same_email

_PURPOSES = {
    "first": Purpose.SIGNATURE_REQUEST,
    "alternate": Purpose.ALTERNATE_REQUEST,
    "again": Purpose.REQUEST_AGAIN,
}


async def on_agreement_created(transaction: NotificationsTransaction, received: Received[AgreementCreated]) -> None:
    """Later mails name its sender and its time zone."""
    envelope, event = received.envelope, received.event
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    known.sender, known.timezone = event.sender, event.timezone
    transaction.agreement_changed(envelope.organisation, event.agreement_id)


async def on_alternate_added(transaction: NotificationsTransaction, received: Received[AlternateSignerAdded]) -> None:
    """The mails to both, which may come much later, name the other one."""
    envelope, event = received.envelope, received.event
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    known.others[event.request_id] = Person(email=event.original_email, name=event.original_name)
    known.others[event.original_request_id] = Person(email=event.email, name=event.name)
    transaction.agreement_changed(envelope.organisation, event.agreement_id)


async def on_address_corrected(
    transaction: NotificationsTransaction, received: Received[SignerAddressCorrected]
) -> None:
    """Whom others are told about is reached elsewhere now; nothing more goes to the old address."""
    envelope, event = received.envelope, received.event
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    for request_id, person in known.others.items():
        if same_email(person.email, event.original_email):
            known.others[request_id] = Person(email=event.email, name=event.name)
    transaction.agreement_changed(envelope.organisation, event.agreement_id)
    _withdraw_replaced(transaction, received)


async def on_link_revoked(transaction: NotificationsTransaction, received: Received[SigningLinkRevoked]) -> None:
    _withdraw_replaced(transaction, received)


async def on_signature_requested(transaction: NotificationsTransaction, received: Received[SignatureRequested]) -> None:
    purpose = _PURPOSES[received.event.purpose]
    _ask(transaction, received.envelope, received.event, purpose)


async def on_reminder_requested(transaction: NotificationsTransaction, received: Received[ReminderRequested]) -> None:
    _ask(transaction, received.envelope, received.event, Purpose.REMINDER)


def _withdraw_replaced(
    transaction: NotificationsTransaction, received: Received[SignerAddressCorrected] | Received[SigningLinkRevoked]
) -> None:
    """A link that is no longer valid is not mailed."""
    event = received.event
    transaction.withdraw(
        Ended(
            received.envelope.organisation,
            event.agreement_id,
            request_id=event.request_id,
            below_version=event.version,
        )
    )


async def on_document_signed(transaction: NotificationsTransaction, received: Received[DocumentSigned]) -> None:
    """A receipt to the signer; whoever else could sign for the place need not be asked any more."""
    envelope, event = received.envelope, received.event
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    language = _language(event.language)
    facts = Facts(
        language=language,
        document=event.document_name,
        sender=known.sender,
        recipient_name=event.name,
        signed_at=stamp_time(envelope.time, known.timezone, language),
    )
    transaction.send(
        _mail(envelope, event.agreement_id, Purpose.RECEIPT, event.email, facts, request_id=event.request_id)
    )
    transaction.withdraw(Ended(envelope.organisation, event.agreement_id, event.place, kept=event.request_id))


async def on_agreement_ended(
    transaction: NotificationsTransaction,
    received: Received[SigningDeclined | AgreementCancelled | AgreementExpired],
) -> None:
    """Nobody is to be asked any more."""
    transaction.withdraw(Ended(received.envelope.organisation, received.event.agreement_id))


async def on_protocol_archived(transaction: NotificationsTransaction, received: Received[ProtocolArchived]) -> None:
    """One mail to everyone who signed, and to the sender."""
    envelope, event = received.envelope, received.event
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    for person in event.recipients:
        facts = Facts(
            language=_language(person.language),
            document=event.document_name,
            sender=known.sender,
            recipient_name=person.name or "",
        )
        transaction.send(_mail(envelope, event.agreement_id, Purpose.ARCHIVED, person.email, facts))


def _ask(
    transaction: NotificationsTransaction,
    envelope: Envelope,
    event: SignatureRequested | ReminderRequested,
    purpose: Purpose,
) -> None:
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    facts = Facts(
        language=_language(event.language),
        document=event.document_name,
        sender=event.sender,
        recipient_name=event.name or "",
        other=known.others.get(event.request_id),
    )
    transaction.send(
        _mail(
            envelope,
            event.agreement_id,
            purpose,
            event.email,
            facts,
            request_id=event.request_id,
            request_version=event.version,
            place=event.place,
        )
    )


def _mail(
    envelope: Envelope,
    agreement_id: str,
    purpose: Purpose,
    recipient: str,
    facts: Facts,
    *,
    request_id: str = "",
    request_version: int = 0,
    place: int | None = None,
) -> NewDelivery:
    return NewDelivery(
        organisation=envelope.organisation,
        agreement_id=agreement_id,
        purpose=purpose,
        recipient=recipient,
        request_id=request_id,
        request_version=request_version,
        place=place,
        cause_id=envelope.id,
        correlation_id=envelope.correlation_id,
        facts=facts,
        time=envelope.time,
    )


def _language(given: str) -> Language:
    """What we have words in."""
    return "en" if given.lower().startswith("en") else "sv"


EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    AgreementCreated: on_agreement_created,
    AlternateSignerAdded: on_alternate_added,
    SignerAddressCorrected: on_address_corrected,
    SigningLinkRevoked: on_link_revoked,
    SignatureRequested: on_signature_requested,
    ReminderRequested: on_reminder_requested,
    DocumentSigned: on_document_signed,
    SigningDeclined: on_agreement_ended,
    AgreementCancelled: on_agreement_ended,
    AgreementExpired: on_agreement_ended,
    ProtocolArchived: on_protocol_archived,
}
