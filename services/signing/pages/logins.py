"""The logins of who is logged in: where, since when, and ending them. By page, and by API."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field
from pydantic.types import AwareDatetime

from services.signing.browser_names import named
from services.signing.logins import LoginSessions
from shared.auth import Access, Principal, Role, check_form, principal_of, public, requires
from shared.errors import NotFound
from shared.pass_access import session_cookie_of
from shared.passes import STAFFED
from shared.routes import LazyRoute
from shared.sessions import OpenSession, SessionKey
from shared.web import Look, path_for, small_form

_ANYONE = requires(*Role)
_ZONE = "Europe/Stockholm"
SessionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class LoginPages:
    def __init__(self, look: Look, access: Access, sessions: LoginSessions, *, asks_provider: bool) -> None:
        self._look = look
        self._access = access
        self._sessions = sessions
        self._asks_provider = asks_provider

    def add_to(self, router: APIRouter) -> None:
        def post(path: str, handler: object) -> None:
            router.add_api_route(path, handler, methods=["POST"], response_model=None, dependencies=[small_form])  # type: ignore[arg-type]

        router.add_api_route(
            "/logout",
            self.logout,
            methods=["POST"],
            response_model=None,
            dependencies=[
                small_form,
                public("the session's own cookie, sent from a page of this address, is the proof"),
            ],
        )
        router.add_api_route("/logins", self.logins, methods=["GET"], response_model=None)
        post("/logins/end-others", self.logins_end_others)
        post("/logins/{session_id}/end", self.logins_end)

    async def logins(self, request: Request, done: str = "", principal: Principal = _ANYONE) -> Response:
        sessions = await self._sessions.of_token(principal.organisation, principal.token)
        return self._look.page(
            request,
            "logins/list.html",
            self._look.preferred(request),
            sessions=[(one, named(one.browser)) for one in sessions],
            mine=principal.session,
            zone=_ZONE,
            csrf=self._access.csrf_token(self._access.cookie_of(request)),
            ended=done == "ended",
        )

    async def logins_end(self, request: Request, session_id: SessionId, principal: Principal = _ANYONE) -> Response:
        if session_id == principal.session:
            return await self._log_out(request, principal)
        await self._sessions.end(SessionKey(principal.organisation, principal.token, session_id))
        return RedirectResponse(f"{path_for(request, 'logins')}?done=ended", HTTPStatus.SEE_OTHER)

    async def logins_end_others(self, request: Request, principal: Principal = _ANYONE) -> Response:
        await self._sessions.end_others(principal.session_key)
        return RedirectResponse(f"{path_for(request, 'logins')}?done=ended", HTTPStatus.SEE_OTHER)

    async def logout(self, request: Request) -> Response:
        """From the pages of every service: those of others know no form's token of this session, and browsers say that
        they are of this address. Others' pages send no cookie along (SameSite)."""
        principal = await principal_of(request)
        if request.headers.get("sec-fetch-site") != "same-origin":
            await check_form(request)
        return await self._log_out(request, principal)

    def _out(self, request: Request) -> str:
        """Where there is a provider, its own login may go on: the page says so, and leads there."""
        login = path_for(request, "login")
        return f"{login}?out=1" if self._asks_provider else self._look.start_page or login

    async def _log_out(self, request: Request, principal: Principal) -> Response:
        """Here, and in this browser at the other services, which end the session when they are told."""
        response = RedirectResponse(self._out(request), HTTPStatus.SEE_OTHER)
        await self._access.log_out(principal, response)
        for service in STAFFED:
            name, secure = session_cookie_of(service, secure=self._access.secure), self._access.secure
            response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
        return response


class SessionView(BaseModel):
    """A browser that is logged in. `seen_at` is right to a minute; `ends_at` is when it ends at the latest."""

    id: str
    browser: str = Field(description="what the browser called itself")
    opened_at: AwareDatetime
    seen_at: AwareDatetime
    ends_at: AwareDatetime
    current: bool = Field(description="whether it is the session that asks")


class SessionList(BaseModel):
    sessions: list[SessionView]


def sessions_router(sessions: LoginSessions) -> APIRouter:
    routes = APIRouter(prefix="/sessions", tags=["sessions"], route_class=LazyRoute)

    @routes.get("", summary="List the browser sessions that were opened with your access token")
    async def list_sessions(principal: Principal = _ANYONE) -> SessionList:
        found = await sessions.of_token(principal.organisation, principal.token)
        return SessionList(sessions=[_view(session, principal) for session in found])

    @routes.delete("", status_code=204, summary="End every browser session of your access token, but the one that asks")
    async def end_sessions(principal: Principal = _ANYONE) -> None:
        await sessions.end_others(principal.session_key)

    @routes.delete("/{session_id}", status_code=204, summary="End one browser session of your access token")
    async def end_session(session_id: SessionId, principal: Principal = _ANYONE) -> None:
        if not await sessions.end(SessionKey(principal.organisation, principal.token, session_id)):
            raise NotFound("there is no such session, or it has ended")

    return routes


def _view(session: OpenSession, principal: Principal) -> SessionView:
    return SessionView(
        id=session.id,
        browser=session.browser,
        opened_at=session.opened_at,
        seen_at=session.seen_at,
        ends_at=session.ends_at,
        current=session.id == principal.session,
    )
