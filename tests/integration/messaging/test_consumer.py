"""What the consumer promises: each event takes effect once and in its key's order, whatever fails meanwhile."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import make_url

from services.embedded.postgres import EmbeddedPostgres
from shared.database import Database
from shared.events import MeetingCancelled
from shared.messaging.broker import KafkaSettings
from shared.messaging.consumer import EventConsumer
from shared.messaging.transaction import Received
from tests.integration.messaging import process
from tests.integration.messaging.ledger import (
    Handler,
    Ledger,
    LedgerTransaction,
    by_key,
    committed,
    each_once_in_order,
    until,
    write_down,
)
from tests.integration.messaging.messages import message
from tests.support.parts import PartMissing, embedded_forced
from tests.support.postgres import machine_binaries

# The embedded broker never ends the membership of a killed process; embedded mode has one process, and a fresh broker.
ends_dead_memberships = pytest.mark.kafka

KEYS = [f"meeting-{n}" for n in range(12)]


async def _lagging(consumer: EventConsumer, behind: int) -> None:
    async def reached() -> bool:
        return await consumer.lag() == behind

    await until(reached, what=f"a lag of {behind}")


def _socket_folder(server: EmbeddedPostgres) -> str:
    return str(make_url(server.url("ledger")).query["host"])


def _slow(seconds: float) -> Handler:
    async def handler(transaction: LedgerTransaction, received: Received[MeetingCancelled]) -> None:
        await asyncio.sleep(seconds)
        await write_down(transaction, received)

    return handler


async def test_a_batch_costs_a_handful_of_statements(ledger: Ledger) -> None:
    async def handler(transaction: LedgerTransaction, received: Received[MeetingCancelled]) -> None:
        await write_down(transaction, received)
        transaction.announce(received.event.meeting_id, 1)

    statements: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(ledger.database.engine.sync_engine, "before_cursor_execute", count)
    batch = [message(f"meeting-{number % 50}", number) for number in range(500)]
    await ledger.inbound(handler).handle(batch)
    assert len(statements) == 4, statements  # inbox, parked keys, the handlers' lines, outbox
    await ledger.inbound(handler).handle(batch)
    assert len(statements) == 6, statements
    assert len(await ledger.handled()) == 500


@ends_dead_memberships
async def test_killed_between_commit_and_offset_each_event_is_handled_once(
    ledger: Ledger, kafka_settings: KafkaSettings
) -> None:
    relay = ledger.relay(kafka_settings)
    relay.start()
    url = ledger.database.engine.url.render_as_string(hide_password=False)
    dying = await process.start("consumer-dies-before-commit", url, kafka_settings)
    await ledger.announce(KEYS, range(1, 6))
    async with asyncio.timeout(30):
        assert await dying.wait() == -9
    assert 0 < len(await ledger.handled()) <= 20
    consumer = ledger.consumer(kafka_settings)
    await consumer.start()
    handled = await ledger.wait_handled(60)
    await _lagging(consumer, 0)
    await consumer.stop()
    await relay.stop()
    assert by_key(handled) == each_once_in_order(KEYS, range(1, 6))


@pytest.mark.slow
@ends_dead_memberships
async def test_instances_join_and_leave_while_events_flow(ledger: Ledger, kafka_settings: KafkaSettings) -> None:
    relay = ledger.relay(kafka_settings, batch=50)
    relay.start()
    url = ledger.database.engine.url.render_as_string(hide_password=False)
    first = ledger.consumer(kafka_settings, _slow(0.002), max_records=20)
    await first.start()
    written = 0

    async def write() -> None:
        nonlocal written
        while True:
            written += 1
            await ledger.announce(KEYS, [written])
            await asyncio.sleep(0.03)

    writing = asyncio.create_task(write())
    killed = await process.start("consumer", url, kafka_settings)
    second = ledger.consumer(kafka_settings, _slow(0.002), max_records=20)
    await second.start()
    await asyncio.sleep(1.5)
    killed.kill()
    await killed.wait()
    await first.stop()
    leaving = await process.start("consumer", url, kafka_settings)
    await asyncio.sleep(2)
    leaving.terminate()
    async with asyncio.timeout(30):
        assert await leaving.wait() == 0
    third = ledger.consumer(kafka_settings)
    await third.start()
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing
    written = int(await ledger.one("SELECT max(CAST(attributes->>'sequence' AS bigint)) FROM outbox"))
    handled = await ledger.wait_handled(written * len(KEYS), seconds=40)
    await asyncio.gather(second.stop(), third.stop())
    await relay.stop()
    assert by_key(handled) == each_once_in_order(KEYS, range(1, written + 1))


async def test_a_graceful_stop_commits_what_it_handled(
    ledger: Ledger, kafka_settings: KafkaSettings, topic: str
) -> None:
    relay = ledger.relay(kafka_settings)
    relay.start()
    first = ledger.consumer(kafka_settings, _slow(0.01), max_records=40)
    await first.start()
    await ledger.announce(KEYS, range(1, 21))
    await ledger.wait_handled(1)
    await first.stop()
    handled = len(await ledger.handled())
    assert 0 < handled < 240
    await relay.stop()
    assert await committed(kafka_settings, topic, topic) == handled


async def test_an_infrastructure_error_loses_and_skips_nothing(ledger: Ledger, kafka_settings: KafkaSettings) -> None:
    failures = 4

    async def handler(transaction: LedgerTransaction, received: Received[MeetingCancelled]) -> None:
        nonlocal failures
        if received.event.reason == "3" and failures:
            failures -= 1
            raise ConnectionError("the network is away for a moment")
        await write_down(transaction, received)

    relay, consumer = ledger.relay(kafka_settings), ledger.consumer(kafka_settings, handler, max_records=30)
    relay.start()
    await consumer.start()
    for number in range(1, 9):
        await ledger.announce(KEYS, [number])
    handled = await ledger.wait_handled(8 * len(KEYS))
    await _lagging(consumer, 0)
    await consumer.stop()
    await relay.stop()
    assert by_key(handled) == each_once_in_order(KEYS, range(1, 9))
    assert await ledger.one("SELECT count(*) FROM dead_letter") == 0


async def test_a_deadlock_is_tried_again_and_is_no_poison(ledger: Ledger) -> None:
    async with ledger.database.transaction() as connection:
        await connection.execute(text("INSERT INTO tally VALUES ('a', 0), ('b', 0)"))
    attempts, has_a, other_has_b = 0, asyncio.Event(), asyncio.Event()
    raise_ = "UPDATE tally SET number = number + 1 WHERE key = '{}'"

    async def handler(transaction: LedgerTransaction, received: Received[MeetingCancelled]) -> None:
        nonlocal attempts
        attempts += 1
        await transaction.connection.execute(text("SET LOCAL deadlock_timeout = '100ms'"))
        await transaction.connection.execute(text(raise_.format("a")))
        has_a.set()
        await other_has_b.wait()
        await transaction.connection.execute(text(raise_.format("b")))
        await write_down(transaction, received)

    async def other() -> None:
        async with ledger.database.transaction() as connection:
            await connection.execute(text("SET LOCAL deadlock_timeout = '30s'"))
            await connection.execute(text(raise_.format("b")))
            await has_a.wait()
            other_has_b.set()
            await connection.execute(text(raise_.format("a")))

    crossing = asyncio.create_task(other())
    inbound = ledger.inbound(handler)
    with pytest.raises(Exception, match="deadlock"):
        await inbound.handle([message("m", 1)])
    await crossing
    await inbound.handle([message("m", 1)])
    assert attempts == 2
    assert await ledger.handled() == [("m", 1)]
    assert await ledger.one("SELECT count(*) FROM dead_letter") == 0


async def test_postgres_goes_and_comes_back(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    try:
        binaries = None if embedded_forced() else machine_binaries()
    except PartMissing:
        binaries = None
    server = EmbeddedPostgres(tmp_path / "postgres", tmp_path / "postgres.log", binaries=binaries)
    await server.start()
    await server.ensure_database("ledger")
    # Its socket's folder is another one after each start: a link keeps the address.
    folder = Path(tempfile.mkdtemp()) / "socket"
    folder.symlink_to(_socket_folder(server))
    url = make_url(server.url("ledger")).update_query_dict({"host": str(folder)})
    ledger = Ledger(Database(url.render_as_string(hide_password=False)))
    await ledger.create_tables()
    relay, consumer = ledger.relay(kafka_settings), ledger.consumer(kafka_settings, _slow(0.005), max_records=25)
    relay.start()
    await consumer.start()
    await ledger.announce(KEYS, range(1, 21))
    await ledger.wait_handled(25)
    await server.stop()
    await asyncio.sleep(0.7)
    await server.start()
    folder.unlink()
    folder.symlink_to(_socket_folder(server))
    handled = await ledger.wait_handled(240)
    await consumer.stop()
    await relay.stop()
    assert by_key(handled) == each_once_in_order(KEYS, range(1, 21))
    assert await ledger.one("SELECT count(*) FROM dead_letter") == 0
    await ledger.database.close()
    await server.stop()


async def test_a_cancelled_transaction_leaves_the_pool_whole(ledger: Ledger) -> None:
    async def work() -> None:
        async with ledger.unit_of_work.begin() as transaction:
            transaction.announce("m", 1)
            await transaction.flush()
            await transaction.connection.execute(text("SELECT pg_sleep(30)"))

    tasks = [asyncio.create_task(work()) for _ in range(12)]
    await asyncio.sleep(0.5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await ledger.unpublished() == 0
    await asyncio.gather(*(ledger.announce([f"m{n}"], [1]) for n in range(30)))
    assert await ledger.unpublished() == 30
    assert await ledger.one(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(30)'"
        " AND state = 'active' AND pid <> pg_backend_pid()"
    ) == 0  # fmt: skip
