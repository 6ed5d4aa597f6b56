"""In-process nudges: whoever committed work wakes the loop that takes it up, so that nobody waits for a poll."""

import asyncio


class Wakeup:
    """A nudge that is remembered until someone waits. Loops also poll, since another process cannot nudge them."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Return on the next nudge, or after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()
