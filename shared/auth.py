"""Who may do what: bearer tokens (RFC 6750) with a role and an organisation, and browser sessions made from them.

Tokens are random and stored as SHA-256 only. A session is checked at each request against its own record and against
that of the token it was opened with. Every route declares its roles with `requires(...)`, or that it is open to all
with `public(why)`; a test walks all routes and fails on one that declares neither.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fastapi import Depends, Request, Response
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.routing import iter_route_contexts
from fastapi.security.base import SecurityBase
from starlette.staticfiles import StaticFiles

from shared.errors import NotAllowed, NotAuthenticated, StaleForm
from shared.names import Role as Role
from shared.row_security import act_for, acting_for
from shared.sessions import SESSION_SECONDS, SessionKey, Sessions
from shared.settings import BadConfiguration
from shared.suspension import require_active
from shared.tokens import TokenFile as TokenFile
from shared.tokens import TokenRecord as TokenRecord
from shared.tokens import Tokens
from shared.tokens import new_token as new_token
from shared.tokens import read_tokens as read_tokens
from shared.tokens import token_hash as token_hash

_DOCUMENTATION = ("/openapi.json",)
SESSION_COOKIE = "justera_session"
# Browsers take a cookie of this prefix over https only, for the whole of one host, and from that host alone.
HOST_PREFIX = "__Host-"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `name` is the token's label, an id for logs.

    `token`: the token's SHA-256. `session`: the id of the browser session, empty for a bearer token.
    """

    organisation: str
    role: Role
    name: str
    token: str = field(default="", compare=False)
    session: str = field(default="", compare=False)

    @classmethod
    def of(cls, record: TokenRecord, *, session: str = "") -> "Principal":
        """Who holds it. Raises OrganisationSuspended."""
        require_active(record.organisation)
        return cls(record.organisation, record.role, record.name, token=record.sha256, session=session)

    @property
    def session_key(self) -> SessionKey:
        return SessionKey(self.organisation, self.token, self.session)


class Access:
    """Knows the tokens and makes sessions. `session_key`: 32 bytes; without one there are no browser sessions.

    `sessions`: who keeps track of them; without, none holds. `secure`: people reach us by https, and cookies say so.
    """

    def __init__(
        self, tokens: Tokens | Iterable[TokenRecord], session_key: bytes | None, *, secure: bool = False
    ) -> None:
        self._tokens = tokens if isinstance(tokens, Tokens) else Tokens(tokens)
        self._session_key = session_key
        self.secure = secure
        self.sessions: Sessions | None = None

    def by_token(self, token: str) -> Principal:
        """Raises NotAuthenticated."""
        record = self._tokens.get(token_hash(token))
        if record is None or record.email:
            raise NotAuthenticated("the token is unknown or has expired", hint="ask your operator for a new one")
        return Principal.of(record)

    def named(self, organisation: str, name: str) -> Principal:
        """Who holds the token of this name, for a login by other proof. Raises NotAuthenticated."""
        for record in self._tokens:
            if (record.organisation, record.name) == (organisation, name) and not record.has_expired:
                return Principal.of(record)
        raise NotAuthenticated("the token is unknown or has expired", hint="ask your operator for a new one")

    def account(self, sha256: str) -> TokenRecord | None:
        """The account of this id; None for one that is gone or has expired."""
        record = self._tokens.get(sha256)
        return record if record is not None and record.email else None

    def accounts(self) -> list[TokenRecord]:
        return [record for record in self._tokens if record.email]

    @property
    def takes_sessions(self) -> bool:
        """Whether browsers can be logged in here at all, and pages for them make sense."""
        return self._session_key is not None

    @property
    def session_cookie(self) -> str:
        """The cookie's name."""
        return HOST_PREFIX + SESSION_COOKIE if self.secure else SESSION_COOKIE

    def cookie_of(self, request: Request) -> str:
        """The session cookie as the browser sent it; empty without."""
        return request.cookies.get(self.session_cookie, "")

    async def log_in(self, principal: Principal, request: Request, response: Response) -> None:
        """Open a session of 12 hours, whose cookie the response sets for all services at this address."""
        cookie = await self.open_session(principal, browser=request.headers.get("user-agent", ""))
        response.set_cookie(
            self.session_cookie,
            cookie,
            max_age=SESSION_SECONDS,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    async def log_out(self, principal: Principal, response: Response) -> None:
        """The session ends here, not only in this browser."""
        if self.sessions is not None and principal.session:
            with acting_for(principal.organisation):
                await self.sessions.end(principal.session_key)
        response.delete_cookie(self.session_cookie, path="/", secure=self.secure, httponly=True, samesite="lax")

    async def open_session(self, principal: Principal, *, browser: str = "") -> str:
        """The cookie's value. Raises NotAuthenticated where nobody keeps track of sessions."""
        if self.sessions is None:
            raise NotAuthenticated("there are no sessions here", hint="send Authorization: Bearer …")
        key = SessionKey(principal.organisation, principal.token, secrets.token_urlsafe(16))
        value = self.sign("session", {"o": key.organisation, "t": key.token, "s": key.id}, SESSION_SECONDS)
        with acting_for(key.organisation):
            await self.sessions.open(key, browser, SESSION_SECONDS)
        return value

    async def by_request(self, request: Request) -> Principal:
        """Whose session's cookie it bears. Raises NotAuthenticated."""
        return await self.by_session(self.cookie_of(request))

    def way_in(self, request: Request) -> Response | None:
        """Where a browser that has no session is sent to log in; None where it is told."""
        return None

    async def by_session(self, cookie: str) -> Principal:
        """With the role that its token has now. Raises NotAuthenticated."""
        claims = self.verify("session", cookie)
        key = SessionKey(*(str(claims.get(name, "")) for name in ("o", "t", "s")))
        record = self._tokens.get(key.token)
        known = record is not None and record.organisation == key.organisation
        if record is None or not known or self.sessions is None or not await self._holds(self.sessions, key):
            raise NotAuthenticated("please log in again", hint="the session has ended")
        return Principal.of(record, session=key.id)

    async def _holds(self, sessions: Sessions, key: SessionKey) -> bool:
        with acting_for(key.organisation):
            return await sessions.holds(key)

    def sign(self, purpose: str, claims: dict[str, Any], seconds: int) -> str:
        """Claims with an expiry, signed for one purpose. Not secret: put nothing private in."""
        if self._session_key is None:
            raise BadConfiguration("JUSTERA_SESSION_KEY is not set")
        body = json.dumps({**claims, "exp": int(time.time()) + seconds}, separators=(",", ":")).encode()
        return f"{_b64(body)}.{_b64(self._mac(purpose, body))}"

    def verify(self, purpose: str, value: str) -> dict[str, Any]:
        """Raises NotAuthenticated for a value that is forged, expired, or made for another purpose,
        OrganisationSuspended for one of an organisation (`o`) that is."""
        if self._session_key is None:
            raise NotAuthenticated("there are no sessions here", hint="send Authorization: Bearer …")
        encoded, _, mac = value.partition(".")
        try:
            body = _unb64(encoded)
            genuine = hmac.compare_digest(self._mac(purpose, body), _unb64(mac))
            claims: dict[str, Any] = json.loads(body) if genuine else {}
        except ValueError:
            claims = {}
        if claims.get("exp", 0) < time.time():
            raise NotAuthenticated("please log in again", hint="the session has ended")
        if "o" in claims:
            require_active(str(claims["o"]))
        return claims

    def csrf_token(self, cookie: str) -> str:
        """Bound to the session's cookie: a page of another site cannot know it."""
        return _b64(self._mac("csrf", cookie.encode()))

    def check_csrf(self, cookie: str, given: str) -> None:
        """Raises StaleForm."""
        if not hmac.compare_digest(self.csrf_token(cookie).encode(), given.encode()):
            raise StaleForm("the form is not from this page", hint="reload the page and try again")

    def _mac(self, purpose: str, body: bytes) -> bytes:
        if self._session_key is None:
            raise BadConfiguration("JUSTERA_SESSION_KEY is not set")
        return hmac.new(self._session_key, purpose.encode() + b"\0" + body, hashlib.sha256).digest()


async def principal_of(request: Request) -> Principal:
    """From the bearer token, else from the session cookie; `request.state.role` says it to the page, and what
    the request does from here on is for their organisation. Raises NotAuthenticated."""
    access: Access = request.app.state.access
    if token := _bearer_token(request):
        principal = access.by_token(token)
    elif access.cookie_of(request):
        principal = await access.by_request(request)
    else:
        raise NotAuthenticated("no token was given", hint="send Authorization: Bearer …, or open the login link")
    request.state.role = principal.role
    act_for(principal.organisation)
    return principal


def _bearer_token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def check_form(request: Request) -> None:
    """A change asked for by cookie must carry the page's CSRF token (form field or X-CSRF-Token); bearers need none."""
    if request.method in ("GET", "HEAD", "OPTIONS") or _bearer_token(request):
        return
    given = request.headers.get("x-csrf-token") or (await request.form()).get("csrf", "")
    access: Access = request.app.state.access
    access.check_csrf(access.cookie_of(request), str(given))


class RouteAccess:
    """Marks a route's dependency so that a test can see that access was declared. `organisation`: with roles, the only
    one whose people may call; without, whose rows an open route shows."""

    def __init__(self, roles: frozenset[Role], why: str = "", organisation: str | None = None) -> None:
        self.roles = roles
        self.why = why
        self.organisation = organisation

    async def __call__(self, request: Request) -> Principal | None:
        if not self.roles:
            if self.organisation is not None:
                act_for(self.organisation)
            return None
        principal = await principal_of(request)
        if principal.role not in self.roles:
            raise NotAllowed(f"this needs the role {' or '.join(sorted(self.roles))}; yours is {principal.role}")
        if self.organisation is not None and principal.organisation != self.organisation:
            raise NotAllowed("this token is of another organisation")
        await check_form(request)
        return principal


class _TokenAccess(RouteAccess, SecurityBase):
    """Access by token, which OpenAPI documents show as a security scheme."""

    model = HTTPBearerModel(description="A token made by `justera token`; its role says what it may do.")
    scheme_name = "token"


def requires(*roles: Role, organisation: str | None = None) -> Any:
    """Dependency: the caller has one of these roles. Its value is the Principal.

    `organisation`: only callers of this one, for what concerns the running service as a whole.
    """
    return Depends(_TokenAccess(frozenset(roles), organisation=organisation))


def public(why: str, organisation: str | None = None) -> Any:
    """Dependency: anyone may call this route, and says why. `organisation`: whose rows it shows, if any."""
    return Depends(RouteAccess(frozenset(), why, organisation))


def undeclared_routes(routes: list[Any]) -> list[str]:
    """Paths of routes that declare no access, those of included routers too; for the test that fails on any.

    The OpenAPI document and static files are open to all.
    """
    return [
        str(route.path)
        for route in iter_route_contexts(routes)
        if not _declares(getattr(route, "dependant", None)) and not _is_open(route)
    ]


def _is_open(route: Any) -> bool:
    return route.path in _DOCUMENTATION or isinstance(getattr(route, "app", None), StaticFiles)


def _declares(dependant: Any) -> bool:
    dependencies = getattr(dependant, "dependencies", ())
    return any(isinstance(one.call, RouteAccess) or _declares(one) for one in dependencies)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
