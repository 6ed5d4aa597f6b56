"""What people ask of tasks; each command is one transaction, which holds the task's row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.meetings.agenda.agenda import HowItLeft, Item
from services.meetings.agenda.commands import AgendaCommands, moved_meanwhile
from services.meetings.meeting.meeting import Meeting
from services.meetings.task import task as rules
from services.meetings.task.coming_back import (
    back_subject,
    come_back,
    is_open,
    item_of,
    lock_meetings,
    lock_them,
    put_on_agenda,
    take_off,
)
from services.meetings.task.store import role_timer
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
    return await asked_among(transaction, organisation, await _owners(transaction, organisation, task, now))


async def _owners(transaction: MeetingsTransaction, organisation: str, task: Task, now: datetime) -> list[str]:
    there = await transaction.memberships_of_body(organisation, task.body_id)
    return rules.owners(task.details, there, now.astimezone(ZoneInfo(task.timezone)).date())


async def asked_among(
    transaction: MeetingsTransaction, organisation: str, ids: Sequence[str]
) -> tuple[AskedMember, ...]:
    """Those of them who have an address."""
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
            await _ask_who_has_role(transaction, organisation, given.id, details, now)
            return await come_back(transaction, organisation, self._agendas, given, at, None, now)

        return await self._unit_of_work.run(work)

    async def change(self, organisation: str, task_id: str, details: TaskDetails, *, version: int | None) -> Task:
        """`version`: the one that the change was made from. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Task:
            now, at, left = self._clock.now(), None, None
            # Set first, which holds it: one that fires holds it and waits for the task.
            await _ask_who_has_role(transaction, organisation, task_id, details, now)
            await hold_timers(transaction.connection, organisation, task_id, back_subject(task_id))
            seen = await transaction.task(organisation, task_id)
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
            people = await asked_among(transaction, organisation, rules.to_be_told(task, owners))
            gone, fact = rules.withdraw(task, reason, now, people)
            gone = await take_off(transaction, organisation, gone, left, now)
            await self._keep(transaction, organisation, gone, fact, now)
            return gone

        return await self._unit_of_work.run(work)

    async def take(self, organisation: str, task_id: str) -> tuple[Task, Item]:
        """Put it on the agenda of the meeting at which it comes back, if it is not there: its item comes from where it
        waits, or from another agenda to come. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> tuple[Task, Item]:
            seen = await transaction.task(organisation, task_id)
            if seen.details.back_on is None:
                raise Refused("the task comes back at no meeting", hint="choose one first", says=says("task_elsewhere"))
            meeting, left = await lock_them(transaction, organisation, seen.details.back_on, seen)
            task = await transaction.lock_task(organisation, task_id)
            if meeting is None or task.details.back_on != meeting.id:
                raise Refused(
                    "the task comes back at another meeting since a moment ago",
                    hint="look at the task, and take it up from that meeting's agenda",
                    says=says("task_elsewhere"),
                )
            there, now = await item_of(transaction, organisation, task, for_update=True), self._clock.now()
            if there is not None and there.meeting_id == meeting.id:
                return task, there
            if there is None or not is_open(left, now):
                return await put_on_agenda(transaction, organisation, meeting, task, now)
            if there.meeting_id != (left.id if left is not None else None):
                raise moved_meanwhile()
            return task, await self._agendas.move_locked(
                transaction, organisation, there, left, meeting, how=HowItLeft.MOVED, reason=None
            )

        return await self._unit_of_work.run(work)

    async def task(self, organisation: str, task_id: str) -> Assignment:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            [found] = await self._shown(transaction, organisation, [await transaction.task(organisation, task_id)])
            return await self._where_it_stands(transaction, organisation, found)

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

    async def coming_back(self, organisation: str, meeting_id: str) -> list[Assignment]:
        """Those that can become items of a meeting's agenda, with the one to come on whose agenda they stand now."""
        async with self._unit_of_work.begin() as transaction:
            tasks = await transaction.tasks_coming_back(organisation, meeting_id)
            return [
                await self._where_it_stands(transaction, organisation, one)
                for one in await self._shown(transaction, organisation, tasks)
            ]

    async def _where_it_stands(
        self, transaction: MeetingsTransaction, organisation: str, found: Assignment
    ) -> Assignment:
        item = await item_of(transaction, organisation, found.task)
        if item is None or item.meeting_id is None:
            return found
        return replace(found, item_on=await transaction.meeting(organisation, item.meeting_id))

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
        if not rules.has_another_owner(task, before):
            return task, fact
        had = before.holders if before.holders is not None else await _owners(transaction, organisation, before, now)
        have = task.holders or ()
        people = await asked_among(transaction, organisation, [one for one in have if one not in had])
        told = [one for one in rules.to_be_told(before, had) if one not in have]
        return rules.handed(task, fact, people, await asked_among(transaction, organisation, told))

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


async def _ask_who_has_role(
    transaction: MeetingsTransaction, organisation: str, task_id: str, details: TaskDetails, now: datetime
) -> None:
    if details.owner_role is not None:
        await set_timers(transaction.connection, [role_timer(organisation, task_id, now)])


async def set_task_timer(transaction: MeetingsTransaction, organisation: str, task: Task) -> None:
    moment = task.next_moment()
    if moment is None:
        await clear_timers(transaction.connection, [(organisation, task.id)])
    else:
        await set_timers(transaction.connection, [Timer(organisation, REMIND, task.id, moment)])
