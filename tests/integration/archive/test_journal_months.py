"""The journal's partitions: what is made and moved, what a reading touches, and how the table came to be one."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive import journal_reader
from services.archive.journal_months import JournalMonths, beginning, first_id, following, month_of, wanted
from services.archive.journal_reader import JournalFilter, JournalReader
from shared.database import Database
from shared.migrations import _in_a_transaction, migrate
from shared.row_security import for_all
from tests.integration.archive.completed import ORGANISATION
from tests.support.postgres import Postgres

ROW = (
    "INSERT INTO journal (organisation, topic, partition, position, key, subject, readable, headers)"
    f" VALUES ('{ORGANISATION}', 't', 0, 0, 'k', $1, true, '[]')"
)
PARTITION = re.compile(r"Scan.* on (journal_\w+) journal")


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    database = Database(await postgres.create_database("archive"))
    with for_all("a test"):
        yield database
    await database.close()


async def _run(database: Database, statement: str) -> list[Any]:
    async with database.transaction() as connection:
        found = await connection.execute(text(statement))
        return list(found.scalars()) if found.returns_rows else []


async def _write(database: Database, *subjects: str) -> None:
    for subject in subjects:
        await _run(database, ROW.replace("$1", f"'{subject}'"))


async def _where(database: Database) -> dict[str, str]:
    rows = await _run(database, "SELECT subject || ' ' || tableoid::regclass FROM journal ORDER BY id")
    return dict(row.split() for row in rows)


async def _partitions(database: Database) -> set[str]:
    return set(
        await _run(database, "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'journal'::regclass")
    )


async def test_a_month_that_lacked_is_made_and_takes_what_lay_in_the_default_partition(database: Database) -> None:
    months = JournalMonths(database)
    running, second, third = wanted(datetime.now(UTC))
    assert await months.ends() == beginning(following(third))
    for month in (running, second, third):
        await _run(database, f"DROP TABLE journal_{month}")
    assert await months.ends() is None
    await _write(database, "early", "late")
    assert set((await _where(database)).values()) == {"journal_other"}
    await asyncio.gather(months.keep_up(), JournalMonths(database).keep_up())  # two instances
    assert await months.ends() == beginning(following(third))
    assert await _where(database) == {"early": f"journal_{running}", "late": f"journal_{running}"}
    unguarded = "SELECT count(*) FROM pg_class WHERE relname ~ '^journal_[0-9]+$' AND NOT relforcerowsecurity"
    assert await _run(database, unguarded) == [0]
    of_a_partition = f"SELECT count(*) FROM pg_index WHERE indrelid = 'journal_{running}'::regclass AND indisvalid"
    assert await _run(database, of_a_partition) == [7]


async def test_ids_of_a_month_begin_when_it_does_and_never_go_back(database: Database) -> None:
    months, running = JournalMonths(database), month_of(datetime.now(UTC))
    await _run(database, "SELECT setval('journal_id_seq', 41)")  # as of a time before there were months
    await _write(database, "before")
    await months.keep_up()
    await _write(database, "after")
    await months.keep_up()
    await _write(database, "later")
    assert await _run(database, "SELECT id FROM journal ORDER BY id") == [
        42,
        first_id(running) + 1,
        first_id(running) + 2,
    ]
    assert await _where(database) == {
        "before": "journal_before",
        "after": f"journal_{running}",
        "later": f"journal_{running}",
    }


async def test_a_page_reads_the_months_that_it_needs_and_no_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what PostgreSQL executed, not by what it planned."""
    running = month_of(datetime.now(UTC))
    await _run(database, "SELECT setval('journal_id_seq', 41)")
    await _write(database, *(f"old-{n}" for n in range(5)))
    await _run(database, f"SELECT setval('journal_id_seq', {first_id(running)})")
    await _write(database, *(f"new-{n}" for n in range(5)))
    touched: list[set[str]] = []

    class Explained:
        """A connection that has each reading of the journal explained as it is executed."""

        def __init__(self, connection: AsyncConnection) -> None:
            self._connection = connection

        async def execute(self, statement: Any, *values: Any) -> Any:
            if "FROM journal \n" in str(statement) or "FROM journal\n" in str(statement):
                compiled = str(statement.compile(compile_kwargs={"literal_binds": True}))
                plan = await self._connection.execute(text(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {compiled}"))
                lines = [line for line in plan.scalars() if "never executed" not in line]
                touched.append({found for line in lines for found in PARTITION.findall(line)})
            return await self._connection.execute(statement, *values)

    rows = journal_reader._rows

    async def explained(connection: AsyncConnection, *asked: Any) -> list[Any]:
        return await rows(Explained(connection), *asked)  # type: ignore[arg-type]

    monkeypatch.setattr(journal_reader, "_rows", explained)
    reader, everything = JournalReader(database), JournalFilter()

    page = await reader.page(ORGANISATION, everything, most=3)
    assert ([event.subject for event in page.events], touched.pop()) == (
        ["old-0", "old-1", "old-2"],
        {"journal_before"},
    )
    page = await reader.page(ORGANISATION, everything, after=page.next, most=3)
    assert [event.subject for event in page.events] == ["old-3", "old-4", "new-0"]
    assert touched.pop() == {"journal_before", f"journal_{running}"}
    page = await reader.page(ORGANISATION, everything, after=page.next, most=100)
    assert (len(page.events), touched.pop()) == (4, {f"journal_{running}"})
    page = await reader.page_back(ORGANISATION, everything, before="end", most=3)
    assert ([event.subject for event in page.events], touched.pop()) == (
        ["new-2", "new-3", "new-4"],
        {f"journal_{running}"},
    )
    page = await reader.page(ORGANISATION, JournalFilter(subject="old-4"))
    assert (len(page.events), touched.pop()) == (1, {"journal_before", f"journal_{running}"})


async def test_the_release_before_writes_on_while_the_journal_becomes_partitions(postgres: Postgres) -> None:
    """It has prepared its statement, and one of its transactions is under way when the names change hands."""
    database = Database(await postgres.create_database())
    await migrate(database.engine, "archive", to="archive_0013")
    assert await _in_a_transaction(database.engine, "archive", "head")  # and no lock is left
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    old, busy = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        writes = await old.prepare(ROW)
        for n in range(3):
            await writes.fetch(f"old-{n}")
        reading = old.transaction()
        await reading.start()
        await old.fetch("SELECT FROM journal")
        async with asyncio.timeout(20):
            assert await _in_a_transaction(database.engine, "archive", "head"), "what is there is read beside readers"
        await reading.commit()
        under_way = busy.transaction()
        await under_way.start()
        await busy.execute(ROW, "under way")
        migrating = asyncio.create_task(migrate(database.engine, "archive"))
        waits = "SELECT count(*) FROM pg_locks WHERE relation = 'journal'::regclass AND NOT granted"
        while not migrating.done() and not await busy.fetchval(waits):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        waiting = asyncio.create_task(writes.fetch("while it waits"))
        await under_way.commit()
        await migrating
        await waiting
        await writes.fetch("afterwards")
        rows = await old.fetch("SELECT subject, id, tableoid::regclass::text AS place FROM journal ORDER BY id")
    finally:
        await old.close()
        await busy.close()
    month = month_of(datetime.now(UTC))
    assert [row["subject"] for row in rows[:4]] == ["old-0", "old-1", "old-2", "under way"]
    assert [row["id"] for row in rows[:4]] == [1, 2, 3, 4]
    assert {row["place"] for row in rows[:4]} == {"journal_before"}
    assert [row["subject"] for row in rows[4:]] == ["while it waits", "afterwards"]
    assert rows[-1]["place"] == f"journal_{month}"
    with for_all("a test"):
        assert await _partitions(database) == {
            "journal_before",
            "journal_other",
            *(f"journal_{m}" for m in wanted(datetime.now(UTC))),
        }
        page = await JournalReader(database).page(ORGANISATION, JournalFilter())
        assert len(page.events) == 6
        copied = "SELECT count(*) FROM pg_index WHERE indrelid = 'journal_before'::regclass"
        assert await _run(database, copied) == [7]
    await database.close()
