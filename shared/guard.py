"""What stands before every app: limits on what comes in, HEAD as GET, one spelling of an address, security headers."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.row_security import acting_for
from shared.suspension import knowing

BODY_SECONDS = 30.0  # for the whole body: 2 MiB in it take 70 kB/s
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # A link's token stands in the address of the first request: it must not travel on.
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Uploads:
    """Addresses that take files: larger bodies, and more time for them. `ends`: how their paths end. `largest`: bytes
    of a file that is taken, for people to read; the body may be somewhat larger."""

    ends: re.Pattern[str]
    max_bytes: int
    largest: int
    seconds: float = 300.0


class Guard:
    """Refuses bodies that are too large or too slow while they arrive, and adds the security headers to every answer.
    `page`: what a browser is shown of one that says itself that it is too large, and of how many bytes a file may be,
    where it is an address that takes files.

    HEAD is answered as GET, without the body: nothing is recorded by either. An address with a slash too many at its
    end is the one without: no redirect tells it, since one would repeat `Host` and a link's token.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int,
        problem: Callable[..., Response],
        body_seconds: float = BODY_SECONDS,
        uploads: Sequence[Uploads] = (),
        page: Callable[[Request, int | None], Response | None] = lambda _request, _most: None,
    ) -> None:
        self._app = app
        self._limit = max_body_bytes
        self._problem = problem
        self._body_seconds = body_seconds
        self._uploads = uploads
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(send)
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await self._problem(400, "invalid-input", "the address holds a NUL character")(scope, receive, send)
            return
        files = next((one for one in self._uploads if one.ends.search(scope["path"])), None)
        limit, seconds = (files.max_bytes, files.seconds) if files else (self._limit, self._body_seconds)
        if _declared_length(scope) > limit:
            refused = self._page(Request(scope), files.largest if files else None) or self._problem(
                413, "too-large", _too_large(limit)
            )
            await refused(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        scope = _without_last_slash(scope)
        # Until the route's access says for whom. A connection's next request may begin in what its last one set: the
        # server goes on reading from within it.
        with acting_for(), knowing(None):
            await self._app(scope, _limited(receive, limit, seconds), send)


def _too_large(limit: int) -> str:
    return f"the body is larger than {limit} bytes"


def _limited(receive: Receive, limit: int, seconds: float) -> Receive:
    taken = 0
    until = time.monotonic() + seconds
    complete = False

    async def limited() -> Message:
        nonlocal taken, complete
        if complete:  # what is waited for now is the client's leaving
            return await receive()
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                message = await receive()
        except TimeoutError as error:
            headers = {"connection": "close"}
            status = HTTPStatus.REQUEST_TIMEOUT
            raise HTTPException(status, "the body took too long to arrive", headers) from error
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(limit))
        complete = not message.get("more_body", False)
        return message

    return limited


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 19:
            return int(value)
    return 0


def _without_last_slash(scope: Scope) -> Scope:
    path: str = scope["path"]
    shorter = path.rstrip("/")
    if path == shorter or len(shorter) <= len(scope.get("root_path", "")):
        return scope
    return {**scope, "path": shorter}


def _without_body(send: Send) -> Send:
    async def headless(message: Message) -> None:
        if message["type"] == "http.response.body":
            if message.get("more_body", False):
                return
            message = {**message, "body": b""}
        await send(message)

    return headless


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            extra: list[Any] = [
                (name.encode(), value.encode())
                for name, value in SECURITY_HEADERS.items()
                if name.encode() not in present
            ]
            message["headers"] = [*message["headers"], *extra]
        await send(message)

    return guarded
