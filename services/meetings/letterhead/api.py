"""The HTTP API of the letterhead: thin; the rules are in `letterhead`, the work in `commands`."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.letterhead.commands import LetterheadCommands
from services.meetings.letterhead.letterhead import LetterheadDetails, mark_of
from shared.errors import NotFound
from shared.rendering.minutes import Letterhead, LogoType
from shared.routes import LazyRoute


class LogoShown(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    type: LogoType
    alt: str


class LetterheadShown(BaseModel):
    """What stands on documents. `logo`: null without one. `mark`: another one when anything of it is otherwise."""

    colour: str = Field(description="of headings, such as #1f3a5f; empty is Justera's own")
    foot: str
    logo: LogoShown | None
    mark: str


Seen = Annotated[
    str | None,
    Query(
        max_length=40, description="the mark of the one that you looked at, `none` of none; refused when it is another"
    ),
]
_PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}


def router(commands: LetterheadCommands) -> APIRouter:
    routes = APIRouter(tags=["letterhead"], route_class=LazyRoute)

    @routes.get("/letterhead")
    async def get_letterhead(caller: Reader) -> LetterheadShown:
        """What stands on the association's documents."""
        return _shown(await commands.letterhead(caller.organisation))

    @routes.put("/letterhead")
    async def save_letterhead(details: LetterheadDetails, caller: Secretary, seen: Seen = None) -> LetterheadShown:
        """Give the whole letterhead. It stands on minutes drafted from now on; others stay as they are."""
        return _shown(await commands.save(caller.organisation, details, seen=seen))

    @routes.delete("/letterhead", status_code=204)
    async def remove_letterhead(caller: Secretary, seen: Seen = None) -> None:
        """Take the letterhead away; documents look as before there was one."""
        await commands.remove(caller.organisation, seen=seen)

    @routes.get("/letterhead/sample.pdf", response_class=Response, responses=_PDF)
    async def get_sample(caller: Reader) -> Response:
        """Two pages as they will look."""
        sample = await commands.sample(await commands.letterhead(caller.organisation))
        return Response(sample, media_type="application/pdf")

    return routes


def _shown(letterhead: Letterhead | None) -> LetterheadShown:
    if letterhead is None:
        raise NotFound("the association has no letterhead", hint="PUT one")
    logo = None if letterhead.logo is None else LogoShown.model_validate(letterhead.logo)
    return LetterheadShown(colour=letterhead.colour, foot=letterhead.foot, logo=logo, mark=mark_of(letterhead))
