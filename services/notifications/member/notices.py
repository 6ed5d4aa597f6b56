"""What notifications does when meetings tells of a notice: each person who is asked to the meeting gets their mail.

A mail's delivery says which: `agreement_id` is the meeting's id, `request_id` the person's, and `request_version` the
`sequence` of the fact, which is also the invitation's. What an earlier fact about the meeting left waiting for the same
person is withdrawn: nobody gets an old time after a new one.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from services.notifications.delivery.delivery import Facts
from services.notifications.delivery.withdrawing import EndedNotices
from services.notifications.invitation import store as invited
from services.notifications.letter.languages import language_of
from services.notifications.letter.letter import Purpose, quotable
from services.notifications.letter.meeting_words import AgendaItem, InsteadFacts, MeetingFacts
from services.notifications.member.mailing import mail_to_member, send_to_members
from services.notifications.transaction import NotificationsTransaction
from shared.events import (
    ItemProposalReceived,
    ItemProposalSettled,
    NoticeIssued,
    NoticeReminded,
    NoticeUnreached,
    NoticeWithdrawn,
    PapersPublished,
    Person,
    QuorumAtRisk,
    ReplyReceived,
)
from shared.events.notices import AgendaLine, MeetingInstead
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received

_ISSUED = {
    "preliminary": Purpose.NOTICE_PRELIMINARY,
    "notice": Purpose.NOTICE,
    "updated": Purpose.NOTICE_UPDATED,
    "substitute": Purpose.NOTICE_SUBSTITUTE,
}
_SETTLED = {"taken": Purpose.PROPOSAL_TAKEN, "declined": Purpose.PROPOSAL_DECLINED}
_BY_CALENDAR = "calendar"
_LONGEST = 400  # characters of a title, a place, a name
_MOST_LINES = 200

_AboutMeeting = (
    NoticeIssued
    | NoticeReminded
    | NoticeWithdrawn
    | PapersPublished
    | NoticeUnreached
    | QuorumAtRisk
    | ItemProposalReceived
    | ItemProposalSettled
)


async def on_notice_issued(transaction: NotificationsTransaction, received: Received[NoticeIssued]) -> None:
    event = received.event
    said = {
        "agenda": tuple(_item(line) for line in event.agenda[:_MOST_LINES]),
        "changes": event.changes,
        "before_starts": event.before_starts and datetime.fromisoformat(event.before_starts),
        "before_place": quotable(event.before_place or "", 200),
        "answer_by": event.answer_by and date.fromisoformat(event.answer_by),
        "note": tuple(_lines(event.note)),
        "papers": event.papers is not None,
        "join_sealed": event.join_sealed or "",
    }
    await _tell(
        transaction,
        received,
        _ISSUED.get(event.kind, Purpose.NOTICE_UPDATED),
        said,
        answers=await _answers_that_hold(transaction, received),
    )


async def on_notice_withdrawn(transaction: NotificationsTransaction, received: Received[NoticeWithdrawn]) -> None:
    """Also to those whose notice was not sent yet: they may have heard of it."""
    event = received.event
    purpose = Purpose.NOTICE_WITHDRAWN if event.cancelled else Purpose.NOTICE_RELEASED
    said = {"reason": _line(event.reason), "taken_over_by": event.taken_over_by and _instead(event.taken_over_by)}
    await _tell(transaction, received, purpose, said)
    if event.cancelled:
        ended = EndedNotices(received.envelope.organisation, event.meeting_id, None, below_version=event.sequence)
        transaction.withdraw_notices(ended)


async def on_reply_received(transaction: NotificationsTransaction, received: Received[ReplyReceived]) -> None:
    """No mail: the next invitation to them shows it as theirs, and what their calendar says later is news again. Nor
    does a reminder that still waits say that they have not answered."""
    event, envelope = received.event, received.envelope
    transaction.withdraw_notices(
        EndedNotices(envelope.organisation, event.meeting_id, event.person_id, below_version=0, answered=True)
    )
    if event.via != _BY_CALENDAR:
        await transaction.flush()  # the invitation may be of the same batch
        await invited.learn(
            transaction.connection,
            envelope.organisation,
            event.meeting_id,
            event.person_id,
            event.answer,
            envelope.time,
        )


async def on_notice_reminded(transaction: NotificationsTransaction, received: Received[NoticeReminded]) -> None:
    """Without an invitation: their calendar has it, and asks nothing anew."""
    event = received.event
    said = {
        "answer_by": event.answer_by and date.fromisoformat(event.answer_by),
        "papers": event.papers is not None,
    }
    await _tell(transaction, received, Purpose.NOTICE_REMINDER, said)


async def on_papers_published(transaction: NotificationsTransaction, received: Received[PapersPublished]) -> None:
    event = received.event
    if event.told:
        late = tuple(_line(name) for name in event.late[:_MOST_LINES])
        await _tell(transaction, received, Purpose.PAPERS_PUBLISHED, {"papers": True, "late": late})


async def on_quorum_at_risk(transaction: NotificationsTransaction, received: Received[QuorumAtRisk]) -> None:
    event = received.event
    numbers = {name: getattr(event, name) for name in ("needed", "coming", "absent", "unanswered")}
    await _tell(transaction, received, Purpose.QUORUM_AT_RISK, numbers)


async def on_notice_unreached(transaction: NotificationsTransaction, received: Received[NoticeUnreached]) -> None:
    """Whoever looks after the meeting reads what the mail server said. Their own address that bounced gets nothing."""
    event = received.event
    await _tell(
        transaction,
        received,
        Purpose.NOTICE_UNREACHED,
        {},
        but=event.person_id,
        other=Person(email=event.email, name=_line(event.name)),
        quoted=quotable(event.diagnostic, 300),
    )


async def on_proposal_received(transaction: NotificationsTransaction, received: Received[ItemProposalReceived]) -> None:
    """Whoever looks after the meeting takes it onto the agenda, or declines it."""
    event = received.event
    await _tell(transaction, received, Purpose.PROPOSAL_RECEIVED, {}, about=event.item, who=_line(event.name))


async def on_proposal_settled(transaction: NotificationsTransaction, received: Received[ItemProposalSettled]) -> None:
    """Raises KeyError for an end that is none: the event is poison."""
    event = received.event
    purpose, reason = _SETTLED[event.how], quotable(event.reason or "")
    await _tell(transaction, received, purpose, {}, about=event.item, quoted=reason)


async def _answers_that_hold(
    transaction: NotificationsTransaction, received: Received[NoticeIssued]
) -> Mapping[str, str]:
    """By person. Of a meeting that has another time, nobody's does."""
    event, organisation = received.event, received.envelope.organisation
    people = [person.person_id for person in event.people]
    await transaction.flush()  # an earlier invitation may be of the same batch
    if "time" in event.changes:
        await invited.forget(transaction.connection, organisation, event.meeting_id, people)
        return {}
    return await invited.answers(transaction.connection, organisation, event.meeting_id, people)


async def _tell(
    transaction: NotificationsTransaction,
    received: Received[Any],
    purpose: Purpose,
    said: dict[str, Any],
    *,
    but: str | None = None,
    about: str | None = None,
    answers: Mapping[str, str] = MappingProxyType({}),
    **beside: Any,
) -> None:
    """`said`: of the meeting; `about`: what the mail is about, where that is not the meeting; `answers`: of people,
    what they said that holds; `beside`: other facts of the mail."""
    event: _AboutMeeting = received.event
    meeting = _meeting(event, said)
    mails = []
    for person in event.people:
        if person.person_id == but:
            continue
        own = {
            "page_version": person.page_version,
            "instead_of": _line(person.instead_of),
            "answer": answers.get(person.person_id, ""),
        }
        facts = Facts(
            language=language_of(person.language),
            document=_line(about) or meeting.title,
            sender=None,
            recipient_name=_line(person.name),
            meeting=meeting.model_copy(update=own),
            **beside,
        )
        mails.append(mail_to_member(received, purpose, event.meeting_id, person, facts, version=event.sequence))
    await send_to_members(transaction, received, event.body_id, mails)


def _meeting(event: _AboutMeeting, said: dict[str, Any]) -> MeetingFacts:
    """Raises ValueError or ZoneInfoNotFoundError for times of which no invitation can be made: the event is poison."""
    ZoneInfo(event.timezone)
    meeting = MeetingFacts(
        body=_line(event.body),
        title=_line(event.title) or _line(event.body),
        place=quotable(event.place, 200),
        mode=event.mode or "",
        starts=datetime.fromisoformat(event.starts),
        ends=datetime.fromisoformat(event.ends),
        timezone=event.timezone,
        sequence=event.sequence,
        **said,
    )
    if meeting.starts.tzinfo or meeting.ends.tzinfo or meeting.ends < meeting.starts:
        raise ValueError("a meeting's times are local wall time, and its end is not before its start")
    return meeting


def _instead(other: MeetingInstead) -> InsteadFacts:
    return InsteadFacts(
        title=_line(other.title),
        place=quotable(other.place, 200),
        mode=other.mode or "",
        starts=datetime.fromisoformat(other.starts),
    )


def _item(line: AgendaLine) -> AgendaItem:
    return AgendaItem(
        title=_line(line.title),
        kind=line.kind,
        presenter=quotable(line.presenter or "", 100),
        minutes=line.minutes,
        came_from=None if line.came_from is None else date.fromisoformat(line.came_from),
    )


def _line(text: str | None) -> str:
    return quotable(text or "", 300)


def _lines(text: str | None) -> Iterator[str]:
    for line in (text or "").splitlines()[:_MOST_LINES]:
        if kept := quotable(line, _LONGEST):
            yield kept


EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    NoticeIssued: on_notice_issued,
    NoticeReminded: on_notice_reminded,
    NoticeWithdrawn: on_notice_withdrawn,
    PapersPublished: on_papers_published,
    QuorumAtRisk: on_quorum_at_risk,
    NoticeUnreached: on_notice_unreached,
    ItemProposalReceived: on_proposal_received,
    ItemProposalSettled: on_proposal_settled,
    ReplyReceived: on_reply_received,
}
