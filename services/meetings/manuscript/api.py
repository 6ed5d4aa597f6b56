"""The HTTP API of manuscripts: thin; the rules are in `manuscript`, the work in `commands`."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.manuscript.commands import ManuscriptCommands
from services.meetings.manuscript.manuscript import Manuscript, Remark, Source
from services.meetings.minutes.minutes import MAX_MINUTES
from shared.http import CREATED
from shared.idempotency import Once
from shared.routes import LazyRoute
from shared.web import path_for


class WrittenParagraph(BaseModel):
    """`id` names it in an address. `at_once`: the agreement by which it was put forward on its own, last."""

    id: str
    heading: str
    at_once: str | None


class MinutesInWriting(BaseModel):
    """Minutes while they are written. `markdown`: a whole file of them, to be drafted once it is right.

    `remarks`: what is to be looked at. `what` is not_closed (the sitting), no_adjuster, adjusters (more than minutes
    name), no_secretary, no_chair, not_taken_up (items of the agenda), between (who was there between items only) or
    not_kept (of a Word document); `about`: names, titles or a sentence.
    """

    meeting_id: str
    version: int
    source: Source
    markdown: str
    remarks: list[Remark]
    paragraphs: list[WrittenParagraph]


class MinutesText(BaseModel):
    """`seen`: the version that the text was made from, 0 where there is none yet; refused when it is another now."""

    model_config = ConfigDict(extra="forbid")

    markdown: str = Field(max_length=MAX_MINUTES)
    seen: int = Field(0, ge=0)


def router(commands: ManuscriptCommands) -> APIRouter:
    routes = APIRouter(tags=["minutes in writing"], route_class=LazyRoute)

    def view(meeting_id: str, made: Manuscript) -> MinutesInWriting:
        return MinutesInWriting(
            meeting_id=meeting_id,
            version=made.version,
            source=made.source,
            markdown=made.markdown,
            remarks=list(made.remarks),
            paragraphs=[
                WrittenParagraph(id=piece.id, heading=piece.heading, at_once=piece.at_once) for piece in made.pieces
            ],
        )

    @routes.post(
        "/meetings/{meeting_id}/manuscript", status_code=201, response_model=MinutesInWriting, responses=CREATED
    )
    async def write_minutes_from_sitting(meeting_id: str, request: Request, once: Once, caller: Secretary) -> Response:
        """Write the minutes of what was recorded in the sitting. They are to be looked at; nothing is numbered."""
        return await once.answer(
            caller,
            commands.write_from_sitting(caller.organisation, meeting_id, by=caller.name),
            lambda made: view(meeting_id, made),
            status=201,
            location=lambda _: path_for(request, "get_minutes_in_writing", meeting_id=meeting_id),
        )

    @routes.get("/meetings/{meeting_id}/manuscript")
    async def get_minutes_in_writing(meeting_id: str, caller: Reader) -> MinutesInWriting:
        """The minutes as far as they are written."""
        return view(meeting_id, await commands.manuscript(caller.organisation, meeting_id))

    @routes.put("/meetings/{meeting_id}/manuscript", response_model=MinutesInWriting)
    async def put_minutes_in_writing(meeting_id: str, text: MinutesText, once: Once, caller: Secretary) -> Response:
        """A whole text in the place of what is written. It need not be whole yet."""
        putting = commands.put(caller.organisation, meeting_id, text.markdown, Source.TEXT, seen=text.seen)
        return await once.answer(caller, putting, lambda made: view(meeting_id, made))

    @routes.get(
        "/meetings/{meeting_id}/manuscript.pdf",
        response_class=Response,
        responses={200: {"content": {"application/pdf": {}}}},
    )
    async def preview_minutes(meeting_id: str, caller: Reader) -> Response:
        """The PDF as it would be if the minutes were drafted now. Nothing is kept, and no number taken."""
        pdf = await commands.preview(caller.organisation, meeting_id)
        return Response(pdf, media_type="application/pdf")

    return routes
