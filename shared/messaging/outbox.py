"""The outbox as the relay sees it: what is unpublished, in key order within each organisation, and the mark that it was
published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy import ARRAY, BigInteger, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events.envelope import kafka_headers
from shared.turns import FIRST, Turns

# Never `id > cursor`: a lower id may commit later than a higher one. The SELECT does not see what the UPDATE beside it
# does, hence `known`, which `NOT IN` has hashed once; `id <> ALL(:known)` would compare each row with each.
# Organisations take turns by the rule of `shared.turns`: each is found by a step of an index, whatever waits of others.
_OF = "(attributes ->> 'organisation')"
_IN_TURN = f"published_at IS NULL AND {_OF} <> ''"
_MARK_AND_READ = text(
    f"""
    WITH RECURSIVE marked AS (
        UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY(:ids) AND published_at IS NULL
    ), waiting (organisation) AS (
        (SELECT {_OF} FROM outbox WHERE {_IN_TURN} AND {_OF} > :after ORDER BY {_OF} LIMIT 1)
        UNION ALL
        SELECT next.organisation FROM waiting CROSS JOIN LATERAL (
            SELECT {_OF} AS organisation FROM outbox WHERE {_IN_TURN} AND {_OF} > waiting.organisation
            ORDER BY {_OF} LIMIT 1
        ) AS next
    ), here AS MATERIALIZED (
        SELECT organisation FROM waiting LIMIT :most
    ), fair AS MATERIALIZED (
        SELECT part.id FROM here CROSS JOIN LATERAL (
            SELECT id FROM outbox
            WHERE {_IN_TURN} AND {_OF} = here.organisation AND id NOT IN (SELECT unnest(:known))
            ORDER BY id LIMIT (SELECT :most / greatest(1, count(*)) FROM here)
        ) AS part
    ), longest AS MATERIALIZED (
        SELECT id FROM outbox
        WHERE published_at IS NULL AND id NOT IN (SELECT unnest(:known)) AND id NOT IN (SELECT id FROM fair)
        ORDER BY id LIMIT :most - (SELECT count(*) FROM fair)
    )
    SELECT id, topic, key, attributes ->> 'type', attributes::text, data,
           (SELECT CASE WHEN count(*) = :most THEN max(organisation) ELSE '' END FROM here)
    FROM outbox WHERE id = ANY(ARRAY(SELECT id FROM fair UNION ALL SELECT id FROM longest)) ORDER BY id
    """  # noqa: S608  (an expression of our own)
).bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("known", type_=ARRAY(BigInteger)),
    bindparam("most", type_=BigInteger),
    bindparam("after", type_=Text),
)
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
    turns: Turns | None = None,
) -> list[OutgoingMessage]:
    """Mark what was published, and read what follows that and what is in hand: one round trip for both.

    In key order, of each organisation that waits an equal part; `turns` moves on.
    """
    turns = turns or Turns()
    ids = [message.id for message in published]
    known = [*ids, *(message.id for message in in_hand)]
    parameters = {"ids": ids, "known": known, "most": most, "after": turns.after}
    rows = (await connection.execute(_MARK_AND_READ, parameters)).all()
    turns.after = rows[0][-1] if rows else FIRST
    return [OutgoingMessage(*row[:-1]) for row in rows]


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
