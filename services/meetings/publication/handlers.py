"""What the notice board keeps of signing: who signed our minutes, in which role and when, as their public pages say."""

from services.meetings.transaction import MeetingsTransaction
from shared.events import DocumentSigned
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received
from shared.rendering.minutes import Stamp


async def on_signed(transaction: MeetingsTransaction, received: Received[DocumentSigned]) -> None:
    """Neither address nor IP is kept. Agreements that are not ours are left."""
    organisation, event = received.envelope.organisation, received.event
    if await transaction.minutes_exist_for(organisation, event.agreement_id):
        stamp = Stamp(role=event.role, name=event.name, at=received.envelope.time)
        await transaction.minutes_are_out(organisation, event.agreement_id, received.envelope.time)
        await transaction.add_signature(organisation, event.agreement_id, event.place, stamp)


EVENT_HANDLERS: Handlers[MeetingsTransaction] = {DocumentSigned: on_signed}
