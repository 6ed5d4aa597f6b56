"""Sending mail by SMTP (RFC 5321): a few connections kept open, and one of three outcomes for each mail.

SMTP cannot say whether a mail was taken when the connection is lost between the end of DATA and the reply: such a mail
is deferred, and sent again with the same `Message-ID`, by which the recipient's system may drop the second. Before DATA
nothing can have been taken, so a kept connection that turns out dead is replaced at once, without counting as a try.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal

import aiosmtplib

from services.notifications.letter.letter import MAIL_POLICY, ascii_address
from services.notifications.report.delivery_status import one_line
from services.notifications.verp import to_xtext
from shared.errors import InvalidInput
from shared.logging import get_logger

Security = Literal["none", "starttls", "tls"]

_CONNECTION_LOST = "4.4.2"  # RFC 3463: bad connection
_NO_ANSWER = "4.4.1"
_GOODBYE_SECONDS = 2
_ENHANCED_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\S)", re.ASCII)
# Refusals at RCPT that speak of the conversation or of our right to send, not of the recipient.
_NOT_ABOUT_THE_RECIPIENT = (500, 502, 503, 530, 555)

_log = get_logger(__name__)


@dataclass(frozen=True)
class SmtpSettings:
    """Where mail is handed in. Times are in seconds.

    `security`: `tls` from the first byte (RFC 8314), `starttls` (refused if the server does not offer it), or `none`.
    `timeout` holds for connecting and for each reply; `final_timeout` for the reply after the mail's last byte, where
    impatience makes duplicates (RFC 5321 section 4.5.3.2.6 asks for ten minutes). A connection takes no mail after
    `idle_seconds` without use, and no more than `mails_per_connection`.
    """

    host: str
    port: int
    security: Security = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    local_hostname: str | None = None
    timeout: float = 30
    final_timeout: float = 300
    connections: int = 4
    idle_seconds: float = 60
    mails_per_connection: int = 100
    tls_context: ssl.SSLContext | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Accepted:
    """The server took responsibility for the mail (RFC 5321 section 4.2.5)."""

    reply: str


@dataclass(frozen=True)
class Deferred:
    """Not taken, or not known to be taken: to be sent again later. `status` is an RFC 3463 code, mostly 4.x.x; a 5.x.x
    here is a refusal of us (login, sender), not of the recipient. `unreachable`: the server did not let us in."""

    status: str
    diagnostic: str
    unreachable: bool = False


@dataclass(frozen=True)
class Rejected:
    """Refused for good because of the recipient or the content: a bounce."""

    status: str
    diagnostic: str


Outcome = Accepted | Deferred | Rejected


class _StaleConnection(Exception):
    """A kept connection was closed by the server before it took anything of this mail."""


@dataclass
class _Connection:
    client: aiosmtplib.SMTP
    mails: int = 0
    idle_since: float = 0

    @property
    def is_used(self) -> bool:
        return self.mails > 1


class SmtpTransport:
    """Sends mails, up to `settings.connections` at a time; further callers wait. Close it with `aclose`."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.connections)
        self._idle: list[_Connection] = []
        self._is_closed = False

    async def send(self, message: EmailMessage, *, return_path: str, recipient: str, envelope_id: str) -> Outcome:
        """Hand one mail in for one recipient. `envelope_id` is printable ASCII. Raises nothing of SMTP's."""
        try:
            address = ascii_address(recipient)
        except InvalidInput as error:
            # RFC 6531 section 3.7.4.2 has a code for the first; the other is bad destination syntax.
            return Rejected("5.1.3" if recipient.isascii() else "5.6.7", error.message)
        content = message.as_bytes(policy=MAIL_POLICY)
        async with self._slots:
            try:
                return await self._send_over(await self._kept_connection(), content, return_path, address, envelope_id)
            except _StaleConnection:
                _log.info("smtp.connection_replaced")
            return await self._send_over(None, content, return_path, address, envelope_id)

    async def aclose(self) -> None:
        """Say goodbye on the idle connections. Mails under way finish, and close theirs."""
        self._is_closed = True
        while self._idle:
            await _quit(self._idle.pop())

    async def _send_over(
        self, kept: _Connection | None, content: bytes, return_path: str, recipient: str, envelope_id: str
    ) -> Outcome:
        try:
            connection = kept or await self._connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return _could_not_connect(error)
        connection.mails += 1
        async with self._returned_or_closed(connection):
            return await _converse(connection, content, return_path, recipient, envelope_id, self._settings)

    async def _connect(self) -> _Connection:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            username=settings.username,
            password=settings.password,
            local_hostname=settings.local_hostname,
            timeout=settings.timeout,
            tls_context=settings.tls_context,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except BaseException:
            client.close()
            raise
        return _Connection(client)

    async def _kept_connection(self) -> _Connection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.client.is_connected and now - connection.idle_since < self._settings.idle_seconds:
                return connection
            await _quit(connection)
        return None

    @asynccontextmanager
    async def _returned_or_closed(self, connection: _Connection) -> AsyncIterator[None]:
        try:
            yield
        except BaseException:
            connection.client.close()
            raise
        if not connection.client.is_connected:
            connection.client.close()
        elif self._is_closed or connection.mails >= self._settings.mails_per_connection:
            await _quit(connection)
        else:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)


async def _converse(
    connection: _Connection, content: bytes, return_path: str, recipient: str, envelope_id: str, settings: SmtpSettings
) -> Outcome:
    client = connection.client
    try:
        await client.mail(return_path, options=_mail_options(client, content, envelope_id))
        await client.rcpt(recipient, options=_recipient_options(client))
    except aiosmtplib.SMTPResponseException as error:
        if error.code == 421 and connection.is_used:
            raise _StaleConnection from error
        return await _refused(client, error)
    except TimeoutError as error:
        return _lost(client, _told(error))
    except (aiosmtplib.SMTPException, OSError) as error:
        if connection.is_used:
            raise _StaleConnection from error
        return _lost(client, "the connection was lost before the mail was sent")
    return await _hand_over(client, content, settings)


async def _hand_over(client: aiosmtplib.SMTP, content: bytes, settings: SmtpSettings) -> Outcome:
    try:
        reply = await client.data(content, timeout=settings.final_timeout)
    except aiosmtplib.SMTPResponseException as error:
        return await _refused(client, error)
    except (aiosmtplib.SMTPException, OSError):
        return _lost(client, "the connection was lost after the mail was sent, before the reply")
    return Accepted(_diagnostic(reply.code, reply.message))


async def _refused(client: aiosmtplib.SMTP, error: aiosmtplib.SMTPResponseException) -> Outcome:
    """A reply of 4xx or 5xx. The connection is fit for the next mail after RSET."""
    await _reset(client, error.code)
    status, diagnostic = _status(error.code, error.message), _diagnostic(error.code, error.message)
    if isinstance(error, aiosmtplib.SMTPSenderRefused) or not 500 <= error.code < 600:
        return Deferred(status, diagnostic)
    if isinstance(error, aiosmtplib.SMTPRecipientRefused) and error.code in _NOT_ABOUT_THE_RECIPIENT:
        return Deferred(status, diagnostic)
    return Rejected(status, diagnostic)


async def _reset(client: aiosmtplib.SMTP, code: int) -> None:
    """RFC 5321 section 3.8: a server that answers 421 is about to close; any code outside 4xx and 5xx is no SMTP."""
    if code == 421 or not 400 <= code < 600:
        client.close()
        return
    try:
        await client.rset()
    except (aiosmtplib.SMTPException, OSError):
        client.close()


def _lost(client: aiosmtplib.SMTP, diagnostic: str) -> Deferred:
    client.close()
    return Deferred(_CONNECTION_LOST, diagnostic)


def _could_not_connect(error: Exception) -> Deferred:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return Deferred(_status(error.code, error.message), _diagnostic(error.code, error.message), unreachable=True)
    return Deferred(_NO_ANSWER, f"no connection to the mail server: {_told(error)}", unreachable=True)


def _told(error: Exception) -> str:
    return one_line(str(error)) or type(error).__name__


def _mail_options(client: aiosmtplib.SMTP, content: bytes, envelope_id: str) -> list[str]:
    options = []
    if client.supports_extension("size"):
        options.append(f"SIZE={len(content)}")
    if client.supports_extension("dsn"):
        options += ["RET=HDRS", f"ENVID={to_xtext(envelope_id)}"]
    return options


def _recipient_options(client: aiosmtplib.SMTP) -> list[str]:
    return ["NOTIFY=FAILURE,DELAY"] if client.supports_extension("dsn") else []


def _status(code: int, text: str) -> str:
    """The enhanced status code at the start of the reply's text (RFC 2034), if it agrees with the reply's code."""
    match = _ENHANCED_STATUS.match(text.strip())
    if match and match[1] == str(code)[0]:
        return match[0]
    return "5.0.0" if 500 <= code < 600 else "4.0.0"


def _diagnostic(code: int, text: str) -> str:
    return one_line(f"{code} {text}" if code > 0 else text)


async def _quit(connection: _Connection) -> None:
    with suppress(aiosmtplib.SMTPException, OSError):
        await connection.client.quit(timeout=_GOODBYE_SECONDS)
    connection.client.close()
