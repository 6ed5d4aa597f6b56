"""Who is to do a task is told a week before its day, and on it: a timer fires, and notifications mails them."""

from collections.abc import Awaitable, Callable, Mapping

from services.meetings.task import task as rules
from services.meetings.task.commands import REMIND, reached, set_task_timer
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.events import TaskDue
from shared.logging import get_logger
from shared.timers import Timer

log = get_logger(__name__)


class TaskDeadlines:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def handlers(self) -> Mapping[str, Callable[[MeetingsTransaction, Timer], Awaitable[None]]]:
        return {REMIND: self._remind}

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
