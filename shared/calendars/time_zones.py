"""A time zone as calendars want it spelled out (VTIMEZONE, RFC 5545 section 3.6.5), from the system's zones. Pure.

Programs that do not know the zone's name reckon by this, and Outlook does even when it does. It takes yearly rules, and
not lists of dates (RDATE), which is what `icalendar` makes of a zone, with summer time an hour late besides.
"""

import calendar as months
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vRecur

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LAST = -1


@dataclass(frozen=True)
class _Onset:
    """From when on another offset holds. `local`: wall time as it was until then (RFC 5545 section 3.8.2.4)."""

    local: datetime
    before: timedelta
    after: timedelta
    name: str
    is_summer: bool

    def alike(self, other: "_Onset") -> bool:
        mine, theirs = self.local, other.local
        same_time = (mine.month, mine.weekday(), mine.time()) == (theirs.month, theirs.weekday(), theirs.time())
        return same_time and (self.before, self.after) == (other.before, other.after)

    def ordinals(self) -> set[int]:
        """Which Sunday of the month, say: the fourth, and perhaps the last."""
        day = self.local.day
        is_last = day + 7 > months.monthrange(self.local.year, self.local.month)[1]
        return {(day - 1) // 7 + 1} | ({_LAST} if is_last else set())


def vtimezone(name: str, year: int) -> Timezone:
    """`name` is an IANA name. It holds from the year before `year` on; without yearly rules, for three years."""
    zone = Timezone()
    zone.add("tzid", name)
    for onset, rule in _observances(name, year):
        part = TimezoneDaylight() if onset.is_summer else TimezoneStandard()
        part.add("dtstart", onset.local)
        part.add("tzoffsetfrom", onset.before)
        part.add("tzoffsetto", onset.after)
        part.add("tzname", onset.name)
        if rule is not None:
            part.add("rrule", vRecur({"FREQ": "YEARLY", "BYMONTH": rule[0], "BYDAY": rule[1]}))
        zone.add_component(part)
    return zone


@lru_cache(maxsize=64)
def _observances(name: str, year: int) -> tuple[tuple[_Onset, tuple[int, str] | None], ...]:
    zone = ZoneInfo(name)
    years = [_onsets(zone, one) for one in (year - 1, year, year + 1)]
    begin = _at(zone, datetime(year - 1, 1, 1, tzinfo=UTC))
    if not any(years):
        return ((begin, None),)
    rules = [_rule(same) for same in zip(*years, strict=False)]
    if len({len(one) for one in years}) == 1 and all(rules):
        return tuple(zip(years[0], rules, strict=True))
    return ((begin, None), *((onset, None) for one in years for onset in one))


def _rule(same: Sequence[_Onset]) -> tuple[int, str] | None:
    """Month and day (`-1SU`) that the onsets of following years have in common."""
    first = same[0]
    shared = set.intersection(*(onset.ordinals() for onset in same))
    if not shared or not all(onset.alike(first) for onset in same):
        return None
    ordinal = _LAST if _LAST in shared else max(shared)
    return first.local.month, f"{ordinal}{_DAYS[first.local.weekday()]}"


def _onsets(zone: ZoneInfo, year: int) -> list[_Onset]:
    """All of a year, found day by day, then to the minute."""
    found = []
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        following = day + timedelta(days=1)
        if _offset(zone, day) != _offset(zone, following):
            found.append(_at(zone, _change(zone, day, following)))
        day = following
    return found


def _change(zone: ZoneInfo, early: datetime, late: datetime) -> datetime:
    while late - early > timedelta(minutes=1):
        middle = early + (late - early) // 2
        middle = middle.replace(second=0, microsecond=0)
        if _offset(zone, middle) == _offset(zone, early):
            early = middle
        else:
            late = middle
    return late


def _at(zone: ZoneInfo, moment: datetime) -> _Onset:
    local = moment.astimezone(zone)
    before = _offset(zone, moment - timedelta(minutes=1))
    return _Onset(
        local=(moment + before).replace(tzinfo=None),
        before=before,
        after=_offset(zone, moment),
        name=local.tzname() or "",
        is_summer=bool(local.dst()),
    )


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)
