"""Who may do what: bearer tokens (RFC 6750) with a role and an organisation, and browser sessions made from them.

Tokens are random and stored as SHA-256 only. Every route declares its roles with `requires(...)`, or that it is open to
all with `public(why)`; a test walks all routes and fails on one that declares neither.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.routing import iter_route_contexts
from fastapi.security.base import SecurityBase
from pydantic import BaseModel, Field, ValidationError
from starlette.staticfiles import StaticFiles

from shared.errors import NotAllowed, NotAuthenticated
from shared.names import Role as Role
from shared.settings import BadConfiguration

_DOCUMENTATION = ("/openapi.json",)
SESSION_COOKIE = "justera_session"
SESSION_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `name` is the token's label, an id for logs."""

    organisation: str
    role: Role
    name: str


class TokenRecord(BaseModel):
    """A token as stored. `expires`: Unix seconds, absent for one that does not."""

    name: str = Field(min_length=1, max_length=100)
    role: Role
    organisation: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    expires: float | None = None


def new_token() -> str:
    """32 random bytes, 43 characters: shown once, stored as a hash only."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Plain SHA-256 suffices for 256 random bits; a slow hash is for what people choose."""
    return hashlib.sha256(token.encode()).hexdigest()


class Access:
    """Knows the tokens and makes sessions. `session_key`: 32 bytes; without one there are no browser sessions."""

    def __init__(self, tokens: tuple[TokenRecord, ...], session_key: bytes | None) -> None:
        self._tokens = {token.sha256: token for token in tokens}
        self._session_key = session_key

    def by_token(self, token: str) -> Principal:
        """Raises NotAuthenticated."""
        record = self._tokens.get(token_hash(token))
        if record is None or (record.expires is not None and record.expires < time.time()):
            raise NotAuthenticated("the token is unknown or has expired", hint="ask your operator for a new one")
        return Principal(record.organisation, record.role, record.name)

    def open_session(self, principal: Principal) -> str:
        """A signed cookie value that holds for 12 hours."""
        claims = {"o": principal.organisation, "r": principal.role, "n": principal.name}
        return self.sign("session", claims, SESSION_SECONDS)

    def by_session(self, cookie: str) -> Principal:
        """Raises NotAuthenticated."""
        claims = self.verify("session", cookie)
        try:
            return Principal(claims["o"], Role(claims["r"]), claims["n"])
        except (KeyError, ValueError) as error:
            raise NotAuthenticated("please log in again") from error

    def sign(self, purpose: str, claims: dict[str, Any], seconds: int) -> str:
        """Claims with an expiry, signed for one purpose. Not secret: put nothing private in."""
        if self._session_key is None:
            raise BadConfiguration("JUSTERA_SESSION_KEY is not set")
        body = json.dumps({**claims, "exp": int(time.time()) + seconds}, separators=(",", ":")).encode()
        return f"{_b64(body)}.{_b64(self._mac(purpose, body))}"

    def verify(self, purpose: str, value: str) -> dict[str, Any]:
        """Raises NotAuthenticated for a value that is forged, expired, or made for another purpose."""
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
        return claims

    def csrf_token(self, cookie: str) -> str:
        """Bound to the session's cookie: a page of another site cannot know it."""
        return _b64(self._mac("csrf", cookie.encode()))

    def check_csrf(self, cookie: str, given: str) -> None:
        """Raises NotAllowed."""
        if not hmac.compare_digest(self.csrf_token(cookie).encode(), given.encode()):
            raise NotAllowed("the form is not from this page", hint="reload the page and try again")

    def _mac(self, purpose: str, body: bytes) -> bytes:
        if self._session_key is None:
            raise BadConfiguration("JUSTERA_SESSION_KEY is not set")
        return hmac.new(self._session_key, purpose.encode() + b"\0" + body, hashlib.sha256).digest()


def read_tokens(path: Path | None) -> tuple[TokenRecord, ...]:
    """The token file: a JSON list of TokenRecord. Raises BadConfiguration."""
    if path is None:
        return ()
    try:
        return tuple(TokenRecord.model_validate(item) for item in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise BadConfiguration(f"JUSTERA_TOKENS_FILE: {path} cannot be read as a list of tokens") from error


def principal_of(request: Request) -> Principal:
    """From the bearer token, else from the session cookie. Raises NotAuthenticated."""
    access: Access = request.app.state.access
    if token := _bearer_token(request):
        return access.by_token(token)
    if cookie := request.cookies.get(SESSION_COOKIE):
        return access.by_session(cookie)
    raise NotAuthenticated("no token was given", hint="send Authorization: Bearer …, or open the login link")


def _bearer_token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def check_form(request: Request) -> None:
    """A change asked for by cookie must carry the page's CSRF token (form field or X-CSRF-Token); bearers need none."""
    if request.method in ("GET", "HEAD", "OPTIONS") or _bearer_token(request):
        return
    cookie = request.cookies.get(SESSION_COOKIE, "")
    given = request.headers.get("x-csrf-token") or (await request.form()).get("csrf", "")
    access: Access = request.app.state.access
    access.check_csrf(cookie, str(given))


class RouteAccess:
    """Marks a route's dependency so that a test can see that access was declared."""

    def __init__(self, roles: frozenset[Role], why: str = "", organisation: str | None = None) -> None:
        self.roles = roles
        self.why = why
        self.organisation = organisation

    async def __call__(self, request: Request) -> Principal | None:
        if not self.roles:
            return None
        principal = principal_of(request)
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


def public(why: str) -> Any:
    """Dependency: anyone may call this route, and says why."""
    return Depends(RouteAccess(frozenset(), why))


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
