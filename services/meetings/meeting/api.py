"""The HTTP API of meetings: thin; the rules are in `meeting`, the work in `commands`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.meeting.commands import MeetingCommands
from services.meetings.meeting.meeting import Meeting, MeetingDetails
from shared.errors import InvalidInput
from shared.http import CREATED
from shared.idempotency import Once
from shared.routes import LazyRoute
from shared.web import path_for


class Reason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=4000)


class MeetingPage(BaseModel):
    """`next`: pass it as `after` for the following page; absent on the last."""

    meetings: list[Meeting]
    next: str | None = None


def router(commands: MeetingCommands) -> APIRouter:
    routes = APIRouter(tags=["meetings"], route_class=LazyRoute)

    @routes.post("/meetings", status_code=201, response_model=Meeting, responses=CREATED)
    async def schedule(details: MeetingDetails, request: Request, once: Once, caller: Secretary) -> Response:
        """Schedule a meeting of a body. Times are local; `timezone` places them."""
        return await once.answer(
            caller,
            commands.schedule(caller.organisation, details),
            status=201,
            location=lambda meeting: path_for(request, "get_meeting", meeting_id=meeting.id),
        )

    @routes.get("/meetings")
    async def list_meetings(
        caller: Reader,
        after: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> MeetingPage:
        """Meetings, latest first."""
        found = await commands.meetings(caller.organisation, _cursor(after), limit)
        following = f"{found[-1].details.starts.isoformat()}~{found[-1].id}" if len(found) == limit else None
        return MeetingPage(meetings=found, next=following)

    @routes.get("/meetings/{meeting_id}")
    async def get_meeting(meeting_id: str, caller: Reader) -> Meeting:
        """One meeting as it stands."""
        return await commands.meeting(caller.organisation, meeting_id)

    @routes.put("/meetings/{meeting_id}")
    async def change(meeting_id: str, details: MeetingDetails, caller: Secretary) -> Meeting:
        """Give the meeting's whole new details."""
        return await commands.change(caller.organisation, meeting_id, details)

    @routes.post("/meetings/{meeting_id}/cancel", response_model=Meeting)
    async def cancel(meeting_id: str, body: Reason, once: Once, caller: Secretary) -> Response:
        """Cancel the meeting."""
        return await once.answer(caller, commands.cancel(caller.organisation, meeting_id, body.reason))

    return routes


def _cursor(after: str | None) -> tuple[str, str] | None:
    if after is None:
        return None
    starts, separator, meeting_id = after.partition("~")
    if not separator or "\0" in after:
        raise InvalidInput("after: pass the `next` of the page before")
    return starts, meeting_id
