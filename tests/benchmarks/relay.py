"""The relay against a bare idempotent producer: the same messages, already in memory there, in an outbox here."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from aiokafka import AIOKafkaProducer

from shared.database import Database
from shared.events import MeetingCancelled
from shared.messaging import outbox
from shared.messaging.broker import KafkaSettings
from shared.messaging.outbox import OutgoingMessage
from shared.messaging.relay import Relay
from shared.messaging.transaction import Transaction
from shared.migrations import migrate
from shared.wakeup import Wakeup
from tests.benchmarks.servers import Servers
from tests.support.kafka import Kafka

EVENTS = 20_000
_ROUNDS = 3
_KEYS = 500
_CHUNK = 500
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_BARE, _RELAYED = "benchmark-bare", "benchmark-relayed"


@dataclass(frozen=True)
class RelaySpeed:
    """Events a second, the median of some rounds that took turns."""

    bare: float
    relay: float

    @property
    def ratio(self) -> float:
        return self.relay / self.bare


async def relay_speed(servers: Servers) -> RelaySpeed:
    kafka = Kafka(servers.bootstrap, "machine")
    for topic in (_BARE, _RELAYED):
        await kafka.create_topic(topic)
    url = (await servers.postgres.create_service_databases()).replace("{service}", "meetings")
    database = Database(url)
    topic, MeetingCancelled.topic = MeetingCancelled.topic, _RELAYED
    try:
        await migrate(database.engine, "meetings")
        await _fill(database)
        async with database.engine.connect() as connection:
            messages = await outbox.unpublished(connection, EVENTS)
        rounds = [(await _bare(servers, messages), await _relay(database, servers)) for _ in range(_ROUNDS)]
    finally:
        MeetingCancelled.topic = topic
        await database.close()
    return RelaySpeed(median(bare for bare, _ in rounds), median(relayed for _, relayed in rounds))


async def _fill(database: Database) -> None:
    async with database.transaction() as connection:
        transaction = Transaction(connection)
        for number in range(EVENTS):
            _publish(transaction, number)
        await transaction.flush()


def _publish(transaction: Transaction, number: int) -> None:
    meeting = f"meeting-{number % _KEYS}"
    transaction.publish(
        MeetingCancelled(meeting_id=meeting, body="Styrelsen", title="Sammanträde", reason="x" * 400),
        organisation="norrdalen",
        subject=meeting,
        key=meeting,
        sequence=number,
        time=datetime.now(UTC),
        correlation_id=meeting,
    )


async def _bare(servers: Servers, messages: Sequence[OutgoingMessage]) -> float:
    producer = AIOKafkaProducer(
        bootstrap_servers=servers.bootstrap, acks="all", enable_idempotence=True, max_batch_size=256 * 1024
    )
    await producer.start()
    prepared = [
        (message.body, message.key, [(name, value.encode()) for name, value in message.headers.items()])
        for message in messages
    ]
    begun = time.perf_counter()
    for start in range(0, len(prepared), _CHUNK):
        chunk = prepared[start : start + _CHUNK]
        sent = [await producer.send(_BARE, body, key=key, headers=headers) for body, key, headers in chunk]
        await asyncio.gather(*sent)
    seconds = time.perf_counter() - begun
    await producer.stop()
    return len(messages) / seconds


async def _relay(database: Database, servers: Servers) -> float:
    async with database.transaction() as connection:
        await outbox.republish(connection, since=_BEGINNING)
    relay = Relay(database, KafkaSettings(servers.bootstrap), Wakeup())
    begun = time.perf_counter()
    relay.start()
    while await _unpublished(database):  # noqa: ASYNC110  (there is no event to wait for)
        await asyncio.sleep(0.02)
    seconds = time.perf_counter() - begun
    await relay.stop()
    return EVENTS / seconds


async def _unpublished(database: Database) -> int:
    async with database.transaction() as connection:
        return (await outbox.state(connection)).unpublished
