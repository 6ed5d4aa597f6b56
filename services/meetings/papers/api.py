"""The HTTP API of papers: thin; the rules are in `papers`, the work in `commands`."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.papers.commands import PapersCommands
from services.meetings.papers.papers import Publication
from shared.http import CREATED
from shared.idempotency import Once
from shared.rendering.file_names import shown_as
from shared.routes import LazyRoute
from shared.web import path_for

_PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}

ForMembers = Annotated[bool, Query(description="with what is confidential, which others than members do not read")]


class MeetingPapers(BaseModel):
    """`publications`: the first one first. `changed`: what would be published now is not what was published last."""

    publications: list[Publication]
    changed: bool


class Publishing(BaseModel):
    """`tell`: by mail, when the notice is out; until then papers go out with it."""

    model_config = ConfigDict(extra="forbid")

    tell: bool = Field(True)


def router(commands: PapersCommands) -> APIRouter:
    routes = APIRouter(tags=["papers"], route_class=LazyRoute)

    @routes.get("/meetings/{meeting_id}/papers")
    async def get_papers(meeting_id: str, caller: Reader) -> MeetingPapers:
        """What was published of a meeting's papers, and whether something changed since."""
        found = await commands.state(caller.organisation, meeting_id)
        return MeetingPapers(publications=found.publications, changed=found.changed)

    @routes.get("/meetings/{meeting_id}/papers/current", response_class=Response, responses=_PDF)
    async def current_papers(meeting_id: str, caller: Reader, for_members: ForMembers = False) -> Response:
        """The papers as they would be published now, as one PDF."""
        return pdf_answer(*await commands.current(caller.organisation, meeting_id, for_members=for_members))

    @routes.post(
        "/meetings/{meeting_id}/papers/publications", status_code=201, response_model=Publication, responses=CREATED
    )
    async def publish_papers(
        meeting_id: str, publishing: Publishing, request: Request, once: Once, caller: Secretary
    ) -> Response:
        """Publish the papers as they are now; when nothing changed since they were, that publication is answered."""
        return await once.answer(
            caller,
            commands.publish(caller.organisation, meeting_id, tell=publishing.tell),
            status=201,
            location=lambda made: path_for(request, "published_papers", meeting_id=meeting_id, number=str(made.number)),
        )

    @routes.get("/meetings/{meeting_id}/papers/publications/{number}", response_class=Response, responses=_PDF)
    async def published_papers(
        meeting_id: str,
        number: Annotated[int, Path(ge=1, le=1_000_000)],
        caller: Reader,
        for_members: ForMembers = False,
    ) -> Response:
        """Papers as they were published, as one PDF."""
        return pdf_answer(*await commands.read(caller.organisation, meeting_id, a_member=for_members, number=number))

    return routes


def pdf_answer(name: str, pdf: bytes) -> Response:
    return Response(pdf, media_type="application/pdf", headers={"content-disposition": shown_as(name)})
