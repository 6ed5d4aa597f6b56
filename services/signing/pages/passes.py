"""Where other services send a browser for a pass, by which they know who is logged in here (`shared.passes`)."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.signing.logins import LoginSessions
from shared import passes
from shared.auth import principal_of, public
from shared.errors import NotAllowed, NotAuthenticated, NotFound
from shared.keys import KeyRing
from shared.settings import Settings
from shared.web import path_for

_ASKED = ("for", "to", "way")


def asked_of(request: Request) -> str:
    """What a service asked for in this address, to bear on to the next: a query, empty for who comes by themselves."""
    asked = {name: request.query_params[name] for name in _ASKED if name in request.query_params}
    return f"?{urlencode(asked)}" if asked else ""


class PassPages:
    """`rings`: what signing signs for each service with, by its name."""

    def __init__(self, settings: Settings, sessions: LoginSessions, rings: Mapping[str, KeyRing]) -> None:
        self._root = urlsplit(settings.public_url).path.rstrip("/")
        self._sessions = sessions
        self._rings = {name: ring for name, ring in rings.items() if name in passes.STAFFED}

    def add_to(self, router: APIRouter) -> None:
        proof = public("who is not logged in is asked to")
        router.add_api_route("/login/pass", self.login_pass, methods=["GET"], response_model=None, dependencies=[proof])

    async def login_pass(self, request: Request) -> Response:
        """Back with a pass to the door of a service that we know: no other address is ever led to."""
        service, to, way = (request.query_params.get(name, "") for name in _ASKED)
        below = f"{self._root}/{service}"
        if service not in self._rings or not passes.is_way(way) or (to and not passes.is_way_back(to, below)):
            raise NotFound("no service asks so")
        try:
            principal = await principal_of(request)
        except NotAuthenticated:
            return RedirectResponse(path_for(request, "login") + asked_of(request), HTTPStatus.SEE_OTHER)
        left = await self._sessions.left(principal.session_key)
        if left <= 0:
            raise NotAllowed("a pass is for a browser that is logged in")
        one = passes.new_pass(principal.session_key, way=way, to=to, left=left, now=time.time())
        written = passes.write(self._rings[service], service, one)
        return RedirectResponse(f"{below}/login/pass?{urlencode({'pass': written})}", HTTPStatus.SEE_OTHER)
