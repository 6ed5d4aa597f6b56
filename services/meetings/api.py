"""The HTTP API of meetings: thin; the rules are in `meeting`, the work in `commands`."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.commands import Drafting, MeetingsCommands
from services.meetings.meeting import Meeting, MeetingDetails
from services.meetings.minutes import MAX_MINUTES
from shared.auth import Principal, Role, requires
from shared.errors import InvalidInput
from shared.forwarding import Proxies, client_ip

_ALL = (Role.SECRETARY, Role.OPERATOR, Role.AUDITOR)
Reader = Annotated[Principal, requires(*_ALL)]
Secretary = Annotated[Principal, requires(Role.SECRETARY)]


class Reason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=4000)


class MinutesToDraft(BaseModel):
    """The minutes as Markdown with YAML front matter, and who signs them in which order."""

    model_config = ConfigDict(extra="forbid")

    markdown: str = Field(max_length=MAX_MINUTES)
    drafting: Drafting


class Drafted(BaseModel):
    """`agreement_id` names the agreement that now stands ready in signing."""

    meeting_id: str
    agreement_id: str
    document_name: str
    first_paragraph: int
    last_paragraph: int
    pdf_sha256: str


class MeetingPage(BaseModel):
    """`next`: pass it as `after` for the following page; absent on the last."""

    meetings: list[Meeting]
    next: str | None = None


def router(commands: MeetingsCommands, *, trusted_proxies: Proxies) -> APIRouter:
    routes = APIRouter(tags=["meetings"])

    @routes.post("/meetings", status_code=201)
    async def schedule(details: MeetingDetails, caller: Secretary) -> Meeting:
        """Schedule a meeting of a body. Times are local; `timezone` places them."""
        return await commands.schedule(caller.organisation, details)

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

    @routes.post("/meetings/{meeting_id}/cancel")
    async def cancel(meeting_id: str, body: Reason, caller: Secretary) -> Meeting:
        """Cancel the meeting."""
        return await commands.cancel(caller.organisation, meeting_id, body.reason)

    @routes.post("/meetings/{meeting_id}/minutes", status_code=201)
    async def draft_minutes(meeting_id: str, body: MinutesToDraft, request: Request, caller: Secretary) -> Drafted:
        """Number and render the minutes. An agreement to sign them then stands ready in signing."""
        ip = client_ip(request, trusted_proxies)
        drafted = await commands.draft_minutes(caller.organisation, meeting_id, body.markdown, body.drafting, ip=ip)
        return Drafted(
            meeting_id=drafted.meeting_id,
            agreement_id=drafted.agreement_id,
            document_name=drafted.document_name,
            first_paragraph=drafted.first_paragraph,
            last_paragraph=drafted.last_paragraph,
            pdf_sha256=drafted.pdf.sha256,
        )

    pdf_responses: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}

    @routes.get("/meetings/{meeting_id}/minutes.pdf", response_class=Response, responses=pdf_responses)
    async def original_pdf(meeting_id: str, caller: Reader) -> Response:
        """The unsigned original."""
        pdf = await commands.original_pdf(caller.organisation, meeting_id)
        return Response(pdf, media_type="application/pdf")

    return routes


def _cursor(after: str | None) -> tuple[str, str] | None:
    if after is None:
        return None
    starts, separator, meeting_id = after.partition("~")
    if not separator or "\0" in after:
        raise InvalidInput("after: pass the `next` of the page before")
    return starts, meeting_id
