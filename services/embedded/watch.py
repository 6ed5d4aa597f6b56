"""Watching a child server: that it lives, and that it answers.

A server that hangs (a stopped process, a deadlock of its own) holds its port and its place: nothing would start it
again. It is asked at intervals; when it has not answered a few times in a row it is killed, and is then a dead one.
"""

import asyncio
from dataclasses import dataclass
from typing import Literal, Protocol

End = Literal["died", "hung"]


class Watched(Protocol):
    """A child server. `answers` may hang, and may raise OSError or ChildFailed: then it does not answer."""

    async def wait_dead(self) -> int: ...

    async def answers(self) -> bool: ...

    def kill(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """`every`: seconds between two questions; `answer`: seconds that an answer may take; `times`: misses in a row.

    By default a hung server is ended after half a minute; a busy machine, or one that was asleep, is no reason to.
    """

    every: float = 5.0
    answer: float = 10.0
    times: int = 2


PATIENCE = Patience()


async def end_of(server: Watched, patience: Patience) -> End:
    """Return once it has ended, by itself or since it did not answer any more."""
    death = asyncio.ensure_future(server.wait_dead())
    try:
        misses = 0
        while misses < patience.times:
            await asyncio.wait({death}, timeout=patience.every)
            if death.done():
                death.result()
                return "died"
            misses = 0 if await _answers(server, patience.answer) else misses + 1
        if death.done():
            return "died"
        server.kill()
        await death
        return "hung"
    finally:
        death.cancel()


async def _answers(server: Watched, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await server.answers()
    except (OSError, TimeoutError):
        return False
