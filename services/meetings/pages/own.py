"""What a member's own pages share: the visit that the mailed link opens, and how they look.

The link is exchanged for a cookie that opens one member's pages only, at their address. Nothing is changed by GET,
since mail scanners open links: an answer that a mail's link names is only chosen beforehand. Every page works without
script, and wherever the service runs: no browser is logged in here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.commands import MeetingsCommands
from services.meetings.member.queries import MemberQueries
from services.meetings.pages.office import Fields, is_wrong
from services.meetings.person.person import Person
from shared.auth import Access, public
from shared.errors import NotAuthenticated, NotFound
from shared.keys import KeyRing
from shared.row_security import act_for
from shared.web import Look, RateLimit, form_text, small_form

COOKIE = "justera_member"
COOKIE_SECONDS = 8 * 3600

_BY_LINK = "a member is known by the mailed link"


class NoVisit(NotAuthenticated):
    """The cookie of this member is missing, has ended, or belongs to another member."""

    slug: ClassVar[str] = "no-visit"
    status: ClassVar[HTTPStatus] = HTTPStatus.FORBIDDEN


@dataclass(frozen=True, slots=True)
class Visit:
    organisation: str
    cookie: str
    person: Person


class Visits:
    """Of all members. `link_keys`: those that mails derive members' links under. They sign visits, too: a deployment
    of this service has no key of sessions."""

    def __init__(self, queries: MemberQueries, link_keys: KeyRing, *, secure: bool) -> None:
        self._queries = queries
        self._access = Access((), link_keys.mac(link_keys.current, "justera-visits"), secure=secure)
        self._cookie = f"__Secure-{COOKIE}" if secure else COOKIE
        self._posts = RateLimit(burst=30, per_second=0.5)

    def open(self, response: Response, organisation: str, person: Person, start: str) -> None:
        """`start`: the path of the member's pages, where the cookie is sent and nowhere else."""
        response.set_cookie(
            self._cookie,
            self._access.sign("member", {"o": organisation, "p": person.id, "v": person.page_version}, COOKIE_SECONDS),
            max_age=COOKIE_SECONDS,
            path=start,
            secure=self._access.secure,
            httponly=True,
            samesite="lax",
        )

    async def of(self, request: Request, person_id: str) -> Visit:
        """Raises NoVisit unless the cookie is this member's, and of the link that holds now."""
        cookie = request.cookies.get(self._cookie, "")
        try:
            claims = self._access.verify("member", cookie)
        except NotAuthenticated as error:
            raise NoVisit("the visit has ended") from error
        if claims.get("p") != person_id:
            raise NoVisit("the visit is another member's")
        act_for(claims["o"])
        try:
            person = await self._queries.member(claims["o"], person_id, claims["v"])
        except NotFound as error:
            raise NoVisit("the link that opened the visit holds no more") from error
        return Visit(claims["o"], cookie, person)

    async def posted(self, request: Request, person_id: str) -> Visit:
        """A visit that changes something. Raises NoVisit, NotAllowed, TooMany."""
        visit = await self.of(request, person_id)
        self._access.check_csrf(visit.cookie, await form_text(request, "csrf"))
        self._posts.spend(person_id)
        return visit

    def csrf(self, visit: Visit) -> str:
        return self._access.csrf_token(visit.cookie)


class OwnPages:
    def __init__(self, look: Look, commands: MeetingsCommands, visits: Visits) -> None:
        self._look = look
        self._commands = commands
        self._queries = commands.members
        self._visits = visits

    def _is_past(self, day: date, timezone: str) -> bool:
        return self._queries.now.astimezone(ZoneInfo(timezone)).date() > day

    def _page(
        self, request: Request, visit: Visit, template: str, *, status: int = HTTPStatus.OK, **facts: Any
    ) -> Response:
        return self._look.page(
            request,
            template,
            visit.person.details.language,
            status=status,
            person=visit.person,
            csrf=self._visits.csrf(visit),
            **facts,
        )

    def _answer_page(
        self,
        request: Request,
        visit: Visit,
        template: str,
        fields: Fields,
        *,
        stands: Fields,
        seen: str,
        done: bool = False,
        meanwhile: bool = False,
        too_late: bool = False,
        **facts: Any,
    ) -> Response:
        """A form for their answer. `stands`: what is recorded, `seen`: its mark. `done`: theirs was taken. `meanwhile`:
        another was recorded; what was chosen stays, beside that. `too_late`: it was not taken, nor is any other."""
        refused = meanwhile or too_late or is_wrong(fields)
        return self._page(
            request,
            visit,
            template,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK,
            fields=fields,
            differing=[one for name, one in stands.items() if one.value != fields[name].value],
            seen=seen,
            done=done,
            meanwhile=meanwhile,
            too_late=too_late,
            **facts,
        )


def get(router: APIRouter, path: str, handler: Callable[..., Any]) -> None:
    router.add_api_route(path, handler, methods=["GET"], response_model=None, dependencies=[public(_BY_LINK)])


def post(router: APIRouter, path: str, handler: Callable[..., Any]) -> None:
    dependencies = [public(_BY_LINK), small_form]
    router.add_api_route(path, handler, methods=["POST"], response_model=None, dependencies=dependencies)
