"""A real SMTP server (aiosmtpd) in the test's own event loop, that records what it is told and misbehaves on request.

async with RecordingSmtpServer() as server:
    server.at("rcpt", Reply("550 5.1.1 no such user"))          # the next RCPT, once
    server.refuse("gone@example.example", "550 5.1.1 unknown")  # that address, always
    ...
    assert server.mails[0].message["Subject"] == "..."
"""

import asyncio
import email
import email.policy
import ssl
from collections import defaultdict, deque
from dataclasses import dataclass, field
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session, syntax

Stage = Literal["connect", "mail", "rcpt", "data", "reply"]
"""`data`: the DATA command, before the mail. `reply`: the mail has arrived and is recorded; what is answered?"""


@dataclass(frozen=True)
class Reply:
    """Answer so, whatever was asked."""

    text: str


@dataclass(frozen=True)
class Drop:
    """Close the connection without an answer. At `reply` the mail was accepted, and the client cannot know."""


@dataclass(frozen=True)
class Delay:
    """Answer as usual, but only after so many seconds."""

    seconds: float


Behaviour = Reply | Drop | Delay


@dataclass
class Mail:
    """One accepted mail. Options are as given, such as `RET=HDRS`."""

    mail_from: str
    mail_options: list[str]
    recipient: str
    recipient_options: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class _Conversation:
    mail_options: list[str] = field(default_factory=list)
    recipient_options: list[str] = field(default_factory=list)


class RecordingSmtpServer:
    """`mails` in the order of arrival; `connections` counts those ever made, `open_connections` those alive."""

    def __init__(
        self,
        *,
        dsn: bool = True,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        """With `tls` STARTTLS is offered, or with `implicit_tls` the connection begins with TLS. `login` (user name,
        password) is then demanded."""
        self.mails: list[Mail] = []
        self.connections = 0
        self.dsn = dsn
        self.tls = tls
        self.login = login
        self.implicit_tls = implicit_tls
        self._port = port
        self._planned: dict[str, deque[Behaviour]] = defaultdict(deque)
        self._refused: dict[str, str] = {}
        self._protocols: set[_RecordingProtocol] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def open_connections(self) -> int:
        return len(self._protocols)

    def at(self, stage: Stage, *behaviours: Behaviour) -> None:
        """Behave so the next times that a conversation reaches this stage, one behaviour a time."""
        self._planned[stage].extend(behaviours)

    def refuse(self, address: str, reply: str) -> None:
        """Answer RCPT so for this address, always."""
        self._refused[address.lower()] = reply

    def accept(self, address: str) -> None:
        self._refused.pop(address.lower(), None)

    def mails_to(self, address: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.recipient.lower() == address.lower()]

    def drop_connections(self) -> None:
        """As a server does that closes idle connections."""
        for protocol in list(self._protocols):
            protocol.drop()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _RecordingProtocol(self), "127.0.0.1", self._port, ssl=self.tls if self.implicit_tls else None
        )

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.drop_connections()
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def check_login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        known = self.login is not None and (given.login.decode(), given.password.decode()) == self.login
        return AuthResult(success=known, handled=known)

    # aiosmtpd's hooks

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]] if self.dsn else responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._behave("mail", server)
        if answer is None:
            envelope.mail_from = address
        return answer or "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._behave("rcpt", server) or self._refused.get(address.lower())
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 2.1.5 OK"

    async def handle_DATA(self, server: "_RecordingProtocol", session: Session, envelope: Envelope) -> str:
        answer = await self._behave("reply", server, lambda: self._record(server, envelope))
        if answer is None:
            self._record(server, envelope)
        return answer or "250 2.0.0 queued"

    def _record(self, server: "_RecordingProtocol", envelope: Envelope) -> None:
        content: Any = envelope.content
        told = server.told
        self.mails += [
            Mail(str(envelope.mail_from), told.mail_options, recipient, told.recipient_options, bytes(content))
            for recipient in envelope.rcpt_tos
        ]

    async def _behave(self, stage: Stage, server: SMTP, before_drop: Any = None) -> str | None:
        """The reply that was planned, or None to go on as usual. Never returns after a drop."""
        planned = self._planned[stage]
        behaviour = planned.popleft() if planned else None
        if isinstance(behaviour, Reply):
            return behaviour.text
        if isinstance(behaviour, Delay):
            await asyncio.sleep(behaviour.seconds)
        if isinstance(behaviour, Drop):
            if before_drop is not None:
                before_drop()
            assert isinstance(server, _RecordingProtocol)
            server.drop()
            await asyncio.Event().wait()  # the lost connection cancels us
        return None


class _RecordingProtocol(SMTP):
    """Takes the parameters of RFC 3461, which aiosmtpd does not know."""

    def __init__(self, owner: RecordingSmtpServer) -> None:
        super().__init__(
            owner,
            hostname="mx.example",
            loop=asyncio.get_running_loop(),
            tls_context=None if owner.implicit_tls else owner.tls,
            auth_required=owner.login is not None,
            authenticator=owner.check_login,
        )
        self.command_size_limits["MAIL"] = self.command_size_limits["RCPT"] = 1024
        self.told = _Conversation()
        self._auth_require_tls = not owner.implicit_tls  # aiosmtpd knows only of STARTTLS
        self._owner = owner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._owner.connections += 1
        self._owner._protocols.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._owner._protocols.discard(self)
        super().connection_lost(error)

    def drop(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def _handle_client(self) -> None:
        answer = await self._owner._behave("connect", self)
        if answer is not None:
            await self.push(answer)
            self.drop()
            return
        await super()._handle_client()

    @syntax("MAIL FROM: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_MAIL(self, arg: str | None) -> None:
        rest, self.told.mail_options = _without_dsn_options(arg)
        await super().smtp_MAIL(rest)

    @syntax("RCPT TO: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_RCPT(self, arg: str | None) -> None:
        rest, self.told.recipient_options = _without_dsn_options(arg)
        await super().smtp_RCPT(rest)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        answer = await self._owner._behave("data", self)
        if answer is not None:
            await self.push(answer)
            return
        await super().smtp_DATA(arg)


def _without_dsn_options(arg: str | None) -> tuple[str | None, list[str]]:
    """What aiosmtpd may see, and all options."""
    if arg is None or ">" not in arg:
        return arg, []
    address, _, options = arg.rpartition(">")
    given = options.split()
    known = [each for each in given if each.partition("=")[0].upper() not in ("RET", "ENVID", "NOTIFY", "ORCPT")]
    return " ".join([f"{address}>", *known]), given
