"""What notifications does when a deadline of minutes comes near or has passed: the body's secretary, and of what is
missed its chair, get one mail.

A mail's delivery says of which body: `agreement_id` is the body's id, `request_id` the person's.
"""

from datetime import date

from services.notifications.delivery.delivery import Facts
from services.notifications.letter.languages import language_of
from services.notifications.letter.letter import Purpose, quotable
from services.notifications.member.notices import mail_to_member, send_to_members
from services.notifications.transaction import NotificationsTransaction
from shared.events import PublicationDeadlineMissed, PublicationDeadlineNeared
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
    mails = []
    for person in event.people:
        language = language_of(person.language)
        facts = Facts(
            language=language,
            document=f"{quotable(event.body, 300)}, {day(held_on, language)}{alone}",
            sender=None,
            recipient_name=quotable(person.name or "", 200),
            deadline=weekday(due, language),
        )
        mails.append(mail_to_member(received, purposes[event.deadline], event.body_id, person, facts))
    await send_to_members(transaction, received, event.body_id, mails)


EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    PublicationDeadlineNeared: on_deadline,
    PublicationDeadlineMissed: on_deadline,
}
