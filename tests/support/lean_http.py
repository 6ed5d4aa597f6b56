"""A lean HTTP/1.1 client (RFC 9112) for load: kept connections, and a small part of a usual client's CPU time.

For our own servers only: no redirects, no cookies, no TLS, no compression.
"""

import asyncio
import json
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

_KEPT_SECONDS = 3.0  # uvicorn closes a connection after five idle seconds
_LIMIT = 1 << 20


class NoAnswer(Exception):
    """Nobody is there, or the connection was lost: what was asked for may have been done, or not."""


@dataclass(frozen=True)
class Answer:
    """`headers` by their names in lower case."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    kept_since: float = 0.0


class LeanHttp:
    """`timeout` is seconds for each request. Close it."""

    def __init__(self, *, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._kept: defaultdict[tuple[str, int], list[_Connection]] = defaultdict(list)

    async def close(self) -> None:
        for kept in self._kept.values():
            for connection in kept:
                connection.writer.transport.abort()
        self._kept.clear()

    async def request(
        self, method: str, url: str, headers: dict[str, str], *, json: Any = None, form: dict[str, str] | None = None
    ) -> Answer:
        """Raises NoAnswer."""
        parts = urlsplit(url)
        place = parts.hostname or "", parts.port or 80
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        message = _message(method, target, parts.netloc, headers, json, form)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._ask(place, message)
        except (OSError, EOFError, TimeoutError) as error:
            raise NoAnswer(f"{method} {url}: {type(error).__name__}") from error

    async def _ask(self, place: tuple[str, int], message: bytes) -> Answer:
        connection = self._kept_connection(place)
        if connection is None:
            connection = _Connection(*await asyncio.open_connection(*place, limit=_LIMIT))
        try:
            connection.writer.write(message)
            answer = await _read(connection.reader)
        except BaseException:
            connection.writer.transport.abort()
            raise
        if answer.headers.get("connection") == "close":
            connection.writer.transport.abort()
        else:
            connection.kept_since = time.monotonic()
            self._kept[place].append(connection)
        return answer

    def _kept_connection(self, place: tuple[str, int]) -> _Connection | None:
        """The one used last; those that are old, or that the server has closed, are thrown away."""
        kept = self._kept[place]
        while kept:
            connection = kept.pop()
            if time.monotonic() - connection.kept_since < _KEPT_SECONDS and not connection.reader.at_eof():
                return connection
            connection.writer.transport.abort()
        return None


def _message(
    method: str, target: str, host: str, headers: dict[str, str], json_body: Any, form: dict[str, str] | None
) -> bytes:
    body, kind = b"", ""
    if json_body is not None:
        body, kind = json.dumps(json_body).encode(), "application/json"
    elif form is not None:
        body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    if method != "GET":
        lines.append(f"content-length: {len(body)}")
    if kind:
        lines.append(f"content-type: {kind}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(first.split(" ", 2)[1])
    if headers.get("transfer-encoding") == "chunked":
        content = await _read_chunks(reader)
    else:
        content = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(status, headers, content)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    chunks = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunks.append(await reader.readexactly(size))
        await reader.readuntil(b"\r\n")
    await reader.readuntil(b"\r\n")
    return b"".join(chunks)
