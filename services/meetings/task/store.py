"""The SQL of tasks."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, exists, select
from sqlalchemy.dialects.postgresql import insert

from services.meetings.agenda.tables import AGENDA_ITEM
from services.meetings.task.tables import TASK
from services.meetings.task.task import Reminder, Task, TaskDetails
from shared.errors import NotFound
from shared.messaging.transaction import Transaction
from shared.timers import Timer, set_timers

ROLE = "task-role"
_BEHIND = "~role"
_ALL = select(TASK).where(TASK.c.organisation == bindparam("organisation"))
_FIND = _ALL.where(TASK.c.id == bindparam("id"))
_LOCK = _FIND.with_for_update()
_OF_MEETING = _ALL.where(TASK.c.meeting_id == bindparam("meeting_id")).order_by(TASK.c.paragraph, TASK.c.due, TASK.c.id)
# Its item may have been removed since, or stand on the agenda of a meeting that is over. One that waits is offered as
# what waits is.
_IS_ITEM = exists().where(
    AGENDA_ITEM.c.organisation == TASK.c.organisation,
    AGENDA_ITEM.c.id == TASK.c.item_id,
    (AGENDA_ITEM.c.meeting_id == TASK.c.back_on) | AGENDA_ITEM.c.meeting_id.is_(None),
)
_COMING_BACK = _ALL.where(TASK.c.back_on == bindparam("meeting_id"), TASK.c.done_at.is_(None), ~_IS_ITEM).order_by(
    TASK.c.due, TASK.c.id
)
_OF_ROLES = select(TASK.c.id).where(
    TASK.c.organisation == bindparam("organisation"),
    TASK.c.body_id.in_(bindparam("bodies", expanding=True)),
    TASK.c.owner_role.is_not(None),
    TASK.c.done_at.is_(None),
)
_SAVE = insert(TASK)
_SAVE = _SAVE.on_conflict_do_update(index_elements=["organisation", "id"], set_=dict(_SAVE.excluded)).inline()


class TaskStore(Transaction):
    async def task(self, organisation: str, task_id: str) -> Task:
        """Raises NotFound."""
        return await self._task(_FIND, organisation, task_id)

    async def lock_task(self, organisation: str, task_id: str) -> Task:
        """Raises NotFound."""
        return await self._task(_LOCK, organisation, task_id)

    async def tasks(
        self, organisation: str, *, done: bool, body_id: str | None, after: tuple[date, str] | None, most: int
    ) -> list[Task]:
        """By the day that they are due, those that are done the other way round. `after`: the last one seen."""
        query = _ALL.where(TASK.c.done_at.is_not(None) if done else TASK.c.done_at.is_(None))
        if body_id is not None:
            query = query.where(TASK.c.body_id == body_id)
        if after is not None:
            due, task_id = after
            later = TASK.c.due < due if done else TASK.c.due > due
            query = query.where(later | ((TASK.c.due == due) & (TASK.c.id > task_id)))
        query = query.order_by(TASK.c.due.desc() if done else TASK.c.due, TASK.c.id).limit(most)
        return [_task(row) for row in await self.connection.execute(query, {"organisation": organisation})]

    async def tasks_of_meeting(self, organisation: str, meeting_id: str) -> list[Task]:
        """Those that its minutes give."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return [_task(row) for row in await self.connection.execute(_OF_MEETING, key)]

    async def tasks_coming_back(self, organisation: str, meeting_id: str) -> list[Task]:
        """Those that are to come back at a meeting, are not done, and no item of it yet."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return [_task(row) for row in await self.connection.execute(_COMING_BACK, key)]

    async def ask_who_has_roles(self, organisation: str, body_ids: Collection[str], at: datetime) -> None:
        """Who sits in these bodies may be others: their tasks of roles find out, each in a transaction of its own."""
        rows = await self.connection.execute(_OF_ROLES, {"organisation": organisation, "bodies": sorted(body_ids)})
        await set_timers(self.connection, [role_timer(organisation, row.id, at) for row in rows])

    async def save_task(self, organisation: str, task: Task) -> None:
        row = task.model_dump(exclude={"details", "reminded"}) | task.details.model_dump()
        role = task.details.owner_role
        row |= {"owner_role": role.value if role else None, "reminded": [one.value for one in task.reminded]}
        await self.connection.execute(_SAVE, row | {"organisation": organisation})

    async def _task(self, query: Any, organisation: str, task_id: str) -> Task:
        row = (await self.connection.execute(query, {"organisation": organisation, "id": task_id})).one_or_none()
        if row is None:
            raise NotFound(f"there is no task {task_id[:60]}")
        return _task(row)


def role_timer(organisation: str, task_id: str, at: datetime) -> Timer:
    """That asks who has a task's role. Not the task's own, whose timers all go when nobody is reminded."""
    return Timer(organisation, ROLE, task_id + _BEHIND, at)


def task_of(timer: Timer) -> str:
    return timer.subject.removesuffix(_BEHIND)


def _task(row: Any) -> Task:
    details = TaskDetails.model_validate({name: getattr(row, name) for name in TaskDetails.model_fields})
    known = {name: getattr(row, name) for name in Task.model_fields if name not in ("details", "reminded")}
    return Task(details=details, reminded=tuple(Reminder(one) for one in row.reminded), **known)
