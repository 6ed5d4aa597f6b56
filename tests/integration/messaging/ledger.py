"""The smallest service that messaging can serve: it writes down what it handled, and counts what it published.

Its events travel in `MeetingCancelled`; `meeting_id` is the key and `reason` the number within the key.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text

from shared.database import Database
from shared.events import MeetingCancelled
from shared.keys import new_keys, parse_keys
from shared.messaging.broker import KafkaSettings
from shared.messaging.consumer import EventConsumer
from shared.messaging.inbound import Inbound
from shared.messaging.relay import Relay
from shared.messaging.schema import (
    statements_v1,
    statements_v2,
    statements_v3,
    statements_v4,
    statements_v5,
    statements_v6,
    statements_v7,
)
from shared.messaging.signatures import Signer, Verifier
from shared.messaging.transaction import Received, Transaction, UnitOfWork
from shared.wakeup import Wakeup

ORGANISATION = "norrdalen"
SESSION_MS = 6_000  # the shortest that Kafka allows by default

# As if the ledger read what meetings writes: the tests' topics are entered as its.
_RING = parse_keys(new_keys(), "the tests' keys")
SIGNER = Signer({"ledger": _RING})
VERIFIER = Verifier("ledger", {"meetings": _RING})

Handled = list[tuple[str, int]]


class LedgerTransaction(Transaction):
    source = "ledger"

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.lines: list[dict[str, Any]] = []

    async def flush(self) -> None:
        lines, self.lines = self.lines, []
        if lines:
            await self.connection.execute(text("INSERT INTO line (key, number) VALUES (:key, :number)"), lines)
        await super().flush()

    def announce(self, key: str, number: int, organisation: str = ORGANISATION) -> None:
        event = MeetingCancelled(meeting_id=key, body="Styrelsen", title="Sammanträde", reason=str(number))
        self.publish(
            event,
            organisation=organisation,
            subject=key,
            key=key,
            sequence=number,
            time=datetime.now(UTC),
            correlation_id=key,
        )


async def write_down(transaction: LedgerTransaction, received: Received[MeetingCancelled]) -> None:
    transaction.lines.append({"key": received.event.meeting_id, "number": int(received.event.reason)})


Handler = Callable[[LedgerTransaction, Received[MeetingCancelled]], Awaitable[None]]


@dataclass
class Ledger:
    database: Database
    wakeup: Wakeup = field(default_factory=Wakeup)

    def __post_init__(self) -> None:
        self.unit_of_work = UnitOfWork(self.database, LedgerTransaction, self.wakeup)

    async def create_tables(self) -> None:
        async with self.database.transaction() as connection:
            versions = (statements_v1, statements_v2, statements_v3, statements_v4, statements_v5, statements_v6)
            for statement in (one for version in (*versions, statements_v7) for one in version()):
                await connection.execute(text(statement))
            await connection.execute(text("CREATE TABLE line (n bigserial PRIMARY KEY, key text, number bigint)"))
            await connection.execute(text("CREATE TABLE tally (key text PRIMARY KEY, number bigint)"))

    def inbound(self, handler: Handler = write_down, name: str = "ledger") -> Inbound[LedgerTransaction]:
        return Inbound(name, self.unit_of_work, {MeetingCancelled: handler})

    def consumer(self, kafka: KafkaSettings, handler: Handler = write_down, *, max_records: int = 500) -> EventConsumer:
        """Its group is the test's own, like the topic: members that one test killed must not hold up another."""
        group = MeetingCancelled.topic
        inbound = self.inbound(handler)
        return EventConsumer(group, inbound.topics, inbound.handle, kafka, max_records=max_records)

    def relay(self, kafka: KafkaSettings, **options: Any) -> Relay:
        return Relay(self.database, kafka, self.wakeup, SIGNER, **options)

    async def announce(self, keys: Sequence[str], numbers: Sequence[int], organisation: str = ORGANISATION) -> None:
        """One event for each key and number, in one transaction."""
        async with self.unit_of_work.begin() as transaction:
            for number in numbers:
                for key in keys:
                    transaction.announce(key, number, organisation)

    async def count_up(self, key: str) -> None:
        """A command: lock the aggregate, raise its version, say so."""

        async def work(transaction: LedgerTransaction) -> None:
            row = await transaction.connection.execute(
                text("UPDATE tally SET number = number + 1 WHERE key = :key RETURNING number"), {"key": key}
            )
            transaction.announce(key, row.scalar_one())

        await self.unit_of_work.run(work)

    async def handled(self) -> Handled:
        """Key and number in the order of handling."""
        async with self.database.transaction() as connection:
            rows = await connection.execute(text("SELECT key, number FROM line ORDER BY n"))
            return [(row.key, row.number) for row in rows]

    async def one(self, statement: str) -> Any:
        async with self.database.transaction() as connection:
            return (await connection.execute(text(statement))).scalar_one()

    async def unpublished(self) -> int:
        return int(await self.one("SELECT count(*) FROM outbox WHERE published_at IS NULL"))

    async def wait_handled(self, count: int, seconds: float = 30) -> Handled:
        """Wait until so many are handled, then a moment longer, so that a second copy would show."""
        await until(lambda: self._has(count), seconds=seconds, what=f"{count} handled events")
        await asyncio.sleep(0.3)
        return await self.handled()

    async def _has(self, count: int) -> bool:
        return bool(await self.one("SELECT count(*) FROM line") >= count)


async def until(ready: Callable[[], Awaitable[bool]], *, seconds: float = 20, what: str = "it") -> None:
    async with asyncio.timeout(seconds):
        while not await ready():  # noqa: ASYNC110  (what is waited for lies in other processes)
            await asyncio.sleep(0.05)


def by_key(handled: Handled) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for key, number in handled:
        found.setdefault(key, []).append(number)
    return found


def each_once_in_order(keys: Sequence[str], numbers: Sequence[int]) -> dict[str, list[int]]:
    return {key: list(numbers) for key in keys}


async def messages_in(kafka: KafkaSettings, topic: str) -> list[tuple[str, int]]:
    """Key and sequence of every message of a topic, in partition order."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        wanted = sum((await consumer.end_offsets(consumer.assignment())).values())
        found: list[tuple[str, int]] = []
        while len(found) < wanted:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [(record.key.decode(), int(dict(record.headers)["ce_sequence"])) for record in records]
        return found
    finally:
        await consumer.stop()


async def committed(kafka: KafkaSettings, topic: str, group: str) -> int:
    """How many messages of a topic a group has committed."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(12)])
        return sum([await consumer.committed(partition) or 0 for partition in consumer.assignment()])
    finally:
        await consumer.stop()
