"""Background loops of a service: started together, restarted when infrastructure fails them, drained on stop."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

from shared.database import is_transient
from shared.logging import get_logger
from shared.panics import ends, is_cancelled
from shared.row_security import acting_for

log = get_logger(__name__)


class Worker:
    """Runs `step` again and again until stopped; `step` waits for its own work and returns after each piece of it.

    It acts for no organisation until `step` says for which: whoever started it is not behind what it does.

    A failing step is tried again with jittered backoff (0.1 s to `max_backoff` seconds): a worker never gives up, since
    what it works on is durable. Stopping waits up to `drain` seconds for the step in hand, then cancels it.
    """

    def __init__(
        self, name: str, step: Callable[[], Awaitable[None]], *, max_backoff: float = 10.0, drain: float = 20.0
    ) -> None:
        self.name = name
        self._step = step
        self._max_backoff = max_backoff
        self._drain = drain
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        self._stopping.set()
        if self._task is None:
            return
        done, _ = await asyncio.wait({self._task}, timeout=self._drain)
        if not done:
            self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                with acting_for():
                    await self._step()
                failures = 0
                await asyncio.sleep(0)  # a step that found nothing to wait for must not starve all others
            except BaseException as error:
                if ends(error) and (not isinstance(error, asyncio.CancelledError) or is_cancelled()):
                    raise
                failures += 1
                wait = min(self._max_backoff, 0.1 * 2 ** min(failures, 10)) * random.uniform(0.5, 1)  # noqa: S311
                report = log.warning if is_transient(error) else log.exception
                report("worker.failed", worker=self.name, error=type(error).__name__, retry_in=round(wait, 2))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), wait)
