"""What the pages of the office share: who may open them, how they look, and how a form that is refused comes back."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, time
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.meetings.body.body import Body
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import Meeting, WhichBody
from shared.auth import Access, Principal, Role, requires
from shared.clock import Clock
from shared.errors import InvalidInput, JusteraError
from shared.forwarding import Proxies
from shared.text import MAX_LINE
from shared.web import Field, Look, file_form, form_text, path_for, small_form

READER = requires(*Role)
SECRETARY = requires(Role.SECRETARY)

Fields = dict[str, Field]
STEPS = {"up": -1, "down": 1}
"""Of something in a list, by the direction that its button says."""
_LONGEST_ID = 60


class OfficePages:
    def __init__(self, look: Look, access: Access, commands: MeetingsCommands, clock: Clock) -> None:
        self._look = look
        self._access = access
        self._commands = commands
        self._clock = clock

    def _page(
        self,
        request: Request,
        template: str,
        principal: Principal,
        *,
        fields: Mapping[str, Field] | None = None,
        refused: bool = False,
        **facts: Any,
    ) -> HTMLResponse:
        """`fields` in the order of the form; those with an error stand in the summary, too."""
        wrong = refused or any(field.error for field in (fields or {}).values())
        return self._look.page(
            request,
            template,
            self._look.preferred(request),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
            csrf=self._access.csrf_token(self._access.cookie_of(request)),
            may_change=principal.role is Role.SECRETARY,
            fields=fields or {},
            **facts,
        )

    async def _body_of(self, principal: Principal, meeting: Meeting) -> Body | None:
        bodies = await self._commands.bodies.bodies(principal.organisation)
        of = meeting.which_body
        return next((one for one in bodies if of.is_same(WhichBody(one.id, one.details.name))), None)

    def _today(self, body: Body | None = None) -> date:
        zone = body.details.rules.timezone if body else "Europe/Stockholm"
        return self._clock.now().astimezone(ZoneInfo(zone)).date()


class SendingPages(OfficePages):
    """Pages of what leaves the office: a fact says from which address."""

    def __init__(
        self, look: Look, access: Access, commands: MeetingsCommands, clock: Clock, *, proxies: Proxies
    ) -> None:
        super().__init__(look, access, commands, clock)
        self._proxies = proxies


def get(router: APIRouter, path: str, handler: Callable[..., Any]) -> None:
    router.add_api_route(path, handler, methods=["GET"], response_model=None)


def post(router: APIRouter, path: str, handler: Callable[..., Any]) -> None:
    router.add_api_route(path, handler, methods=["POST"], response_model=None, dependencies=[small_form])


def post_file(router: APIRouter, path: str, handler: Callable[..., Any]) -> None:
    router.add_api_route(path, handler, methods=["POST"], response_model=None, dependencies=[file_form])


def back(request: Request, name: str, done: str, **params: str) -> Response:
    """To a page, which says what was done."""
    return RedirectResponse(f"{path_for(request, name, **params)}?done={done}", HTTPStatus.SEE_OTHER)


async def typed(request: Request, names: Iterable[str]) -> Fields:
    """What was typed into the fields of a form. Browsers send line ends as CR LF (HTML standard, 4.10.21.4)."""
    return {name: Field(name, (await form_text(request, name)).replace("\r\n", "\n").strip()) for name in names}


def wrong(fields: Fields, name: str, error: str | None) -> None:
    """Put an error at a field, unless it has one. `error`: the text key below `error.`."""
    field = fields[name]
    if error and not field.error:
        fields[name] = Field(name, field.value, error)


def refused(fields: Fields, error: JusteraError, places: Mapping[str, tuple[str, str]]) -> bool:
    """Put what a rule refused at its field; False when it belongs to none.

    `places`: by what the refusal begins with, the field and the text key.
    """
    subject, _, _ = error.message.partition(":")
    if subject not in places:
        return False
    name, key = places[subject]
    if error.says is not None and error.says.key == "skipped_hour":
        key = "meeting.skipped"
    wrong(fields, name, key)
    return True


def is_wrong(fields: Fields) -> bool:
    return any(field.error for field in fields.values())


def is_id(text: str) -> bool:
    """What could be an id of ours; nothing else is looked for."""
    return 0 < len(text) <= _LONGEST_ID and text.isascii() and text.replace("-", "").isalnum()


def line_error(clean: Callable[[str], str], text: str, *, longest: int = MAX_LINE, required: bool = True) -> str | None:
    """`empty`, `too_long` or `characters`; None when fit."""
    if not text:
        return "empty" if required else None
    try:
        clean(text)
    except InvalidInput:
        return "too_long" if len(text) > longest else "characters"
    return None


def day_of(fields: Fields, name: str) -> date | None:
    """As browsers post days; what is none is put at the field."""
    value = fields[name].value
    if not value:
        return None
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    wrong(fields, name, "day")
    return None


def time_of(fields: Fields, name: str) -> time | None:
    """As browsers post times, and as people write them; what is none is put at the field."""
    value = fields[name].value.replace(".", ":")
    try:
        if len(value) in (4, 5):
            hours, minutes = value.split(":")
            if hours.isdigit() and minutes.isdigit() and value.isascii():
                return time(int(hours), int(minutes))
    except ValueError:
        pass
    wrong(fields, name, "meeting.time")
    return None


def number_of(fields: Fields, name: str, lowest: int, highest: int) -> int | None:
    """A whole number; what is none is put at the field."""
    value = fields[name].value
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 6 and lowest <= int(value) <= highest):
        wrong(fields, name, "number")
        return None
    return int(value)


async def direction_of(request: Request) -> str:
    """Of the button that moves something in a list, among STEPS."""
    return "up" if await form_text(request, "direction") == "up" else "down"


def version_of(text: str) -> int:
    """Of the hidden field; 0, which no version is, for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
