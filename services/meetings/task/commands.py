"""What people ask of tasks; each command is one transaction, which holds the task's row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.meetings.agenda.agenda import Item
from services.meetings.agenda.commands import AgendaCommands
from services.meetings.meeting.meeting import Meeting
from services.meetings.task import task as rules
from services.meetings.task.coming_back import (
    back_subject,
    come_back,
    is_open,
    item_of,
    lock_meetings,
    put_on_agenda,
    take_off,
)
from services.meetings.task.task import Task, TaskDetails
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.clock import Clock
from shared.errors import Refused, says
from shared.events import TaskChanged
from shared.events.notices import AskedMember
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork
from shared.timers import Timer, clear_timers, hold_timers, set_timers

REMIND = "task-remind"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A task with who does it, by name: of a role, who has it now; nobody, when the role is vacant. `back_on`: the
    meeting at which it comes back; `item_on`: the one on whose agenda it stands, known of one task only."""

    task: Task
    owners: tuple[str, ...]
    back_on: Meeting | None
    item_on: Meeting | None = None


async def reached(
    transaction: MeetingsTransaction, organisation: str, task: Task, now: datetime
) -> tuple[AskedMember, ...]:
    """Who does it and has an address: of a role, whoever has it now."""
    return await _asked(transaction, organisation, await _owners(transaction, organisation, task, now))


async def _owners(transaction: MeetingsTransaction, organisation: str, task: Task, now: datetime) -> list[str]:
    there = await transaction.memberships_of_body(organisation, task.body_id)
    return rules.owners(task.details, there, now.astimezone(ZoneInfo(task.timezone)).date())


async def _asked(transaction: MeetingsTransaction, organisation: str, ids: Sequence[str]) -> tuple[AskedMember, ...]:
    people = await transaction.people_among(organisation, ids)
    return tuple(found for one in ids if one in people and (found := people[one].asked()) is not None)


class TaskCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock, agendas: AgendaCommands) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._agendas = agendas

    async def give(self, organisation: str, meeting_id: str, paragraph: int, details: TaskDetails) -> Task:
        """By a paragraph that everyone signed. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Task:
            decision = await transaction.decision(organisation, meeting_id, paragraph)
            if decision.body_id is None:
                raise Refused(
                    "the register does not know the body",
                    hint="add it there first, with who sits in it",
                    says=says("task_no_body"),
                )
            body = await transaction.body(organisation, decision.body_id)
            now = self._clock.now()
            at, _ = await lock_meetings(transaction, organisation, details, body.id, now)
            wanted = Task(
                id=new_id(),
                version=0,
                meeting_id=meeting_id,
                paragraph=paragraph,
                heading=decision.heading,
                held_on=decision.held_on,
                body_id=body.id,
                body=body.details.name,
                timezone=body.details.rules.timezone,
                details=details,
                given_at=now,
            )
            there = await transaction.memberships_of_body(organisation, body.id)
            given, fact = rules.give(wanted, there, now)
            await self._keep(transaction, organisation, given, fact, now)
            return await come_back(transaction, organisation, self._agendas, given, at, None, now)

        return await self._unit_of_work.run(work)

    async def change(self, organisation: str, task_id: str, details: TaskDetails, *, version: int | None) -> Task:
        """`version`: the one that the change was made from. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Task:
            await hold_timers(transaction.connection, organisation, task_id, back_subject(task_id))
            seen = await transaction.task(organisation, task_id)
            now, at, left = self._clock.now(), None, None
            is_moved = details.back_on != seen.details.back_on
            if is_moved:
                at, left = await lock_meetings(transaction, organisation, details, seen.body_id, now, seen)
            task = await self._locked(transaction, organisation, task_id, version)
            require_version("the task", task.version, seen.version)
            there = await transaction.memberships_of_body(organisation, task.body_id)
            changed, fact = rules.change(task, details, there, now)
            if fact is None:
                return changed
            if is_moved:
                changed = await take_off(transaction, organisation, changed, left, now)
            changed, fact = await self._hand(transaction, organisation, task, changed, fact, now)
            await self._keep(transaction, organisation, changed, fact, now)
            return await come_back(transaction, organisation, self._agendas, changed, at, left, now)

        return await self._unit_of_work.run(work)

    async def finish(self, organisation: str, task_id: str, note: str | None, *, version: int | None = None) -> Task:
        """Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Task:
            task = await self._locked(transaction, organisation, task_id, version)
            now = self._clock.now()
            done, fact = rules.finish(task, note, now)
            await self._keep(transaction, organisation, done, fact, now)
            return done

        return await self._unit_of_work.run(work)

    async def withdraw(self, organisation: str, task_id: str, reason: str, *, version: int | None = None) -> Task:
        """It stays, with why; its item of an agenda to come goes, if that is as it came. Raises NotFound, Refused,
        InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Task:
            await hold_timers(transaction.connection, organisation, task_id)
            seen, now = await transaction.task(organisation, task_id), self._clock.now()
            nowhere = seen.details.model_copy(update={"back_on": None})
            _, left = await lock_meetings(transaction, organisation, nowhere, seen.body_id, now, seen)
            task = await self._locked(transaction, organisation, task_id, version)
            owners = await _owners(transaction, organisation, task, now)
            people = await _asked(transaction, organisation, rules.to_be_told(task, owners))
            gone, fact = rules.withdraw(task, reason, now, people)
            gone = await take_off(transaction, organisation, gone, left, now)
            await self._keep(transaction, organisation, gone, fact, now)
            return gone

        return await self._unit_of_work.run(work)

    async def take(self, organisation: str, task_id: str) -> tuple[Task, Item]:
        """Put it on the agenda of the meeting at which it comes back, if it is not there. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> tuple[Task, Item]:
            seen = await transaction.task(organisation, task_id)
            if seen.details.back_on is None:
                raise Refused("the task comes back at no meeting", hint="choose one first", says=says("task_elsewhere"))
            meeting = await transaction.lock_meeting(organisation, seen.details.back_on)
            task = await transaction.lock_task(organisation, task_id)
            if task.details.back_on != meeting.id:
                raise Refused(
                    "the task comes back at another meeting since a moment ago",
                    hint="look at the task, and take it up from that meeting's agenda",
                    says=says("task_elsewhere"),
                )
            there = await item_of(transaction, organisation, task)
            if there is not None and there.meeting_id == meeting.id:
                return task, there
            if there is not None and await self._goes_on(transaction, organisation, there):
                raise Refused(
                    "the task is an item of another agenda already",
                    hint="move that item",
                    says=says("task_on_agenda"),
                )
            return await put_on_agenda(transaction, organisation, meeting, task, self._clock.now())

        return await self._unit_of_work.run(work)

    async def task(self, organisation: str, task_id: str) -> Assignment:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            [found] = await self._shown(transaction, organisation, [await transaction.task(organisation, task_id)])
            item = await item_of(transaction, organisation, found.task)
            if item is None or item.meeting_id is None:
                return found
            return replace(found, item_on=await transaction.meeting(organisation, item.meeting_id))

    async def tasks(
        self,
        organisation: str,
        *,
        done: bool = False,
        body_id: str | None = None,
        after: tuple[date, str] | None = None,
        most: int = 50,
    ) -> list[Assignment]:
        """Those that are due first come first; of those that are done, last."""
        async with self._unit_of_work.begin() as transaction:
            found = await transaction.tasks(organisation, done=done, body_id=body_id, after=after, most=most)
            return await self._shown(transaction, organisation, found)

    async def of_meeting(self, organisation: str, meeting_id: str) -> list[Assignment]:
        """Those that its minutes give."""
        async with self._unit_of_work.begin() as transaction:
            return await self._shown(
                transaction, organisation, await transaction.tasks_of_meeting(organisation, meeting_id)
            )

    async def coming_back(self, organisation: str, meeting_id: str) -> list[Task]:
        """Those that can become items of a meeting's agenda."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.tasks_coming_back(organisation, meeting_id)

    async def _goes_on(self, transaction: MeetingsTransaction, organisation: str, item: Item) -> bool:
        """It is still to be taken up: it waits, or is on the agenda of a meeting to come."""
        on = await transaction.meeting(organisation, item.meeting_id) if item.meeting_id else None
        return is_open(on, self._clock.now())

    async def _locked(
        self, transaction: MeetingsTransaction, organisation: str, task_id: str, version: int | None
    ) -> Task:
        """Its timer first, as one that fires does."""
        await hold_timers(transaction.connection, organisation, task_id)
        task = await transaction.lock_task(organisation, task_id)
        require_version("the task", task.version, version)
        return task

    async def _hand(
        self,
        transaction: MeetingsTransaction,
        organisation: str,
        before: Task,
        task: Task,
        fact: TaskChanged,
        now: datetime,
    ) -> tuple[Task, TaskChanged]:
        """Of another owner: with who is told that it is theirs, and no longer theirs."""
        if (before.details.owner_id, before.details.owner_role) == (task.details.owner_id, task.details.owner_role):
            return task, fact
        had = await _owners(transaction, organisation, before, now)
        have = await _owners(transaction, organisation, task, now)
        people = await _asked(transaction, organisation, [one for one in have if one not in had])
        told = [one for one in rules.to_be_told(before, had) if one not in have]
        return rules.handed(task, fact, people, await _asked(transaction, organisation, told))

    async def _keep(
        self, transaction: MeetingsTransaction, organisation: str, task: Task, fact: Any, now: datetime
    ) -> None:
        await transaction.save_task(organisation, task)
        transaction.tell_task(organisation, task, fact, now)
        await set_task_timer(transaction, organisation, task)

    async def _shown(self, transaction: MeetingsTransaction, organisation: str, tasks: list[Task]) -> list[Assignment]:
        today = self._clock.now().date()
        there = {
            body_id: await transaction.memberships_of_body(organisation, body_id)
            for body_id in sorted({task.body_id for task in tasks})
        }
        owning = {task.id: rules.owners(task.details, there[task.body_id], today) for task in tasks}
        people = await transaction.people_among(organisation, {one for found in owning.values() for one in found})
        meetings = await transaction.meetings_among(
            organisation, {task.details.back_on for task in tasks if task.details.back_on}
        )
        return [
            Assignment(
                task,
                tuple(people[one].details.name for one in owning[task.id] if one in people),
                meetings.get(task.details.back_on or ""),
            )
            for task in tasks
        ]


async def set_task_timer(transaction: MeetingsTransaction, organisation: str, task: Task) -> None:
    moment = task.next_moment()
    if moment is None:
        await clear_timers(transaction.connection, [(organisation, task.id)])
    else:
        await set_timers(transaction.connection, [Timer(organisation, REMIND, task.id, moment)])
