"""Who is to do a task is told a week before its day, and on it: a timer fires, and notifications mails them.

Of a role, another timer asks who has it: when who sits in the body changed, and when a term of the role begins or is
over. Who has it since is told at once that the task is theirs, as when it is handed over.
"""

from collections.abc import Awaitable, Callable, Mapping
from zoneinfo import ZoneInfo

from services.meetings.task import task as rules
from services.meetings.task.commands import REMIND, asked_among, reached, set_task_timer
from services.meetings.task.store import ROLE, role_timer, task_of
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.events import TaskDue
from shared.logging import get_logger
from shared.timers import Timer, set_timers

log = get_logger(__name__)


class TaskDeadlines:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def handlers(self) -> Mapping[str, Callable[[MeetingsTransaction, Timer], Awaitable[None]]]:
        return {REMIND: self._remind, ROLE: self._ask_who_has_role}

    async def _ask_who_has_role(self, transaction: MeetingsTransaction, timer: Timer) -> None:
        """A task that is done, or a person's by now, is left."""
        organisation, now = timer.organisation, self._clock.now()
        task = await transaction.lock_task(organisation, task_of(timer))
        if task.done_at is not None or task.details.owner_role is None:
            return
        there = await transaction.memberships_of_body(organisation, task.body_id)
        today = now.astimezone(ZoneInfo(task.timezone)).date()
        have = rules.owners(task.details, there, today)
        new, left = rules.passes_on(task, have)
        people, relieved = [await asked_among(transaction, organisation, ids) for ids in (new, left)]
        passed, fact = rules.passed_on(task, have, people, relieved)
        if passed != task:
            await transaction.save_task(organisation, passed)
        if fact is not None:
            transaction.tell_task(organisation, passed, fact, now)
            log.info("task.passed_on", task_id=task.id, people=len(people), relieved=len(relieved))
        if (at := rules.next_look(task, there, today)) is not None:
            await set_timers(transaction.connection, [role_timer(organisation, task.id, at)])

    async def _remind(self, transaction: MeetingsTransaction, timer: Timer) -> None:
        """Of a role, whoever has it now is told."""
        organisation, now = timer.organisation, self._clock.now()
        task = await transaction.lock_task(organisation, timer.subject)
        reminded, told = rules.remind(task, now)
        if told is not None:
            asked = await reached(transaction, organisation, task, now)
            fact = TaskDue(
                reminder=told.value,
                due=task.details.due.isoformat(),
                people=asked,
                **rules.about(task),
            )
            reminded = rules.mailed(reminded, asked)
            await transaction.save_task(organisation, reminded)
            transaction.tell_task(organisation, reminded, fact, now)
            log.info("task.due", task_id=task.id, reminder=told.value, people=len(asked))
        await set_task_timer(transaction, organisation, reminded)
