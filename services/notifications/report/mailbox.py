"""Delivery reports from a Maildir folder, for houses whose mail server delivers bounces into a mailbox.

A mail in `new/` is handed to `take` and moved to `cur/` after that has returned, so each is taken at least once (after
a crash in between, twice). What cannot be read is moved to the subfolder `.unreadable` (Maildir++), where a mail client
shows it to a human. What fails otherwise stays in `new/` and is tried again at the next poll. Nothing is deleted.
"""

import asyncio
import stat
from dataclasses import dataclass
from pathlib import Path

from services.notifications.report.listener import TakeReport
from services.notifications.report.report import MAX_REPORT_BYTES
from shared.errors import InvalidInput
from shared.logging import get_logger

UNREADABLE = ".unreadable"

_SEEN = ":2,S"  # Maildir's suffix of a mail that has been read

_log = get_logger(__name__)


@dataclass(frozen=True)
class _Folder:
    new: Path
    cur: Path
    unreadable: Path


class ReportMailbox:
    """One Maildir, whose folders are made if they are missing."""

    def __init__(self, path: Path, *, take: TakeReport) -> None:
        """`take` gets no token: it is in the mail's own headers."""
        self._path = path
        self._take = take

    async def poll(self) -> int:
        """Take what lies in `new/`, oldest first. Returns the number of mails that were moved on.

        Raises OSError when the folder cannot be listed or a mail cannot be moved.
        """
        folder = await asyncio.to_thread(_folder, self._path)
        moved = 0
        for mail in await asyncio.to_thread(_mails, folder.new):
            moved += await self._take_one(folder, mail)
        return moved

    async def _take_one(self, folder: _Folder, mail: Path) -> bool:
        try:
            raw = await asyncio.to_thread(_read, mail)
            await self._take(raw, None)
            target = folder.cur
        except FileNotFoundError:
            return False  # another process or a person has moved it
        except InvalidInput as error:
            _log.warning("report_mailbox.unreadable", reason=error.message)
            target = folder.unreadable
        except Exception as error:
            _log.warning("report_mailbox.not_taken", error=type(error).__name__)
            return False
        await asyncio.to_thread(_move, mail, target)
        return True


def _folder(path: Path) -> _Folder:
    for each in (path, path / UNREADABLE):
        for name in ("new", "cur", "tmp"):
            (each / name).mkdir(parents=True, exist_ok=True)
    return _Folder(path / "new", path / "cur", path / UNREADABLE / "cur")


def _mails(new: Path) -> list[Path]:
    found = []
    for each in new.iterdir():
        try:
            status = each.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode) and not each.name.startswith("."):
            found.append((status.st_mtime_ns, each))
    return [each for _, each in sorted(found)]


def _read(mail: Path) -> bytes:
    """One byte over the limit is enough for `read_report` to refuse it."""
    with mail.open("rb") as file:
        return file.read(MAX_REPORT_BYTES + 1)


def _move(mail: Path, target: Path) -> None:
    """A name that is taken gets a number, so that no mail covers another."""
    base = mail.name.partition(":")[0]
    goal, number = target / f"{base}{_SEEN}", 1
    while goal.exists():
        goal, number = target / f"{base}.{number}{_SEEN}", number + 1
    mail.rename(goal)
