"""What the outbox and its relay promise: everything committed is published, in each aggregate's order."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import text

from shared import workers
from shared.messaging import outbox
from shared.messaging.broker import KafkaSettings, ensure_topics
from shared.messaging.outbox import OutgoingMessage
from tests.integration.messaging import process
from tests.integration.messaging.ledger import Ledger, by_key, each_once_in_order, messages_in, until

KEYS = [f"meeting-{n}" for n in range(6)]


async def _published(ledger: Ledger) -> None:
    async def all_marked() -> bool:
        return await ledger.unpublished() == 0

    await until(all_marked, what="an empty outbox")


async def test_concurrent_writers_keep_each_aggregates_order(
    ledger: Ledger, kafka_settings: KafkaSettings, topic: str
) -> None:
    async with ledger.database.transaction() as connection:
        await connection.execute(text("INSERT INTO tally SELECT unnest(CAST(:keys AS text[])), 0"), {"keys": KEYS})
    relay = ledger.relay(kafka_settings, batch=7)
    relay.start()

    async def writer(offset: int) -> None:
        for step in range(30):
            await ledger.count_up(KEYS[(offset + step) % len(KEYS)])

    await asyncio.gather(*(writer(offset) for offset in range(8)))
    await _published(ledger)
    await relay.stop()
    assert by_key(await messages_in(kafka_settings, topic)) == each_once_in_order(KEYS, range(1, 41))


async def test_a_lower_id_that_commits_later_is_published(
    ledger: Ledger, kafka_settings: KafkaSettings, topic: str
) -> None:
    relay = ledger.relay(kafka_settings)
    relay.start()
    async with ledger.unit_of_work.begin() as slow:
        slow.announce("slow", 1)
        await slow.flush()
        await ledger.announce(["quick"], [1, 2, 3])
        await _published(ledger)
    await _published(ledger)
    await relay.stop()
    assert by_key(await messages_in(kafka_settings, topic)) == {"slow": [1], "quick": [1, 2, 3]}


async def test_killed_between_publish_and_mark_nothing_is_lost_and_seconds_are_dropped(
    ledger: Ledger, kafka_settings: KafkaSettings, topic: str
) -> None:
    await ledger.announce(KEYS, range(1, 11))
    url = ledger.database.engine.url.render_as_string(hide_password=False)
    dying = await process.start("relay-dies-before-mark", url, kafka_settings)
    async with asyncio.timeout(20):
        assert await dying.wait() == -9
    assert await ledger.unpublished() == 60
    relay, consumer = ledger.relay(kafka_settings), ledger.consumer(kafka_settings)
    relay.start()
    await consumer.start()
    await _published(ledger)
    handled = await ledger.wait_handled(60)
    await consumer.stop()
    await relay.stop()
    assert len(await messages_in(kafka_settings, topic)) == 120
    assert by_key(handled) == each_once_in_order(KEYS, range(1, 11))


async def test_a_database_that_is_lost_while_reading_ahead_is_no_bug(
    ledger: Ledger, kafka_settings: KafkaSettings, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpublished = outbox.unpublished

    async def lost(*arguments: Any, in_hand: Any = (), **more: Any) -> list[OutgoingMessage]:
        if in_hand:
            monkeypatch.setattr(outbox, "unpublished", unpublished)
            raise ConnectionResetError
        return await unpublished(*arguments, in_hand=in_hand, **more)

    told = Mock()
    monkeypatch.setattr(workers, "log", told)
    monkeypatch.setattr(outbox, "unpublished", lost)
    await ledger.announce(KEYS, range(1, 11))
    relay = ledger.relay(kafka_settings, batch=20)
    relay.start()
    await _published(ledger)
    await relay.stop()
    assert [call.kwargs["error"] for call in told.warning.call_args_list] == ["ConnectionResetError"]
    assert not told.exception.called
    assert by_key(await messages_in(kafka_settings, topic)).keys() == set(KEYS)


async def test_a_lost_lock_costs_nothing_and_another_relay_takes_over(
    ledger: Ledger, kafka_settings: KafkaSettings
) -> None:
    first, second = ledger.relay(kafka_settings, batch=5), ledger.relay(kafka_settings, batch=5, standby=0.1)
    consumer = ledger.consumer(kafka_settings)
    await consumer.start()
    first.start()
    second.start()
    for number in range(1, 21):
        await ledger.announce(KEYS, [number])
        if number % 5 == 0:
            await ledger.one(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
                "WHERE locktype = 'advisory' AND datname = current_database()"
            )
    await _published(ledger)
    await first.stop()
    await ledger.announce(KEYS, [21])
    handled = await ledger.wait_handled(126)
    await second.stop()
    await consumer.stop()
    assert by_key(handled) == each_once_in_order(KEYS, range(1, 22))
    assert await ledger.one("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


async def test_a_rebuilt_topic_is_filled_again_and_nothing_is_handled_twice(
    ledger: Ledger, kafka_settings: KafkaSettings, topic: str
) -> None:
    relay, consumer = ledger.relay(kafka_settings), ledger.consumer(kafka_settings)
    relay.start()
    await consumer.start()
    await ledger.announce(KEYS, range(1, 6))
    await ledger.wait_handled(30)
    await consumer.stop()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_settings.bootstrap)
    await admin.start()
    await admin.delete_topics([topic])
    await admin.close()
    await ensure_topics(kafka_settings, [topic])
    async with ledger.database.transaction() as connection:
        assert await outbox.republish(connection, since=datetime.now(UTC) - timedelta(hours=1)) == 30
    await ledger.announce(KEYS, [6])
    await _published(ledger)
    assert by_key(await messages_in(kafka_settings, topic)) == each_once_in_order(KEYS, range(1, 7))
    # The embedded broker keeps a group's offsets when a topic goes; Apache Kafka drops them.
    again = ledger.consumer(kafka_settings)
    await again.start()
    known = await ledger.wait_handled(36)
    await again.stop()
    await relay.stop()
    assert by_key(known) == each_once_in_order(KEYS, range(1, 7))


async def test_republish_takes_what_is_asked_for(ledger: Ledger) -> None:
    await ledger.announce(["old", "new"], [1])
    async with ledger.database.transaction() as connection:
        await connection.execute(text("UPDATE outbox SET published_at = clock_timestamp()"))
        await connection.execute(text("UPDATE outbox SET created_at = '2022-01-01Z' WHERE key = 'old'"))
        assert await outbox.republish(connection, since=datetime(2023, 1, 1, tzinfo=UTC)) == 1
        assert await outbox.republish(connection, since=datetime(2021, 1, 1, tzinfo=UTC), topic="another") == 0
    assert await ledger.one("SELECT string_agg(key, ',') FROM outbox WHERE published_at IS NULL") == "new"


async def test_pruning_spares_what_is_unpublished_and_goes_by_age(ledger: Ledger) -> None:
    await ledger.announce(["published-long-ago", "published-again", "never-published", "fresh"], [1])
    async with ledger.database.transaction() as connection:
        await connection.execute(text("UPDATE outbox SET created_at = '2022-01-01Z' WHERE key <> 'fresh'"))
        await connection.execute(text("UPDATE outbox SET published_at = created_at WHERE key = 'published-long-ago'"))
        await connection.execute(
            text("UPDATE outbox SET published_at = clock_timestamp() WHERE key IN ('published-again', 'fresh')")
        )
        assert await outbox.prune(connection, older_than=3600) == 2
    assert await ledger.one("SELECT string_agg(key, ',' ORDER BY id) FROM outbox") == "never-published,fresh"
