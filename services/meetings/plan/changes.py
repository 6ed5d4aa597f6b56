"""What applying a plan does to the meetings that are there: nothing when it says the same. Pure.

A meeting is known by its slot, else by the day on which it is now; where the plan has moved one, it is of those of the
same occasion that are left the one from which it is moved least, in their order.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from services.meetings.meeting import meeting as rules
from services.meetings.meeting.meeting import Meeting, MeetingDetails, Occasion, PlanSlot
from services.meetings.plan.plan import Planned
from services.meetings.register.changes import FieldChange
from services.meetings.register.register import Problems
from shared.errors import Refused, says
from shared.events.base import Event

STRUCK = "The plan has it no more"


class PlanChange(BaseModel):
    """One thing that applying does to a meeting; `fields` what differs. `by_order`: which meeting it is that moved was
    taken from the order of the dates; a key in the plan would say it."""

    kind: Literal["scheduled", "changed", "cancelled"]
    body: str
    title: str
    starts: str
    ends: str
    fields: list[FieldChange]
    by_order: bool = False


@dataclass(slots=True)
class PlanOutcome:
    """What applying comes to: rows to save, each with its fact, and how that looks. `standing`: what the plan then
    has; `before`: of those that were changed, what they were, by id."""

    changes: list[PlanChange] = field(default_factory=list)
    saved: list[tuple[Meeting, Event | None]] = field(default_factory=list)
    standing: list[Meeting] = field(default_factory=list)
    before: dict[str, MeetingDetails] = field(default_factory=dict)


def apply(
    plan: str,
    there: Sequence[Meeting],
    wanted: Sequence[tuple[Planned, MeetingDetails]],
    *,
    now: datetime,
    new_id: Callable[[], str],
    problems: Problems,
    body_ids: Mapping[str, str] | None = None,
) -> PlanOutcome:
    """`there`: the meetings of the plan that are not cancelled, under their bodies' present names. `body_ids`: by name.

    What is wrong goes to `problems`.
    """
    outcome = PlanOutcome()
    found, guessed = _matched(there, wanted)
    for planned, details in wanted:
        slot = PlanSlot(plan=plan, slot=planned.slot, year=planned.day.year)
        old = found.get(planned.slot + details.body)
        with problems.at(planned.where):
            if old is None:
                made, told = rules.schedule(new_id(), details, (body_ids or {}).get(details.body))
                made = made.model_copy(update={"plan": slot})
                outcome.saved.append((made, told))
                outcome.standing.append(made)
                outcome.changes.append(_change("scheduled", details, []))
            else:
                _renew(outcome, old, details, slot, now, by_order=old.id in guessed)
    kept = {meeting.id for meeting in found.values()}
    for meeting in there:
        if meeting.id not in kept:
            with problems.at(f"{meeting.details.body}, {meeting.details.starts:%Y-%m-%d}"):
                _require_coming(meeting, now)
                cancelled, gone = rules.cancel(meeting, STRUCK)
                outcome.saved.append((cancelled, gone))
                outcome.changes.append(_change("cancelled", meeting.details, []))
    return outcome


def _renew(
    outcome: PlanOutcome, old: Meeting, details: MeetingDetails, slot: PlanSlot, now: datetime, *, by_order: bool
) -> None:
    """Who was asked to a meeting that was held stays as it was."""
    if old.is_over(now):
        details = details.model_copy(update={"participants": old.details.participants})
    changed, fact = rules.change(old, details)
    if fact is not None:
        _require_coming(old, now)
        differs = _differences(old.details, changed.details)
        outcome.changes.append(_change("changed", changed.details, differs, by_order=by_order))
        outcome.before[old.id] = old.details
    changed = changed.model_copy(update={"plan": slot})
    outcome.standing.append(changed)
    if fact is not None or old.plan != slot:
        outcome.saved.append((changed, fact))


def _matched(
    there: Sequence[Meeting], wanted: Sequence[tuple[Planned, MeetingDetails]]
) -> tuple[dict[str, Meeting], set[str]]:
    """By slot and body; and the ids of those that nothing but their order tells."""
    left = sorted(there, key=lambda one: one.details.starts)
    found: dict[str, Meeting] = {}

    def take(of_old: Callable[[Meeting], Hashable], of_new: Callable[[Planned, MeetingDetails], Hashable]) -> None:
        olds: dict[Hashable, list[Meeting]] = defaultdict(list)
        for one in reversed(left):
            olds[of_old(one)].append(one)
        for planned, details in wanted:
            key = planned.slot + details.body
            if key not in found and (there := olds.get(of_new(planned, details))):
                found[key] = there.pop()
        kept = {one.id for one in found.values()}
        left[:] = [one for one in left if one.id not in kept]

    take(lambda old: (old.details.body, old.plan.slot if old.plan else ""), lambda new, of: (of.body, new.slot))
    take(lambda old: _day_of(old.details), lambda _, details: _day_of(details))
    guessed = set()
    for slot, old in _by_order(left, [one for one in wanted if one[0].slot + one[1].body not in found]):
        found[slot] = old
        guessed.add(old.id)
    return found, guessed


def _by_order(
    left: Sequence[Meeting], wanted: Sequence[tuple[Planned, MeetingDetails]]
) -> Iterable[tuple[str, Meeting]]:
    """`left`: by their start."""
    groups: dict[tuple[str, Occasion], list[tuple[str, datetime]]] = defaultdict(list)
    for planned, details in sorted(wanted, key=lambda one: one[1].starts):
        groups[details.body, details.occasion].append((planned.slot + details.body, details.starts))
    for (body, occasion), slots in groups.items():
        olds = [one for one in left if (one.details.body, one.details.occasion) == (body, occasion)]
        pairs = least_moved([one.details.starts for one in olds], [starts for _, starts in slots])
        yield from ((slots[new][0], olds[old]) for old, new in pairs)


def least_moved(olds: Sequence[datetime], news: Sequence[datetime]) -> list[tuple[int, int]]:
    """Which of the old times became which of the new ones: as many as can be, in their order, moved the least in all.

    Both rise. Of those that are more, some are left over: struck, or added.
    """
    if len(olds) > len(news):
        return [(old, new) for new, old in least_moved(news, olds)]
    spare = len(news) - len(olds)
    cost = [timedelta(0)] * (spare + 1)  # by how many of the new ones are left over so far
    ways: list[list[int]] = []
    for number, old in enumerate(olds):
        row, way = [], []
        best, at = cost[0], 0
        for skipped in range(spare + 1):
            if cost[skipped] < best:
                best, at = cost[skipped], skipped
            row.append(best + abs(news[number + skipped] - old))
            way.append(at)
        cost = row
        ways.append(way)
    found = []
    skipped = min(range(spare + 1), key=lambda one: cost[one])
    for number in reversed(range(len(olds))):
        found.append((number, number + skipped))
        skipped = ways[number][skipped]
    return found[::-1]


def _day_of(details: MeetingDetails) -> tuple[str, Occasion, date]:
    return details.body, details.occasion, details.starts.date()


def _require_coming(meeting: Meeting, now: datetime) -> None:
    """Raises Refused."""
    if meeting.is_over(now):
        raise Refused(
            f"the meeting of {meeting.details.starts:%Y-%m-%d} was held",
            hint="leave it as it was",
            says=says("held", day=meeting.details.starts.date()),
        )


def _change(
    kind: Literal["scheduled", "changed", "cancelled"],
    details: MeetingDetails,
    fields: list[FieldChange],
    *,
    by_order: bool = False,
) -> PlanChange:
    return PlanChange(
        kind=kind,
        body=details.body,
        title=details.title,
        starts=details.starts.isoformat(timespec="minutes"),
        ends=details.ends.isoformat(timespec="minutes"),
        fields=fields,
        by_order=by_order,
    )


def _differences(old: MeetingDetails, new: MeetingDetails) -> list[FieldChange]:
    return [
        FieldChange(field=name, before=_shown(getattr(old, name)), after=_shown(getattr(new, name)))
        for name in MeetingDetails.model_fields
        if getattr(old, name) != getattr(new, name)
    ]


def _shown(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, tuple):
        return ", ".join(sorted(one.name or one.email for one in value)) or None
    return None if value is None else str(value)
