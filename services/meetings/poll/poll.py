"""The rules of a date poll: which days are asked about, who answers what, and how it ends. Pure.

A meeting has one open poll at most. Its people are those who were asked when it was opened: who joins the body later
is not. It ends once: a time is chosen, or it is called off.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.body.body import Body
from services.meetings.meeting.meeting import LocalTime, Meeting
from services.meetings.notice.notice import latest_day
from services.meetings.person.person import Person
from services.meetings.wall_time import require_there
from shared.errors import InvalidInput, Refused
from shared.events import DatePollClosed, DatePollOpened, DatePollUnreached
from shared.events.notices import AskedMember
from shared.events.polls import ProposedTime
from shared.text import clean_reason, same_email

MOST_TIMES = 20
DAYS_TO_ANSWER = timedelta(days=7)
"""From the day on which people are asked, where nobody says another."""
LONGEST = timedelta(days=7)
"""Of one time that is asked about."""
_KEY = "%Y%m%dT%H%M"


class PollStatus(StrEnum):
    OPEN = "open"
    CHOSEN = "chosen"
    CALLED_OFF = "called_off"


class Can(StrEnum):
    """What someone says of one time."""

    YES = "can"
    IF_NEED_BE = "if_need_be"
    NO = "cannot"


class TimeAsked(BaseModel):
    """A time that could be the meeting's. Local wall time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    starts: LocalTime
    ends: LocalTime

    @property
    def key(self) -> str:
        """How answers name it."""
        return f"{self.starts.strftime(_KEY)}-{self.ends.strftime(_KEY)}"

    @classmethod
    def of(cls, key: str) -> "TimeAsked":
        starts, _, ends = key.partition("-")
        return cls(starts=datetime.strptime(starts, _KEY), ends=datetime.strptime(ends, _KEY))


class Poll(BaseModel):
    """A poll's state. `version` counts its facts. `people`: the ids of those who are asked. `chosen`: a time's key.

    `timezone` places its times. `answer_by`: until when answers are wanted; later ones are taken while it is open.
    `unreached`: of those whom a mail of it did not reach, by their ids, what the mail server said.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    version: int
    meeting_id: str
    body_id: str
    status: PollStatus
    times: tuple[TimeAsked, ...]
    timezone: str
    answer_by: date
    note: str | None = None
    people: tuple[str, ...]
    chosen: str | None = None
    reason: str | None = None
    unreached: dict[str, str] = {}

    def require_open(self) -> None:
        """Raises Refused."""
        if self.status is PollStatus.CHOSEN:
            raise Refused("a date was chosen already", hint="look at the meeting")
        if self.status is PollStatus.CALLED_OFF:
            raise Refused("the date poll was called off", hint="open another one, if the meeting needs another date")

    def to_come(self, now: datetime) -> tuple[TimeAsked, ...]:
        """Those of its times that have not begun."""
        zone = ZoneInfo(self.timezone)
        return tuple(one for one in self.times if now < one.starts.replace(tzinfo=zone))

    def time(self, key: str) -> TimeAsked:
        """Raises InvalidInput."""
        found = next((one for one in self.times if one.key == key), None)
        if found is None:
            raise InvalidInput(f"time: the poll does not ask about {key[:60]!r}")
        return found


class PollAnswer(BaseModel):
    """What one person said, by a time's key; of a time that is missing, they said nothing."""

    model_config = ConfigDict(frozen=True)

    person_id: str
    times: dict[str, Can] = Field(max_length=MOST_TIMES)
    comment: str | None = None
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Bounced:
    """A mail that did not arrive. `status`: RFC 3463; `said`: by the mail server, on one line."""

    email: str
    status: str
    said: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a time stands: who can, by the ids of people. `needed`: how many of `deciding` must be there to decide."""

    time: TimeAsked
    yes: tuple[str, ...]
    if_need_be: tuple[str, ...]
    no: tuple[str, ...]
    unsaid: tuple[str, ...]
    needed: int
    deciding: int

    @property
    def has_quorum(self) -> bool:
        """By what was said so far, those who would only if need be among them."""
        return self.deciding >= self.needed


class Room(StrEnum):
    """What a day leaves between the last day to answer and itself."""

    ENOUGH = "enough"
    LATE_NOTICE = "late_notice"  # its notice would have to go out before the answers are in
    BEFORE_ANSWERS = "before_answers"  # it is not after the last day to answer


def room(day: date, answer_by: date, notice_days: int) -> Room:
    """`notice_days`: of the body's rule, which reckons as notices do."""
    if day <= answer_by:
        return Room.BEFORE_ANSWERS
    return Room.ENOUGH if latest_day(day, notice_days) > answer_by else Room.LATE_NOTICE


def earliest_day(answer_by: date, notice_days: int) -> date:
    """The first day with room enough."""
    day = answer_by + timedelta(days=1 + notice_days)
    while room(day, answer_by, notice_days) is not Room.ENOUGH:
        day += timedelta(days=1)
    return day


def open_poll(
    poll_id: str,
    meeting: Meeting,
    body: Body,
    times: Collection[TimeAsked],
    *,
    answer_by: date,
    note: str | None,
    people: Collection[Person],
    asked: Sequence[AskedMember],
    now: datetime,
    late_notice: bool = False,
) -> tuple[Poll, DatePollOpened]:
    """`people`: all who are asked; `asked`: those of them who are reached by mail. `late_notice`: days are meant, too,
    whose notice would have to go out before the answers are in. Raises Refused, InvalidInput."""
    meeting.require_scheduled()
    if meeting.is_over(now):
        raise Refused("the meeting was held: it needs no other date", hint="ask for a meeting that is to come")
    if not people:
        raise Refused("nobody sits in the body, so there is nobody to ask", hint="add its members first")
    zone = ZoneInfo(meeting.details.timezone)
    cleaned = _clean_times(times, now.astimezone(zone).replace(tzinfo=None))
    for one in cleaned:
        require_there(one.starts, meeting.details.timezone, "times")
        require_there(one.ends, meeting.details.timezone, "times")
    if answer_by < now.astimezone(zone).date():
        raise InvalidInput("answer_by: is over", hint="choose today or a later day")
    _require_room(cleaned, answer_by, body.details.rules.notice_days, late_notice=late_notice)
    poll = Poll(
        id=poll_id,
        version=1,
        meeting_id=meeting.id,
        body_id=body.id,
        status=PollStatus.OPEN,
        times=cleaned,
        timezone=meeting.details.timezone,
        answer_by=answer_by,
        note=clean_reason(note) if note and note.strip() else None,
        people=tuple(one.id for one in people),
    )
    return poll, DatePollOpened(
        **_about(poll, meeting, body),
        timezone=poll.timezone,
        times=tuple(_told(one) for one in poll.times),
        answer_by=answer_by.isoformat(),
        note=poll.note,
        people=tuple(asked),
    )


def answer(poll: Poll, person_id: str, said: Mapping[str, Can], comment: str | None, now: datetime) -> PollAnswer:
    """It replaces what they said before. Raises Refused, InvalidInput."""
    poll.require_open()
    if person_id not in poll.people:
        raise Refused("the person is not asked about these days", hint="record the answer of one who is asked")
    if not poll.to_come(now):
        raise Refused("the days that were asked about are over", hint="open another date poll")
    for key in said:
        poll.time(key)
    if not said:
        raise InvalidInput("times: say of at least one time whether you can")
    cleaned = clean_reason(comment) if comment and comment.strip() else None
    return PollAnswer(person_id=person_id, times=dict(said), comment=cleaned, answered_at=now)


def mark_of(said: PollAnswer | None) -> str:
    """By which two who answer for one person at the same time are told apart. None: nothing was said."""
    if said is None:
        return "unsaid"
    times = "".join(f" {key} {can}" for key, can in sorted(said.times.items()))
    return hashlib.sha256(f"{said.answered_at.isoformat()}{times} {said.comment}".encode()).hexdigest()[:16]


def answer_instead(before: PollAnswer | None, given: PollAnswer, seen: str | None) -> PollAnswer:
    """What holds once `given` was said; the same said again is no news.

    `seen`: the mark of the answer that it replaces; None does not ask. Raises Refused.
    """
    if before is not None and (before.times, before.comment) == (given.times, given.comment):
        return before
    if seen is not None and seen != mark_of(before):
        raise Refused(
            "the person has answered meanwhile", hint="look at the answer, and record yours if it still holds"
        )
    return given


def choose(poll: Poll, meeting: Meeting, body: Body, key: str, now: datetime) -> tuple[Poll, DatePollClosed]:
    """Raises Refused, InvalidInput."""
    poll.require_open()
    time = poll.time(key)
    if time not in poll.to_come(now):
        raise Refused("that time is over", hint="choose another one, or call the date poll off")
    closed = poll.model_copy(update={"version": poll.version + 1, "status": PollStatus.CHOSEN, "chosen": key})
    return closed, DatePollClosed(**_about(poll, meeting, body), chosen=_told(time))


def call_off(
    poll: Poll, meeting: Meeting, body: Body, reason: str, asked: Sequence[AskedMember]
) -> tuple[Poll, DatePollClosed]:
    """`asked`: who is told. Raises Refused, InvalidInput."""
    poll.require_open()
    cleaned = clean_reason(reason)
    update = {"version": poll.version + 1, "status": PollStatus.CALLED_OFF, "reason": cleaned}
    return poll.model_copy(update=update), DatePollClosed(
        **_about(poll, meeting, body), reason=cleaned, people=tuple(asked)
    )


def not_reached(
    poll: Poll,
    meeting: Meeting,
    body: Body,
    person: Person,
    bounced: Bounced,
    looking_after: Sequence[AskedMember],
) -> tuple[Poll, DatePollUnreached] | None:
    """A mail of the poll did not reach someone whom it asks: `looking_after` are told, once of each.

    They are not told of themselves. None for what is known or says nothing: of who is not asked, or of an address that
    they no longer have.
    """
    known = person.id not in poll.people or person.id in poll.unreached
    if known or not same_email(person.details.email or "", bounced.email):
        return None
    unreached = poll.unreached | {person.id: bounced.said}
    return poll.model_copy(update={"version": poll.version + 1, "unreached": unreached}), DatePollUnreached(
        **_about(poll, meeting, body),
        person_id=person.id,
        name=person.details.name,
        email=bounced.email,
        status=bounced.status,
        diagnostic=bounced.said,
        people=tuple(one for one in looking_after if one.person_id != person.id),
    )


def standings(poll: Poll, answers: Iterable[PollAnswer], deciding: Collection[str], needed: int) -> list[Standing]:
    """The best first: most who can or would, then fewest who cannot, then most who simply can, then the earliest.

    `deciding`: the ids of those who decide; `needed`: how many of them.
    """
    by_person = {one.person_id: one.times for one in answers}
    found = []
    for time in poll.times:
        said = {person_id: by_person.get(person_id, {}).get(time.key) for person_id in poll.people}
        there = [person_id for person_id, can in said.items() if can in (Can.YES, Can.IF_NEED_BE)]
        found.append(
            Standing(
                time=time,
                yes=_who(said, Can.YES),
                if_need_be=_who(said, Can.IF_NEED_BE),
                no=_who(said, Can.NO),
                unsaid=_who(said, None),
                needed=needed,
                deciding=len(set(there) & set(deciding)),
            )
        )
    return sorted(found, key=_rank)


def _rank(one: Standing) -> tuple[int, int, int, datetime]:
    return -len(one.yes) - len(one.if_need_be), len(one.no), -len(one.yes), one.time.starts


def _who(said: Mapping[str, Can | None], can: Can | None) -> tuple[str, ...]:
    return tuple(person_id for person_id, one in said.items() if one is can)


def _clean_times(times: Collection[TimeAsked], now: datetime) -> tuple[TimeAsked, ...]:
    """`now` as local wall time. By start; what is there twice, once."""
    if not times:
        raise InvalidInput("times: choose at least one time to ask about")
    for one in times:
        if one.starts.tzinfo or one.ends.tzinfo:
            raise InvalidInput("times: give local time without an offset")
        if not timedelta(0) < one.ends - one.starts <= LONGEST:
            raise InvalidInput("times: a time ends after it starts, and within a week")
        if one.starts <= now:
            raise InvalidInput("times: one of them is over")
    found = sorted({one.key: one for one in times}.values(), key=lambda one: (one.starts, one.ends))
    if len(found) > MOST_TIMES:
        raise InvalidInput(f"times: ask about {MOST_TIMES} at most")
    return tuple(found)


def _require_room(times: Sequence[TimeAsked], answer_by: date, notice_days: int, *, late_notice: bool) -> None:
    """Raises InvalidInput that names the first day in the way."""
    for one in times:
        day = one.starts.date()
        found = room(day, answer_by, notice_days)
        if found is Room.BEFORE_ANSWERS:
            raise InvalidInput(
                f"times: {day} is not after {answer_by}, the last day to answer",
                hint="choose a later day, or an earlier last day to answer",
            )
        if found is Room.LATE_NOTICE and not late_notice:
            raise InvalidInput(
                f"times: the notice of {day} would have to go out by {latest_day(day, notice_days)}, and answers come "
                f"until {answer_by}",
                hint="choose a later day, an earlier last day to answer, or say that a late notice is meant",
            )


def _about(poll: Poll, meeting: Meeting, body: Body) -> dict[str, str]:
    return {
        "poll_id": poll.id,
        "meeting_id": poll.meeting_id,
        "body_id": poll.body_id,
        "body": body.details.name,
        "title": meeting.details.title,
    }


def _told(time: TimeAsked) -> ProposedTime:
    starts, ends = (moment.isoformat(timespec="minutes") for moment in (time.starts, time.ends))
    return ProposedTime(key=time.key, starts=starts, ends=ends)
