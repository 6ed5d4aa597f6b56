"""The HTTP API of sittings: thin; the rules are in `evolving` and `history`, the work in `commands`."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.meeting.meeting import LocalTime
from services.meetings.sitting.commands import MOST_AT_ONCE, SaidEntry, Scene, SittingCommands
from services.meetings.sitting.history import Entry
from services.meetings.sitting.sitting import Serving, Sitting
from services.meetings.sitting.steps import MOST_PEOPLE, Id
from shared.errors import NotFound
from shared.http import CREATED
from shared.idempotency import Once
from shared.ids import new_id
from shared.routes import LazyRoute
from shared.web import path_for


class SittingOpening(BaseModel):
    """`present`: ids of those who answer the roll call; left out, those who said that they come. `at`: else now."""

    model_config = ConfigDict(extra="forbid")

    present: list[Id] | None = Field(None, max_length=MOST_PEOPLE)
    at: LocalTime | None = None


class StepsSaid(BaseModel):
    """Recorded in this order, all or none. `seen`: the version that you looked at; refused when it is another."""

    model_config = ConfigDict(extra="forbid")

    steps: Annotated[list[SaidEntry], Field(min_length=1, max_length=MOST_AT_ONCE)]
    seen: int | None = Field(None, ge=0)


class SittingNow(BaseModel):
    """A sitting as it stands. `version`: how many steps were recorded. `serving`: who decides now, on the item that is
    up or, between items, on the next. `presiding`: whose vote decides a tie."""

    meeting_id: str
    version: int
    sitting: Sitting
    serving: list[Serving]
    has_quorum: bool
    presiding: str | None

    @classmethod
    def of(cls, scene: Scene) -> "SittingNow":
        """Raises NotFound."""
        if scene.state is None:
            raise NotFound("the sitting has not been opened", hint="open it first")
        return cls(
            meeting_id=scene.meeting.id,
            version=scene.version,
            sitting=scene.state,
            serving=list(scene.state.deciding),
            has_quorum=scene.state.has_quorum,
            presiding=scene.state.presiding,
        )


class SittingSteps(BaseModel):
    """In the order in which they were recorded, with those that were corrected."""

    steps: list[Entry]


def router(commands: SittingCommands) -> APIRouter:
    routes = APIRouter(tags=["sittings"], route_class=LazyRoute)

    @routes.post("/meetings/{meeting_id}/sitting", status_code=201, response_model=SittingNow, responses=CREATED)
    async def open_sitting(
        meeting_id: str, opening: SittingOpening, request: Request, once: Once, caller: Secretary
    ) -> Response:
        """Open the sitting of a meeting, with its roll call."""
        opened = commands.open(
            caller.organisation, meeting_id, opening.present, key=new_id(), by=caller.name, at=opening.at
        )
        return await once.answer(
            caller,
            opened,
            SittingNow.of,
            status=201,
            location=lambda _: path_for(request, "get_sitting", meeting_id=meeting_id),
        )

    @routes.get("/meetings/{meeting_id}/sitting")
    async def get_sitting(meeting_id: str, caller: Reader) -> SittingNow:
        """Who is there, who decides, which item is up, and what was decided so far."""
        return SittingNow.of(await commands.scene(caller.organisation, meeting_id))

    @routes.get("/meetings/{meeting_id}/sitting/steps")
    async def list_sitting_steps(meeting_id: str, caller: Reader) -> SittingSteps:
        """All that was recorded of a sitting, mistakes and their corrections among it."""
        return SittingSteps(steps=await commands.steps(caller.organisation, meeting_id))

    @routes.post("/meetings/{meeting_id}/sitting/steps", response_model=SittingNow)
    async def record_sitting_steps(meeting_id: str, said: StepsSaid, once: Once, caller: Secretary) -> Response:
        """Record what happens, or correct what was recorded. A step whose key is known was recorded already."""
        recording = commands.record(caller.organisation, meeting_id, said.steps, by=caller.name, seen=said.seen)
        return await once.answer(caller, recording, SittingNow.of)

    return routes
