"""The SQL of invitations: whose answers come to which organiser's address, and what the last one said, by calendar or
otherwise."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.delivery.delivery import INVITING, UNINVITING, Delivery, NewDelivery
from services.notifications.delivery.tables import DELIVERY
from services.notifications.invitation.calendar_replies import Answer
from services.notifications.invitation.tables import INVITATION
from services.notifications.letter.letter import Purpose
from services.notifications.verp import answers_id, invitation_id
from shared.links import FIRST_VERSION

_ADD = insert(INVITATION).on_conflict_do_nothing().inline()
_C = INVITATION.c
_D = DELIVERY.c
_PAGE_VERSION = func.coalesce(_D.facts["meeting"]["page_version"].astext.cast(Integer), FIRST_VERSION).label(
    "page_version"
)


@dataclass(frozen=True, slots=True)
class Invited:
    """One person's invitations to one meeting. `id`: of those that came to one address of theirs. `answer`: their last,
    whichever way it came."""

    organisation: str
    id: str
    meeting_id: str
    person_id: str
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Mailed:
    """What was mailed to them there. `delivery_id`: the last mail that a server took; `latest`: the last sequence.
    `ended`: the last notice went to another address, or when links of before it had been ended. `called_off`: it says
    that the meeting does not take place."""

    delivery_id: str
    addresses: frozenset[str]
    latest: int
    ended: bool
    called_off: bool


async def add(connection: AsyncConnection, mails: Sequence[NewDelivery]) -> None:
    """Of mails that invite; known ones stay as they are. Sorted, so that transactions that share some queue up."""
    found = {
        (mail.organisation, id): mail
        for mail in mails
        if mail.purpose in INVITING
        for id in (mail.invitation_id, answers_id(mail.organisation, mail.agreement_id, mail.request_id))
    }
    rows = [
        {"organisation": key[0], "id": key[1], "meeting_id": mail.agreement_id, "person_id": mail.request_id}
        for key, mail in sorted(found.items(), key=lambda one: one[0])
    ]
    if rows:
        await connection.execute(_ADD, rows)


async def lock(connection: AsyncConnection, organisation: str, id: str) -> Invited | None:
    """Until the transaction ends: answers of one person to one meeting come one after the other."""
    named = select(_C.meeting_id, _C.person_id).where(_C.organisation == organisation, _C.id == id)
    whose = (await connection.execute(named)).one_or_none()
    if whose is None:
        return None
    answers_of = answers_id(organisation, whose.meeting_id, whose.person_id)
    query = select(INVITATION).where(_C.organisation == organisation, _C.id == answers_of).with_for_update()
    row = (await connection.execute(query)).one_or_none()
    if row is None or id == answers_of:
        return None
    answer = Answer(row.answer, row.answered_sequence, row.answered_at, row.comment) if row.answer else None
    return Invited(row.organisation, id, row.meeting_id, row.person_id, answer)


async def mailed(connection: AsyncConnection, invited: Invited) -> Mailed | None:
    """None when nothing was: the rows may be gone."""
    query = (
        select(_D.id, _D.recipient, _D.request_version, _D.purpose, _PAGE_VERSION)
        .where(
            _D.organisation == invited.organisation,
            _D.agreement_id == invited.meeting_id,
            _D.request_id == invited.person_id,
            _D.purpose.in_([purpose.value for purpose in INVITING | UNINVITING]),
        )
        .order_by(case((_D.sent_at.is_(None), 0), else_=1).desc(), _D.request_version.desc(), _D.id.desc())
        .limit(1000)
    )
    rows = (await connection.execute(query)).all()
    whose = invited.organisation, invited.meeting_id, invited.person_id
    there = [row for row in rows if invitation_id(*whose, row.recipient, row.page_version) == invited.id]
    if not there:
        return None
    last = max(rows, key=lambda row: (row.request_version, row.id))
    return Mailed(
        delivery_id=there[0].id,
        addresses=frozenset(row.recipient for row in there),
        latest=int(last.request_version),
        ended=last not in there,
        called_off=last.purpose == Purpose.NOTICE_WITHDRAWN.value,
    )


async def last_sequence(connection: AsyncConnection, delivery: Delivery) -> int | None:
    """Of the last notice to the person of a mail about a meeting; None for other mails."""
    query = select(func.max(_D.request_version)).where(
        _D.organisation == delivery.organisation,
        _D.agreement_id == delivery.agreement_id,
        _D.request_id == delivery.request_id,
        _D.purpose.in_([purpose.value for purpose in INVITING | UNINVITING]),
    )
    found: int | None = (await connection.execute(query)).scalar_one()
    return found


async def save_answer(connection: AsyncConnection, invited: Invited, answer: Answer) -> None:
    await connection.execute(
        update(INVITATION)
        .where(
            _C.organisation == invited.organisation,
            _C.id == answers_id(invited.organisation, invited.meeting_id, invited.person_id),
        )
        .values(answer=answer.answer, answered_sequence=answer.sequence, answered_at=answer.at, comment=answer.comment)
    )


async def learn(
    connection: AsyncConnection, organisation: str, meeting_id: str, person_id: str, answer: str, at: datetime
) -> None:
    """An answer that came another way, unless a later one is known: what a calendar program says after it is news."""
    await connection.execute(
        update(INVITATION)
        .where(
            _C.organisation == organisation,
            _C.id == answers_id(organisation, meeting_id, person_id),
            or_(_C.answered_at.is_(None), _C.answered_at <= at),
        )
        .values(answer=answer, answered_sequence=func.coalesce(_C.answered_sequence, 0), answered_at=at, comment=None)
    )


async def answers(
    connection: AsyncConnection, organisation: str, meeting_id: str, people: Collection[str]
) -> dict[str, str]:
    """What each of these people answered last; nobody who has not."""
    ids = {answers_id(organisation, meeting_id, person): person for person in people}
    query = select(_C.id, _C.answer).where(
        _C.organisation == organisation, _C.id.in_(list(ids)), _C.answer.is_not(None)
    )
    return {ids[row.id]: row.answer for row in await connection.execute(query)}


async def forget(connection: AsyncConnection, organisation: str, meeting_id: str, people: Collection[str]) -> None:
    """Their answers are about a time that is no longer the meeting's."""
    ids = sorted(answers_id(organisation, meeting_id, person) for person in people)
    await connection.execute(
        update(INVITATION)
        .where(_C.organisation == organisation, _C.id.in_(ids))
        .values(answer=None, answered_sequence=None, answered_at=None, comment=None)
    )
