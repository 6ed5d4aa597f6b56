"""The inbox: which events a consumer has taken in. A second copy of an event finds its id here and is dropped."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.logging import get_logger

log = get_logger(__name__)

# Sorted, so that two consumers that hold the same events for a moment (a rebalance) queue up instead of deadlocking;
# the second waits for the first one's commit, and then finds the ids taken.
_ACCEPT = text(
    """
    WITH new AS (
        INSERT INTO inbox (consumer, event_id)
        SELECT :consumer, event_id FROM unnest(:event_ids) AS event_id ORDER BY event_id
        ON CONFLICT DO NOTHING
        RETURNING event_id
    )
    SELECT event_id, organisation.id AS erased
    FROM new JOIN unnest(:event_ids, :organisations) AS given (event_id, organisation) USING (event_id)
    LEFT JOIN organisation ON organisation.id = given.organisation AND erased_at IS NOT NULL
    """
).bindparams(*(bindparam(name, type_=ARRAY(Text)) for name in ("event_ids", "organisations")))
_LATE = text("UPDATE organisation SET late = late + :count WHERE id = :id")

_PRUNE = text(
    """
    DELETE FROM inbox WHERE ctid IN (
        SELECT ctid FROM inbox WHERE received_at < clock_timestamp() - make_interval(secs => :age) LIMIT :most
    )
    """
)


async def accept(connection: AsyncConnection, consumer: str, events: Mapping[str, str | None]) -> set[str]:
    """Enter the events, given by id with the organisation that they are of, where they tell one. Return the ids that
    were not there before, without those of organisations that were erased: these are dropped, and counted. One
    statement, whatever their number.
    """
    if not events:
        return set()
    ids = sorted(events)
    given = {"consumer": consumer, "event_ids": ids, "organisations": [events[one] for one in ids]}
    found = (await connection.execute(_ACCEPT, given)).all()
    for organisation, count in Counter(row.erased for row in found if row.erased is not None).items():
        await connection.execute(_LATE, {"id": organisation, "count": count})
        log.warning("inbox.of_an_erased_organisation", consumer=consumer, organisation=organisation, count=count)
    return {row.event_id for row in found if row.erased is None}


async def prune(connection: AsyncConnection, *, older_than: float, most: int = 10_000) -> int:
    """Drop ids older than `older_than` seconds, at most `most`; must exceed the retention of topics and outboxes.

    Returns how many were dropped.
    """
    result: Any = await connection.execute(_PRUNE, {"age": older_than, "most": most})
    return int(result.rowcount)
