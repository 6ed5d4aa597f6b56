"""The rules of replies: who is asked to a meeting, and what each of them said about coming. Pure.

Who sits in the body on the meeting's day is asked, also before any notice: they may say early that they cannot come.
An answer stands until the same person gives another.
"""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from services.meetings.body.membership import MemberRole, Membership, standing
from services.meetings.meeting.meeting import Meeting, MeetingStatus
from shared.errors import Refused
from shared.events import ReplyReceived
from shared.text import clean_reason


class Answer(StrEnum):
    COMING = "coming"
    ABSENT = "absent"
    TENTATIVE = "tentative"


class Via(StrEnum):
    """How an answer came."""

    PAGE = "page"  # the person's own
    CALENDAR = "calendar"  # an iTIP REPLY (RFC 5546)
    OFFICE = "office"  # told to the secretary


class Reply(BaseModel):
    """Someone who is, or was, asked to a meeting. `role`: in its body. Without `answer` they have not said.

    `instead_of`: of a substitute who is called, the member (by id) who cannot come. `unreached`: what a mail server
    said of the last mail about the meeting. `left_empty`: it was told that nobody can take the member's place.
    `reminded_at`: when they were last asked again, having said nothing.
    """

    model_config = ConfigDict(frozen=True)

    person_id: str
    role: MemberRole
    asked: bool = True
    answer: Answer | None = None
    via: Via | None = None
    comment: str | None = None
    answered_at: datetime | None = None
    instead_of: str | None = None
    unreached: str | None = None
    left_empty: bool = False
    reminded_at: datetime | None = None


def seated(memberships: Iterable[Membership], day: date) -> dict[str, MemberRole]:
    """Whom a body's meeting on that day is for, by role: each once, and substitutes only when they are called."""
    found: dict[str, MemberRole] = {}
    for one in standing(memberships, day):
        if one.seat.role is not MemberRole.SUBSTITUTE:
            found.setdefault(one.seat.person_id, one.seat.role)
    return found


def asked_of(known: Iterable[Reply], seats: dict[str, MemberRole]) -> dict[str, Reply]:
    """All who are or were asked to a meeting, by person: `known` are rows about it, `seats` who sits in its body."""
    there = {reply.person_id: reply for reply in known}
    for person_id, role in seats.items():
        reply = there.get(person_id)
        if reply is None or not reply.asked:
            there[person_id] = Reply(person_id=person_id, role=role)
        elif reply.role is not role:
            there[person_id] = reply.model_copy(update={"role": role, "instead_of": None})
    return there


def mark_of(reply: Reply) -> str:
    """By which two who record one person's answer at the same time are told apart."""
    said = reply.model_dump_json(include={"answer", "via", "comment", "answered_at"})
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def require_seen(reply: Reply, seen: str | None) -> None:
    """`seen`: the mark of the answer that another is recorded instead of; None does not ask. Raises Refused."""
    if seen is not None and seen != mark_of(reply):
        raise Refused(
            "the person has answered meanwhile", hint="look at the answer, and record yours if it still holds"
        )


def answer(
    meeting: Meeting, reply: Reply | None, said: Answer, via: Via, comment: str | None, now: datetime
) -> tuple[Reply, ReplyReceived | None]:
    """`reply`: None for who was never asked. `now`: when it was said; what calendars say may come late.

    No event when it says nothing new. Raises Refused, InvalidInput.
    """
    if meeting.status is MeetingStatus.CANCELLED:
        raise Refused(
            "the meeting is cancelled: nobody has to answer", hint="look for the meeting that takes place instead"
        )
    if meeting.is_over(now):
        raise Refused("the meeting was held: it is too late to answer", hint="who was there stands in the minutes")
    if reply is None or not reply.asked:
        raise Refused("the person is not asked to the meeting", hint="substitutes are asked when they are called")
    if via is Via.CALENDAR and reply.answered_at is not None and now < reply.answered_at:
        raise Refused("the person has answered since", hint="look at their answer")
    cleaned = clean_reason(comment) if comment and comment.strip() else None
    if (reply.answer, reply.comment) == (said, cleaned):
        return reply, None
    update = {"answer": said, "via": via, "comment": cleaned, "answered_at": now}
    if via is not Via.OFFICE:
        update["unreached"] = None  # whatever came back: this did reach them
    fact = ReplyReceived(
        meeting_id=meeting.id, person_id=reply.person_id, answer=said.value, via=via.value, comment=cleaned
    )
    return reply.model_copy(update=update), fact
