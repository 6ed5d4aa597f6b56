"""The HTTP API of striking a meeting: thin; the rules are in `strike`, the work in `commands`."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.meetings.agenda.agenda import Item
from services.meetings.callers import Secretary
from services.meetings.meeting.meeting import Meeting
from services.meetings.strike.commands import StrikeCommands
from services.meetings.strike.strike import Strike, StrikeOutlook, StrikeTold
from shared.idempotency import Once
from shared.routes import LazyRoute


class StrikeToDo(Strike):
    """`digest`: what a check answered; refused when it would come to something else by now. `despite_clashes`: those
    that the other meeting gets are meant."""

    digest: str | None = Field(None, max_length=100)
    despite_clashes: bool = False

    @property
    def wish(self) -> Strike:
        return Strike.model_validate({name: getattr(self, name) for name in Strike.model_fields})


class StruckMeeting(BaseModel):
    """The meeting that was cancelled, the one that took its items, and these. `told`: who gets a mail about it."""

    meeting: Meeting
    to: Meeting
    moved: list[Item]
    told: list[StrikeTold]


def router(commands: StrikeCommands) -> APIRouter:
    routes = APIRouter(tags=["meetings"], route_class=LazyRoute)

    @routes.post("/meetings/{meeting_id}/strike/check")
    async def check_strike(meeting_id: str, strike: Strike, caller: Secretary) -> StrikeOutlook:
        """What striking a meeting would come to, and who would be told. Changes nothing."""
        return await commands.check(caller.organisation, meeting_id, strike)

    @routes.post("/meetings/{meeting_id}/strike", response_model=StruckMeeting)
    async def strike_meeting(meeting_id: str, strike: StrikeToDo, once: Once, caller: Secretary) -> Response:
        """Cancel a meeting and move its items to another one of its body, which may be extended: all, or nothing."""
        striking = commands.strike(
            caller.organisation,
            meeting_id,
            strike.wish,
            digest=strike.digest,
            despite_clashes=strike.despite_clashes,
        )
        return await once.answer(
            caller,
            striking,
            lambda struck: StruckMeeting(
                meeting=struck.meeting, to=struck.to, moved=struck.moved, told=struck.outlook.told
            ),
        )

    return routes
