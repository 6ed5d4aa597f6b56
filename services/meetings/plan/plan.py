"""A plan of a year's meetings as someone wrote it: which meetings of which bodies there should be, and when. Pure.

A committee's meetings follow another body's: so many days before each, with exceptions by name.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from services.meetings.meeting.meeting import Mode, Occasion, Reserved
from services.meetings.register.register import Problems
from shared.errors import says

MAX_PLAN = 262_144
"""Bytes of UTF-8 in one file."""
MOST_MEETINGS = 1000
"""In one plan."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Local wall time, on one day."""

    starts: time
    ends: time


@dataclass(frozen=True, slots=True)
class Planned:
    """One meeting. `slot`: what the plan knows it by, from one version of the plan to the next.

    `weekday`: the one that the date must fall on, Monday is 0; None does not ask. `where`: its place in the file.
    `follows`: the day of the meeting that it follows; None for one with a date of its own.
    """

    slot: str
    where: str
    day: date
    hours: Hours
    title: str
    place: str
    mode: Mode
    occasion: Occasion = Occasion.ORDINARY
    weekday: int | None = None
    reserved: Reserved | None = None
    follows: date | None = None


@dataclass(frozen=True, slots=True)
class Following:
    """How a committee's meetings follow another body's: `days` before each. `instead`: other days, by the day that is
    followed; None is no meeting."""

    body: str
    days: int
    instead: dict[date, date | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BodyPlan:
    """The meetings of one body. `key`: the body's. `pattern`: what a meeting that follows is like."""

    key: str
    where: str
    meetings: tuple[Planned, ...]
    following: Following | None = None
    pattern: Planned | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`key` names the plan: a file with the same key is its next version."""

    key: str
    year: int
    bodies: tuple[BodyPlan, ...]


def meetings_of(plan: Plan, problems: Problems) -> dict[str, list[Planned]]:
    """All meetings of the plan by body, those that follow others among them; what is wrong goes to `problems`."""
    found = {body.key: list(body.meetings) for body in plan.bodies}
    waiting = [body for body in plan.bodies if body.following is not None]
    while waiting:  # those first whose leaders are known: one may follow a body that follows another itself
        open_keys = {body.key for body in waiting}
        ready = [body for body in waiting if body.following and body.following.body not in open_keys]
        if not ready:
            for body in waiting:
                problems.add(body.where, "follows: goes round in a circle", says("follows_circle", "follows"))
            break
        for body in ready:
            if body.following is not None:
                found[body.key] += _followers(body, body.following, found.get(body.following.body), problems)
        waiting = [body for body in waiting if body not in ready]
    for body in plan.bodies:
        _check(plan, found[body.key], problems)
        found[body.key].sort(key=lambda one: (one.day, one.hours.starts))
    return found


def moments(meeting: Planned) -> tuple[datetime, datetime]:
    """Local wall time."""
    return datetime.combine(meeting.day, meeting.hours.starts), datetime.combine(meeting.day, meeting.hours.ends)


def _followers(
    body: BodyPlan, following: Following, leaders: list[Planned] | None, problems: Problems
) -> list[Planned]:
    if leaders is None or body.pattern is None:
        problems.add(
            body.where,
            f"follows: the plan has no body {following.body}",
            says("not_in_plan", "follows", given=following.body),
        )
        return []
    days = {leader.day for leader in leaders}
    for day in following.instead:
        if day not in days:
            problems.add(
                body.where,
                f"except: {following.body} does not meet on {day}",
                says("no_meeting_then", "except", body=following.body, day=day),
            )
    made = []
    for leader in leaders:
        if leader.occasion in (Occasion.CONGRESS, Occasion.TRAINING):
            continue
        usual: date | None = leader.day - timedelta(days=following.days)
        if (chosen := following.instead.get(leader.day, usual)) is not None:
            made.append(_follower(body.pattern, leader, chosen))
    return made


def _follower(pattern: Planned, leader: Planned, day: date) -> Planned:
    """A day of its own is meant as it is: it need not fall on the weekday."""
    return Planned(
        slot=f"before-{leader.slot}",
        where=pattern.where,
        day=day,
        hours=pattern.hours,
        title=pattern.title,
        place=pattern.place,
        mode=pattern.mode,
        reserved=pattern.reserved,
        follows=leader.day,
    )


def _check(plan: Plan, meetings: list[Planned], problems: Problems) -> None:
    slots: set[str] = set()
    for one in meetings:
        if one.day.year != plan.year and one.follows is not None:
            problems.add(
                one.where,
                f"days_before: the meeting before that of {one.follows} would be on {one.day}, not in {plan.year}"
                f" (write `{one.follows}: none` under except, or another day)",
                says(
                    "follower_other_year",
                    "days_before",
                    leader=one.follows,
                    leader_as_written=one.follows.isoformat(),
                    day=one.day,
                    year=plan.year,
                ),
            )
        elif one.day.year != plan.year:
            problems.add(
                one.where,
                f"date: {one.day} is not in {plan.year}",
                says("other_year", "date", day=one.day, year=plan.year),
            )
        if one.weekday is not None and one.day.weekday() != one.weekday:
            problems.add(
                one.where,
                f"date: {one.day} is a {WEEKDAYS[one.day.weekday()]}, not a {WEEKDAYS[one.weekday]}",
                says("other_weekday", "date", day=one.day, weekday=one.day.weekday(), wanted_weekday=one.weekday),
            )
        if one.hours.ends <= one.hours.starts:
            problems.add(one.where, "time: ends before it starts", says("hours_backwards", "time"))
        if one.slot in slots:
            problems.add(
                one.where,
                f"{one.slot} is there twice; give each of them a key of its own",
                says("slot_twice", given=one.slot),
            )
        slots.add(one.slot)


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
