"""What is next for a secretary, as the start page says it: coming meetings, minutes to be written, what waits."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import Meeting, MeetingStatus, Occasion, WhichBody
from shared.clock import Clock

MOST = 3
"""Of each kind: a page that is looked at each morning."""
_BACK, _ON = timedelta(days=60), timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Coming:
    """`notice_by`: the last day for its notice, which nobody has approved or sent; None when somebody has. `late`: that
    this day is past."""

    meeting: Meeting
    notice_by: date | None
    late: bool


@dataclass(frozen=True, slots=True)
class Ahead:
    """`bodies`: whether there are any. `unwritten`: held without minutes, the last one first; `waiting`: items that
    were tabled or referred back, and stand on no agenda; `waiting_at`: the next meeting of a body that has any, where
    they can be taken up; `proposed`: meetings to come, each with how many proposals of members wait for an answer, the
    next one first; `at_risk`: those of `coming` that will lack their quorum, as the answers are."""

    bodies: bool
    planned: bool
    coming: tuple[Coming, ...]
    unwritten: tuple[Meeting, ...]
    waiting: int
    waiting_at: Meeting | None = None
    proposed: tuple[tuple[Meeting, int], ...] = ()
    at_risk: frozenset[str] = frozenset()


async def look_ahead(meetings: MeetingsCommands, clock: Clock, organisation: str) -> Ahead:
    now = clock.now()
    years = sorted({(now - _BACK).year, now.year, (now + _ON).year})
    there = [one for year in years for one in await meetings.meetings.of_year(organisation, year)]
    bodies = await meetings.bodies.bodies(organisation)
    held = [one for one in there if one.is_over(now)]
    written = await meetings.minutes.written(organisation, [one.id for one in held])
    waiting = await meetings.agendas.waiting(organisation) if bodies else []
    missing = {one.meeting_id: one.notice_by for one in await meetings.notices.missing(organisation)}
    proposed = await meetings.proposals.waiting_of_all(organisation)
    of = {item.which_body for item in waiting}
    found = ahead(there, bool(bodies), missing, written, len(waiting), now, proposed, waiting_of=of)
    notices = [await meetings.notices.notice(organisation, one.meeting.id) for one in found.coming]
    return replace(found, at_risk=frozenset(one.meeting.id for one in notices if one and one.notice.at_risk))


def ahead(
    there: Iterable[Meeting],
    bodies: bool,
    missing: Mapping[str, date],
    written: set[str],
    waiting: int,
    now: datetime,
    proposed: Mapping[str, int] | None = None,
    waiting_of: Collection[WhichBody] = (),
) -> Ahead:
    """Pure. `missing`: the latest days of notices that nobody has approved or sent, by meeting; `proposed`: how many
    proposals wait, by meeting; `waiting_of`: whose items wait."""
    stands = sorted(
        (one for one in there if one.status is not MeetingStatus.CANCELLED), key=lambda one: one.details.starts
    )
    coming = [one for one in stands if not one.is_over(now)]
    unwritten = [
        one
        for one in reversed(stands)
        if one.is_over(now) and _is_recent(one, now) and one.id not in written
        if one.details.occasion is not Occasion.TRAINING
    ]
    return Ahead(
        bodies=bodies,
        planned=bool(stands),
        coming=tuple(_coming(one, missing.get(one.id), now) for one in coming[:MOST]),
        unwritten=tuple(unwritten[:MOST]),
        waiting=waiting,
        waiting_at=next((one for one in coming if _takes_up(one, waiting_of)), None),
        proposed=tuple((one, proposed[one.id]) for one in coming if one.id in proposed) if proposed else (),
    )


def _takes_up(meeting: Meeting, waiting_of: Collection[WhichBody]) -> bool:
    is_theirs = any(meeting.which_body.is_same(body) for body in waiting_of)
    return is_theirs and meeting.details.occasion is not Occasion.TRAINING


def _coming(meeting: Meeting, notice_by: date | None, now: datetime) -> Coming:
    today = now.astimezone(ZoneInfo(meeting.details.timezone)).date()
    return Coming(meeting, notice_by, late=notice_by is not None and notice_by < today)


def _is_recent(meeting: Meeting, now: datetime) -> bool:
    return meeting.details.ends.replace(tzinfo=ZoneInfo(meeting.details.timezone)) > now - _BACK
