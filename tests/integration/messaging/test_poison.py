"""Poison never stops a consumer: it is parked, its key waits in order behind it, and every other key goes on."""

import asyncio
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer

from shared.errors import NotFound
from shared.events import MeetingCancelled
from shared.messaging import dead_letters
from shared.messaging.broker import KafkaSettings
from shared.messaging.dead_letters import DeadLetter
from shared.messaging.message import RawMessage
from shared.messaging.transaction import Received
from tests.integration.messaging.ledger import Ledger, LedgerTransaction, by_key, until, write_down
from tests.integration.messaging.messages import POISONS, Spoil, as_kafka_brings, message, with_body, with_header

BUG = with_body(b'{"meeting_id":"bad","body":"b","title":"t","reason":"not a number"}')


async def _letters(ledger: Ledger) -> list[DeadLetter]:
    async with ledger.database.transaction() as connection:
        return await dead_letters.listing(connection)


@pytest.mark.parametrize("spoil", POISONS.values(), ids=POISONS)
async def test_poison_is_parked_and_the_rest_is_handled(ledger: Ledger, spoil: Spoil) -> None:
    inbound = ledger.inbound()
    bad = as_kafka_brings(replace(spoil(message("bad", 2)), key="bad"))
    batch = [message("bad", 1), message("good", 1), bad, message("bad", 3), message("good", 2)]
    await inbound.handle(batch)
    await inbound.handle(batch)
    await inbound.handle([message("good", 3), message("bad", 4)])
    assert by_key(await ledger.handled()) == {"bad": [1], "good": [1, 2, 3]}
    letters = await _letters(ledger)
    assert [letter.raw.position for letter in letters] == [2, 3, 4]
    assert [bool(letter.reason) for letter in letters] == [True, False, False]
    # As Kafka brought it, so that a retry reads the same.
    assert (letters[0].raw.headers, letters[0].raw.body) == (bad.headers, bad.body)
    assert await inbound.retry(letters[0].id) == 0
    assert await inbound.drop(letters[0].id) == 2
    await inbound.handle(batch)
    handled = by_key(await ledger.handled())
    assert handled == {"bad": [1, 3, 4], "good": [1, 2, 3]}


@pytest.mark.parametrize("key", [b"\0", b"a\0b", b"\xff\xfe", b"x" * 500_000, bytes(range(256)) * 40, b""])
async def test_a_hostile_key_is_parked_like_any_other(ledger: Ledger, key: bytes) -> None:
    inbound = ledger.inbound()
    bad = as_kafka_brings(BUG(message("m", 1)), key=key)
    await inbound.handle([bad, message("good", 1)])
    await inbound.handle([bad, message("good", 2)])
    assert by_key(await ledger.handled()) == {"good": [1, 2]}
    assert len(await _letters(ledger)) == 1


@pytest.mark.parametrize("name", ["\0", "x\0y", "ce_\0", "h" * 100_000])
async def test_a_hostile_header_name_is_parked_like_any_other(ledger: Ledger, name: str) -> None:
    await ledger.inbound().handle([as_kafka_brings(with_header(name, b"1")(BUG(message("m", 1)))), message("good", 1)])
    assert by_key(await ledger.handled()) == {"good": [1]}
    assert len(await _letters(ledger)) == 1


async def test_unknown_types_and_fields_pass(ledger: Ledger) -> None:
    other = with_header("ce_type", b"se.justera.meetings.notice-issued.v1")(message("m", 1))
    richer = with_body(b'{"meeting_id":"m","body":"b","title":"t","reason":"2","extra":{"a":[1e999]}}')(message("m", 2))
    await ledger.inbound().handle([other, richer])
    assert await ledger.handled() == [("m", 2)]
    assert await _letters(ledger) == []


async def test_a_retry_after_the_fix_drains_in_order(ledger: Ledger) -> None:
    broken = True

    async def handler(transaction: LedgerTransaction, received: Received[MeetingCancelled]) -> None:
        if broken and received.event.reason == "2":
            raise KeyError("a bug of ours")
        await write_down(transaction, received)

    inbound = ledger.inbound(handler)
    await inbound.handle([message("m", number) for number in (1, 2, 3)])
    await inbound.handle([message("m", 4), message("n", 1)])
    letters = await _letters(ledger)
    assert await inbound.retry(letters[0].id) == 0
    broken = False
    assert await inbound.retry(letters[2].id) == 3
    await inbound.handle([message("m", 5)])
    assert by_key(await ledger.handled()) == {"m": [1, 2, 3, 4, 5], "n": [1]}
    with pytest.raises(NotFound):
        await inbound.retry(letters[0].id)
    with pytest.raises(NotFound):
        await inbound.drop(letters[0].id)


async def test_a_failed_drain_keeps_what_it_published_and_what_waits_apart(ledger: Ledger) -> None:
    """The good part of a drain takes effect with its events; the failing one leaves nothing behind."""
    broken = True

    async def handler(transaction: LedgerTransaction, received: Received[MeetingCancelled]) -> None:
        await write_down(transaction, received)
        transaction.announce(received.event.meeting_id, int(received.event.reason))
        if broken or received.event.reason == "3":
            raise KeyError("a bug of ours")

    inbound = ledger.inbound(handler)
    await inbound.handle([message("m", number) for number in (1, 2, 3, 4)])
    assert await ledger.handled() == []
    assert await ledger.one("SELECT count(*) FROM outbox") == 0
    broken = False
    (first, *_, last) = await _letters(ledger)
    assert await inbound.retry(first.id) == 2
    assert await inbound.drop(last.id) == 0
    assert await ledger.handled() == [("m", 1), ("m", 2)]
    assert await ledger.one("SELECT string_agg(attributes->>'sequence', ',' ORDER BY id) FROM outbox") == "1,2"
    assert [letter.raw.position for letter in await _letters(ledger)] == [3]


async def test_the_consumer_waits_for_a_retry_in_hand(ledger: Ledger) -> None:
    broken, started, go_on = True, asyncio.Event(), asyncio.Event()

    async def handler(transaction: LedgerTransaction, received: Received[MeetingCancelled]) -> None:
        if broken:
            raise KeyError("a bug of ours")
        if received.event.reason == "1":
            started.set()
            await go_on.wait()
        await write_down(transaction, received)

    inbound = ledger.inbound(handler)
    await inbound.handle([message("m", 1)])
    (letter,) = await _letters(ledger)
    broken = False
    retry = asyncio.create_task(inbound.retry(letter.id))
    await started.wait()
    consume = asyncio.create_task(inbound.handle([message("m", 2)]))
    again = asyncio.create_task(inbound.retry(letter.id))
    await asyncio.sleep(0.3)
    assert not consume.done()
    go_on.set()
    assert await retry == 1
    await consume
    with pytest.raises(NotFound):
        await again
    assert await ledger.handled() == [("m", 1), ("m", 2)]


async def test_a_new_owner_sees_what_the_old_one_parks_meanwhile(ledger: Ledger) -> None:
    """A rebalance: the old owner of the partition parks `m` 1 while the new one already reads `m` 1 and 2."""
    started, go_on = asyncio.Event(), asyncio.Event()

    async def old(transaction: LedgerTransaction, received: Received[MeetingCancelled]) -> None:
        if received.event.reason == "1":
            raise KeyError("a bug of ours")
        started.set()
        await go_on.wait()

    batch = [message("m", 1), message("m", 2), message("n", 3)]
    parking = asyncio.create_task(ledger.inbound(old).handle([batch[0], batch[2]]))
    await started.wait()
    handling = asyncio.create_task(ledger.inbound().handle(batch[:2]))
    await asyncio.sleep(0.3)
    go_on.set()
    await parking
    await handling
    assert await ledger.handled() == []
    assert [letter.raw.position for letter in await _letters(ledger)] == [1, 2]


async def test_poison_comes_through_kafka_as_it_is(ledger: Ledger, kafka_settings: KafkaSettings, topic: str) -> None:
    """FastStream's own parser would raise on these before any handler was asked."""
    batch: list[RawMessage] = []
    for number, spoil in enumerate(POISONS.values()):
        if spoil not in (POISONS["correlation is endless"], POISONS["body is a tombstone"]):
            batch += [replace(spoil(message(f"bad-{number}", 1)), key=f"bad-{number}"), message(f"bad-{number}", 2)]
            batch.append(message("good", number))
    producer = AIOKafkaProducer(bootstrap_servers=kafka_settings.bootstrap)
    await producer.start()
    for raw in batch:
        await producer.send(topic, raw.body, key=raw.key.encode(), headers=list(raw.headers))
    await producer.stop()
    consumer = ledger.consumer(kafka_settings)
    await consumer.start()

    async def all_there() -> bool:
        return await consumer.lag() == 0

    await until(all_there, what="no lag")
    await consumer.stop()
    handled = by_key(await ledger.handled())
    assert list(handled) == ["good"]
    assert len(handled["good"]) == len(batch) // 3
    assert len(await _letters(ledger)) == 2 * len(batch) // 3
