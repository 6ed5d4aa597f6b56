"""Waiting until nothing is under way: what a replay does between its steps."""

import asyncio
import time
from collections.abc import Collection

from shared.errors import Unavailable
from shared.messaging import dead_letters
from shared.service import Service


async def settle(services: Collection[Service], *, seconds: float = 60.0) -> None:
    """Return once outboxes are empty, every group has committed to the end, and no work is pending.

    Raises Unavailable after `seconds`, or when an event could not be handled.
    """
    deadline = time.monotonic() + seconds
    while not await _settled(services):
        if time.monotonic() > deadline:
            raise Unavailable(f"the services did not come to rest within {seconds:.0f} s")
        await asyncio.sleep(0.01)


async def _settled(services: Collection[Service]) -> bool:
    """An event may move from an outbox through a topic into the next while we look: so look at the outboxes twice."""
    before = await _outboxes(services)
    if before is None or not await _caught_up(services):
        return False
    await _require_no_dead_letters(services)
    return await _outboxes(services) == before


async def _outboxes(services: Collection[Service]) -> list[int] | None:
    """The last id of each outbox, or None while one of them holds unpublished events."""
    states = await asyncio.gather(*(service.outbox_state() for service in services))
    return None if any(state.unpublished for state in states) else [state.last_id for state in states]


async def _caught_up(services: Collection[Service]) -> bool:
    lags = await asyncio.gather(*(service.lag() for service in services))
    if any(behind != 0 for lag in lags for behind in lag.values()):
        return False
    return not any(await asyncio.gather(*(service.pending() for service in services)))


async def _require_no_dead_letters(services: Collection[Service]) -> None:
    for service in services:
        async with service.database.transaction() as connection:
            if await dead_letters.count(connection):
                letter = (await dead_letters.listing(connection, most=1))[0]
                raise Unavailable(f"{service.name} could not handle an event: {letter.reason}")
