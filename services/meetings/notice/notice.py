"""The rules of notices (kallelse): until when one goes out, what people were told last, what changed since. Pure.

A meeting's notice is nothing at first. The date alone may be sent (preliminary), then the notice proper; either is told
anew when the meeting changes, and withdrawn when it is cancelled. `sequence` rises with each fact that people are told:
calendars keep the highest (RFC 5546 section 2.1.4).
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.body.membership import MemberRole
from services.meetings.holidays import holiday
from services.meetings.meeting.meeting import LocalTime, Meeting, MeetingStatus, Mode
from shared.errors import InvalidInput, Refused
from shared.events import BlobRef, NoticeIssued, NoticeReminded, NoticeWithdrawn
from shared.events.notices import AgendaLine, AskedMember, MeetingInstead
from shared.plain_text import lines_of, unfit

MAX_NOTE = 4000  # characters
_FIRST_OF_WEEKEND = 5  # Saturday
_GOES_OUT = time(8)  # local time of the latest day, when it was approved and nobody sent it before
_ANSWERED_BEFORE = 2  # days between the last day to answer and the meeting, at least


def latest_day(meets: date, days: int) -> date:
    """The last day on which the notice of a meeting on `meets` goes out in time: `days` before it at the latest.

    Statutes and Kommunallagen (2017:725) 5 kap. 15 § reckon in days. Where that day is a weekend or a holiday, when
    nobody is in the office, it is the workday before.
    """
    day = meets - timedelta(days=days)
    while day.weekday() >= _FIRST_OF_WEEKEND or holiday(day):
        day -= timedelta(days=1)
    return day


def closes_at(meeting: Meeting, notice: "Notice", days: int | None) -> datetime | None:
    """The last moment at which a file came in time for the meeting's notice: when the notice of the meeting's present
    day went out, or the end of its last day, whichever was first.

    `days`: by the rule of the body; None where the register knows none. None when neither is known.
    """
    day = meeting.details.starts.date()
    ends = []
    if notice.told is not None and notice.told.starts.date() == day and notice.issued_at is not None:
        ends.append(notice.redated_at or notice.issued_at)
    if days is not None:
        zone = ZoneInfo(meeting.details.timezone)
        ends.append(datetime.combine(latest_day(day, days), time.max, zone).astimezone(UTC))
    return min(ends, default=None)


class Stage(StrEnum):
    """What people were told of a meeting."""

    NONE = "none"
    PRELIMINARY = "preliminary"  # its date
    ISSUED = "issued"  # the notice
    WITHDRAWN = "withdrawn"  # that it will not take place


class Kind(StrEnum):
    """Of a notice that is told."""

    PRELIMINARY = "preliminary"
    NOTICE = "notice"
    UPDATED = "updated"
    SUBSTITUTE = "substitute"


class Change(StrEnum):
    """What an updated notice says is otherwise than people were told."""

    TIME = "time"
    PLACE = "place"
    MODE = "mode"
    TITLE = "title"
    AGENDA = "agenda"
    PAPERS = "papers"
    PEOPLE = "people"
    JOIN = "join"  # how an online meeting is joined


class Told(BaseModel):
    """A meeting as people were told it. `agenda`: None, where it was not said. `papers`: SHA-256 of the PDF.

    `join`: the link by which it is joined, as SHA-256; empty, where there was none; None of what was told before
    notices had it."""

    model_config = ConfigDict(frozen=True)

    title: str
    place: str
    mode: Mode | None
    starts: LocalTime
    ends: LocalTime
    agenda: tuple[AgendaLine, ...] | None
    papers: str | None
    people: tuple[str, ...]
    join: str | None = None


class Recipient(BaseModel):
    """Someone who is asked to a meeting. Without `email` no mail reaches them, and no fact names them."""

    model_config = ConfigDict(frozen=True)

    person_id: str
    name: str
    email: str | None
    language: str
    role: MemberRole
    page_version: int = 1
    instead_of: str | None = Field(None, description="of a substitute: the name of who cannot come")

    def asked(self) -> AskedMember | None:
        return None if self.email is None else AskedMember.model_validate(self.model_dump(mode="json"))


class Draft(BaseModel):
    """What would go out now. `body_id`, `body`: who meets, and how it is called now. `join_link`: by which an online
    meeting is joined; `join_sealed`: the same for the reader of the fact alone. Both may be empty."""

    model_config = ConfigDict(frozen=True)

    meeting: Meeting
    body_id: str
    body: str
    agenda: tuple[AgendaLine, ...]
    papers: BlobRef | None
    recipients: tuple[Recipient, ...]
    join_link: str = ""
    join_sealed: str = ""

    @property
    def digest(self) -> str:
        """Of all of it: for who sends just what they looked at."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def told(self, *, with_agenda: bool) -> Told:
        details = self.meeting.details
        return Told(
            title=details.title,
            place=details.place,
            mode=details.mode,
            starts=details.starts,
            ends=details.ends,
            agenda=self.agenda if with_agenda else None,
            papers=self.papers.sha256 if self.papers and with_agenda else None,
            people=tuple(sorted(one.person_id for one in self.recipients)),
            join=hashlib.sha256(self.join_link.encode()).hexdigest() if self.join_link else "",
        )


class Notice(BaseModel):
    """The state of a meeting's notice. `sequence`: of the last fact that people were told; `told`: what it said.

    `approved_at`: the secretary saw it, and it goes out on its day, with `note`. `time_since`: the sequence from which
    on the time is the present one. `redated_at`: when the notice last told another day than it had told before.
    """

    model_config = ConfigDict(frozen=True)

    stage: Stage = Stage.NONE
    sequence: int = 0
    approved_at: datetime | None = None
    note: str | None = None
    issued_at: datetime | None = None
    redated_at: datetime | None = None
    told: Told | None = None
    time_since: int = 0
    at_risk: bool = False

    @property
    def is_told(self) -> bool:
        """Whether people believe that the meeting takes place, since they were told so."""
        return self.stage in (Stage.PRELIMINARY, Stage.ISSUED)

    @property
    def waits(self) -> bool:
        """Whether it is approved, and goes out by itself."""
        return self.approved_at is not None and self.stage in (Stage.NONE, Stage.PRELIMINARY)


class Unnoticed(BaseModel):
    """A meeting to come whose notice nobody has approved or sent. `notice_by`: its latest day; `starts` is local."""

    model_config = ConfigDict(frozen=True)

    meeting_id: str
    body_id: str
    body: str
    title: str
    starts: LocalTime
    notice_by: date


def due_moment(meeting: Meeting, days: int) -> datetime:
    """When an approved notice goes out by itself: on its latest day."""
    day = latest_day(meeting.details.starts.date(), days)
    return datetime.combine(day, _GOES_OUT, ZoneInfo(meeting.details.timezone))


def is_late(meeting: Meeting, notice: Notice, days: int, today: date) -> bool:
    """Whether it should go out today, or should have, and nobody has seen it."""
    open_yet = notice.stage in (Stage.NONE, Stage.PRELIMINARY) and notice.approved_at is None
    return open_yet and today >= latest_day(meeting.details.starts.date(), days)


def answer_by(meets: date, today: date) -> date | None:
    """Until when an answer is wanted: the workday some days before; None when that is over."""
    day = latest_day(meets, _ANSWERED_BEFORE)
    return day if day > today else None


def changed(notice: Notice, draft: Draft) -> tuple[Change, ...]:
    """What is otherwise than people were told; nothing while they were told nothing."""
    if notice.told is None or not notice.is_told:
        return ()
    before, now = notice.told, draft.told(with_agenda=notice.stage is Stage.ISSUED)
    pairs = {
        Change.TIME: ((before.starts, before.ends), (now.starts, now.ends)),
        Change.PLACE: (before.place, now.place),
        Change.MODE: (before.mode, now.mode),
        Change.TITLE: (before.title, now.title),
        Change.AGENDA: (before.agenda, now.agenda),
        Change.PAPERS: (before.papers, now.papers),
        Change.PEOPLE: (before.people, now.people),
        # A meeting that becomes digital is told as that, with its link.
        Change.JOIN: (before.join, now.join) if before.join is not None and before.mode is now.mode else ("", ""),
    }
    return tuple(change for change, (was, becomes) in pairs.items() if was != becomes)


def approve(notice: Notice, draft: Draft, note: str | None, now: datetime) -> Notice:
    """The secretary has seen what goes out. Raises Refused, InvalidInput."""
    _require_to_come(draft.meeting, now)
    _require_not_issued(notice)
    _require_reachable(draft)
    return notice.model_copy(update={"approved_at": now, "note": clean_note(note)})


def send_preliminary(notice: Notice, draft: Draft, note: str | None, now: datetime) -> tuple[Notice, NoticeIssued]:
    """The date alone. Raises Refused, InvalidInput."""
    _require_to_come(draft.meeting, now)
    _require_not_issued(notice)
    if notice.stage is Stage.PRELIMINARY:
        raise Refused("the date was sent already", hint="send an updated notice, if something changed")
    return _issue(notice, draft, Kind.PRELIMINARY, note, now)


def issue(notice: Notice, draft: Draft, note: str | None, now: datetime) -> tuple[Notice, NoticeIssued]:
    """The notice proper. Raises Refused, InvalidInput."""
    _require_to_come(draft.meeting, now)
    _require_not_issued(notice)
    return _issue(notice, draft, Kind.NOTICE, note, now)


def update(notice: Notice, draft: Draft, note: str | None, now: datetime) -> tuple[Notice, NoticeIssued]:
    """To those who were told: what is otherwise now, or what the secretary adds. Raises Refused, InvalidInput."""
    _require_to_come(draft.meeting, now)
    if not notice.is_told:
        raise Refused("nobody was told of the meeting yet", hint="send the notice")
    if not changed(notice, draft) and not (note and note.strip()):
        raise Refused("nothing changed since people were told", hint="write a note, if there is something to add")
    return _issue(notice, draft, Kind.UPDATED, note, now)


def call(notice: Notice, draft: Draft, called: Sequence[Recipient], now: datetime) -> tuple[Notice, NoticeIssued]:
    """The notice to substitutes who are called. Of one of whom none has an address, the fact names nobody."""
    stepped = notice.model_copy(update={"sequence": notice.sequence + 1})
    return stepped, _fact(stepped, draft, Kind.SUBSTITUTE, called, None, now)


def withdraw(
    notice: Notice, draft: Draft, reason: str, taken_over_by: Meeting | None = None
) -> tuple[Notice, NoticeWithdrawn]:
    """The meeting is cancelled: all who were asked are told. `taken_over_by`: the meeting that takes over its items."""
    ended = notice.model_copy(
        update={"stage": Stage.WITHDRAWN, "sequence": notice.sequence + 1, "approved_at": None, "at_risk": False}
    )
    fact = _withdrawn(ended, draft, draft.recipients, reason, cancelled=True)
    instead = None if taken_over_by is None else _instead(taken_over_by)
    return ended, fact.model_copy(update={"taken_over_by": instead})


def release(notice: Notice, draft: Draft, released: Sequence[Recipient]) -> tuple[Notice, NoticeWithdrawn]:
    """The meeting takes place, and these people are no longer asked to it."""
    stepped = notice.model_copy(update={"sequence": notice.sequence + 1})
    return stepped, _withdrawn(stepped, draft, released, "", cancelled=False)


def remind(notice: Notice, draft: Draft, silent: Sequence[Recipient], now: datetime) -> NoticeReminded:
    """`silent`: whom it goes to. The notice stays what it is, and calendars have it. Raises Refused."""
    _require_to_come(draft.meeting, now)
    if not notice.is_told:
        raise Refused("nobody was told of the meeting yet", hint="send the notice")
    people = told_to(silent)
    if not people:
        raise Refused(
            "there is nobody to remind: all have answered, were reminded within a day, or are reached by no mail",
            hint="call those whom mails do not reach",
        )
    details = draft.meeting.details
    wanted = answer_by(details.starts.date(), now.astimezone(ZoneInfo(details.timezone)).date())
    return NoticeReminded(
        **as_known(notice, draft, silent),
        answer_by=wanted.isoformat() if wanted else None,
        papers=draft.papers if notice.stage is Stage.ISSUED else None,
    )


def clean_note(note: str | None) -> str | None:
    """A few lines, or nothing. Raises InvalidInput."""
    lines = [line.rstrip() for line in lines_of(note or "")]
    cleaned = "\n".join(lines).strip("\n")
    if len(cleaned) > MAX_NOTE:
        raise InvalidInput(f"note: is longer than {MAX_NOTE} characters")
    for line in lines:
        if found := unfit(line):
            raise InvalidInput(f"note: holds {found}")
    return cleaned or None


def told_to(recipients: Iterable[Recipient]) -> tuple[AskedMember, ...]:
    """Those of them whom mails reach."""
    return tuple(asked for one in recipients if (asked := one.asked()) is not None)


def _issue(notice: Notice, draft: Draft, kind: Kind, note: str | None, now: datetime) -> tuple[Notice, NoticeIssued]:
    _require_reachable(draft)
    changes = changed(notice, draft)
    proper = kind is Kind.NOTICE or notice.stage is Stage.ISSUED
    told, sequence = draft.told(with_agenda=proper), notice.sequence + 1
    another_day = notice.told is not None and notice.told.starts.date() != told.starts.date()
    another_time = notice.told is None or (notice.told.starts, notice.told.ends) != (told.starts, told.ends)
    issued = Notice(
        stage=Stage.ISSUED if proper else Stage.PRELIMINARY,
        sequence=sequence,
        approved_at=notice.approved_at,
        note=notice.note,
        issued_at=now if kind is Kind.NOTICE else notice.issued_at,
        redated_at=now if another_day and kind is Kind.UPDATED and proper else notice.redated_at,
        told=told,
        time_since=sequence if another_time else notice.time_since,
        at_risk=notice.at_risk,
    )
    fact = _fact(issued, draft, kind, draft.recipients, clean_note(note), now)
    before = notice.told
    return issued, fact.model_copy(
        update={
            "changes": tuple(change.value for change in changes),
            "before_starts": _local(before.starts) if before and Change.TIME in changes else None,
            "before_place": before.place if before and Change.PLACE in changes else None,
        }
    )


def _fact(
    notice: Notice, draft: Draft, kind: Kind, people: Sequence[Recipient], note: str | None, now: datetime
) -> NoticeIssued:
    details = draft.meeting.details
    today = now.astimezone(ZoneInfo(details.timezone)).date()
    wanted = answer_by(details.starts.date(), today)
    proper = notice.stage is Stage.ISSUED
    return NoticeIssued(
        **as_known(notice, draft, people),
        kind=kind.value,
        answer_by=wanted.isoformat() if wanted else None,
        agenda=draft.agenda if proper else (),
        note=note,
        papers=draft.papers if proper else None,
        join_sealed=draft.join_sealed or None,
    )


def _withdrawn(
    notice: Notice, draft: Draft, people: Sequence[Recipient], reason: str, *, cancelled: bool
) -> NoticeWithdrawn:
    return NoticeWithdrawn(**as_known(notice, draft, people), reason=reason, cancelled=cancelled)


def _instead(meeting: Meeting) -> MeetingInstead:
    details = meeting.details
    return MeetingInstead(
        meeting_id=meeting.id,
        title=details.title,
        place=details.place,
        mode=details.mode.value if details.mode else None,
        starts=_local(details.starts),
        ends=_local(details.ends),
    )


def as_known(notice: Notice, draft: Draft, people: Sequence[Recipient]) -> dict[str, object]:
    """What each fact of a notice says of its meeting, and whom it is told to."""
    details = draft.meeting.details
    return {
        "meeting_id": draft.meeting.id,
        "body_id": draft.body_id,
        "body": draft.body,
        "title": details.title,
        "place": details.place,
        "mode": details.mode.value if details.mode else None,
        "starts": _local(details.starts),
        "ends": _local(details.ends),
        "timezone": details.timezone,
        "sequence": notice.sequence,
        "people": told_to(people),
    }


def _local(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _require_to_come(meeting: Meeting, now: datetime) -> None:
    if meeting.status is MeetingStatus.CANCELLED:
        raise Refused("the meeting is cancelled", hint="schedule another one")
    if meeting.details.starts.replace(tzinfo=ZoneInfo(meeting.details.timezone)) <= now:
        raise Refused(
            "the meeting has begun: nobody can be asked to it any more",
            hint="tell people of it yourself, or schedule another one",
        )


def _require_not_issued(notice: Notice) -> None:
    if notice.stage is Stage.ISSUED:
        raise Refused("the notice went out already", hint="send an updated one, if something changed")


def _require_reachable(draft: Draft) -> None:
    if not any(one.email for one in draft.recipients):
        raise Refused("nobody who is asked has an address", hint="give the people of the body their addresses")
