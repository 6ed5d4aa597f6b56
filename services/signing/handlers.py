"""What signing does on each fact of another service. Facts are never refused: they are appended, or ignored.

Mail about an agreement follows our own SignatureRequested, published after the agreement was committed. So a fact about
an agreement that is not in the table is not about one of ours, and is let pass.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, TypeVar

from services.signing import decisions, notices
from services.signing.agreement import Agreement, Status
from services.signing.asking import Decision
from services.signing.deadlines import Deadlines
from services.signing.mail_news import MailNews
from services.signing.sealed_copies import SealedCopy
from services.signing.transaction import SigningTransaction
from shared.events import (
    BounceDetected,
    EmailDeferred,
    EmailSent,
    ProtocolArchived,
    ProtocolDrafted,
    ProtocolReleased,
    ProtocolUnlocked,
    ReplyLeftUnread,
)
from shared.logging import get_logger
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received

log = get_logger(__name__)

_COPY_MAIL = "archived"
_EXTRACT_MAILS = "extract"  # and what tells its sender that it bounced

FactT = TypeVar("FactT", EmailSent, EmailDeferred, BounceDetected)


async def on_protocol_drafted(transaction: SigningTransaction, received: Received[ProtocolDrafted]) -> None:
    """An agreement stands ready. A draft that names an agreement that exists changes nothing."""
    envelope, draft = received.envelope, received.event
    if transaction.find(envelope.organisation, draft.agreement_id) is not None:
        log.warning("draft.agreement_exists", agreement_id=draft.agreement_id, event_id=envelope.id)
        return
    decision = decisions.create(draft, envelope.time)
    transaction.create(envelope.organisation, envelope.correlation_id, decision, envelope)


async def on_protocol_unlocked(transaction: SigningTransaction, received: Received[ProtocolUnlocked]) -> None:
    """The agreement is withdrawn, as by its sender. One that has ended, or that everyone has signed, stays as it is."""
    envelope, fact = received.envelope, received.event
    agreement = transaction.find(envelope.organisation, fact.agreement_id)
    if agreement is None or agreement.state.status not in (Status.READY, Status.OUT):
        log.info("unlock.nothing_to_withdraw", agreement_id=fact.agreement_id, event_id=envelope.id)
        return
    decision = decisions.cancel(agreement.state, fact.reason, ip=fact.ip, at=envelope.time)
    transaction.append(agreement, decision, cause=envelope)
    transaction.clear_timers(agreement)


def releasing(deadlines: Deadlines) -> Handlers[SigningTransaction]:
    """What sends an agreement off needs to know when its time runs out."""

    async def on_protocol_released(transaction: SigningTransaction, received: Received[ProtocolReleased]) -> None:
        """The first signer is asked, as if the sender had sent it off. One that was sent off or ended stays."""
        envelope, fact = received.envelope, received.event
        agreement = transaction.find(envelope.organisation, fact.agreement_id)
        if agreement is None or agreement.state.status is not Status.READY:
            log.info("release.nothing_to_send", agreement_id=fact.agreement_id, event_id=envelope.id)
            return
        at = envelope.time
        decision = decisions.send_off(agreement.state, expires=deadlines.expiry(at), at=at)
        transaction.append(agreement, decision, cause=envelope)
        deadlines.begin(transaction, agreement, at)

    return {ProtocolReleased: on_protocol_released}


async def on_email_sent(transaction: SigningTransaction, received: Received[EmailSent]) -> None:
    """Recorded; it may be what completion waited for."""
    _record(transaction, received, decisions.record_email_sent)


async def on_email_deferred(transaction: SigningTransaction, received: Received[EmailDeferred]) -> None:
    _record(transaction, received, decisions.record_deferral)


async def on_bounce_detected(transaction: SigningTransaction, received: Received[BounceDetected]) -> None:
    """That the sealed copy's link did not arrive changes nothing of what was signed: the sender is told, no more."""
    if received.event.purpose == _COPY_MAIL:
        _hear(transaction, received, "copy-bounced", received.event.diagnostic)
        return
    """Recorded; the sender is told when it is for them to do something."""
    envelope, fact = received.envelope, received.event
    agreement = transaction.find(envelope.organisation, fact.agreement_id)
    before = agreement.state if agreement is not None else None
    _record(transaction, received, decisions.record_bounce)
    if agreement is None or before is None:
        return
    if (notice := notices.of_bounce(before, agreement.state, fact)) is not None:
        transaction.tell(agreement, notice, envelope.time, cause=envelope)


async def on_reply_left_unread(transaction: SigningTransaction, received: Received[ReplyLeftUnread]) -> None:
    """It may be a bounce: the sender is told. An extract is the archive's, and may be somebody else's to send."""
    if received.event.purpose.startswith(_EXTRACT_MAILS):
        return
    _hear(transaction, received, "unread")


async def on_protocol_archived(transaction: SigningTransaction, received: Received[ProtocolArchived]) -> None:
    """The sender's page and the API lead to the sealed copy from now on."""
    envelope, event = received.envelope, received.event
    agreement = transaction.find(envelope.organisation, event.agreement_id)
    if agreement is None:
        log.info("fact.not_ours", agreement_id=event.agreement_id, event_id=envelope.id)
        return
    copy = SealedCopy(pdf=event.sealed, archived_at=envelope.time, test_seal=event.test_seal)
    transaction.archived(agreement, copy)


def _hear(
    transaction: SigningTransaction,
    received: Received[BounceDetected] | Received[ReplyLeftUnread],
    kind: Literal["unread", "copy-bounced"],
    diagnostic: str = "",
) -> None:
    envelope, fact = received.envelope, received.event
    agreement = transaction.find(envelope.organisation, fact.agreement_id)
    if agreement is None:
        log.info("fact.not_ours", agreement_id=fact.agreement_id, event_id=envelope.id)
        return
    news = MailNews(
        kind=kind,
        email_id=fact.email_id,
        request_id=fact.request_id,
        recipient=fact.recipient,
        at=envelope.time,
        diagnostic=diagnostic,
    )
    transaction.heard(agreement, news)


def _record(
    transaction: SigningTransaction,
    received: Received[FactT],
    decide: Callable[[Agreement, FactT, datetime], Decision],
) -> None:
    envelope, fact = received.envelope, received.event
    agreement = transaction.find(envelope.organisation, fact.agreement_id)
    if agreement is None:
        log.info("fact.not_ours", agreement_id=fact.agreement_id, event_id=envelope.id)
        return
    transaction.append(agreement, decide(agreement.state, fact, envelope.time), cause=envelope)


EVENT_HANDLERS: Handlers[SigningTransaction] = {
    ProtocolDrafted: on_protocol_drafted,
    ProtocolUnlocked: on_protocol_unlocked,
    EmailSent: on_email_sent,
    EmailDeferred: on_email_deferred,
    BounceDetected: on_bounce_detected,
    ReplyLeftUnread: on_reply_left_unread,
    ProtocolArchived: on_protocol_archived,
}
