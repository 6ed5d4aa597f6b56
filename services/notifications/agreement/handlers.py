"""What notifications does on each event: queue a mail, or withdraw those that nobody needs to get any more."""

from collections.abc import Sequence
from typing import Any

from services.notifications.delivery.delivery import Facts, NewDelivery
from services.notifications.delivery.withdrawing import Ended, EndedCopies
from services.notifications.letter.languages import Language, language_of
from services.notifications.letter.letter import Purpose, quotable
from services.notifications.transaction import NotificationsTransaction
from shared.clock import parse_timestamp
from shared.events import (
    AgreementCancelled,
    AgreementCreated,
    AgreementExpired,
    AlternateSignerAdded,
    DeadlineNeared,
    Envelope,
    LinksEnded,
    Person,
    ProtocolArchived,
    SignatureRequested,
    SignerAddressCorrected,
    SignerUnreached,
    SigningDeclined,
    SigningLinkRevoked,
)
from shared.events.signing import DocumentSigned, ReminderRequested
from shared.links import FIRST_VERSION
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received
from shared.rendering.report_times import stamp_time
from shared.text import email_key, same_email

_PURPOSES = {
    "first": Purpose.SIGNATURE_REQUEST,
    "alternate": Purpose.ALTERNATE_REQUEST,
    "again": Purpose.REQUEST_AGAIN,
}


async def on_agreement_created(transaction: NotificationsTransaction, received: Received[AgreementCreated]) -> None:
    """Later mails name its sender and its time zone, and go to its people alone."""
    envelope, event = received.envelope, received.event
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    known.sender, known.timezone = event.sender, event.timezone
    known.people = known.people or set()
    known.let_in(event.sender.email, *(signer.email for signer in event.signers))
    transaction.agreement_changed(envelope.organisation, event.agreement_id)


async def on_alternate_added(transaction: NotificationsTransaction, received: Received[AlternateSignerAdded]) -> None:
    """The mails to both, which may come much later, name the other one."""
    envelope, event = received.envelope, received.event
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    known.others[event.request_id] = Person(email=event.original_email, name=event.original_name)
    known.others[event.original_request_id] = Person(email=event.email, name=event.name)
    known.let_in(event.email)
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
    known.let_out(event.original_email)
    known.let_in(event.email)
    transaction.agreement_changed(envelope.organisation, event.agreement_id)
    _withdraw_replaced(transaction, received)


async def on_link_revoked(transaction: NotificationsTransaction, received: Received[SigningLinkRevoked]) -> None:
    _withdraw_replaced(transaction, received)


async def on_signature_requested(transaction: NotificationsTransaction, received: Received[SignatureRequested]) -> None:
    envelope, event = received.envelope, received.event
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    if known.let_in_if_first(event.request_id, event.email):
        transaction.agreement_changed(envelope.organisation, event.agreement_id)
    _ask(transaction, envelope, event, _PURPOSES[event.purpose])


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
    language = language_of(event.language)
    facts = Facts(
        language=language,
        document=event.document_name,
        sender=known.sender,
        recipient_name=event.name,
        signed_at=stamp_time(envelope.time, known.timezone, language),
    )
    transaction.send(
        NewDelivery.due_to(
            envelope, event.agreement_id, Purpose.RECEIPT, event.email, facts, request_id=event.request_id
        )
    )
    transaction.withdraw(Ended(envelope.organisation, event.agreement_id, event.place, kept=event.request_id))


async def on_declined(transaction: NotificationsTransaction, received: Received[SigningDeclined]) -> None:
    """A receipt to who declined; the sender gets the reason, those who had signed the news."""
    envelope, event = received.envelope, received.event
    _withdraw_all(transaction, envelope, event.agreement_id)
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    language, reason = language_of(event.language), quotable(event.reason)
    by = Person(email=event.email, name=event.name, language=language)
    declined_at = stamp_time(envelope.time, known.timezone, language)
    end = _End(transaction, envelope, event)
    end.tell(by, Purpose.DECLINE_RECEIPT, quoted=reason, signed_at=declined_at, request_id=event.request_id)
    end.tell_sender(Purpose.DECLINED_NOTICE, other=by, quoted=reason)
    end.tell_signed(Purpose.ENDED_DECLINED)


async def on_cancelled(transaction: NotificationsTransaction, received: Received[AgreementCancelled]) -> None:
    """The sender knows; those who had signed are told, and those who were asked to."""
    envelope, event = received.envelope, received.event
    _withdraw_all(transaction, envelope, event.agreement_id)
    end = _End(transaction, envelope, event)
    end.knows(event.by)
    end.tell_signed(Purpose.ENDED_CANCELLED)
    for person in event.asked:
        end.tell(person, Purpose.REQUEST_WITHDRAWN, quoted=quotable(event.reason, 400))


async def on_expired(transaction: NotificationsTransaction, received: Received[AgreementExpired]) -> None:
    envelope, event = received.envelope, received.event
    _withdraw_all(transaction, envelope, event.agreement_id)
    end = _End(transaction, envelope, event)
    end.tell_sender(Purpose.EXPIRED_NOTICE)
    end.tell_signed(Purpose.ENDED_EXPIRED)


async def on_signer_unreached(transaction: NotificationsTransaction, received: Received[SignerUnreached]) -> None:
    """The sender reads what the mail server said, and what can be done. Their own address that bounced gets nothing."""
    envelope, event = received.envelope, received.event
    if same_email(event.email, event.sender.email):
        return
    facts = _facts_for(
        event.sender,
        event.sender,
        event.document_name,
        other=Person(email=event.email, name=event.name),
        quoted=quotable(event.diagnostic, 300),
        status=quotable(event.status, 20),
    )
    transaction.send(
        NewDelivery.due_to(
            envelope,
            event.agreement_id,
            Purpose.BOUNCE_NOTICE,
            event.sender.email,
            facts,
            request_id=event.request_id,
            request_version=event.version,
        )
    )


async def on_deadline_neared(transaction: NotificationsTransaction, received: Received[DeadlineNeared]) -> None:
    envelope, event = received.envelope, received.event
    language = language_of(event.sender.language)
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    facts = _facts_for(
        event.sender,
        event.sender,
        event.document_name,
        who=_either(event.waiting_for, language),
        deadline=stamp_time(parse_timestamp(event.expires), known.timezone, language),
    )
    transaction.send(
        NewDelivery.due_to(envelope, event.agreement_id, Purpose.DEADLINE_NOTICE, event.sender.email, facts)
    )


class _End:
    """Who is told that an agreement has ended, each once, whatever their part in it. Older events name nobody."""

    def __init__(
        self,
        transaction: NotificationsTransaction,
        envelope: Envelope,
        event: SigningDeclined | AgreementCancelled | AgreementExpired,
    ) -> None:
        self._transaction = transaction
        self._envelope = envelope
        self._event = event
        self._known: list[Person] = []

    def knows(self, person: Person) -> None:
        self._known.append(person)

    def tell(self, person: Person, purpose: Purpose, *, request_id: str = "", **said: Any) -> None:
        event = self._event
        if event.sender is None or any(same_email(person.email, one.email) for one in self._known):
            return
        self._known.append(person)
        facts = _facts_for(person, event.sender, event.document_name, **said)
        self._transaction.send(
            NewDelivery.due_to(self._envelope, event.agreement_id, purpose, person.email, facts, request_id=request_id)
        )

    def tell_sender(self, purpose: Purpose, **said: Any) -> None:
        if self._event.sender is not None:
            self.tell(self._event.sender, purpose, **said)

    def tell_signed(self, purpose: Purpose) -> None:
        for person in self._event.signed:
            self.tell(person, purpose)


def _withdraw_all(transaction: NotificationsTransaction, envelope: Envelope, agreement_id: str) -> None:
    """Nobody is to be asked any more."""
    transaction.withdraw(Ended(envelope.organisation, agreement_id))


async def on_protocol_archived(transaction: NotificationsTransaction, received: Received[ProtocolArchived]) -> None:
    """One mail to everyone who signed, and to the sender; but for those whose links the sender ended before."""
    envelope, event = received.envelope, received.event
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    for person in event.recipients:
        if known.copy_version(person.email) is None:
            _send_copy(transaction, envelope, event, person, FIRST_VERSION)


async def on_links_ended(transaction: NotificationsTransaction, received: Received[LinksEnded]) -> None:
    """What waits with a link that opens nothing is not sent; a new one is, to whom the sender wants it mailed."""
    envelope, event = received.envelope, received.event
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    for one in event.people:
        known.copy_links[email_key(one.email)] = one.version
        transaction.withdraw_copies(
            EndedCopies(envelope.organisation, event.agreement_id, one.email, below_version=one.version)
        )
        if one.mailed:
            person = Person(email=one.email, name=one.name, language=one.language)
            _send_copy(transaction, envelope, event, person, one.version)
    transaction.agreement_changed(envelope.organisation, event.agreement_id)


def _send_copy(
    transaction: NotificationsTransaction,
    envelope: Envelope,
    event: ProtocolArchived | LinksEnded,
    person: Person,
    version: int,
) -> None:
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    facts = Facts(
        language=language_of(person.language),
        document=event.document_name,
        sender=known.sender,
        recipient_name=person.name or "",
    )
    transaction.send(
        NewDelivery.due_to(envelope, event.agreement_id, Purpose.ARCHIVED, person.email, facts, request_version=version)
    )


def _ask(
    transaction: NotificationsTransaction,
    envelope: Envelope,
    event: SignatureRequested | ReminderRequested,
    purpose: Purpose,
) -> None:
    known = transaction.agreement(envelope.organisation, event.agreement_id)
    language = language_of(event.language)
    facts = Facts(
        language=language,
        document=event.document_name,
        sender=event.sender,
        recipient_name=event.name or "",
        other=known.others.get(event.request_id),
        deadline=stamp_time(parse_timestamp(event.expires), known.timezone, language),
    )
    transaction.send(
        NewDelivery.due_to(
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


def _facts_for(recipient: Person, sender: Person, document: str, **said: Any) -> Facts:
    return Facts(
        language=language_of(recipient.language),
        document=document,
        sender=sender,
        recipient_name=recipient.name or "",
        **said,
    )


def _either(people: Sequence[Person], language: Language) -> str:
    """`A, B or C`; of many, the first three."""
    shown = [quotable(person.name or person.email, 100) for person in people[:3]]
    if len(people) > len(shown):
        return ", ".join(shown) + (" and others" if language == "en" else " med flera")
    joiner = " or " if language == "en" else " eller "
    return joiner.join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    AgreementCreated: on_agreement_created,
    AlternateSignerAdded: on_alternate_added,
    SignerAddressCorrected: on_address_corrected,
    SigningLinkRevoked: on_link_revoked,
    SignatureRequested: on_signature_requested,
    ReminderRequested: on_reminder_requested,
    DocumentSigned: on_document_signed,
    SigningDeclined: on_declined,
    AgreementCancelled: on_cancelled,
    AgreementExpired: on_expired,
    SignerUnreached: on_signer_unreached,
    DeadlineNeared: on_deadline_neared,
    ProtocolArchived: on_protocol_archived,
    LinksEnded: on_links_ended,
}
