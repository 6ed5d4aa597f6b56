"""What nobody signed for us is not handled, holds up nobody, and is told."""

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer

from shared.events import MeetingCancelled
from shared.messaging import dead_letters, gate
from shared.messaging.broker import KafkaSettings
from shared.messaging.consumer import EventConsumer
from shared.messaging.dead_letters import DeadLetter
from shared.messaging.freshness import Freshness
from shared.messaging.gate import EVENTS_LATE, EVENTS_REFUSED, Gate
from shared.messaging.message import RawMessage
from shared.messaging.unreadable import UNPACKED_BYTES, UNREADABLE
from tests.integration.messaging.ledger import SIGNER, VERIFIER, Ledger, by_key, until
from tests.integration.messaging.messages import POISONS, message

# Header names are text to every client; Kafka takes any bytes. aiokafka's own, in Python, asks the text for its bytes.
_SEND_ODD = """
import asyncio, sys
from aiokafka import AIOKafkaProducer

class Odd(str):
    def encode(self, *_):
        return b"\\xff\\xfe"

async def main(bootstrap, topic, *partitions):
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for partition in map(int, partitions):
            await producer.send_and_wait(topic, b"x", key=b"k", headers=[(Odd("x"), b"v")], partition=partition)

asyncio.run(main(*sys.argv[1:]))
"""


def send_odd_headers(bootstrap: str, topic: str, *partitions: int) -> None:
    """One message into each of these, or of all twelve partitions."""
    command = [sys.executable, "-c", _SEND_ODD, bootstrap, topic, *map(str, partitions or range(12))]
    subprocess.run(command, env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"}, check=True, capture_output=True)


DAY = timedelta(days=1)
FRESH = Freshness(30 * DAY)


def days_later(days: int) -> Freshness:
    return Freshness(30 * DAY, now=lambda: datetime.now(UTC) + days * DAY)


async def send_bomb(bootstrap: str, topic: str, partition: int) -> None:
    """Zeros that gzip makes a thousandth of."""
    large = 2 * UNPACKED_BYTES
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, compression_type="gzip", max_request_size=2 * large, max_batch_size=2 * large
    ) as producer:
        await producer.send_and_wait(topic, bytes(large), key=b"k", partition=partition)


def signed(raw: RawMessage) -> RawMessage:
    headers, body = SIGNER.outgoing(raw.topic, raw.key.encode(), raw.headers, raw.body or b"")
    return RawMessage(raw.topic, raw.partition, raw.position, raw.key, tuple(headers), body)


@pytest.fixture
def door(ledger: Ledger, topic: str) -> Gate:
    return Gate(ledger.inbound(), ledger.database, VERIFIER, FRESH)


def all_published(ledger: Ledger) -> Callable[[], Awaitable[bool]]:
    async def published() -> bool:
        return await ledger.unpublished() == 0

    return published


async def letters(ledger: Ledger) -> list[DeadLetter]:
    async with ledger.database.transaction() as connection:
        return await dead_letters.listing(connection)


async def test_a_forged_message_is_kept_apart_and_holds_up_nobody(ledger: Ledger, door: Gate) -> None:
    before = EVENTS_REFUSED.labels(door.name)._value.get()
    forged = message("m", 2)
    batch = [signed(message("m", 1)), forged, signed(message("m", 3))]
    await door.handle(batch)
    await door.handle(batch)  # delivered again, as after a crash before the offset
    await door.handle([signed(message("m", 4))])
    assert by_key(await ledger.wait_handled(3)) == {"m": [1, 3, 4]}
    (kept,) = await letters(ledger)
    assert (kept.authentic, kept.raw.fingerprint) == (False, forged.fingerprint)
    assert kept.reason == "is not signed by meetings for ledger"
    assert EVENTS_REFUSED.labels(door.name)._value.get() == before + 2


async def test_it_does_not_take_the_id_of_a_true_one(ledger: Ledger, door: Gate) -> None:
    """Whoever reads Kafka knows an event's id: a forged message under it must not make the inbox drop the event."""
    true = signed(message("m", 1))
    forged = RawMessage(true.topic, 0, 0, true.key, true.headers, b'{"another": "body"}')
    await door.handle([forged])
    await door.handle([true])
    assert by_key(await ledger.wait_handled(1)) == {"m": [1]}


async def test_a_header_that_is_no_text_stops_nobody(ledger: Ledger, door: Gate, kafka_settings: KafkaSettings) -> None:
    """The client raises before anybody is asked: the message is stepped over, kept by its place, and told."""
    keys = [f"m{n}" for n in range(6)]
    relay = ledger.relay(kafka_settings)
    relay.start()
    consumer = EventConsumer(MeetingCancelled.topic, door.topics, door.handle, kafka_settings)
    try:
        await ledger.announce(keys, [1, 2])
        send_odd_headers(kafka_settings.bootstrap, MeetingCancelled.topic)
        await ledger.announce(keys, [3])
        await consumer.start()
        assert by_key(await ledger.wait_handled(18)) == {key: [1, 2, 3] for key in keys}
        send_odd_headers(kafka_settings.bootstrap, MeetingCancelled.topic)
        await ledger.announce(keys, [4])
        assert by_key(await ledger.wait_handled(24)) == {key: [1, 2, 3, 4] for key in keys}

        async def at_the_end() -> bool:
            return await consumer.lag() == 0

        await until(at_the_end, what="the end of all partitions")
        await consumer.ping()
    finally:
        await consumer.stop()
        await relay.stop()
    kept = await letters(ledger)
    assert len(kept) == 24
    assert {letter.raw.headers[0][0] for letter in kept} == {UNREADABLE}
    assert not any(letter.authentic for letter in kept)


async def test_a_batch_that_unpacks_to_too_much_is_stepped_over(
    ledger: Ledger, door: Gate, kafka_settings: KafkaSettings
) -> None:
    keys = [f"m{n}" for n in range(60)]  # in each of the twelve partitions
    relay = ledger.relay(kafka_settings)
    relay.start()
    consumer = EventConsumer(MeetingCancelled.topic, door.topics, door.handle, kafka_settings)
    try:
        await ledger.announce(keys, [1])
        await until(all_published(ledger), what="all published")
        await send_bomb(kafka_settings.bootstrap, MeetingCancelled.topic, 7)
        await ledger.announce(keys, [2])
        await consumer.start()
        assert by_key(await ledger.wait_handled(120)) == {key: [1, 2] for key in keys}
    finally:
        await consumer.stop()
        await relay.stop()
    (kept,) = await letters(ledger)
    assert kept.raw.headers[0][0] == UNREADABLE
    assert not kept.authentic


async def test_what_was_taken_beside_it_is_not_lost(ledger: Ledger, door: Gate, kafka_settings: KafkaSettings) -> None:
    """Of many partitions in one answer one cannot be read: what was taken of the others before it is handled, too."""
    keys = [f"m{n}" for n in range(60)]  # in each of the twelve partitions
    relay = ledger.relay(kafka_settings)
    relay.start()
    consumer = EventConsumer(MeetingCancelled.topic, door.topics, door.handle, kafka_settings)
    try:
        await ledger.announce(keys, [1])
        await until(all_published(ledger), what="all published")
        send_odd_headers(kafka_settings.bootstrap, MeetingCancelled.topic, 7)
        await ledger.announce(keys, [2])
        await until(all_published(ledger), what="all published")
        await consumer.start()
        assert by_key(await ledger.wait_handled(120)) == {key: [1, 2] for key in keys}
    finally:
        await consumer.stop()
        await relay.stop()
    assert len(await letters(ledger)) == 1


async def test_a_flood_fills_nothing(ledger: Ledger, door: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MOST_KEPT", 3)
    await door.handle([message("m", number) for number in range(5)])
    await door.handle([message("n", number) for number in range(5)])
    assert len(await letters(ledger)) == 3


async def test_retry_looks_again_and_drop_gives_up(ledger: Ledger, door: Gate) -> None:
    """A key that this reader did not have yet: once it has, the message is what it always was."""
    await Gate(ledger.inbound(), ledger.database, type(VERIFIER)("ledger", {}), FRESH).handle([signed(message("m", 1))])
    await door.handle([message("m", 2)])
    mendable, forged = await letters(ledger)
    assert await door.retry(forged.id) == 0
    assert await door.retry(mendable.id) == 1
    assert by_key(await ledger.wait_handled(1)) == {"m": [1]}
    assert await door.drop(forged.id) == 0
    assert await letters(ledger) == []


async def test_what_was_signed_and_is_poison_is_retried_as_ever(ledger: Ledger, door: Gate) -> None:
    await door.handle([signed(POISONS["body is not UTF-8"](message("m", 1))), signed(message("m", 2))])
    first, second = await letters(ledger)
    assert (first.authentic, second.authentic) == (True, True)
    assert await door.retry(first.id) == 0
    assert await door.drop(first.id) == 1


async def test_what_is_played_again_after_the_inbox_has_forgotten_is_not_handled(ledger: Ledger, door: Gate) -> None:
    first = signed(message("m", 1))
    await door.handle([first])
    async with ledger.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM inbox")
    later = Gate(ledger.inbound(), ledger.database, VERIFIER, days_later(63))
    before = EVENTS_LATE.labels(door.name)._value.get()
    await later.handle([first])
    await later.handle([first])
    assert by_key(await ledger.wait_handled(1)) == {"m": [1]}
    (kept,) = await letters(ledger)
    assert (kept.authentic, kept.raw.fingerprint) == (False, first.fingerprint)
    assert kept.reason == "was signed 63 days ago, of 30 allowed: it may be an old one played again"
    assert EVENTS_LATE.labels(door.name)._value.get() == before + 2


async def test_what_came_late_holds_up_nobody_and_is_handled_once_when_retried(ledger: Ledger, topic: str) -> None:
    """Of a consumer that was away for longer than messages are believed, from topics that keep them longer still."""
    late = Gate(ledger.inbound(), ledger.database, VERIFIER, days_later(31))
    old = signed(message("m", 1))
    await late.handle([old])
    await Gate(ledger.inbound(), ledger.database, VERIFIER, FRESH).handle([signed(message("m", 2))])
    (kept,) = await letters(ledger)
    assert await late.retry(kept.id) == 1
    assert by_key(await ledger.wait_handled(2)) == {"m": [2, 1]}
    await late.handle([old])  # once more, and retried by mistake: the inbox knows it
    (again,) = await letters(ledger)
    await late.retry(again.id)
    assert by_key(await ledger.wait_handled(2)) == {"m": [2, 1]}
    assert await letters(ledger) == []
