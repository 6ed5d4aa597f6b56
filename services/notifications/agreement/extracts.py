"""What notifications does when the archive sends an extract of minutes: whom it is for gets a mail with a link of their
own, and who sent it is told when that did not arrive.

A mail's delivery says which extract: `request_id` is its number among those of the agreement's minutes.
"""

from services.notifications.delivery.delivery import Facts, NewDelivery
from services.notifications.delivery.withdrawing import EndedCopies
from services.notifications.letter.languages import language_of
from services.notifications.letter.letter import Purpose, quotable
from services.notifications.transaction import NotificationsTransaction
from shared.clock import parse_timestamp
from shared.events import ExtractLinkEnded, ExtractSent, ExtractUnreached, Person
from shared.links import FIRST_VERSION
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received
from shared.rendering.report_times import stamp_time
from shared.text import same_email


async def on_extract_sent(transaction: NotificationsTransaction, received: Received[ExtractSent]) -> None:
    """Raises ValueError for a time or a zone that is none: the event is poison."""
    event = received.event
    language = language_of(event.recipient.language)
    until = stamp_time(parse_timestamp(event.opens_until), event.timezone, language)
    _mail(transaction, received, Purpose.EXTRACT, event.recipient, sender=event.sender, deadline=until)
    _withdraw(transaction, received)  # an earlier mail that still waits has a link that opens nothing any more


async def on_extract_unreached(transaction: NotificationsTransaction, received: Received[ExtractUnreached]) -> None:
    """Their own address that bounced gets nothing."""
    event = received.event
    if not same_email(event.sender.email, event.recipient.email):
        other = event.recipient.model_copy(update={"name": quotable(event.recipient.name or "", 200)})
        said = quotable(event.diagnostic, 300)
        _mail(transaction, received, Purpose.EXTRACT_UNREACHED, event.sender, other=other, quoted=said)


async def on_extract_link_ended(transaction: NotificationsTransaction, received: Received[ExtractLinkEnded]) -> None:
    """A link that opens nothing is not mailed."""
    _withdraw(transaction, received)


def _withdraw(
    transaction: NotificationsTransaction, received: Received[ExtractSent] | Received[ExtractLinkEnded]
) -> None:
    organisation, event = received.envelope.organisation, received.event
    if event.version > FIRST_VERSION:
        known = transaction.agreement(organisation, event.agreement_id)
        known.extract_links_end(event.number, event.recipient.email, below_version=event.version)
        transaction.agreement_changed(organisation, event.agreement_id)
    transaction.withdraw_copies(
        EndedCopies(
            organisation,
            event.agreement_id,
            event.recipient.email,
            below_version=event.version,
            extract=event.number,
        )
    )


def _mail(
    transaction: NotificationsTransaction,
    received: Received[ExtractSent] | Received[ExtractUnreached],
    purpose: Purpose,
    to: Person,
    *,
    sender: Person | None = None,
    other: Person | None = None,
    deadline: str = "",
    quoted: str = "",
) -> None:
    envelope, event = received.envelope, received.event
    facts = Facts(
        language=language_of(to.language),
        document=f"{quotable(event.document_name, 300)}, § {event.paragraph}",
        sender=sender,
        recipient_name=quotable(to.name or "", 200),
        other=other,
        deadline=deadline,
        quoted=quoted,
    )
    transaction.send_extract(
        NewDelivery.due_to(
            envelope,
            event.agreement_id,
            purpose,
            to.email,
            facts,
            request_id=str(event.number),
            request_version=event.version,
        )
    )


EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    ExtractSent: on_extract_sent,
    ExtractUnreached: on_extract_unreached,
    ExtractLinkEnded: on_extract_link_ended,
}
