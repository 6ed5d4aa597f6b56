"""What applying a plan does to the meetings that are there: nothing when it says the same. Pure.

A meeting is known by its slot; where the plan has moved one, it is the next of the same occasion that is left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from services.meetings.meeting import meeting as rules
from services.meetings.meeting.meeting import Meeting, MeetingDetails, PlanSlot
from services.meetings.plan.plan import Planned
from services.meetings.register.changes import FieldChange
from services.meetings.register.register import Problems
from shared.errors import Refused, says
from shared.events.base import Event

STRUCK = "The plan has it no more"


class PlanChange(BaseModel):
    """One thing that applying does to a meeting; `fields` what differs."""

    kind: Literal["scheduled", "changed", "cancelled"]
    body: str
    title: str
    starts: str
    ends: str
    fields: list[FieldChange]


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
    found = _matched(there, wanted)
    for planned, details in wanted:
        slot = PlanSlot(plan=plan, slot=planned.slot)
        old = found.get(planned.slot + details.body)
        with problems.at(planned.where):
            if old is None:
                made, told = rules.schedule(new_id(), details, (body_ids or {}).get(details.body))
                made = made.model_copy(update={"plan": slot})
                outcome.saved.append((made, told))
                outcome.standing.append(made)
                outcome.changes.append(_change("scheduled", details, []))
            else:
                _renew(outcome, old, details, slot, now)
    kept = {meeting.id for meeting in found.values()}
    for meeting in there:
        if meeting.id not in kept:
            with problems.at(f"{meeting.details.body}, {meeting.details.starts:%Y-%m-%d}"):
                _require_coming(meeting, now)
                cancelled, gone = rules.cancel(meeting, STRUCK)
                outcome.saved.append((cancelled, gone))
                outcome.changes.append(_change("cancelled", meeting.details, []))
    return outcome


def _renew(outcome: PlanOutcome, old: Meeting, details: MeetingDetails, slot: PlanSlot, now: datetime) -> None:
    """Who was asked to a meeting that was held stays as it was."""
    if old.is_over(now):
        details = details.model_copy(update={"participants": old.details.participants})
    changed, fact = rules.change(old, details)
    if fact is not None:
        _require_coming(old, now)
        outcome.changes.append(_change("changed", changed.details, _differences(old.details, changed.details)))
        outcome.before[old.id] = old.details
    changed = changed.model_copy(update={"plan": slot})
    outcome.standing.append(changed)
    if fact is not None or old.plan != slot:
        outcome.saved.append((changed, fact))


def _matched(there: Sequence[Meeting], wanted: Sequence[tuple[Planned, MeetingDetails]]) -> dict[str, Meeting]:
    """By slot and body."""
    by_slot = {(one.plan.slot if one.plan else "") + one.details.body: one for one in there}
    found = {}
    for planned, details in wanted:
        key = planned.slot + details.body
        if key in by_slot:
            found[key] = by_slot.pop(key)
    left = sorted(by_slot.values(), key=lambda one: one.details.starts)
    for planned, details in sorted(wanted, key=lambda one: one[1].starts):
        key = planned.slot + details.body
        alike = (one for one in left if _alike(one.details, details))
        if key not in found and (old := next(alike, None)) is not None:
            left.remove(old)
            found[key] = old
    return found


def _alike(old: MeetingDetails, new: MeetingDetails) -> bool:
    return (old.body, old.occasion) == (new.body, new.occasion)


def _require_coming(meeting: Meeting, now: datetime) -> None:
    """Raises Refused."""
    if meeting.is_over(now):
        raise Refused(
            f"the meeting of {meeting.details.starts:%Y-%m-%d} was held",
            hint="leave it as it was",
            says=says("held", day=meeting.details.starts.date()),
        )


def _change(
    kind: Literal["scheduled", "changed", "cancelled"], details: MeetingDetails, fields: list[FieldChange]
) -> PlanChange:
    return PlanChange(
        kind=kind,
        body=details.body,
        title=details.title,
        starts=details.starts.isoformat(timespec="minutes"),
        ends=details.ends.isoformat(timespec="minutes"),
        fields=fields,
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
