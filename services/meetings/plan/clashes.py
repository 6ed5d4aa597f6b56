"""What is in a meeting's way: people who are elsewhere, holidays and the days before them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from services.meetings.body.who_sits import WhoSits
from services.meetings.holidays import holiday
from services.meetings.meeting.meeting import MeetingDetails, Reserved


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
    days = defaultdict(list)
    for details, planned in [*((one, True) for one in wanted), *((one, False) for one in elsewhere)]:
        people = who.known(details.body, details.starts.date(), details.participants)
        all_of_them += engagements(
            details.body, details.title, details.starts, details.ends, details.reserved, people, planned
        )
        if planned:
            days[details.body].append(details.starts.date())
    found = people_elsewhere(all_of_them)
    for body, dates in days.items():
        found += days_off(body, dates)
    return sorted(found, key=lambda one: (one.date, one.kind, one.body, one.what))


@dataclass(frozen=True, slots=True)
class Engagement:
    """Some people at one place. `people`: by what makes one the same, their name. Times are local."""

    body: str
    title: str
    starts: datetime
    ends: datetime
    people: dict[str, str]
    planned: bool
    reserved: bool = False

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
) -> list[Engagement]:
    """A meeting, and the hours that are reserved beside it."""
    found = [Engagement(body, title, starts, ends, people, planned)]
    if reserved is not None:
        at = datetime.combine
        day = starts.date()
        hours = at(day, reserved.starts), at(day, reserved.ends)
        found.append(Engagement(body, reserved.what, *hours, people, planned, reserved=True))
    return found


def people_elsewhere(all_of_them: Iterable[Engagement]) -> list[Clash]:
    """Each pair that overlaps and shares people, once; only pairs that the plan has a part in."""
    by_day: dict[date, list[Engagement]] = {}
    for one in _reserved_once(all_of_them):
        by_day.setdefault(one.starts.date(), []).append(one)
    found = []
    for there in by_day.values():
        there.sort(key=lambda one: (one.starts, one.body, one.title))
        for number, one in enumerate(there):
            for other in there[number + 1 :]:
                if other.starts >= one.ends:
                    break
                if one.is_same_reservation(other):
                    continue
                both = sorted(one.people[who] for who in one.people.keys() & other.people.keys())
                if both and (one.planned or other.planned):
                    mine, theirs = (one, other) if one.planned else (other, one)
                    what = f"{theirs.body}: {theirs.title}, {theirs.starts:%H:%M}-{theirs.ends:%H:%M}"
                    found.append(
                        Clash(
                            kind="people",
                            body=mine.body,
                            date=mine.starts.date(),
                            what=what,
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


def days_off(body: str, days: Sequence[date]) -> list[Clash]:
    """Public holidays, the days before them, Saturdays and Sundays; of a day with several meetings, once."""
    found = []
    for day in dict.fromkeys(days):
        name, tomorrow = holiday(day), holiday(day + timedelta(days=1))
        if name:
            found.append(Clash(kind="holiday", body=body, date=day, what=name))
        elif day.weekday() >= 5:
            found.append(Clash(kind="weekend", body=body, date=day, what=f"{day:%A}"))
        elif tomorrow:
            found.append(Clash(kind="eve", body=body, date=day, what=f"the day before {tomorrow}"))
    return found
