"""A task: what a paragraph of signed minutes asks somebody to do, until which day, and who is reminded when. Pure.

Its owner is reminded a week before and on the day, once each for a day that it is due; a task that is done reminds
nobody. Of several reminders whose time has come, as after a standstill, only the last one is told.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.body.membership import MemberRole, Membership
from services.meetings.meeting.meeting import YEARS
from shared.errors import InvalidInput, Refused, says
from shared.events import TaskChanged, TaskDone, TaskGiven, TaskWithdrawn
from shared.events.notices import AskedMember
from shared.text import MAX_LINE, clean_line, clean_reason

AT = time(7, 0)
"""Local time of the body at which reminders go out."""
_ID = r"^[A-Za-z0-9-]{1,60}$"
_LEAD_WORDS = ("uppdrag", "åt ", "uppmana", "instruct", "commission", "assign", "task")


class Reminder(StrEnum):
    WEEK = "week"
    DAY = "day"


_DAYS_BEFORE = {Reminder.WEEK: 7, Reminder.DAY: 0}


class TaskDetails(BaseModel):
    """What people say of a task. `what`: in one line. Its one owner is a person with a place in the body, or whoever
    has a role there. `back_on`: the meeting at which it comes back; or `back_day`: the day, where that meeting is not
    planned yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str = Field(max_length=MAX_LINE * 2)
    owner_id: str | None = Field(None, pattern=_ID)
    owner_role: MemberRole | None = None
    due: date
    back_on: str | None = Field(None, pattern=_ID)
    back_day: date | None = None


class Task(BaseModel):
    """A task as it stands. `heading`, `held_on`: of the paragraph and of its meeting. `reminded`: what is told, or
    too late to tell, of the present day. `mailed`: the ids of those who were told that it is due, on whatever day, or
    theirs: of a role, they may not be those who do it now. `holders`: the ids of who does it, as of when that was asked
    last; None of one from before it was. `withdrawn`: nobody is to do it after all; `done_at` says since when, `note`
    why. `item_id`: the agenda item as which it came back; it may stand there though the task comes
    back there no more."""

    model_config = ConfigDict(frozen=True)

    id: str
    version: int
    meeting_id: str
    paragraph: int
    heading: str
    held_on: date
    body_id: str
    body: str
    timezone: str
    details: TaskDetails
    given_at: datetime
    reminded: tuple[Reminder, ...] = ()
    mailed: tuple[str, ...] = ()
    holders: tuple[str, ...] | None = None
    done_at: datetime | None = None
    note: str | None = None
    withdrawn: bool = False
    item_id: str | None = None

    def require_open(self) -> None:
        """Raises Refused."""
        if self.withdrawn:
            raise Refused("the task was withdrawn", hint="give a new one", says=says("task_withdrawn"))
        if self.done_at is not None:
            raise Refused(
                "the task is done already", hint="give a new one, if there is more to do", says=says("task_done")
            )

    def moment(self, reminder: Reminder) -> datetime:
        return _morning(self, self.details.due - timedelta(days=_DAYS_BEFORE[reminder]))

    def next_moment(self) -> datetime | None:
        """When somebody is to be reminded next; None when nobody is."""
        waiting = [self.moment(one) for one in Reminder if one not in self.reminded]
        return min(waiting) if waiting and self.done_at is None else None


def give(task: Task, there: Sequence[Membership], now: datetime) -> tuple[Task, TaskGiven]:
    """`task`: of version 0; `there`: the memberships of its body. Raises InvalidInput that names the field."""
    given = _planned(task, task.details, there, now)
    return given, TaskGiven(**_facts(given))


def change(
    task: Task, details: TaskDetails, there: Sequence[Membership], now: datetime
) -> tuple[Task, TaskChanged | None]:
    """No event when nothing changes. A day that stays may be over. Raises Refused, InvalidInput."""
    task.require_open()
    details = _clean(details)
    if details == task.details:
        return task, None
    changed = _planned(task, details, there, now)
    return changed, TaskChanged(**_facts(changed))


def handed(
    task: Task, fact: TaskChanged, people: Sequence[AskedMember], relieved: Sequence[AskedMember]
) -> tuple[Task, TaskChanged]:
    """Told to `people`, who do it from now on, and to `relieved`, who do not: those who are told what comes of it."""
    left = {one.person_id for one in relieved}
    kept = task.model_copy(update={"mailed": tuple(one for one in task.mailed if one not in left)})
    return mailed(kept, people), fact.model_copy(update={"people": tuple(people), "relieved": tuple(relieved)})


def passes_on(task: Task, have: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Of a task whose role `have` now: the ids of who is to be told that it is theirs since that was asked last, and of
    who was mailed and does it no more."""
    if task.holders is None:
        return (), ()
    new = [one for one in have if one not in task.holders]
    return new, [one for one in to_be_told(task, task.holders) if one not in have]


def passed_on(
    task: Task, have: Sequence[str], people: Sequence[AskedMember], relieved: Sequence[AskedMember]
) -> tuple[Task, TaskChanged | None]:
    """Others have its role. No event where nobody is told."""
    kept = task.model_copy(update={"holders": tuple(have)})
    if not people and not relieved:
        return kept, None
    changed = kept.model_copy(update={"version": task.version + 1})
    return handed(changed, TaskChanged(**_facts(changed)), people, relieved)


def finish(task: Task, note: str | None, now: datetime) -> tuple[Task, TaskDone]:
    """Raises Refused, InvalidInput."""
    task.require_open()
    note = clean_reason(note) if note and note.strip() else None
    done = task.model_copy(update={"version": task.version + 1, "done_at": now, "note": note})
    return done, TaskDone(note=note, **about(done))


def withdraw(task: Task, reason: str, now: datetime, people: Sequence[AskedMember] = ()) -> tuple[Task, TaskWithdrawn]:
    """It was given by mistake. `people`: who is told, see `to_be_told`. Raises Refused, InvalidInput."""
    task.require_open()
    reason = clean_reason(reason)
    gone = task.model_copy(update={"version": task.version + 1, "done_at": now, "note": reason, "withdrawn": True})
    return gone, TaskWithdrawn(reason=reason, people=tuple(people), **about(gone))


def to_be_told(task: Task, owners: Sequence[str]) -> Sequence[str]:
    """The ids of those who may think that they are to do it: who was mailed, whoever has it now. `owners`: those, of a
    task whose reminders are from before it was known whom they went to."""
    was_due = any(task.moment(one) > task.given_at for one in task.reminded)
    return task.mailed or (owners if was_due else ())


def mailed(task: Task, people: Sequence[AskedMember]) -> Task:
    """These were told that it is due."""
    return task.model_copy(update={"mailed": tuple(dict.fromkeys((*task.mailed, *(one.person_id for one in people))))})


def remind(task: Task, now: datetime) -> tuple[Task, Reminder | None]:
    """What is to be told now, if anything; it is not told again."""
    come = [one for one in Reminder if one not in task.reminded and task.moment(one) <= now]
    if task.done_at is not None or not come:
        return task, None
    told = max(come, key=task.moment)
    passed = [one for one in Reminder if one not in task.reminded and task.moment(one) <= task.moment(told)]
    return task.model_copy(update={"version": task.version + 1, "reminded": (*task.reminded, *passed)}), told


def came_back(task: Task, item_id: str) -> Task:
    """It is an item of the agenda of the meeting at which it comes back. Raises Refused."""
    task.require_open()
    return task.model_copy(update={"version": task.version + 1, "item_id": item_id})


def waits_for_meeting(task: Task) -> bool:
    """Whether the meeting at which it comes back is looked for."""
    return task.done_at is None and task.details.back_day is not None


def finds_meeting(task: Task, meeting_id: str) -> tuple[Task, TaskChanged]:
    """The one of the day on which it comes back is planned. Raises Refused."""
    task.require_open()
    details = task.details.model_copy(update={"back_on": meeting_id, "back_day": None})
    found = task.model_copy(update={"version": task.version + 1, "details": details})
    return found, TaskChanged(**_facts(found))


def owners(details: TaskDetails, there: Sequence[Membership], day: date) -> list[str]:
    """The ids of the people who do it, as of that day: of a role, who has it then."""
    if details.owner_id is not None:
        return [details.owner_id]
    found = [one.seat.person_id for one in there if one.seat.role is details.owner_role and one.seat.stands_on(day)]
    return list(dict.fromkeys(found))


def next_look(task: Task, there: Sequence[Membership], day: date) -> datetime | None:
    """When others may have its role next, after `day`, as the terms say."""
    terms = [one.seat for one in there if one.seat.role is task.details.owner_role]
    days = [one.begins for one in terms if one.begins is not None]
    days += [one.ends + timedelta(days=1) for one in terms if one.ends is not None and one.ends < date.max]
    return min((_morning(task, one) for one in days if one > day), default=None)


def suggested(decision: str) -> str:
    """What a decision seems to ask somebody to do, in one line; empty when it seems to ask nobody."""
    for line in decision.splitlines():
        text = line.lstrip("–- ").strip()
        if any(word in text.casefold() for word in _LEAD_WORDS):
            return text[:MAX_LINE]
    return ""


def _planned(task: Task, details: TaskDetails, there: Sequence[Membership], now: datetime) -> Task:
    details = _clean(details)
    today = now.astimezone(ZoneInfo(task.timezone)).date()
    is_new_day = task.version == 0 or details.due != task.details.due
    if is_new_day and details.due < today:
        raise InvalidInput("due: is over already", hint="choose today or a later day")
    if (details.owner_id is None) == (details.owner_role is None):
        raise InvalidInput("owner: a task has one owner, a person or a role")
    _check_back_day(task, details, today)
    places = [one for one in there if one.seat.person_id == details.owner_id]
    if details.owner_id is not None and not any(_stands_from(one, today) for one in places):
        raise InvalidInput("owner: has no place in the body", hint="give them one there first, as co-opted for example")
    planned = task.model_copy(update={"version": task.version + 1, "details": details})
    if task.version == 0 or _owner(details) != _owner(task.details):
        planned = planned.model_copy(update={"holders": tuple(owners(details, there, today))})
    if not is_new_day:
        return planned
    # On the day itself it is told at once; a week before that is over is not told.
    passed = (Reminder.WEEK,) if planned.moment(Reminder.WEEK) <= now else ()
    return planned.model_copy(update={"reminded": passed})


def has_another_owner(task: Task, before: Task) -> bool:
    """Another person or role: of the same role, who has it may be another by now."""
    return _owner(task.details) != _owner(before.details)


def _owner(details: TaskDetails) -> tuple[str | None, MemberRole | None]:
    return details.owner_id, details.owner_role


def _morning(task: Task, day: date) -> datetime:
    return datetime.combine(day, AT, ZoneInfo(task.timezone))


def _check_back_day(task: Task, details: TaskDetails, today: date) -> None:
    """A day that stays may be over."""
    if details.back_day is None:
        return
    if details.back_on is not None:
        raise InvalidInput("back_day: it comes back at a meeting", hint="name the meeting, or the day, not both")
    is_new = task.version == 0 or details.back_day != task.details.back_day
    if is_new and (details.back_day <= today or details.back_day.year not in YEARS):
        raise InvalidInput("back_day: is no day to come", hint="choose a later day")


def _stands_from(membership: Membership, day: date) -> bool:
    return membership.seat.ends is None or membership.seat.ends >= day


def _clean(details: TaskDetails) -> TaskDetails:
    if details.due.year not in YEARS:
        raise InvalidInput(f"due: the year {details.due.year} is not one of {YEARS[0]} to {YEARS[-1]}")
    return details.model_copy(update={"what": clean_line(details.what, "what")})


def about(task: Task) -> dict[str, Any]:
    """What every fact of it says."""
    return {
        "task_id": task.id,
        "meeting_id": task.meeting_id,
        "paragraph": task.paragraph,
        "held_on": task.held_on.isoformat(),
        "body_id": task.body_id,
        "body": task.body,
        "what": task.details.what,
    }


def _facts(task: Task) -> dict[str, Any]:
    details = task.details
    return about(task) | {
        "owner_id": details.owner_id,
        "owner_role": details.owner_role.value if details.owner_role else None,
        "due": details.due.isoformat(),
        "back_on": details.back_on,
        "back_day": details.back_day.isoformat() if details.back_day else None,
    }
