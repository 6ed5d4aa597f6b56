"""What notifications does when minutes are read before they are signed: who is asked gets a mail with one link, and who
writes them is told what was said.

A mail's delivery says which: `agreement_id` is the review's id, `request_id` the person's, and `request_version` the
number of the review's fact. What still waits of an earlier version, or of a review that has ended, is withdrawn.
"""

from datetime import date
from typing import Any

from services.notifications.delivery.withdrawing import EndedNotices
from services.notifications.letter.languages import Language
from services.notifications.letter.letter import Purpose, quotable
from services.notifications.member.mailing import tell
from services.notifications.transaction import NotificationsTransaction
from shared.events import Person, ReviewAgreed, ReviewClosed, ReviewCommented, ReviewOpened, ReviewUnreached
from shared.events.notices import AskedMember
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received
from shared.readable import weekday

_MOST_PARAGRAPHS = 50


async def on_review_opened(transaction: NotificationsTransaction, received: Received[ReviewOpened]) -> None:
    """Raises ValueError for a day that is none: the event is poison."""
    event = received.event
    answer_by = date.fromisoformat(event.answer_by)
    purpose = Purpose.REVIEW if event.before is None else Purpose.REVIEW_AGAIN
    said = {"quoted": quotable(event.note or "", 400)}
    await _tell(transaction, received, purpose, said, deadline=answer_by)
    if not event.again:
        _withdraw_earlier(transaction, received)


async def on_review_unreached(transaction: NotificationsTransaction, received: Received[ReviewUnreached]) -> None:
    event = received.event
    other = Person(email=event.email, name=quotable(event.name, 200))
    said = {"other": other, "quoted": quotable(event.diagnostic, 300)}
    await _tell(transaction, received, Purpose.REVIEW_UNREACHED, said)


async def on_review_commented(transaction: NotificationsTransaction, received: Received[ReviewCommented]) -> None:
    event = received.event
    numbers = ", ".join(str(one) for one in event.paragraphs[:_MOST_PARAGRAPHS])
    said = {"who": quotable(event.name, 200), "lines": (f"§ {numbers}",) if numbers else ()}
    await _tell(transaction, received, Purpose.REVIEW_COMMENTED, said)


async def on_review_agreed(transaction: NotificationsTransaction, received: Received[ReviewAgreed]) -> None:
    """Who writes the minutes is told once, when all agree."""
    if received.event.waiting_for == 0:
        await _tell(transaction, received, Purpose.REVIEW_AGREED, {"who": quotable(received.event.name, 200)})


async def on_review_closed(transaction: NotificationsTransaction, received: Received[ReviewClosed]) -> None:
    """Of minutes that are sent to be signed, the mails that ask for a signature tell."""
    said = {"quoted": quotable(received.event.reason or "", 400)}
    await _tell(transaction, received, Purpose.REVIEW_CALLED_OFF, said)
    _withdraw_earlier(transaction, received)


async def _tell(
    transaction: NotificationsTransaction,
    received: Received[Any],
    purpose: Purpose,
    beside: dict[str, Any],
    *,
    deadline: date | None = None,
) -> None:
    event = received.event

    def said(person: AskedMember, language: Language) -> dict[str, Any]:
        return {
            "document": quotable(event.document_name, 300),
            "deadline": weekday(deadline, language) if deadline else "",
            "page_version": person.page_version,
            **beside,
        }

    await tell(transaction, received, purpose, event.review_id, event.people, said)


def _withdraw_earlier(transaction: NotificationsTransaction, received: Received[Any]) -> None:
    envelope = received.envelope
    ended = EndedNotices(envelope.organisation, received.event.review_id, None, below_version=envelope.sequence)
    transaction.withdraw_notices(ended)


EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    ReviewOpened: on_review_opened,
    ReviewUnreached: on_review_unreached,
    ReviewCommented: on_review_commented,
    ReviewAgreed: on_review_agreed,
    ReviewClosed: on_review_closed,
}
