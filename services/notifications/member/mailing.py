"""Mails to the members of a body that a fact of meetings makes: to whom a membership made known, and to nobody else.

A mail's delivery says of what (`agreement_id`: a meeting, body, poll or review) and to whom (`request_id`: the
person's).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from services.notifications.delivery.delivery import INVITING, UNINVITING, Facts, NewDelivery
from services.notifications.delivery.withdrawing import EndedNotices
from services.notifications.letter.languages import Language, language_of
from services.notifications.letter.letter import Purpose, quotable
from services.notifications.member import held
from services.notifications.member import store as members
from services.notifications.transaction import NotificationsTransaction
from shared.events.notices import AskedMember
from shared.logging import get_logger
from shared.messaging.transaction import Received

log = get_logger(__name__)


class _Mailed(Protocol):
    @property
    def person_id(self) -> str: ...
    @property
    def email(self) -> str: ...


def mail_to_member(
    received: Received[Any],
    purpose: Purpose,
    about: str,
    person: _Mailed,
    facts: Facts,
    *,
    version: int | None = None,
) -> NewDelivery:
    """The mail to someone that an event makes. `about`: the id of what it is about (a meeting, body, poll or review);
    `version`: of that, else the event's own number."""
    envelope = received.envelope
    return NewDelivery.due_to(
        envelope,
        about,
        purpose,
        person.email,
        facts,
        request_id=person.person_id,
        request_version=envelope.sequence if version is None else version,
    )


async def tell(
    transaction: NotificationsTransaction,
    received: Received[Any],
    purpose: Purpose,
    about: str,
    people: Iterable[AskedMember],
    said: Callable[[AskedMember, Language], dict[str, Any]],
) -> None:
    """A mail to each of `people`, members of the event's body. `said`: what it says to one of them in their language,
    by the names of `Facts`: its `document`, and what it has beside."""
    mails = []
    for person in people:
        language = language_of(person.language)
        name = quotable(person.name or "", 200)
        facts = Facts(language=language, sender=None, recipient_name=name, **said(person, language))
        mails.append(mail_to_member(received, purpose, about, person, facts))
    await send_to_members(transaction, received, received.event.body_id, mails)


async def send_to_members(
    transaction: NotificationsTransaction, received: Received[Any], body_id: str, mails: Sequence[NewDelivery]
) -> None:
    """To those who may be mailed about the body: whom a membership made known, whatever the event says, since
    who forges one event would get a genuine link. The others' are held until theirs is heard of (`let_go`).

    The `request_id` of each is the person's.
    """
    known = await members.members(transaction.connection, received.envelope.organisation, body_id)
    for mail in mails:
        if mail.request_id in known:
            _send(transaction, mail)
        else:
            log.warning("notice.not_a_member_yet", person_id=mail.request_id, event_id=received.envelope.id)
    await held.hold(transaction.connection, body_id, [mail for mail in mails if mail.request_id not in known])


async def let_go(transaction: NotificationsTransaction, organisation: str, body_id: str, person_id: str) -> None:
    """What was held for someone who is known as a member of the body from now on is sent, unless it is untrue now."""
    for mail in await held.let_go(transaction.connection, organisation, body_id, person_id):
        _send(transaction, mail)


def _send(transaction: NotificationsTransaction, mail: NewDelivery) -> None:
    transaction.send_to_member(mail)
    if mail.purpose in INVITING | UNINVITING:
        transaction.withdraw_notices(
            EndedNotices(mail.organisation, mail.agreement_id, mail.request_id, below_version=mail.request_version)
        )
