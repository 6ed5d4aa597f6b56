"""Mails kept in a folder, one file each, for the inbox of embedded mode."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Protocol

from shared.errors import NotFound
from shared.ids import new_id

_ID = re.compile(r"[0-9]{13,16}-[0-9a-f-]{36}")
_MOST_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as people see it. `html` is empty when it has no such part."""

    id: str
    received_at: datetime
    recipient: str
    sender: str
    subject: str
    text: str
    html: str


class Mails(Protocol):
    async def latest(self, most: int) -> Sequence[Mail]:
        """The newest first."""
        ...

    async def mail(self, mail_id: str) -> Mail:
        """Raises NotFound."""
        ...


class MailFolder:
    """Files named by the time they came. The oldest go when there are too many."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def add(self, content: bytes) -> str:
        """Keep a whole message (RFC 5322); its id here."""
        return await asyncio.to_thread(self._add, content)

    async def latest(self, most: int) -> Sequence[Mail]:
        return await asyncio.to_thread(lambda: [_read(path) for path in self._newest()[:most]])

    async def mail(self, mail_id: str) -> Mail:
        path = self._folder / f"{mail_id}.eml"
        if not _ID.fullmatch(mail_id) or not path.exists():
            raise NotFound("there is no such mail")
        return await asyncio.to_thread(_read, path)

    def _add(self, content: bytes) -> str:
        mail_id = f"{time.time_ns() // 1000:016}-{new_id()}"
        unfinished = self._folder / f"{mail_id}.tmp"
        unfinished.write_bytes(content)
        unfinished.rename(unfinished.with_suffix(".eml"))
        for path in self._newest()[_MOST_KEPT:]:
            path.unlink(missing_ok=True)
        return mail_id

    def _newest(self) -> list[Path]:
        return sorted(self._folder.glob("*.eml"), reverse=True)


def _read(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=default)
    microseconds = int(path.stem.partition("-")[0])
    return Mail(
        id=path.stem,
        received_at=datetime.fromtimestamp(microseconds / 1_000_000, UTC),
        recipient=str(message.get("to", "")),
        sender=str(message.get("from", "")),
        subject=str(message.get("subject", "")),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    content = part.get_content() if part is not None else ""
    return content if isinstance(content, str) else ""
