"""Access to a service whose sessions signing's passes open: in a deployment, each but signing."""

import base64
import hmac
import secrets
import time
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from shared import passes
from shared.auth import HOST_PREFIX, SESSION_COOKIE, Access, Principal
from shared.errors import NotAuthenticated
from shared.keys import KeyRing
from shared.passed_sessions import PassedSessions
from shared.passes import PassRefused
from shared.tokens import TokenRecord, Tokens

_WAY_COOKIE = "justera_way"
_WAY_SECONDS = 600  # to log in at signing, on the way


class PassAccess(Access):
    """Needs no key of its own: a session's cookie is 32 random bytes, known here by their hash.

    `ring`: what signing signs for this service with. `passed`: where sessions are kept; without, none holds.
    """

    def __init__(self, tokens: Tokens | Iterable[TokenRecord], service: str, ring: KeyRing, *, public_url: str) -> None:
        super().__init__(tokens, None, secure=public_url.startswith("https:"))
        self._service = service
        self._ring = ring
        self._root = urlsplit(public_url).path.rstrip("/")
        self.passed: PassedSessions | None = None

    @property
    def takes_sessions(self) -> bool:
        return True

    @property
    def session_cookie(self) -> str:
        return session_cookie_of(self._service, secure=self.secure)

    async def by_request(self, request: Request) -> Principal:
        """A page that is asked for when a new pass is due comes back with one; what is sent meanwhile is taken, so that
        no form is lost. Raises NotAuthenticated."""
        principal, due = await self._found(self.cookie_of(request))
        if due and _is_page(request):
            raise NotAuthenticated("a new pass is due", hint="send Authorization: Bearer …")
        return principal

    async def by_session(self, cookie: str) -> Principal:
        return (await self._found(cookie))[0]

    async def _found(self, cookie: str) -> tuple[Principal, bool]:
        """With whether a new pass is due."""
        session = await self.passed.found(cookie) if self.passed is not None and cookie else None
        record = self._tokens.get(session.token) if session is not None else None
        if session is None or record is None or record.organisation != session.organisation:
            raise NotAuthenticated("please log in again", hint="the session has ended")
        return Principal.of(record, session=session.login), session.due

    def csrf_token(self, cookie: str) -> str:
        """Under the cookie itself, which no page can read."""
        mac = hmac.digest(cookie.encode(), f"csrf {self._service}".encode(), "sha256")
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def way_in(self, request: Request) -> Response | None:
        """To signing for a pass, and back to where the browser wanted to go. None for what is no page."""
        if not _is_page(request):
            return None
        to = quote(request.scope["path"]) + (f"?{request.url.query}" if request.url.query else "")
        secret = request.cookies.get(self._way_cookie) or secrets.token_urlsafe(32)
        asked = {"for": self._service, "to": to if self._may_go(to) else "", "way": passes.hash_of(secret)}
        response = RedirectResponse(f"{self._root}/signing/login/pass?{urlencode(asked)}", HTTPStatus.SEE_OTHER)
        self._set(response, self._way_cookie, secret, _WAY_SECONDS)
        return response

    async def enter(self, request: Request, text: str, *, otherwise: str) -> Response:
        """Take a pass: the session it opens, and on to where the browser wanted to go, or `otherwise`.

        Raises PassRefused.
        """
        one = passes.read(self._ring, self._service, text, now=time.time())
        secret = request.cookies.get(self._way_cookie, "")
        if not secret or not secrets.compare_digest(passes.hash_of(secret), one.way) or self.passed is None:
            raise PassRefused("the pass is of another browser", hint="open the page again")
        cookie = await self.passed.take(one, self.cookie_of(request), secrets.token_urlsafe(32))
        response = RedirectResponse(one.to if self._may_go(one.to) else otherwise, HTTPStatus.SEE_OTHER)
        self._set(response, self.session_cookie, cookie, one.left)
        return response

    @property
    def _way_cookie(self) -> str:
        return _named(f"{_WAY_COOKIE}_{self._service}", secure=self.secure)

    def _may_go(self, to: str) -> bool:
        return passes.is_way_back(to, f"{self._root}/{self._service}")

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(name, value, seconds, path="/", secure=self.secure, httponly=True, samesite="lax")


def session_cookie_of(service: str, *, secure: bool) -> str:
    """The name of the cookie of a session that a pass opened."""
    return _named(f"{SESSION_COOKIE}_{service}", secure=secure)


def _named(name: str, *, secure: bool) -> str:
    return HOST_PREFIX + name if secure else name


def _is_page(request: Request) -> bool:
    """A browser that goes to an address, and can be sent elsewhere on the way."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "").lower()
