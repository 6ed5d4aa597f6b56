"""A full disk under PostgreSQL: its data folder lies on a small file system of its own."""

import asyncio
import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.drills.storm import Blow
from tests.drills.world import Processes

SIZE = "300m"
POSTGRES_SETTINGS = {"max_wal_size": "64MB", "min_wal_size": "32MB", "checkpoint_timeout": "30s"}
FULL_SECONDS = (22.0, 32.0)
"""Longer than a mail's lease: what one mailer sent and cannot note meanwhile, another must not send again."""
_CHUNK = 1 << 20


class NoMount(Exception):
    """We may not mount here."""


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system in memory. Raises NoMount."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "tmpfs", folder], check=False)
    if mounted.returncode != 0:
        raise NoMount
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill_disk(world: Processes, disk: Path) -> Blow:
    """Not one byte is free for a while; a PostgreSQL that gave up is started again once there is room.

    Its log is elsewhere: it says how often the disk was felt.
    """

    async def blow(chance: random.Random) -> str:
        seconds, ballast = chance.uniform(*FULL_SECONDS), disk / "ballast"
        lines_before = world.postgres.log.count("No space left on device")
        _fill(ballast)
        await asyncio.sleep(seconds)
        refused = world.postgres.log.count("No space left on device") - lines_before
        ballast.unlink()
        gave_up = not world.postgres.alive
        if gave_up:
            await world.postgres.start()
        assert refused, "the full disk hurt nobody"
        return f"disk full for {seconds:.0f} s, {refused} times refused" + (", PostgreSQL gave up" if gave_up else "")

    return blow


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            if file.write(os.urandom(1) * _CHUNK) < _CHUNK:
                file.write(b"\0")  # a short write came to the end: this one raises
