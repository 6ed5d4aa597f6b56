"""Timers: each fires once, whoever fires it, and one that fails holds no other back."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from shared.clock import ManualClock
from shared.timers import POSTPONED, Timer, TimerWorker, clear_timers, set_timers
from tests.integration.messaging.ledger import ORGANISATION, Ledger, LedgerTransaction, until

NOW = datetime(2022, 9, 26, tzinfo=UTC)


async def _set(ledger: Ledger, *timers: tuple[str, str, datetime]) -> None:
    async with ledger.database.transaction() as connection:
        for kind, subject, due in timers:
            await set_timers(connection, [Timer(ORGANISATION, kind, subject, due)])


async def _note(transaction: LedgerTransaction, timer: Timer) -> None:
    await asyncio.sleep(0.001)
    transaction.lines.append({"key": timer.subject, "number": 1})


async def test_two_workers_fire_each_timer_once(ledger: Ledger) -> None:
    await _set(ledger, *(("remind", f"a{number}", NOW) for number in range(60)))
    await _set(ledger, ("remind", "later", NOW + timedelta(seconds=1)))
    workers = [TimerWorker(ledger.unit_of_work, ManualClock(NOW), {"remind": _note}, poll=0.05) for _ in range(2)]
    for worker in workers:
        worker.start()

    async def all_fired() -> bool:
        return bool(await ledger.one("SELECT count(*) FROM timer") == 1)

    await until(all_fired, what="all due timers")
    await asyncio.gather(*(worker.stop() for worker in workers))
    assert sorted(await ledger.handled()) == sorted((f"a{number}", 1) for number in range(60))


async def test_one_is_fired_at_a_time_however_the_database_plans(ledger: Ledger) -> None:
    """A join that looks for the due one again for each row found another one each time, and none could be fired."""
    await _set(ledger, *(("remind", f"a{number}", NOW) for number in range(3)))
    async with ledger.database.transaction() as connection:
        database = (await connection.execute(text("SELECT current_database()"))).scalar_one()
        for plan in ("hashjoin", "mergejoin", "hashagg", "sort", "material"):
            await connection.execute(text(f'ALTER DATABASE "{database}" SET enable_{plan} = off'))
        await connection.execute(text("ANALYZE timer"))
    await ledger.database.engine.dispose()  # the next connections plan so
    worker = TimerWorker(ledger.unit_of_work, ManualClock(NOW), {"remind": _note})
    assert [await worker.fire_one() for _ in range(4)] == [True, True, True, False]


async def test_a_failing_timer_leaves_nothing_and_holds_no_other_back(ledger: Ledger) -> None:
    async def fail(transaction: LedgerTransaction, timer: Timer) -> None:
        await _note(transaction, timer)
        transaction.announce(timer.subject, 1)
        raise KeyError("a bug of ours")

    await _set(ledger, ("fail", "a", NOW), ("unknown", "b", NOW), ("remind", "c", NOW + timedelta(seconds=1)))
    clock = ManualClock(NOW + timedelta(seconds=2))
    worker = TimerWorker(ledger.unit_of_work, clock, {"remind": _note, "fail": fail})
    assert [await worker.fire_one() for _ in range(4)] == [True, True, True, False]
    assert await ledger.handled() == [("c", 1)]
    assert await ledger.unpublished() == 0
    clock.move_to(clock.now() + POSTPONED)
    assert await worker.fire_one()


async def test_moved_and_cleared_timers(ledger: Ledger) -> None:
    await _set(ledger, ("remind", "a", NOW), ("remind", "a", NOW + timedelta(days=1)), ("expire", "a", NOW))
    assert await ledger.one("SELECT string_agg(kind, ',' ORDER BY due_at) FROM timer") == "expire,remind"
    async with ledger.database.transaction() as connection:
        await clear_timers(connection, [(ORGANISATION, "a")])
        await connection.execute(text("SELECT 1"))
    assert await ledger.one("SELECT count(*) FROM timer") == 0
