"""What becomes of minutes when the agreement about them ends.

Signed by all, the elections that they declare take effect: that is when a decision can be acted on. Before that, they
may be drafted anew, and nothing comes of what the older version declared.
"""

from services.meetings.minutes.seating import take_effect
from services.meetings.transaction import MeetingsTransaction
from shared.events import AgreementCancelled, AgreementCompleted, AgreementExpired, SigningDeclined
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received


async def on_declined(transaction: MeetingsTransaction, received: Received[SigningDeclined]) -> None:
    await transaction.minutes_ended(received.envelope.organisation, received.event.agreement_id, "declined")


async def on_cancelled(transaction: MeetingsTransaction, received: Received[AgreementCancelled]) -> None:
    await transaction.minutes_ended(received.envelope.organisation, received.event.agreement_id, "cancelled")


async def on_expired(transaction: MeetingsTransaction, received: Received[AgreementExpired]) -> None:
    await transaction.minutes_ended(received.envelope.organisation, received.event.agreement_id, "expired")


async def on_completed(transaction: MeetingsTransaction, received: Received[AgreementCompleted]) -> None:
    organisation = received.envelope.organisation
    found = await transaction.version_of_agreement(organisation, received.event.agreement_id)
    if found is None or not await transaction.elections(organisation, *found):
        return
    await transaction.lock_register(organisation)
    rows = await transaction.elections(organisation, *found, for_update=True)
    waiting = [row for row in rows if row.outcome is None]
    await take_effect(transaction, organisation, waiting, at=received.envelope.time, cause=received.envelope)


EVENT_HANDLERS: Handlers[MeetingsTransaction] = {
    SigningDeclined: on_declined,
    AgreementCancelled: on_cancelled,
    AgreementExpired: on_expired,
    AgreementCompleted: on_completed,
}
