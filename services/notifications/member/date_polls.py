"""What notifications does when meetings asks for another date: each member who is asked gets one mail with one link.

A mail's delivery says which: `agreement_id` is the poll's id, `request_id` the person's, and `request_version` the
number of the poll's fact. What still waits of a poll that has ended is withdrawn, and who was not asked is told
nothing of its end.
"""

from datetime import date, datetime
from typing import Any

from services.notifications.delivery import withdrawing
from services.notifications.delivery.withdrawing import EndedNotices
from services.notifications.letter.languages import Language, capital
from services.notifications.letter.letter import Purpose, quotable
from services.notifications.member import held
from services.notifications.member.mailing import tell
from services.notifications.transaction import NotificationsTransaction
from shared.events import DatePollClosed, DatePollOpened, DatePollUnreached, Person
from shared.events.notices import AskedMember
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received
from shared.readable import span, weekday

_MOST_TIMES = 50


async def on_date_poll_opened(transaction: NotificationsTransaction, received: Received[DatePollOpened]) -> None:
    """Raises ValueError for times that are none: the event is poison."""
    event = received.event
    times = [
        (datetime.fromisoformat(one.starts), datetime.fromisoformat(one.ends)) for one in event.times[:_MOST_TIMES]
    ]
    answer_by = date.fromisoformat(event.answer_by)

    def said(person: AskedMember, language: Language) -> dict[str, Any]:
        return {
            "document": _called(event),
            "lines": tuple(capital(span(starts, ends, language)) for starts, ends in times),
            "deadline": weekday(answer_by, language),
            "quoted": quotable(event.note or "", 400),
            "page_version": person.page_version,
        }

    await tell(transaction, received, Purpose.DATE_POLL, event.poll_id, event.people, said)


async def on_date_poll_closed(transaction: NotificationsTransaction, received: Received[DatePollClosed]) -> None:
    """Of a date that was chosen, the meeting's notice tells. That one need not answer is told to whom the question went
    out to: the others' is not sent, and they hear of neither."""
    event, envelope = received.event, received.envelope
    await transaction.flush()  # the question may be of the same batch
    asked = await withdrawing.asked(transaction.connection, envelope.organisation, event.poll_id)
    await held.drop(transaction.connection, envelope.organisation, event.body_id, event.poll_id, Purpose.DATE_POLL)

    def said(*_: object) -> dict[str, Any]:
        return {"document": _called(event), "quoted": quotable(event.reason or "", 400)}

    told = [one for one in event.people if one.person_id in asked]
    await tell(transaction, received, Purpose.DATE_POLL_CALLED_OFF, event.poll_id, told, said)
    ended = EndedNotices(envelope.organisation, event.poll_id, None, below_version=envelope.sequence)
    transaction.withdraw_notices(ended)


async def on_date_poll_unreached(transaction: NotificationsTransaction, received: Received[DatePollUnreached]) -> None:
    """Whoever looks after the meeting reads what the mail server said. Their own address that bounced gets nothing."""
    event = received.event

    def said(*_: object) -> dict[str, Any]:
        return {
            "document": _called(event),
            "other": Person(email=event.email, name=_line(event.name)),
            "quoted": quotable(event.diagnostic, 300),
            "status": quotable(event.status, 20),
        }

    told = [one for one in event.people if one.person_id != event.person_id]
    await tell(transaction, received, Purpose.DATE_POLL_UNREACHED, event.poll_id, told, said)


def _called(event: DatePollOpened | DatePollClosed | DatePollUnreached) -> str:
    title, body = _line(event.title), _line(event.body)
    return title if title == body else f"{title} ({body})"


def _line(text: str | None) -> str:
    return quotable(text or "", 200)


EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    DatePollOpened: on_date_poll_opened,
    DatePollClosed: on_date_poll_closed,
    DatePollUnreached: on_date_poll_unreached,
}
