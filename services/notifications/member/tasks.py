"""What notifications does when a task's day comes near: who does it gets a mail a week before, and one on the day; and
one when it is withdrawn after that.

A mail's delivery says of which body: `agreement_id` is the body's id, `request_id` the person's.
"""

from datetime import date

from services.notifications.delivery.delivery import Facts
from services.notifications.letter.languages import language_of
from services.notifications.letter.letter import Purpose, quotable
from services.notifications.member.notices import mail_to_member, send_to_members
from services.notifications.transaction import NotificationsTransaction
from shared.events import TaskDue, TaskWithdrawn
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received
from shared.readable import day, weekday

_PURPOSES = {"week": Purpose.TASK_SOON, "day": Purpose.TASK_TODAY}


async def on_task_due(transaction: NotificationsTransaction, received: Received[TaskDue]) -> None:
    """Raises ValueError for a day that is none, or an unknown reminder: the event is poison."""
    event = received.event
    if event.reminder not in _PURPOSES:
        raise ValueError(f"no reminder of a task: {event.reminder[:20]!r}")
    due, held_on = date.fromisoformat(event.due), date.fromisoformat(event.held_on)
    mails = []
    for person in event.people:
        language = language_of(person.language)
        facts = Facts(
            language=language,
            document=quotable(event.what, 400),
            sender=None,
            recipient_name=quotable(person.name or "", 200),
            deadline=weekday(due, language),
            quoted=f"§ {event.paragraph}, {quotable(event.body, 200)}, {day(held_on, language)}",
        )
        mails.append(mail_to_member(received, _PURPOSES[event.reminder], event.body_id, person, facts))
    await send_to_members(transaction, received, event.body_id, mails)


async def on_task_withdrawn(transaction: NotificationsTransaction, received: Received[TaskWithdrawn]) -> None:
    """Who was reminded of it. Raises ValueError for a day that is none: the event is poison."""
    event = received.event
    held_on = date.fromisoformat(event.held_on)
    mails = []
    for person in event.people:
        language = language_of(person.language)
        facts = Facts(
            language=language,
            document=quotable(event.what, 400),
            sender=None,
            recipient_name=quotable(person.name or "", 200),
            quoted=quotable(event.reason, 400),
            who=f"§ {event.paragraph}, {quotable(event.body, 200)}, {day(held_on, language)}",
        )
        mails.append(mail_to_member(received, Purpose.TASK_WITHDRAWN, event.body_id, person, facts))
    await send_to_members(transaction, received, event.body_id, mails)


EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    TaskDue: on_task_due,
    TaskWithdrawn: on_task_withdrawn,
}
