"""Pacing: rounds that follow each other at once would carry one event each, and cost a commit each."""

import asyncio
import time

PACE_SECONDS = 0.01


class Pace:
    """Keeps rounds of work apart. After a quiet while nobody waits: only the next round, on the heels of one, does."""

    def __init__(self, seconds: float = PACE_SECONDS) -> None:
        self._seconds = seconds
        self._begun = float("-inf")

    def begin(self) -> None:
        """A round begins that has something to do."""
        self._begun = time.monotonic()

    async def keep(self) -> None:
        """Return when the next round may begin."""
        wait = self._begun + self._seconds - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
