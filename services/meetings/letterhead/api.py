"""The HTTP API of the letterhead: thin; the rules are in `letterhead`, the work in `commands`."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.letterhead.commands import LetterheadCommands
from services.meetings.letterhead.letterhead import LetterheadDetails
from shared.errors import NotFound
from shared.rendering.minutes import Letterhead, LogoType


class LogoShown(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    type: LogoType
    alt: str


class LetterheadShown(BaseModel):
    """What stands on documents. `logo`: null without one."""

    model_config = ConfigDict(from_attributes=True)

    colour: str = Field(description="of headings, such as #1f3a5f; empty is Justera's own")
    foot: str
    logo: LogoShown | None


_PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}


def router(commands: LetterheadCommands) -> APIRouter:
    routes = APIRouter(tags=["letterhead"])

    @routes.get("/letterhead")
    async def get_letterhead(caller: Reader) -> LetterheadShown:
        """What stands on the association's documents."""
        return _shown(await commands.letterhead(caller.organisation))

    @routes.put("/letterhead")
    async def save_letterhead(details: LetterheadDetails, caller: Secretary) -> LetterheadShown:
        """Give the whole letterhead. It stands on minutes drafted from now on; others stay as they are."""
        return _shown(await commands.save(caller.organisation, details))

    @routes.delete("/letterhead", status_code=204)
    async def remove_letterhead(caller: Secretary) -> None:
        """Take the letterhead away; documents look as before there was one."""
        await commands.remove(caller.organisation)

    @routes.get("/letterhead/sample.pdf", response_class=Response, responses=_PDF)
    async def get_sample(caller: Reader) -> Response:
        """Two pages as they will look."""
        sample = await commands.sample(await commands.letterhead(caller.organisation))
        return Response(sample, media_type="application/pdf")

    return routes


def _shown(letterhead: Letterhead | None) -> LetterheadShown:
    if letterhead is None:
        raise NotFound("the association has no letterhead", hint="PUT one")
    return LetterheadShown.model_validate(letterhead)
