"""What notifications does when a deadline of minutes comes near or has passed: the body's secretary, and of what is
missed its chair, get one mail.

A mail's delivery says of which body: `agreement_id` is the body's id, `request_id` the person's.
"""

from datetime import date
from typing import Any

from services.notifications.letter.languages import Language
from services.notifications.letter.letter import Purpose, quotable
from services.notifications.member.mailing import tell
from services.notifications.transaction import NotificationsTransaction
from shared.events import PublicationDeadlineMissed, PublicationDeadlineNeared
from shared.events.notices import AskedMember
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received
from shared.readable import day, weekday

_NEAR = {"adjust": Purpose.PUBLICATION_ADJUST_NEAR, "post": Purpose.PUBLICATION_POST_NEAR}
_MISSED = {"adjust": Purpose.PUBLICATION_ADJUST_MISSED, "post": Purpose.PUBLICATION_POST_MISSED}


async def on_deadline(
    transaction: NotificationsTransaction, received: Received[PublicationDeadlineNeared | PublicationDeadlineMissed]
) -> None:
    """Raises ValueError for a day that is none, or an unknown deadline: the event is poison."""
    event = received.event
    purposes = _MISSED if isinstance(event, PublicationDeadlineMissed) else _NEAR
    if event.deadline not in purposes:
        raise ValueError(f"no deadline of minutes: {event.deadline[:20]!r}")
    due, held_on = date.fromisoformat(event.due), date.fromisoformat(event.held_on)
    alone = f", § {event.paragraph}" if event.paragraph is not None else ""

    def said(_: AskedMember, language: Language) -> dict[str, Any]:
        return {
            "document": f"{quotable(event.body, 300)}, {day(held_on, language)}{alone}",
            "deadline": weekday(due, language),
        }

    await tell(transaction, received, purposes[event.deadline], event.body_id, event.people, said)


EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    PublicationDeadlineNeared: on_deadline,
    PublicationDeadlineMissed: on_deadline,
}
