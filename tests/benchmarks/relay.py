"""The relay against a bare idempotent producer: the same messages, already in memory there, in an outbox here."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from aiokafka import AIOKafkaProducer

from shared.collector import keep_code_from_the_collector
from shared.database import Database
from shared.events import MeetingCancelled
from shared.events.base import event_type
from shared.messaging import outbox
from shared.messaging.broker import KafkaSettings
from shared.messaging.outbox import OutgoingMessage
from shared.messaging.relay import EVENTS_PUBLISHED, Relay
from shared.messaging.signatures import new_event_keys, parse_event_keys
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
_BARE, _RELAYED = "benchmark-bare", MeetingCancelled.topic  # its own: signed for that topic's readers


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
    try:
        await migrate(database.engine, "meetings")
        await _fill(database)
        async with database.engine.connect() as connection:
            messages = await outbox.unpublished(connection, EVENTS)
        keep_code_from_the_collector()  # as a service does; the messages in memory, too, would weigh on each collection
        relay = _Relayed(database, servers)
        await relay.start()
        rounds = [(await _bare(servers, messages), await relay.events_per_second()) for _ in range(_ROUNDS)]
        await relay.stop()
    finally:
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
    prepared = [(one.body(), one.key.encode(), one.headers()) for one in messages]
    begun = time.perf_counter()
    for start in range(0, len(prepared), _CHUNK):
        chunk = prepared[start : start + _CHUNK]
        sent = [await producer.send(_BARE, body, key=key, headers=headers) for body, key, headers in chunk]
        await asyncio.gather(*sent)
    seconds = time.perf_counter() - begun
    await producer.stop()
    return len(messages) / seconds


class _Relayed:
    """One relay for all rounds: each publishes again what the outbox holds."""

    def __init__(self, database: Database, servers: Servers) -> None:
        self._database = database
        self._wakeup = Wakeup()
        self._relay = Relay(
            database,
            KafkaSettings(servers.bootstrap),
            self._wakeup,
            parse_event_keys(new_event_keys()).signer("meetings"),
        )
        self._acknowledged = EVENTS_PUBLISHED.labels(event_type(MeetingCancelled))

    async def start(self) -> None:
        """Connected, and once round: the bare producer, too, is connected before its time begins."""
        self._relay.start()
        await self._until_acknowledged(EVENTS)

    async def stop(self) -> None:
        await self._relay.stop()
        async with self._database.single() as connection:
            assert not (await outbox.state(connection)).unpublished

    async def events_per_second(self) -> float:
        expected = self._acknowledged._value.get() + EVENTS
        async with self._database.transaction() as connection:
            await outbox.republish(connection, since=_BEGINNING)
        begun = time.perf_counter()
        self._wakeup.set()
        await self._until_acknowledged(expected)
        return EVENTS / (time.perf_counter() - begun)

    async def _until_acknowledged(self, expected: float) -> None:
        while self._acknowledged._value.get() < expected:  # noqa: ASYNC110  (there is no event to wait for)
            await asyncio.sleep(0.005)
