"""A small SMTP server that takes delivery reports: mail to our signed return paths, and nothing else.

It runs in the service's own event loop. A report is acknowledged (250) only after `take` has returned, that is after
the service has committed what the report says; if that fails the mail server is told to try again (451, RFC 5321
section 4.2.1), so nothing is lost, and something may come twice.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.notifications.reports import MAX_REPORT_BYTES
from services.notifications.verp import token_in
from shared.errors import InvalidInput
from shared.logging import get_logger

TakeReport = Callable[[bytes, str | None], Awaitable[None]]
"""Handles one received mail: its raw bytes, and the return path's token where the receiver knows it. Returns when the
outcome is committed. Raises InvalidInput when the mail cannot be read; anything else means "try again"."""

IsOurs = Callable[[str], bool]
"""Whether a token (lower case) was signed by us; see `verp.decode`. It must not block."""

# A server that forbids long lines loses reports of servers that write them (RFC 5322 section 2.1.1 says 998).
_LONGEST_LINE = 64 * 1024
_COMMANDS_PER_CONNECTION = 200

_log = get_logger(__name__)


@dataclass(frozen=True)
class ListenerSettings:
    """Where to listen, and for which domain's return paths. `timeout` is the seconds a command, or a whole mail, may
    take. Port 0 takes a free one. With `tls_context` the listener offers STARTTLS (RFC 3207)."""

    host: str
    port: int
    domain: str
    max_bytes: int = MAX_REPORT_BYTES
    max_connections: int = 50
    timeout: float = 60
    tls_context: ssl.SSLContext | None = None


class ReportListener:
    """Start it with `start`, or use it as an asynchronous context manager; `port` is known from then on."""

    def __init__(self, settings: ListenerSettings, *, is_ours: IsOurs, take: TakeReport) -> None:
        self._settings = settings
        self._handler = _Handler(settings.domain, is_ours, take)
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the listener has not been started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Raises OSError when the address cannot be bound."""
        self._server = await asyncio.get_running_loop().create_server(
            self._new_connection, self._settings.host, self._settings.port
        )

    async def stop(self) -> None:
        """Take no more; reports whose `take` is under way are finished, though their answer may no longer arrive."""
        if self._server is None:
            return
        self._server.close()
        await self._handler.finish()
        for connection in list(self._connections):
            connection.abort()
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> "ReportListener":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _new_connection(self) -> asyncio.BaseProtocol:
        if len(self._connections) >= self._settings.max_connections:
            _log.warning("report_listener.busy", connections=len(self._connections))
            return _Busy()
        connection = _Connection(self._handler, self._settings, self._connections.discard)
        self._connections.add(connection)
        return connection


class _Busy(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  narrows the type: create_server makes no other
        transport.write(b"421 4.3.2 too many connections, try again later\r\n")
        transport.close()


class _Connection(SMTP):
    """aiosmtpd's protocol with a bound on what it holds: it discards mails that are too large, not endless lines."""

    line_length_limit = _LONGEST_LINE

    def __init__(
        self, handler: "_Handler", settings: ListenerSettings, on_end: Callable[["_Connection"], None]
    ) -> None:
        super().__init__(
            handler,
            data_size_limit=settings.max_bytes,
            hostname=settings.domain,
            ident="delivery reports",
            tls_context=settings.tls_context,
            timeout=settings.timeout,
            command_call_limit=_COMMANDS_PER_CONNECTION,
            loop=asyncio.get_running_loop(),
        )
        self._longest = settings.max_bytes + _LONGEST_LINE
        self._received = 0
        self._on_end = on_end

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > self._longest:
            _log.warning("report_listener.too_large")
            self.abort()
            return
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._on_end(self)
        super().connection_lost(error)

    def abort(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    def _set_post_data_state(self) -> None:
        """Called by aiosmtpd at the end of each mail, and at RSET."""
        self._received = 0
        super()._set_post_data_state()  # type: ignore[no-untyped-call]


class _Handler:
    """aiosmtpd's hooks. Each mail has one recipient, so that its answer speaks of one report."""

    def __init__(self, domain: str, is_ours: IsOurs, take: TakeReport) -> None:
        self._domain = domain
        self._is_ours = is_ours
        self._take = take
        self._under_way: set[asyncio.Task[None]] = set()

    async def finish(self) -> None:
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient a mail"
        token = token_in(address, domain=self._domain)
        if token is None or not self._is_ours(token):
            return "550 5.1.1 no such address"
        envelope.rcpt_tos.append(token)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw: Any = envelope.content
        # aiosmtpd cancels us when the connection is lost; what has begun to be committed is finished all the same.
        taking = asyncio.ensure_future(self._take(bytes(raw), envelope.rcpt_tos[0]))
        self._under_way.add(taking)
        taking.add_done_callback(self._end)
        try:
            await asyncio.shield(taking)
        except InvalidInput:
            return "554 5.6.0 cannot be read as a delivery report"
        except Exception as error:
            _log.warning("report_listener.not_taken", error=type(error).__name__)
            return "451 4.3.0 cannot take it now, try again later"
        return "250 2.0.0 taken"

    async def handle_exception(self, error: Exception) -> str:
        _log.error("report_listener.failed", error=type(error).__name__)
        return "451 4.3.0 cannot take it now, try again later"

    def _end(self, taking: "asyncio.Task[None]") -> None:
        self._under_way.discard(taking)
        if not taking.cancelled():
            taking.exception()  # marks it as seen: when the connection was lost nobody else looks
