"""Folders in memory, for servers whose data is thrown away: to make and remove files costs a third there."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from services.embedded.children import AlreadyRunning, FolderLock

MEMORY = Path("/dev/shm")  # Linux's; elsewhere there is none
_ROOM = 2 << 30  # bytes: for one server's 160 MB and its log, and for whoever runs beside
_PREFIX = "justera-test-"
_OLD = 3600.0  # seconds


@contextmanager
def scratch_folder(otherwise: Path, memory: Path = MEMORY) -> Iterator[Path]:
    """A folder in memory that goes with the block; `otherwise` where there is no memory, or less than two gigabytes."""
    if not _has_room(memory):
        yield otherwise
        return
    _sweep(memory)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=memory, ignore_cleanup_errors=True) as made:
        folder = Path(made)
        lock = FolderLock(folder)
        lock.take()
        try:
            yield folder
        finally:
            lock.release()


def _has_room(memory: Path) -> bool:
    with suppress(OSError):
        return min(shutil.disk_usage(memory).free, psutil.virtual_memory().available) >= _ROOM
    return False


def _sweep(memory: Path) -> None:
    """What killed sessions left. A young one may be about to take its lock."""
    for folder in memory.glob(f"{_PREFIX}*"):
        with suppress(OSError, AlreadyRunning):
            if time.time() - folder.stat().st_mtime < _OLD:
                continue
            lock = FolderLock(folder)
            lock.take()
            lock.release()
            shutil.rmtree(folder, ignore_errors=True)
