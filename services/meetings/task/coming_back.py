"""A task comes back on an agenda by itself: at once where its meeting is known; else a timer looks for it every day.

It goes from there when the task comes back there no more, as long as it is as it came. What somebody wrote in, or was
told of, stays: it moves along when the task comes back at another meeting, and is whoever's writes it otherwise.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from services.meetings.agenda import agenda as items
from services.meetings.agenda.agenda import HowItLeft, Item, ItemDetails
from services.meetings.agenda.coming_back import meetings_to_come
from services.meetings.agenda.commands import AgendaCommands, begin_agenda, moved_meanwhile, set_item
from services.meetings.body.body import ItemKind
from services.meetings.meeting.meeting import Meeting, WhichBody
from services.meetings.notice.notice import Stage
from services.meetings.task import task as rules
from services.meetings.task.task import Task, TaskDetails
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import InvalidInput, NotFound, Refused
from shared.ids import new_id
from shared.logging import get_logger
from shared.readable import day
from shared.rendering.minutes import Language
from shared.text import MAX_LINE
from shared.timers import Timer, set_timers

COMES_BACK = "task-back"
_BEHIND = "~back"
_EVERY = timedelta(days=1)
_FROM = {"sv": "Från", "en": "From"}

log = get_logger(__name__)


def back_subject(task_id: str) -> str:
    """Of the timer that looks for the meeting. Not the task's own, whose timers all go when nobody is reminded."""
    return task_id + _BEHIND


async def lock_meetings(
    transaction: MeetingsTransaction,
    organisation: str,
    details: TaskDetails,
    body_id: str,
    now: datetime,
    before: Task | None = None,
) -> tuple[Meeting | None, Meeting | None]:
    """As `lock_them`: the meeting at which it comes back is one to come. `before`: the task until now. Raises
    InvalidInput."""
    if details.back_on is not None:
        wanted = (await transaction.meetings_among(organisation, [details.back_on])).get(details.back_on)
        if wanted is None or wanted.body_id != body_id:
            raise InvalidInput("back_on: is no meeting of the body")
    at, left = await lock_them(transaction, organisation, details.back_on, before)
    try:
        if at is not None:
            items.require_open(at, now)
    except Refused as error:
        raise InvalidInput(f"back_on: {error.message}", hint="choose a meeting to come") from error
    return at, left


async def lock_them(
    transaction: MeetingsTransaction, organisation: str, back_on: str | None, task: Task | None
) -> tuple[Meeting | None, Meeting | None]:
    """The meeting of that id, and the one on whose agenda the task stands; by their ids, as everyone locks them."""
    item = await item_of(transaction, organisation, task) if task else None
    on = item.meeting_id if item is not None else None
    ids = sorted({one for one in (back_on, on) if one is not None})
    locked = {one: await transaction.lock_meeting(organisation, one) for one in ids}
    return locked.get(back_on or ""), locked.get(on or "")


async def take_off(
    transaction: MeetingsTransaction, organisation: str, task: Task, left: Meeting | None, now: datetime
) -> Task:
    """The task, to be kept, comes back at the meeting `left` no more: its item there goes, if it is as it came. One
    that stays is the task's still, so that it is found when the task comes back there once more. Raises Refused."""
    item = await item_of(transaction, organisation, task, for_update=True)
    if item is not None:
        if item.meeting_id != (left.id if left is not None else None):
            raise moved_meanwhile()
        if left is None:  # it waits for another meeting
            return task
        told = (await transaction.notice(organisation, left.id)).stage is Stage.ISSUED
        papers = len(await transaction.attachments_of(organisation, item.id))
        if not items.is_as_it_came(item, left, now, told=told, papers=papers):
            return task
        await transaction.remove_item(organisation, item.id)
        log.info("task.off_agenda", task_id=task.id, meeting_id=left.id)
    return task.model_copy(update={"item_id": None})


async def come_back(
    transaction: MeetingsTransaction,
    organisation: str,
    agendas: AgendaCommands,
    task: Task,
    at: Meeting | None,
    left: Meeting | None,
    now: datetime,
) -> Task:
    """The task was kept, and comes back at the meeting `at` from now on; None where that did not change. Its item comes
    from `left`, if that is to come. What there is no room for is suggested on the agenda instead."""
    if task.details.back_day is not None:
        await set_timers(transaction.connection, [Timer(organisation, COMES_BACK, back_subject(task.id), now)])
    if at is None:
        return task
    item = await item_of(transaction, organisation, task, for_update=True)
    if item is not None and item.meeting_id == at.id:  # never a second one there
        return task
    try:
        if item is None or item.meeting_id != (left.id if left else None) or not is_open(left, now):
            return (await put_on_agenda(transaction, organisation, at, task, now))[0]
        await agendas.move_locked(transaction, organisation, item, left, at, how=HowItLeft.MOVED, reason=None)
    except Refused as refused:
        log.info("task.not_back", task_id=task.id, meeting_id=at.id, reason=refused.message)
    return task


async def put_on_agenda(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, task: Task, now: datetime
) -> tuple[Task, Item]:
    """Before what the meeting ends with. The rows of meeting and task are locked. Raises Refused."""
    items.require_open(meeting, now)
    taken = rules.came_back(task, new_id())
    there = await begin_agenda(transaction, organisation, meeting)
    body = await transaction.body(organisation, task.body_id)
    details = _as_item(task, body.details.rules.language)
    item = items.add(taken.item_id or "", meeting, len(there), details, now)
    await set_item(transaction, organisation, item, there)
    await transaction.save_task(organisation, taken)
    return taken, item


async def item_of(
    transaction: MeetingsTransaction, organisation: str, task: Task, *, for_update: bool = False
) -> Item | None:
    """As which it came back, if that was not taken away."""
    if task.item_id is None:
        return None
    try:
        return await transaction.item(organisation, task.item_id, for_update=for_update)
    except NotFound:
        return None


class TaskComingBack:
    """Looks for the meeting of the day on which a task comes back, as agenda items' `ComingBack` does."""

    def __init__(self, agendas: AgendaCommands, clock: Clock) -> None:
        self._agendas = agendas
        self._clock = clock

    def handlers(self) -> Mapping[str, Callable[[MeetingsTransaction, Timer], Awaitable[None]]]:
        return {COMES_BACK: self._look}

    async def _look(self, transaction: MeetingsTransaction, timer: Timer) -> None:
        """A task that is done, or comes back otherwise by now, is left."""
        organisation, now = timer.organisation, self._clock.now()
        seen = await transaction.task(organisation, timer.subject.removesuffix(_BEHIND))
        if not rules.waits_for_meeting(seen) or seen.details.back_day is None:
            return
        there = await meetings_to_come(transaction, organisation, WhichBody(seen.body_id, seen.body), now)
        # A task names a meeting by its body's id, which one that is known by the body's name has not.
        known = [one for one in there if one.body_id == seen.body_id]
        found = items.meeting_of(seen.details.back_day, known, now.date())
        if found is not None:
            wanted = seen.details.model_copy(update={"back_on": found.id, "back_day": None})
            try:
                at, left = await lock_meetings(transaction, organisation, wanted, seen.body_id, now, seen)
            except InvalidInput:  # it was called off just now: another day perhaps
                at, left = None, None
            task = await transaction.lock_task(organisation, seen.id)
            if at is not None and task.version == seen.version:
                back, fact = rules.finds_meeting(task, at.id)
                await transaction.save_task(organisation, back)
                transaction.tell_task(organisation, back, fact, now)
                await come_back(transaction, organisation, self._agendas, back, at, left, now)
                log.info("task.back", task_id=task.id, meeting_id=at.id)
                return
        again = Timer(organisation, COMES_BACK, timer.subject, now + _EVERY)
        await set_timers(transaction.connection, [again])


def is_open(meeting: Meeting | None, now: datetime) -> bool:
    """An item that waits is on no agenda that could be over."""
    try:
        if meeting is not None:
            items.require_open(meeting, now)
    except Refused:
        return False
    return True


def _as_item(task: Task, language: Language) -> ItemDetails:
    came = f"{_FROM[language]} § {task.paragraph}, {day(task.held_on, language)}"
    return ItemDetails(
        title=task.details.what[:MAX_LINE], kind=ItemKind.INFORMATION, background=f"{came}: {task.heading}"
    )
