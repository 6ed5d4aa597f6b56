"""What is next for a secretary, as the start page says it: coming meetings, minutes to be written, items that wait."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.meetings.body.body import Body
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import Meeting, MeetingStatus, Occasion, body_key
from services.meetings.notice.notice import latest_day
from shared.clock import Clock

MOST = 3
"""Of each kind: a page that is looked at each morning."""
_BACK, _ON = timedelta(days=60), timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Coming:
    """`notice_by`: the last day for its notice; None when it was to be out before today, or no body is known."""

    meeting: Meeting
    notice_by: date | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """`bodies`: whether there are any. `unwritten`: held without minutes, the last one first; `waiting`: items that
    were tabled or referred back, and stand on no agenda."""

    bodies: bool
    planned: bool
    coming: tuple[Coming, ...]
    unwritten: tuple[Meeting, ...]
    waiting: int


async def look_ahead(meetings: MeetingsCommands, clock: Clock, organisation: str) -> Ahead:
    now = clock.now()
    years = sorted({(now - _BACK).year, now.year, (now + _ON).year})
    there = [one for year in years for one in await meetings.meetings.of_year(organisation, year)]
    bodies = await meetings.bodies.bodies(organisation)
    held = [one for one in there if one.is_over(now)]
    written = await meetings.minutes.written(organisation, [one.id for one in held])
    waiting = await meetings.agendas.waiting(organisation) if bodies else []
    return ahead(there, bodies, written, len(waiting), now)


def ahead(there: Iterable[Meeting], bodies: Sequence[Body], written: set[str], waiting: int, now: datetime) -> Ahead:
    """Pure."""
    stands = sorted(
        (one for one in there if one.status is not MeetingStatus.CANCELLED), key=lambda one: one.details.starts
    )
    by_name = {body_key(one.details.name): one for one in bodies}
    coming = [one for one in stands if not one.is_over(now)]
    unwritten = [
        one
        for one in reversed(stands)
        if one.is_over(now) and _is_recent(one, now) and one.id not in written
        if one.details.occasion is not Occasion.TRAINING
    ]
    return Ahead(
        bodies=bool(bodies),
        planned=bool(stands),
        coming=tuple(Coming(one, _notice_by(one, by_name, now)) for one in coming[:MOST]),
        unwritten=tuple(unwritten[:MOST]),
        waiting=waiting,
    )


def _notice_by(meeting: Meeting, bodies: Mapping[str, Body], now: datetime) -> date | None:
    body = bodies.get(body_key(meeting.details.body))
    if body is None:
        return None
    day = latest_day(meeting.details.starts.date(), body.details.rules.notice_days)
    return day if day >= now.astimezone(ZoneInfo(meeting.details.timezone)).date() else None


def _is_recent(meeting: Meeting, now: datetime) -> bool:
    return meeting.details.ends.replace(tzinfo=ZoneInfo(meeting.details.timezone)) > now - _BACK
