"""The pages of tasks: all of them, one of them, and the form by which a decision gives somebody something to do."""

from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.body.membership import MemberRole
from services.meetings.meeting.meeting import Meeting, MeetingStatus
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    Fields,
    OfficePages,
    back,
    day_of,
    get,
    is_id,
    is_wrong,
    line_error,
    post,
    refused,
    typed,
    version_of,
    wrong,
)
from services.meetings.task.api import task_after, task_cursor
from services.meetings.task.task import Task, TaskDetails, suggested
from shared.auth import Principal
from shared.errors import InvalidInput, NotFound, Refused
from shared.text import MAX_REASON, clean_line, clean_reason
from shared.web import Field, form_text

_NAMES = ("what", "owner", "due", "back_on", "back_day")
_REFUSED = {
    "due": ("due", "task.due"),
    "owner": ("owner", "task.owner"),
    "back_on": ("back_on", "task.back_on"),
    "back_day": ("back_day", "task.back_day"),
}
_DONE = frozenset({"task-given", "task-changed", "task-done", "task-withdrawn"})
_A_PAGE = 50
_SOON = timedelta(days=7)
_YEARS_AHEAD = 2


class TaskPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/tasks", self.office_tasks)
        get(router, "/office/decisions/{meeting_id}/{paragraph}/task", self.office_task_new)
        post(router, "/office/decisions/{meeting_id}/{paragraph}/task", self.office_task_give)
        get(router, "/office/tasks/{task_id}", self.office_task)
        get(router, "/office/tasks/{task_id}/change", self.office_task_form)
        post(router, "/office/tasks/{task_id}/change", self.office_task_change)
        post(router, "/office/tasks/{task_id}/done", self.office_task_done)
        post(router, "/office/tasks/{task_id}/withdraw", self.office_task_withdraw)
        post(router, "/office/tasks/{task_id}/take", self.office_task_take)

    async def office_tasks(self, request: Request, principal: Principal = READER) -> Response:
        done = request.query_params.get("done") == "1"
        try:
            after = task_after(request.query_params.get("after"))
        except InvalidInput:  # an address that somebody changed by hand
            after = None
        found = await self._commands.tasks.tasks(principal.organisation, done=done, after=after, most=_A_PAGE)
        return self._page(
            request,
            "office/tasks.html",
            principal,
            tasks=found,
            of_done=done,
            first=after is None,
            more=task_cursor(found[-1].task) if len(found) == _A_PAGE else None,
            today=self._today(),
            soon=self._today() + _SOON,
        )

    async def office_task(
        self, request: Request, task_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        fields = {"task_note": Field("task_note"), "reason": Field("reason")}
        return await self._one(request, principal, task_id, fields, done=done if done in _DONE else "")

    async def office_task_new(
        self, request: Request, meeting_id: str, paragraph: str, principal: Principal = SECRETARY
    ) -> Response:
        decision = await self._commands.decisions.decision(principal.organisation, meeting_id, _number(paragraph))
        fields = {name: Field(name) for name in _NAMES}
        fields["what"] = Field("what", suggested(decision.entry.decision))
        return await self._form(request, principal, decision.body_id, fields, decision=decision)

    async def office_task_give(
        self, request: Request, meeting_id: str, paragraph: str, principal: Principal = SECRETARY
    ) -> Response:
        number = _number(paragraph)
        decision = await self._commands.decisions.decision(principal.organisation, meeting_id, number)
        fields = await typed(request, _NAMES)
        details = _details(fields)
        if details is not None:
            try:
                task = await self._commands.tasks.give(principal.organisation, meeting_id, number, details)
                return back(request, "office_task", "task-given", task_id=task.id)
            except InvalidInput as error:
                if not refused(fields, error, _REFUSED):
                    raise
        return await self._form(request, principal, decision.body_id, fields, decision=decision)

    async def office_task_form(self, request: Request, task_id: str, principal: Principal = SECRETARY) -> Response:
        task = (await self._commands.tasks.task(principal.organisation, task_id)).task
        task.require_open()
        return await self._form(request, principal, task.body_id, _filled(task), task=task)

    async def office_task_change(self, request: Request, task_id: str, principal: Principal = SECRETARY) -> Response:
        task = (await self._commands.tasks.task(principal.organisation, task_id)).task
        task.require_open()
        fields = await typed(request, _NAMES)
        seen = version_of(await form_text(request, "version"))
        details = _details(fields)
        if seen != task.version:
            return await self._form(request, principal, task.body_id, fields, task=task, meanwhile=True)
        if details is not None:
            try:
                await self._commands.tasks.change(principal.organisation, task_id, details, version=seen)
                return back(request, "office_task", "task-changed", task_id=task_id)
            except InvalidInput as error:
                if not refused(fields, error, _REFUSED):
                    raise
            except Refused:
                task = (await self._commands.tasks.task(principal.organisation, task_id)).task
                task.require_open()
                return await self._form(request, principal, task.body_id, fields, task=task, meanwhile=True)
        return await self._form(request, principal, task.body_id, fields, task=task)

    async def office_task_done(self, request: Request, task_id: str, principal: Principal = SECRETARY) -> Response:
        fields = await typed(request, ("task_note",)) | {"reason": Field("reason")}
        error = line_error(clean_reason, fields["task_note"].value, longest=MAX_REASON, required=False)
        wrong(fields, "task_note", f"reason.{error}" if error else None)
        if is_wrong(fields):
            return await self._one(request, principal, task_id, fields)
        await self._commands.tasks.finish(principal.organisation, task_id, fields["task_note"].value)
        return back(request, "office_task", "task-done", task_id=task_id)

    async def office_task_withdraw(self, request: Request, task_id: str, principal: Principal = SECRETARY) -> Response:
        fields = {"task_note": Field("task_note")} | await typed(request, ("reason",))
        error = line_error(clean_reason, fields["reason"].value, longest=MAX_REASON)
        wrong(fields, "reason", f"reason.{error}" if error else None)
        if is_wrong(fields):
            return await self._one(request, principal, task_id, fields)
        await self._commands.tasks.withdraw(principal.organisation, task_id, fields["reason"].value)
        return back(request, "office_task", "task-withdrawn", task_id=task_id)

    async def office_task_take(self, request: Request, task_id: str, principal: Principal = SECRETARY) -> Response:
        task, _ = await self._commands.tasks.take(principal.organisation, task_id)
        return back(request, "office_agenda", "item-added", meeting_id=task.details.back_on or "")

    async def _one(
        self, request: Request, principal: Principal, task_id: str, fields: Fields, *, done: str = ""
    ) -> Response:
        found = await self._commands.tasks.task(principal.organisation, task_id)
        return self._page(
            request,
            "office/task.html",
            principal,
            fields=fields,
            task=found.task,
            details=found.task.details,
            owners=found.owners,
            back_on=found.back_on,
            item_on=found.item_on,
            item_stays=found.item_on is not None and not found.item_on.is_over(self._clock.now()),
            today=self._today(),
            done=done,
        )

    async def _form(
        self,
        request: Request,
        principal: Principal,
        body_id: str | None,
        fields: Fields,
        *,
        meanwhile: bool = False,
        **shown: object,
    ) -> Response:
        """`meanwhile`: someone else changed the task. What was typed stays, beside how it is now."""
        task = shown.get("task")
        now = _filled(task) if isinstance(task, Task) else {}
        people, roles, meetings = await self._choices(principal, body_id)
        return self._page(
            request,
            "office/task_form.html",
            principal,
            fields=fields,
            refused=meanwhile,
            body_id=body_id,
            people=people,
            roles=roles,
            meetings=meetings,
            meanwhile=meanwhile,
            differing=[now[name] for name in _NAMES if now[name].value != fields[name].value] if meanwhile else [],
            **{"task": None, "decision": None, **shown},
        )

    async def _choices(
        self, principal: Principal, body_id: str | None
    ) -> tuple[list[tuple[str, str]], list[MemberRole], list[Meeting]]:
        """Who can do it, by id and name; which roles somebody has; the body's meetings to come."""
        if body_id is None:
            return [], [], []
        today = self._today()
        there = [
            one
            for one in await self._commands.bodies.memberships(principal.organisation, body_id)
            if one.membership.seat.ends is None or one.membership.seat.ends >= today
        ]
        people = list({one.person.id: one.person.details.name for one in there}.items())
        roles = [role for role in MemberRole if any(one.membership.seat.role is role for one in there)]
        meetings = [
            one
            for year in range(today.year, today.year + _YEARS_AHEAD)
            for one in await self._commands.meetings.of_year(principal.organisation, year)
            if one.body_id == body_id and one.status is not MeetingStatus.CANCELLED
        ]
        meetings = [one for one in meetings if not one.is_over(self._clock.now())]
        return people, roles, sorted(meetings, key=lambda one: one.details.starts)


def _number(paragraph: str) -> int:
    """Raises NotFound."""
    if not (paragraph.isascii() and paragraph.isdigit() and len(paragraph) < 6):
        raise NotFound("there is no such decision")
    return int(paragraph)


def _filled(task: Task) -> Fields:
    """The form as it is opened."""
    details = task.details
    owner = f"person:{details.owner_id}" if details.owner_id else f"role:{details.owner_role}"
    values = {"what": details.what, "owner": owner, "due": details.due.isoformat(), "back_on": details.back_on or ""}
    values["back_day"] = details.back_day.isoformat() if details.back_day else ""
    return {name: Field(name, values[name]) for name in _NAMES}


def _details(fields: Fields) -> TaskDetails | None:
    """None when something was put at a field."""
    what = line_error(lambda text: clean_line(text, "what"), fields["what"].value)
    wrong(fields, "what", f"task.what_{what}" if what == "empty" else what)
    due: date | None = day_of(fields, "due")
    wrong(fields, "due", None if due else "task.due")
    kind, _, who = fields["owner"].value.partition(":")
    known = (kind == "person" and is_id(who)) or (kind == "role" and who in tuple(MemberRole))
    wrong(fields, "owner", None if known else "task.owner")
    back_on = fields["back_on"].value
    wrong(fields, "back_on", None if not back_on or is_id(back_on) else "task.back_on")
    back_day = day_of(fields, "back_day")
    wrong(fields, "back_day", "task.back_either" if back_on and back_day else None)
    if is_wrong(fields) or due is None:
        return None
    return TaskDetails(
        what=fields["what"].value,
        owner_id=who if kind == "person" else None,
        owner_role=MemberRole(who) if kind == "role" else None,
        due=due,
        back_on=back_on or None,
        back_day=back_day,
    )
