"""What notifications does when a task's day comes near: who does it gets a mail a week before, and one on the day; and
one when it is withdrawn, or somebody else's, after that. Whose it becomes gets one at once.

A mail's delivery says of which body: `agreement_id` is the body's id, `request_id` the person's.
"""

from datetime import date
from typing import Any

from services.notifications.letter.languages import Language
from services.notifications.letter.letter import Purpose, quotable
from services.notifications.member.mailing import tell
from services.notifications.transaction import NotificationsTransaction
from shared.events import TaskChanged, TaskDue, TaskWithdrawn
from shared.events.notices import AskedMember
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

    def said(_: AskedMember, language: Language) -> dict[str, Any]:
        return {
            "document": quotable(event.what, 400),
            "deadline": weekday(due, language),
            "quoted": _decided(event, held_on, language),
        }

    await tell(transaction, received, _PURPOSES[event.reminder], event.body_id, event.people, said)


async def on_task_changed(transaction: NotificationsTransaction, received: Received[TaskChanged]) -> None:
    """Whose it is now, and whose it is no more. Raises ValueError for a day that is none: the event is poison."""
    event = received.event
    due, held_on = date.fromisoformat(event.due), date.fromisoformat(event.held_on)

    def relieved(_: AskedMember, language: Language) -> dict[str, Any]:
        return {"document": quotable(event.what, 400), "quoted": _decided(event, held_on, language)}

    def handed(person: AskedMember, language: Language) -> dict[str, Any]:
        return relieved(person, language) | {"deadline": weekday(due, language)}

    await tell(transaction, received, Purpose.TASK_RELIEVED, event.body_id, event.relieved, relieved)
    await tell(transaction, received, Purpose.TASK_HANDED, event.body_id, event.people, handed)


async def on_task_withdrawn(transaction: NotificationsTransaction, received: Received[TaskWithdrawn]) -> None:
    """Who was reminded of it. Raises ValueError for a day that is none: the event is poison."""
    event = received.event
    held_on = date.fromisoformat(event.held_on)

    def said(_: AskedMember, language: Language) -> dict[str, Any]:
        return {
            "document": quotable(event.what, 400),
            "quoted": quotable(event.reason, 400),
            "who": _decided(event, held_on, language),
        }

    await tell(transaction, received, Purpose.TASK_WITHDRAWN, event.body_id, event.people, said)


def _decided(event: TaskChanged | TaskDue | TaskWithdrawn, held_on: date, language: Language) -> str:
    return f"§ {event.paragraph}, {quotable(event.body, 200)}, {day(held_on, language)}"


EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    TaskChanged: on_task_changed,
    TaskDue: on_task_due,
    TaskWithdrawn: on_task_withdrawn,
}
