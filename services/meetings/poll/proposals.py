"""Days on which most of a body's people can come: what the system proposes when a meeting needs another date. Pure.

A time is proposed on workdays, at the hour at which the body usually meets. In its way are meetings of the same people,
what they have answered about that time before, holidays and the days before them. The body's usual weekday is better
than another one; otherwise the fewer people are away and the sooner it is, the better.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.meetings.holidays import holiday
from services.meetings.wall_time import is_skipped

MOST_PROPOSED = 8
WINDOW = timedelta(weeks=8)
NOTHING_BEFORE = timedelta(days=3)
"""From today on: nobody rearranges their week for tomorrow."""
_FIRST_OF_WEEKEND = 5  # Saturday
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Habit:
    """When a body usually meets. `weekdays`: its usual ones, 0 is Monday; empty when it has none."""

    weekdays: frozenset[int]
    starts: time
    length: timedelta


@dataclass(frozen=True, slots=True)
class Busy:
    """Hours in which someone is elsewhere, or said that they cannot. Local wall time. `why`: of what, for people."""

    person_id: str
    starts: datetime
    ends: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A time, and who is away then and why, by person. `usual`: it is a weekday on which the body usually meets."""

    starts: datetime
    ends: datetime
    away: Mapping[str, str]
    usual: bool


def habit(starts: datetime, ends: datetime, others: Sequence[datetime]) -> Habit:
    """From the meeting that needs another date, and the starts of the body's other meetings."""
    days = Counter(one.weekday() for one in others)
    most = max(days.values(), default=0)
    usual = frozenset(day for day, number in days.items() if number == most and 3 * number >= len(others))
    hours = Counter(one.time() for one in others)
    hours[starts.time()] += 1
    often = max(hours.values())
    hour = starts.time() if hours[starts.time()] == often else min(hour for hour, n in hours.items() if n == often)
    return Habit(usual, hour, ends - starts)


def proposals(
    people: Collection[str],
    usually: Habit,
    busy: Iterable[Busy],
    taken: Collection[date],
    first: date,
    last: date,
    most: int = MOST_PROPOSED,
    zone: str = "Europe/Stockholm",
) -> list[Proposal]:
    """The best ones of the days from `first` to `last`, the best first; none on which nobody could come.

    `taken`: days on which the body meets anyway, or would have.
    """
    by_day: dict[date, list[Busy]] = {}
    for one in busy:
        for day in _days(one.starts.date(), one.ends.date()):
            by_day.setdefault(day, []).append(one)
    found = []
    for day in _days(first, last):
        if day in taken or day.weekday() >= _FIRST_OF_WEEKEND or holiday(day) or holiday(day + _A_DAY):
            continue
        starts = datetime.combine(day, usually.starts)
        ends = starts + usually.length
        if is_skipped(starts, zone) or is_skipped(ends, zone):
            continue
        away = {
            one.person_id: one.why
            for one in by_day.get(day, ())
            if one.person_id in people and one.starts < ends and starts < one.ends
        }
        if people and len(away) < len(people):
            found.append(Proposal(starts, ends, away, day.weekday() in usually.weekdays))
    return sorted(found, key=lambda one: (len(one.away), not one.usual, one.starts))[:most]


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
