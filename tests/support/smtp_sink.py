"""A lean SMTP server for thousands of mails: it keeps of each what a drill or a benchmark asks, and lets people wait.

async with SmtpSink() as sink:                              # JUSTERA_SMTP_PORT = sink.port
    mail = await sink.mail("maja.lind@norrdalen.example", "request")
    mail.link, mail.accepted_at

A second copy of a mail (the same Message-ID) is recorded in `mails`, but nobody waits for copies. Misbehaviour comes
from `behave`, asked at each stage of a conversation (`tests.support.smtp_server` has the vocabulary).
"""

import asyncio
import base64
import quopri
import re
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from tests.support.smtp_server import Behaviour, Delay, Drop, Reply, Stage

Kind = Literal["request", "copy", "note"]
"""A mail with a link to sign (a request or reminder), with a link to the sealed copy, or with neither (a receipt, or
what a member is told, with a link to their own page)."""

_LIMIT = 1 << 20  # bytes of one mail
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>\s]+>)", re.IGNORECASE | re.MULTILINE)
_TEXT_PART = re.compile(rb"^Content-Type: text/plain.*?\r\n\r\n", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_ENCODING = re.compile(rb"Content-Transfer-Encoding: *([\w-]+)", re.IGNORECASE)
_LINK = re.compile(rb"https?://\S+/(signing/s|archive/copies|meetings/my)/\S+")
_KINDS: dict[bytes, Kind] = {b"signing/s": "request", b"archive/copies": "copy"}
_ADDRESS = re.compile(r"<([^>]*)>")


@dataclass(slots=True)
class Conversation:
    """One connection. `ended_at` is monotonic seconds; `said_goodbye` that it ended by QUIT."""

    said_goodbye: bool = False
    ended_at: float | None = None


@dataclass(slots=True)
class SinkMail:
    """One mail that was taken. `accepted_at` is monotonic seconds, `taken_at` the same moment in seconds of Unix time.

    `answered`: the client was sent the reply; without it the client cannot know that the mail was taken.
    """

    message_id: str
    recipient: str
    kind: Kind
    link: str
    accepted_at: float
    taken_at: float
    conversation: Conversation
    answered: bool = False


@dataclass(slots=True)
class _Box:
    """What came to one address of one kind, without second copies, and who waits for the so-manieth."""

    mails: list[SinkMail] = field(default_factory=list)
    waiting: list[tuple[int, "asyncio.Future[SinkMail]"]] = field(default_factory=list)


class SmtpSink:
    """`mails` in the order of arrival, second copies included. `refused` holds the addresses that do not exist.

    It listens at `host` and `port`.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, behave: Callable[[Stage], Behaviour | None] | None = None
    ) -> None:
        self.mails: list[SinkMail] = []
        self.refused: set[str] = set()
        self.behave = behave
        self.host = host
        self._port = port
        self._boxes: defaultdict[tuple[str, Kind], _Box] = defaultdict(_Box)
        self._known: set[str] = set()
        self._server: asyncio.Server | None = None
        self._talking: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def mail(self, recipient: str, kind: Kind, number: int = 1) -> SinkMail:
        """Wait for the so-manieth mail of this kind to the address, counted from 1."""
        box = self._boxes[recipient, kind]
        if len(box.mails) >= number:
            return box.mails[number - 1]
        awaited: asyncio.Future[SinkMail] = asyncio.get_running_loop().create_future()
        box.waiting.append((number, awaited))
        return await awaited

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, self.host, self._port, limit=_LIMIT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._talking):
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)

    def _take(self, recipient: str, raw: bytes, conversation: Conversation) -> SinkMail:
        message_id, kind, link = _read(raw)
        mail = SinkMail(message_id, recipient, kind, link, time.monotonic(), time.time(), conversation)
        self.mails.append(mail)
        if message_id not in self._known:
            self._known.add(message_id)
            self._put(self._boxes[recipient, kind], mail)
        return mail

    def _put(self, box: _Box, mail: SinkMail) -> None:
        box.mails.append(mail)
        for number, awaited in box.waiting:
            if number == len(box.mails) and not awaited.done():
                awaited.set_result(mail)
        box.waiting = [(number, awaited) for number, awaited in box.waiting if not awaited.done()]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talking.add(task)
        conversation = Conversation()
        try:
            await _Talk(self, reader, writer, conversation).hold()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side is gone, or the test has ended
        finally:
            self._talking.discard(task)
            conversation.ended_at = time.monotonic()
            writer.transport.abort()


class _Dropped(ConnectionError):
    """We hang up in the middle of it."""


class _Talk:
    """One SMTP conversation (RFC 5321): each mail to one recipient."""

    def __init__(
        self, sink: SmtpSink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, conversation: Conversation
    ) -> None:
        self._sink = sink
        self._reader = reader
        self._writer = writer
        self._conversation = conversation
        self._recipient = ""

    async def hold(self) -> None:
        await self._answer("connect", "220 mx.example ESMTP")
        while line := (await self._reader.readline()).decode("ascii", "replace").strip():
            command = line[:4].upper()
            if command == "QUIT":
                self._conversation.said_goodbye = True
                await self._say("221 2.0.0 bye")
                return
            await self._obey(command, line)

    async def _obey(self, command: str, line: str) -> None:
        if command == "EHLO":
            await self._say("250-mx.example\r\n250-SIZE 1000000\r\n250-DSN\r\n250 8BITMIME")
        elif command == "MAIL":
            await self._answer("mail", "250 2.1.0 ok")
        elif command == "RCPT":
            self._recipient = _address(line)
            known = self._recipient not in self._sink.refused
            await self._answer("rcpt", "250 2.1.5 ok" if known else "550 5.1.1 no such user")
        elif command == "DATA":
            if (await self._answer("data", "354 go on")).startswith("354"):
                await self._take_mail()
        elif command in ("RSET", "NOOP", "HELO"):
            await self._say("250 2.0.0 ok")
        else:
            await self._say("502 5.5.1 not known here")

    async def _take_mail(self) -> None:
        raw = await self._reader.readuntil(b"\r\n.\r\n")
        behaviour = self._behaviour("reply")
        if isinstance(behaviour, Reply):
            await self._say(behaviour.text)
            return
        if isinstance(behaviour, Delay):
            await asyncio.sleep(behaviour.seconds)
        mail = self._sink._take(self._recipient, raw, self._conversation)
        if isinstance(behaviour, Drop):
            raise _Dropped
        mail.answered = True
        await self._say("250 2.0.0 taken")

    async def _answer(self, stage: Stage, usual: str) -> str:
        """Say what is usual, or misbehave; what was said."""
        behaviour = self._behaviour(stage)
        if isinstance(behaviour, Drop):
            raise _Dropped
        if isinstance(behaviour, Delay):
            await asyncio.sleep(behaviour.seconds)
        text = behaviour.text if isinstance(behaviour, Reply) else usual
        await self._say(text)
        return text

    def _behaviour(self, stage: Stage) -> Behaviour | None:
        return self._sink.behave(stage) if self._sink.behave is not None else None

    async def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        await self._writer.drain()


def _read(raw: bytes) -> tuple[str, Kind, str]:
    """Message-ID, kind and link of a mail of ours."""
    found = _MESSAGE_ID.search(raw)
    assert found is not None, raw[:2000]
    link = _LINK.search(_text(raw))
    kind = _KINDS.get(link.group(1), "note") if link is not None else "note"
    return found.group(1).decode(), kind, link.group().decode() if link is not None else ""


def _text(raw: bytes) -> bytes:
    """The plain-text alternative, decoded."""
    head = _TEXT_PART.search(raw)
    assert head is not None, raw[:2000]
    body = raw[head.end() : raw.find(b"\r\n--", head.end())]
    encoding = _ENCODING.search(head.group())
    how = encoding.group(1).lower() if encoding is not None else b""
    if how == b"base64":
        return base64.b64decode(body)
    return quopri.decodestring(body) if how == b"quoted-printable" else body


def _address(line: str) -> str:
    found = _ADDRESS.search(line)
    return found.group(1).lower() if found is not None else ""
