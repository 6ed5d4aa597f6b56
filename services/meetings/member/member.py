"""A member's own page: how long a link opens it, and which meetings are theirs. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.meetings.body.body import Body
from services.meetings.body.membership import MemberRole, Membership, Seat
from services.meetings.meeting.meeting import Meeting, MeetingStatus
from services.meetings.notice.joining import join_link
from services.meetings.person.person import Person
from services.meetings.reply.reply import Answer, Reply
from shared.links import LINKS_OPEN
from shared.text import email_key

SHOWN_BEFORE = timedelta(days=183)
"""Of the meetings that were: the last half year's."""
SHOWN_AHEAD = timedelta(days=550)


class Part(StrEnum):
    """What a meeting is to someone."""

    ASKED = "asked"
    GUEST = "guest"  # may come, and nobody counts on an answer: asked by address, or called off again
    SUBSTITUTE = "substitute"  # comes when called


@dataclass(frozen=True, slots=True)
class OwnMeeting:
    """A meeting of someone's. `body`: None when the register knows none of that name."""

    meeting: Meeting
    body: Body | None
    part: Part
    reply: Reply | None = None

    @property
    def answer(self) -> Answer | None:
        return self.reply.answer if self.reply else None

    @property
    def is_told(self) -> bool:
        """Whether they were told of it, and asked: before its notice nobody has a row that says so."""
        return self.reply is not None and self.reply.asked

    @property
    def waits_for_answer(self) -> bool:
        return self.part is Part.ASKED and self.is_told and self.answer is None

    @property
    def is_cancelled(self) -> bool:
        return self.meeting.status is MeetingStatus.CANCELLED

    @property
    def join_link(self) -> str:
        """Empty for one that nobody joins from elsewhere."""
        return "" if self.body is None else join_link(self.meeting, self.body.details.rules)


@dataclass(frozen=True, slots=True)
class OwnMeetings:
    """`coming` by start, those that go on now among them; `past` the latest first."""

    coming: list[OwnMeeting]
    past: list[OwnMeeting]


def opens(memberships: Iterable[Membership], day: date) -> bool:
    """Whether the page of who holds or held these is open: they sit somewhere, will, or did not long ago."""
    return any(one.seat.ends is None or day - LINKS_OPEN <= one.seat.ends for one in memberships)


def own_meetings(
    person: Person,
    memberships: Iterable[Membership],
    bodies: Iterable[Body],
    meetings: Iterable[Meeting],
    replies: Mapping[str, Reply],
    now: datetime,
) -> OwnMeetings:
    """`memberships`: the person's; `meetings`: of whomever; `replies`: the person's, by meeting."""
    held = list(memberships)
    by_id = {body.id: body for body in bodies}
    found = [own for one in meetings if (own := _own(person, held, by_id, one, replies.get(one.id))) is not None]
    found.sort(key=lambda own: (own.meeting.details.starts, own.meeting.id))
    coming = [own for own in found if not own.meeting.is_over(now)]
    return OwnMeetings(coming, [own for own in reversed(found) if own.meeting.is_over(now)])


def _own(
    person: Person, held: list[Membership], bodies: dict[str, Body], meeting: Meeting, reply: Reply | None
) -> OwnMeeting | None:
    body = bodies.get(meeting.body_id) if meeting.body_id else None
    part = _part(person, held, body, meeting, reply)
    return None if part is None else OwnMeeting(meeting, body, part, reply)


def _part(
    person: Person, held: list[Membership], body: Body | None, meeting: Meeting, reply: Reply | None
) -> Part | None:
    day = meeting.details.starts.date()
    places = [one.seat for one in held if body is not None and one.body_id == body.id]
    seats = [seat for seat in places if seat.stands_on(day)]
    if not seats and any(seat.ends is not None and seat.ends < day for seat in places):
        return None  # they left the body: that they were asked while they sat there counts no more
    if reply is not None and reply.asked and (reply.role is MemberRole.SUBSTITUTE or not _only_waits(seats)):
        return Part.ASKED
    if any(seat.role is not MemberRole.SUBSTITUTE for seat in seats):
        return Part.ASKED if reply is None else Part.GUEST
    email = email_key(person.details.email) if person.details.email else ""
    if email and any(email_key(one.email) == email for one in meeting.details.participants):
        return Part.GUEST
    return Part.SUBSTITUTE if seats else None


def _only_waits(seats: list[Seat]) -> bool:
    return bool(seats) and all(seat.role is MemberRole.SUBSTITUTE for seat in seats)
