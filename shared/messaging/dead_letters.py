"""Dead letters: messages that cannot be handled, and those of the same key that wait behind them, in order.

Rows suffice: there are no dead-letter topics. `retry` handles the rows of a key in order, `drop` gives one up; both
take the key's lock, which the consumer also takes before it lets a message wait, so that none is left behind.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Text, bindparam, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import NotFound
from shared.messaging.message import RawMessage, event_id_of, headers_as_json, headers_from_json, storable, type_of
from shared.messaging.tables import DEAD_LETTER

Key = tuple[str, str]  # topic, key

_PARKED = text(
    """
    SELECT DISTINCT topic, key FROM dead_letter
    WHERE consumer = :consumer AND authentic
      AND (topic, key) IN (SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[])))
    """
).bindparams(bindparam("topics", type_=ARRAY(Text)), bindparam("keys", type_=ARRAY(Text)))
# WITH ORDINALITY: the locks are taken in the array's order.
_LOCK = text(
    """
    SELECT pg_advisory_xact_lock(number)
    FROM (SELECT number FROM unnest(:numbers) WITH ORDINALITY AS n (number, place) ORDER BY place) AS sorted
    """
).bindparams(bindparam("numbers", type_=ARRAY(BigInteger)))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`reason` is empty for a message that only waits behind a failed one of its key. One that is not `authentic` was
    kept before anybody read it, and holds up no other."""

    id: int
    consumer: str
    raw: RawMessage
    event_id: str | None
    event_type: str | None
    reason: str | None
    created_at: datetime
    authentic: bool = True


async def parked_keys(connection: AsyncConnection, consumer: str, keys: Iterable[Key]) -> set[Key]:
    """Those of `keys` at which something waits. One statement, whatever their number."""
    wanted = sorted(set(keys))
    if not wanted:
        return set()
    rows = await connection.execute(
        _PARKED,
        {"consumer": consumer, "topics": [topic for topic, _ in wanted], "keys": [key for _, key in wanted]},
    )
    return {(row.topic, row.key) for row in rows}


async def lock_keys(connection: AsyncConnection, consumer: str, keys: Iterable[Key]) -> None:
    """Hold the keys against `retry` and `drop` until the transaction ends; sorted, so that holders queue up."""
    numbers = sorted({_lock_number(consumer, key) for key in keys})
    await connection.execute(_LOCK, {"numbers": numbers})


async def park(
    connection: AsyncConnection, consumer: str, raw: RawMessage, reason: str | None, *, authentic: bool = True
) -> None:
    """Keep a message; the same message again is kept once."""
    await connection.execute(
        insert(DEAD_LETTER)
        .values(
            consumer=consumer,
            topic=raw.topic,
            partition=raw.partition,
            position=raw.position,
            key=raw.key,
            fingerprint=raw.fingerprint,
            event_id=event_id_of(raw),
            event_type=type_of(raw),
            headers=headers_as_json(raw.headers),
            body=None if raw.body is None else base64.b64encode(raw.body).decode(),
            reason=_told(reason) if reason else None,
            authentic=authentic,
        )
        .on_conflict_do_nothing(constraint="dead_letter_once")
    )


async def listing(connection: AsyncConnection, *, after: int = 0, most: int = 200) -> list[DeadLetter]:
    rows = await connection.execute(
        select(DEAD_LETTER).where(DEAD_LETTER.c.id > after).order_by(DEAD_LETTER.c.id).limit(most)
    )
    return [_letter(row) for row in rows]


async def count(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.count()).select_from(DEAD_LETTER))).scalar_one())


async def count_refused(connection: AsyncConnection, consumer: str) -> int:
    """How many of a consumer's are not authentic."""
    refused = (DEAD_LETTER.c.consumer == consumer) & ~DEAD_LETTER.c.authentic
    return int((await connection.execute(select(func.count()).select_from(DEAD_LETTER).where(refused))).scalar_one())


async def get(connection: AsyncConnection, letter_id: int) -> DeadLetter:
    """Raises NotFound."""
    row = (await connection.execute(select(DEAD_LETTER).where(DEAD_LETTER.c.id == letter_id))).one_or_none()
    if row is None:
        raise NotFound(f"there is no dead letter {letter_id}", hint="justera dead-letters list shows those there are")
    return _letter(row)


async def of_key(connection: AsyncConnection, letter: DeadLetter) -> list[DeadLetter]:
    """All that waits at the letter's key, oldest first. Call `lock_keys` before."""
    rows = await connection.execute(
        select(DEAD_LETTER)
        .where(
            DEAD_LETTER.c.consumer == letter.consumer,
            DEAD_LETTER.c.topic == letter.raw.topic,
            DEAD_LETTER.c.key == letter.raw.key,
            DEAD_LETTER.c.authentic,
        )
        .order_by(DEAD_LETTER.c.id)
    )
    return [_letter(row) for row in rows]


async def remove(connection: AsyncConnection, letter_ids: Sequence[int]) -> None:
    await connection.execute(delete(DEAD_LETTER).where(DEAD_LETTER.c.id.in_(letter_ids)))


async def fail(connection: AsyncConnection, letter_id: int, reason: str) -> None:
    """Note why a retry failed."""
    await connection.execute(DEAD_LETTER.update().where(DEAD_LETTER.c.id == letter_id).values(reason=_told(reason)))


def _lock_number(consumer: str, key: Key) -> int:
    digest = hashlib.sha256("\0".join((consumer, *key)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _told(reason: str) -> str:
    """An exception's text may hold anything, half of a surrogate pair too."""
    return storable(reason[:2000]).encode("utf-8", errors="replace").decode()


def _letter(row: Any) -> DeadLetter:
    raw = RawMessage(
        topic=row.topic,
        partition=row.partition,
        position=row.position,
        key=row.key,
        headers=headers_from_json(row.headers),
        body=None if row.body is None else base64.b64decode(row.body),
    )
    return DeadLetter(
        row.id, row.consumer, raw, row.event_id, row.event_type, row.reason, row.created_at, row.authentic
    )
