"""The inbox: which events a consumer has taken in. A second copy of an event finds its id here and is dropped."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

# Sorted, so that two consumers that hold the same events for a moment (a rebalance) queue up instead of deadlocking;
# the second waits for the first one's commit, and then finds the ids taken.
_ACCEPT = text(
    """
    INSERT INTO inbox (consumer, event_id)
    SELECT :consumer, event_id FROM unnest(:event_ids) AS event_id ORDER BY event_id
    ON CONFLICT DO NOTHING
    RETURNING event_id
    """
).bindparams(bindparam("event_ids", type_=ARRAY(Text)))

_PRUNE = text(
    """
    DELETE FROM inbox WHERE ctid IN (
        SELECT ctid FROM inbox WHERE received_at < clock_timestamp() - make_interval(secs => :age) LIMIT :most
    )
    """
)


async def accept(connection: AsyncConnection, consumer: str, event_ids: Collection[str]) -> set[str]:
    """Enter the ids; return those that were not there before. One statement, whatever their number."""
    if not event_ids:
        return set()
    result = await connection.execute(_ACCEPT, {"consumer": consumer, "event_ids": sorted(set(event_ids))})
    return set(result.scalars())


async def prune(connection: AsyncConnection, *, older_than: float, most: int = 10_000) -> int:
    """Drop ids older than `older_than` seconds, at most `most`; must exceed the retention of topics and outboxes.

    Returns how many were dropped.
    """
    result: Any = await connection.execute(_PRUNE, {"age": older_than, "most": most})
    return int(result.rowcount)
