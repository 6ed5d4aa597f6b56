"""The HTTP API of tasks: thin; the rules are in `task`, the work in `commands`."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.agenda.agenda import Item
from services.meetings.body.api import Version
from services.meetings.callers import Reader, Secretary
from services.meetings.task.commands import Assignment, TaskCommands
from services.meetings.task.task import Task, TaskDetails
from shared.errors import InvalidInput
from shared.http import CREATED
from shared.idempotency import Once
from shared.routes import LazyRoute
from shared.web import path_for


class AssignedTask(BaseModel):
    """`owners`: the names of who does it; of a role, who has it now."""

    task: Task
    owners: list[str]


class TaskPage(BaseModel):
    """`next`: pass it as `after` for the following page; absent on the last."""

    tasks: list[AssignedTask]
    next: str | None = None


class TasksOfMeeting(BaseModel):
    """`given`: by its minutes. `coming_back`: to this meeting, and no item of its agenda yet."""

    given: list[AssignedTask]
    coming_back: list[Task]


class TaskNote(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: str | None = Field(None, max_length=4000, description="what came of it")


class TaskReason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=4000)


class TaskAsItem(BaseModel):
    task: Task
    item: Item


Paragraph = Annotated[int, Path(ge=1, le=99_999)]


def router(commands: TaskCommands) -> APIRouter:
    routes = APIRouter(tags=["tasks"], route_class=LazyRoute)

    @routes.post("/decisions/{meeting_id}/{paragraph}/tasks", status_code=201, response_model=Task, responses=CREATED)
    async def give_task(
        meeting_id: str, paragraph: Paragraph, details: TaskDetails, request: Request, once: Once, caller: Secretary
    ) -> Response:
        """Give somebody what a paragraph of signed minutes asks for; they are mailed a week before and on the day."""
        return await once.answer(
            caller,
            commands.give(caller.organisation, meeting_id, paragraph, details),
            status=201,
            location=lambda task: path_for(request, "get_task", task_id=task.id),
        )

    @routes.get("/tasks")
    async def list_tasks(
        caller: Reader,
        done: Annotated[bool, Query(description="those that are done, instead of those to be done")] = False,
        body: Annotated[str | None, Query(max_length=100, description="a body's id")] = None,
        after: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> TaskPage:
        """Tasks, by the day that they are due."""
        found = await commands.tasks(caller.organisation, done=done, body_id=body, after=task_after(after), most=limit)
        more = task_cursor(found[-1].task) if len(found) == limit else None
        return TaskPage(tasks=[_view(one) for one in found], next=more)

    @routes.get("/tasks/{task_id}")
    async def get_task(task_id: str, caller: Reader) -> AssignedTask:
        """A task, and who does it."""
        return _view(await commands.task(caller.organisation, task_id))

    @routes.put("/tasks/{task_id}")
    async def change_task(task_id: str, details: TaskDetails, caller: Secretary, version: Version = None) -> Task:
        """Give the task's whole new details. Another day is reminded of anew."""
        return await commands.change(caller.organisation, task_id, details, version=version)

    @routes.post("/tasks/{task_id}/done", response_model=Task)
    async def finish_task(task_id: str, done: TaskNote, once: Once, caller: Secretary) -> Response:
        """Say that a task is done; nobody is reminded any more."""
        return await once.answer(caller, commands.finish(caller.organisation, task_id, done.note))

    @routes.post("/tasks/{task_id}/withdraw", response_model=Task)
    async def withdraw_task(task_id: str, why: TaskReason, once: Once, caller: Secretary) -> Response:
        """Withdraw a task that was given by mistake. It is kept among those that are done, with the reason."""
        return await once.answer(caller, commands.withdraw(caller.organisation, task_id, why.reason))

    @routes.post("/tasks/{task_id}/take", response_model=TaskAsItem)
    async def take_task(task_id: str, once: Once, caller: Secretary) -> Response:
        """Put a task on the agenda of the meeting at which it comes back, before what that ends with. Its item of
        another agenda to come, or one that waits, is moved there."""
        taking = commands.take(caller.organisation, task_id)
        return await once.answer(caller, taking, lambda found: TaskAsItem(task=found[0], item=found[1]))

    @routes.get("/meetings/{meeting_id}/tasks")
    async def tasks_of_meeting(meeting_id: str, caller: Reader) -> TasksOfMeeting:
        """The tasks that a meeting's minutes give, and those that come back at it."""
        given = await commands.of_meeting(caller.organisation, meeting_id)
        coming = await commands.coming_back(caller.organisation, meeting_id)
        return TasksOfMeeting(given=[_view(one) for one in given], coming_back=[one.task for one in coming])

    return routes


def task_cursor(task: Task) -> str:
    """For the page of tasks behind this one."""
    return f"{task.details.due.isoformat()}~{task.id}"


def task_after(after: str | None) -> tuple[date, str] | None:
    """The (due, id) of the last one seen. Raises InvalidInput."""
    if after is None:
        return None
    due, _, task_id = after.partition("~")
    try:
        return date.fromisoformat(due), task_id
    except ValueError:
        raise InvalidInput("after: pass the `next` of the page before") from None


def _view(one: Assignment) -> AssignedTask:
    return AssignedTask(task=one.task, owners=list(one.owners))
