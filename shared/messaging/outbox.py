"""The outbox as the relay sees it: what is unpublished, in key order, and the mark that it was published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy import ARRAY, BigInteger, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events.envelope import kafka_headers

# Never `id > cursor`: a lower id may commit later than a higher one. The SELECT does not see what the UPDATE beside it
# does, hence the second condition; `id <> ALL(:known)` would compare each row with each.
_MARK_AND_READ = text(
    """
    WITH marked AS (
        UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY(:ids) AND published_at IS NULL
    )
    SELECT id, topic, key, attributes ->> 'type', attributes::text, data FROM outbox
    WHERE published_at IS NULL AND NOT EXISTS (SELECT FROM unnest(:known) AS known WHERE known = id)
    ORDER BY id LIMIT :most
    """
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("known", type_=ARRAY(BigInteger)))
_STATE = text(
    """
    SELECT count(*) AS unpublished,
           extract(epoch FROM clock_timestamp() - min(created_at)) AS oldest,
           (SELECT coalesce(max(id), 0) FROM outbox) AS last_id
    FROM outbox WHERE published_at IS NULL
    """
)
# Erased rows (no data) stay published: there is nothing left to tell.
_REPUBLISH = text(
    """
    UPDATE outbox SET published_at = NULL
    WHERE published_at IS NOT NULL AND data IS NOT NULL AND created_at >= :since
      AND (CAST(:topic AS text) IS NULL OR topic = :topic)
    """
)
# By age, not by when it was published: publishing again would make a row outlive the inboxes that know it.
_PRUNE = text(
    """
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox
        WHERE published_at IS NOT NULL AND created_at < clock_timestamp() - make_interval(secs => :age)
        ORDER BY created_at LIMIT :most
    )
    """
)


class OutgoingMessage(NamedTuple):
    """A row as it was read: it becomes bytes only when it is sent, while PostgreSQL reads the next ones.

    `attributes` is a JSON object; without `data` the event was erased.
    """

    id: int
    topic: str
    key: str
    event_type: str
    attributes: str
    data: str | None

    def headers(self) -> list[tuple[str, bytes]]:
        return kafka_headers(from_json(self.attributes))

    def body(self) -> bytes:
        return (self.data or "").encode()


@dataclass(frozen=True, slots=True)
class OutboxState:
    """`oldest`: age in seconds of the oldest unpublished event; `last_id` tells whether anything was added."""

    unpublished: int
    oldest: float
    last_id: int


async def unpublished(
    connection: AsyncConnection,
    most: int,
    *,
    published: Sequence[OutgoingMessage] = (),
    in_hand: Sequence[OutgoingMessage] = (),
) -> list[OutgoingMessage]:
    """Mark what was published, and read what follows that and what is in hand: one round trip for both."""
    ids = [message.id for message in published]
    known = [*ids, *(message.id for message in in_hand)]
    rows = (await connection.execute(_MARK_AND_READ, {"ids": ids, "known": known, "most": most})).all()
    return [OutgoingMessage(*row) for row in rows]


async def state(connection: AsyncConnection) -> OutboxState:
    row = (await connection.execute(_STATE)).one()
    return OutboxState(row.unpublished, float(row.oldest or 0), row.last_id)


async def republish(connection: AsyncConnection, *, since: datetime, topic: str | None = None) -> int:
    """Have the relay publish again what it published since a time (UTC). Returns the number of events."""
    result: Any = await connection.execute(_REPUBLISH, {"since": since, "topic": topic})
    return int(result.rowcount)


async def prune(connection: AsyncConnection, *, older_than: float, most: int = 10_000) -> int:
    """Drop published rows older than `older_than` seconds, at most `most`; unpublished ones are kept without limit.

    Returns how many were dropped.
    """
    result: Any = await connection.execute(_PRUNE, {"age": older_than, "most": most})
    return int(result.rowcount)
