"""What becomes of minutes when the agreement about them ends before everyone has signed: they may be drafted anew."""

from services.meetings.transaction import MeetingsTransaction
from shared.events import AgreementCancelled, AgreementExpired, SigningDeclined
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received


async def on_declined(transaction: MeetingsTransaction, received: Received[SigningDeclined]) -> None:
    await transaction.minutes_ended(received.envelope.organisation, received.event.agreement_id, "declined")


async def on_cancelled(transaction: MeetingsTransaction, received: Received[AgreementCancelled]) -> None:
    await transaction.minutes_ended(received.envelope.organisation, received.event.agreement_id, "cancelled")


async def on_expired(transaction: MeetingsTransaction, received: Received[AgreementExpired]) -> None:
    await transaction.minutes_ended(received.envelope.organisation, received.event.agreement_id, "expired")


EVENT_HANDLERS: Handlers[MeetingsTransaction] = {
    SigningDeclined: on_declined,
    AgreementCancelled: on_cancelled,
    AgreementExpired: on_expired,
}
