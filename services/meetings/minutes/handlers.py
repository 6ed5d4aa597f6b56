"""What becomes of minutes when the agreement about them ends.

Signed by all, the elections that they declare take effect, their paragraphs go into the decision register, and they
can be posted: that is when a decision can be acted on. Before that, they may be drafted anew, and nothing comes of the
older version.
"""

from services.meetings.decision.entering import all_signed
from services.meetings.minutes.seating import take_effect
from services.meetings.publication.waiting import can_be_posted
from services.meetings.transaction import MeetingsTransaction
from shared.events import AgreementCancelled, AgreementCompleted, AgreementExpired, SignatureRequested, SigningDeclined
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received


async def on_requested(transaction: MeetingsTransaction, received: Received[SignatureRequested]) -> None:
    """Whoever sent it: the document's own page sends, too."""
    await transaction.minutes_are_out(
        received.envelope.organisation, received.event.agreement_id, received.envelope.time
    )


async def on_declined(transaction: MeetingsTransaction, received: Received[SigningDeclined]) -> None:
    await transaction.minutes_ended(received.envelope.organisation, received.event.agreement_id, "declined")


async def on_cancelled(transaction: MeetingsTransaction, received: Received[AgreementCancelled]) -> None:
    await transaction.minutes_ended(received.envelope.organisation, received.event.agreement_id, "cancelled")


async def on_expired(transaction: MeetingsTransaction, received: Received[AgreementExpired]) -> None:
    await transaction.minutes_ended(received.envelope.organisation, received.event.agreement_id, "expired")


async def on_completed(transaction: MeetingsTransaction, received: Received[AgreementCompleted]) -> None:
    organisation, at = received.envelope.organisation, received.envelope.time
    found = await transaction.version_of_agreement(organisation, received.event.agreement_id)
    if found is None:
        return
    if await transaction.elections(organisation, *found):
        await transaction.lock_register(organisation)
        rows = await transaction.elections(organisation, *found, for_update=True)
        waiting = [row for row in rows if row.outcome is None]
        await take_effect(transaction, organisation, waiting, at=at, cause=received.envelope)
    await all_signed(transaction, organisation, received.event.agreement_id, at, received.event.render_input)
    await can_be_posted(transaction, organisation, *found, at)


EVENT_HANDLERS: Handlers[MeetingsTransaction] = {
    SignatureRequested: on_requested,
    SigningDeclined: on_declined,
    AgreementCancelled: on_cancelled,
    AgreementExpired: on_expired,
    AgreementCompleted: on_completed,
}
