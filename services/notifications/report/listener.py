"""A small SMTP server that takes delivery reports and answers to invitations: mail to addresses that we signed, and
nothing else.

It runs in the service's own event loop. A report is acknowledged (250) only after `take` has returned, that is after
the service has committed what the report says; if that fails the mail server is told to try again (451, RFC 5321
section 4.2.1), so nothing is lost, and something may come twice.

No client can hold its door: each command and each conversation has its time, one host gets a share of the places, and
when all are taken a newcomer gets that of a conversation which has stood still, first of those from where most have
come. A byte now and then is standing still: what counts are whole commands, and a mail that goes on. Who is over the
share is put off; to end an older conversation of its host instead would have the two take turns for ever. How many
reports come about one mail, and from one address, is limited too.
"""

import asyncio
import ipaddress
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.notifications.report.report import MAX_REPORT_BYTES
from services.notifications.verp import organiser_in, token_in
from shared.errors import InvalidInput
from shared.logging import get_logger
from shared.web.limits import RateLimit, TooMany

TakeReport = Callable[[bytes, str | None], Awaitable[None]]
"""Handles one received mail: its raw bytes, and the return path's token or the organiser's local part, where the
receiver knows it. Returns when the outcome is committed. Raises InvalidInput when the mail cannot be read; anything
else means "try again"."""

IsOurs = Callable[[str], bool]
"""Whether a token or local part (lower case) was signed by us; see `verp`. It must not block."""

# A server that forbids long lines loses reports of servers that write them (RFC 5322 section 2.1.1 says 998).
_LONGEST_LINE = 64 * 1024
_COMMANDS_PER_CONNECTION = 200
_DISCARDED = 32 * 1024 * 1024  # bytes of a mail that is too large, which its sender is let finish to hear so
_END_OF_MAIL = b"\r\n.\r\n"
_PROGRESS = 4 * 1024  # bytes of a mail that count as much as a command
_NETWORK_BITS = {4: 32, 6: 64}  # what one host has of an address

_log = get_logger(__name__)


@dataclass(frozen=True)
class ListenerSettings:
    """Where to listen, and for which domain's return paths. Port 0 takes a free one. With `tls_context` the listener
    offers STARTTLS (RFC 3207).

    One host (an IPv6 /64) has `places_per_host` of the places: more than the 20 that Postfix opens to one destination,
    so that the mail server which passes on everybody's reports is not held up, and no more than half.

    Times are in seconds: `timeout` is what a command, or a whole mail, may take, `conversation` all of them together.
    One that says nothing for `patience` gives its place up when others wait. Limits are a number at once and a number
    a second: of reports about one mail, and of recipients named by one host (an IPv6 /64; often a mail server that
    passes on everybody's reports).
    """

    host: str
    port: int
    domain: str
    max_bytes: int = MAX_REPORT_BYTES
    max_connections: int = 50
    places_per_host: int = 25
    timeout: float = 60
    conversation: float = 300
    patience: float = 5
    reports_per_mail: tuple[int, float] = (10, 1 / 60)
    recipients_per_host: tuple[int, float] = (500, 10.0)
    tls_context: ssl.SSLContext | None = None


class ReportListener:
    """Start it with `start`, or use it as an asynchronous context manager; `port` is known from then on."""

    def __init__(
        self,
        settings: ListenerSettings,
        *,
        is_ours: IsOurs,
        take: TakeReport,
        further_domains: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._settings = settings
        self._handler = _Handler(settings, is_ours, take, further_domains)
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._stopping = False

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the listener has not been started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Raises OSError when the address cannot be bound."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Door(self._place_for), self._settings.host, self._settings.port
        )

    async def stop(self) -> None:
        """Take no more; reports whose `take` is under way are finished, though their answer may no longer arrive."""
        if self._server is None:
            return
        self._stopping = True
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

    def _place_for(self, host: str) -> "_Connection | None":
        """None when there is none, or it stops."""
        held = sum(connection.host == host for connection in self._connections)
        if held >= self._settings.places_per_host:
            _log.warning("report_listener.share_taken", connections=len(self._connections), of_its_host=held)
            return None
        if self._stopping:
            return None
        if len(self._connections) >= self._settings.max_connections and not self._make_room():
            _log.warning("report_listener.busy", connections=len(self._connections))
            return None
        connection = _Connection(self._handler, self._settings, host, self._connections.discard)
        self._connections.add(connection)
        return connection

    def _make_room(self) -> bool:
        """End the conversation that has stood still longest, of those from the host that holds most places."""
        held = Counter(connection.host for connection in self._connections)
        still = [each for each in self._connections if each.stands_still]
        if not still:
            return False
        ended = min(still, key=lambda each: (-held[each.host], each.heard_at))
        _log.warning("report_listener.made_room", connections=len(self._connections), of_its_host=held[ended.host])
        self._connections.discard(ended)
        ended.end()
        return True


class _Door(asyncio.Protocol):
    """Gives a client its conversation as soon as we know who it is, or puts it off."""

    def __init__(self, place_for: "Callable[[str], _Connection | None]") -> None:
        self._place_for = place_for

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  narrows the type: create_server makes no other
        connection = self._place_for(_host(transport.get_extra_info("peername")))
        if connection is None:
            transport.write(b"421 4.3.2 too many connections, try again later\r\n")
            transport.close()
            return
        transport.set_protocol(connection)
        connection.connection_made(transport)


class _Connection(SMTP):
    """aiosmtpd's protocol with a bound on what it holds: it discards mails that are too large, not endless lines."""

    line_length_limit = _LONGEST_LINE

    def __init__(
        self, handler: "_Handler", settings: ListenerSettings, host: str, on_end: Callable[["_Connection"], None]
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
        self._refused = b""  # the end of what has come since
        self._on_end = on_end
        self._patience = settings.patience
        self._deadline = self.loop.call_later(settings.conversation, self._over)
        self.heard_at = self.loop.time()
        self.host = host
        self.taking = False
        self._unheard = 0

    @property
    def stands_still(self) -> bool:
        """It is the client's turn, and has been for longer than is polite while others wait."""
        return not self.taking and self.loop.time() - self.heard_at >= self._patience

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > self._longest:
            self._refuse(data)
            return
        self._unheard += len(data) if self.envelope and self.envelope.rcpt_tos else 0
        if self._unheard >= _PROGRESS:
            self._heard()
        super().data_received(data)

    def _refuse(self, data: bytes) -> None:
        """Say so at once, and hear the rest out without keeping it: whoever is cut off in a mail sends it again."""
        if not isinstance(self.transport, asyncio.WriteTransport):
            return
        if not self._refused:
            _log.warning("report_listener.too_large")
            self.transport.write(b"552 5.3.4 the mail is too large\r\n")
        self._refused = (self._refused + data)[-len(_END_OF_MAIL) :]
        if self._refused == _END_OF_MAIL or self._received > _DISCARDED:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._deadline.cancel()
        self._on_end(self)
        super().connection_lost(error)

    def end(self) -> None:
        """RFC 5321 section 3.8: a server that must close says 421."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.write(b"421 4.4.2 this has taken too long, try again later\r\n")
            self.transport.close()

    def _over(self) -> None:
        if self.taking:
            self._deadline = self.loop.call_later(1, self._over)
            return
        _log.warning("report_listener.conversation_too_long")
        self.end()

    def abort(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    def _heard(self) -> None:
        self.heard_at = self.loop.time()
        self._unheard = 0

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Called by aiosmtpd for each whole command that it knows."""
        self._heard()
        super()._reset_timeout(duration)

    def _set_post_data_state(self) -> None:
        """Called by aiosmtpd at the end of each mail, and at RSET."""
        self._received = 0
        super()._set_post_data_state()  # type: ignore[no-untyped-call]


class _Handler:
    """aiosmtpd's hooks. Each mail has one recipient, so that its answer speaks of one report."""

    def __init__(
        self,
        settings: ListenerSettings,
        is_ours: IsOurs,
        take: TakeReport,
        further_domains: Callable[[], Collection[str]],
    ) -> None:
        self._domain = settings.domain.lower()
        self._further_domains = further_domains
        self._per_mail = _limit(settings.reports_per_mail)
        self._per_host = _limit(settings.recipients_per_host)
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
        try:
            self._per_host.spend(_host(session.peer))
            domains = {self._domain, *self._further_domains()}
            token = token_in(address, domains=domains) or organiser_in(address, domains=domains)
            if token is None or not self._is_ours(token):
                return "550 5.1.1 no such address"
            self._per_mail.spend(token)
        except TooMany:
            _log.warning("report_listener.too_many")
            return "451 4.7.1 too many at once, try again later"
        envelope.rcpt_tos.append(token)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw: Any = envelope.content
        # aiosmtpd cancels us when the connection is lost; what has begun to be committed is finished all the same.
        taking = asyncio.ensure_future(self._take(bytes(raw), envelope.rcpt_tos[0]))
        self._under_way.add(taking)
        taking.add_done_callback(self._end)
        try:
            _taking(server, under_way=True)
            await asyncio.shield(taking)
        except InvalidInput:
            return "554 5.6.0 cannot be read as a delivery report"
        except Exception as error:
            _log.warning("report_listener.not_taken", error=type(error).__name__)
            return "451 4.3.0 cannot take it now, try again later"
        finally:
            _taking(server, under_way=False)
        return "250 2.0.0 taken"

    async def handle_exception(self, error: Exception) -> str:
        _log.error("report_listener.failed", error=type(error).__name__)
        return "451 4.3.0 cannot take it now, try again later"

    def _end(self, taking: "asyncio.Task[None]") -> None:
        self._under_way.discard(taking)
        if not taking.cancelled():
            taking.exception()  # marks it as seen: when the connection was lost nobody else looks


def _taking(server: SMTP, *, under_way: bool) -> None:
    if isinstance(server, _Connection):
        server.taking = under_way
        server.heard_at = server.loop.time()


def _limit(allowed: tuple[int, float]) -> RateLimit:
    burst, per_second = allowed
    return RateLimit(burst=burst, per_second=per_second)


def _host(peer: object) -> str:
    """What is counted as one host: an IPv4 address, or an IPv6 network of the size that one host gets."""
    text = str(peer[0]) if isinstance(peer, tuple) and peer else ""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    return str(ipaddress.ip_network((address, _NETWORK_BITS[address.version]), strict=False))
