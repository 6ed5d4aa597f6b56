"""What is in a meeting's way: people who are elsewhere, holidays and the days before them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from services.meetings.body.who_sits import WhoSits
from services.meetings.holidays import holiday
from services.meetings.meeting.meeting import MeetingDetails, Reserved

_MOST_DAYS = 31
"""Of one meeting, that are looked at for holidays."""


class Clash(BaseModel):
    """Told before anything is saved; whoever asks for it decides. `people`: names, of those who cannot be at both;
    `other`: the body of the other meeting."""

    kind: Literal["people", "holiday", "eve", "weekend"]
    body: str
    date: date
    what: str
    people: list[str] = []
    other: str | None = None


def clashes(wanted: Iterable[MeetingDetails], elsewhere: Iterable[MeetingDetails], who: WhoSits) -> list[Clash]:
    """What is in the way of meetings that are `wanted`, by day: among themselves, and with others that are held."""
    all_of_them: list[Engagement] = []
    days: defaultdict[str, list[date]] = defaultdict(list)
    for details, planned in [*((one, True) for one in wanted), *((one, False) for one in elsewhere)]:
        people = who.known(details.body, details.starts.date(), details.participants)
        all_of_them += engagements(
            details.body,
            details.title,
            details.starts,
            details.ends,
            details.reserved,
            people,
            planned,
            details.timezone,
        )
        if planned:
            days[details.body] += days_of(details.starts, details.ends)
    found = people_elsewhere(all_of_them)
    for body, dates in days.items():
        found += days_off(body, dates)
    return sorted(found, key=lambda one: (one.date, one.kind, one.body, one.what))


@dataclass(frozen=True, slots=True)
class Engagement:
    """Some people at one place. `people`: by what makes one the same, their name. Times are local, in `timezone`."""

    body: str
    title: str
    starts: datetime
    ends: datetime
    people: dict[str, str]
    planned: bool
    timezone: str = "Europe/Stockholm"
    reserved: bool = False

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """When it begins and ends, in UTC: bodies may be in different time zones."""
        zone = ZoneInfo(self.timezone)
        return self.starts.replace(tzinfo=zone).astimezone(UTC), self.ends.replace(tzinfo=zone).astimezone(UTC)

    def seen_from(self, timezone: str) -> "Engagement":
        """With its times as clocks there show them."""
        if timezone == self.timezone:
            return self
        begins, ends = (one.astimezone(ZoneInfo(timezone)).replace(tzinfo=None) for one in self.moments)
        return replace(self, starts=begins, ends=ends, timezone=timezone)

    @property
    def hours(self) -> str:
        """With the days, where it is over more than one."""
        shape = "%H:%M" if self.starts.date() == self.ends.date() else "%Y-%m-%d %H:%M"
        return f"{self.starts:{shape}}-{self.ends:{shape}}"

    def is_same_reservation(self, other: "Engagement") -> bool:
        """Hours that are kept free for one and the same thing are in nobody's way, however many meetings keep them."""
        return self.reserved and other.reserved and self.title.casefold() == other.title.casefold()


def engagements(
    body: str,
    title: str,
    starts: datetime,
    ends: datetime,
    reserved: Reserved | None,
    people: dict[str, str],
    planned: bool,
    timezone: str = "Europe/Stockholm",
) -> list[Engagement]:
    """A meeting, and the hours that are reserved beside it."""
    found = [Engagement(body, title, starts, ends, people, planned, timezone)]
    if reserved is not None:
        at = datetime.combine
        day = starts.date()
        hours = at(day, reserved.starts), at(day, reserved.ends)
        found.append(Engagement(body, reserved.what, *hours, people, planned, timezone, reserved=True))
    return found


def people_elsewhere(all_of_them: Iterable[Engagement]) -> list[Clash]:
    """Each pair that overlaps and shares people, once; only pairs that the plan has a part in."""
    there = [(*one.moments, one) for one in _reserved_once(all_of_them)]
    there.sort(key=lambda one: (one[0], one[2].body, one[2].title))
    found = []
    for number, (_, over, one) in enumerate(there):
        for begins, _, other in islice(there, number + 1, None):
            if begins >= over:
                break
            if one.is_same_reservation(other):
                continue
            both = sorted(one.people[who] for who in one.people.keys() & other.people.keys())
            if both and (one.planned or other.planned):
                mine, theirs = (one, other) if one.planned else (other, one)
                found.append(
                    Clash(
                        kind="people",
                        body=mine.body,
                        date=mine.starts.date(),
                        what=f"{theirs.body}: {theirs.title}, {theirs.seen_from(mine.timezone).hours}",
                        people=both,
                        other=theirs.body,
                    )
                )
    return found


def _reserved_once(all_of_them: Iterable[Engagement]) -> Iterable[Engagement]:
    """Meetings of one body on one day may keep the same hours free: these are one engagement, of all their people."""
    reserved: dict[tuple[str, str, datetime, datetime], Engagement] = {}
    for one in all_of_them:
        if not one.reserved:
            yield one
            continue
        key = (one.body, one.title.casefold(), one.starts, one.ends)
        before = reserved.get(key, one)
        reserved[key] = replace(before, people=before.people | one.people, planned=before.planned or one.planned)
    yield from reserved.values()


def days_of(starts: datetime, ends: datetime) -> list[date]:
    """On which somebody is there; one that ends at midnight has no part of the day that begins then."""
    last = max(starts, ends - timedelta(microseconds=1)).date()
    return [
        starts.date() + timedelta(days=number) for number in range(min((last - starts.date()).days + 1, _MOST_DAYS))
    ]


def days_off(body: str, days: Sequence[date]) -> list[Clash]:
    """Public holidays, the days before them, Saturdays and Sundays; of a day with several meetings, once. A Saturday
    before a holiday is both; of a holiday before another one the name says enough."""
    found = []
    for day in dict.fromkeys(days):
        name, tomorrow = holiday(day), holiday(day + timedelta(days=1))
        if name:
            found.append(Clash(kind="holiday", body=body, date=day, what=name))
        elif day.weekday() >= 5:
            found.append(Clash(kind="weekend", body=body, date=day, what=f"{day:%A}"))
        if tomorrow and not name:
            found.append(Clash(kind="eve", body=body, date=day, what=f"the day before {tomorrow}"))
    return found
