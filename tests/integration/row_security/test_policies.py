"""PostgreSQL itself keeps organisations apart, whatever a query says: each table, and what sets for whom it is."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import Database
from shared.migrations import is_current, is_guarded, migrate
from shared.names import SERVICES
from shared.row_security import acting_for, acting_within, for_all
from tests.support.postgres import Postgres
from tests.support.scoped_queries import Query, observed

OURS, THEIRS = "bjorka", "norrdalen"
# A value of each type that a column has, in SQL.
_VALUES = {
    "text": "'x'",
    "jsonb": "'{}'",
    "ARRAY": "'{}'",
    "integer": "1",
    "bigint": "1",
    "smallint": "1",
    "double precision": "1",
    "boolean": "false",
    "date": "'2022-09-26'",
    "timestamp with time zone": "'2022-09-26T10:00Z'",
    "timestamp without time zone": "'2022-09-26T10:00'",
    "bytea": "''",
    "tsvector": "''",
    "regconfig": "'swedish'",
}
_TABLES = text(
    """
    SELECT table_name, array_agg(column_name::text) AS names, array_agg(data_type::text) AS types
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
      AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'
      AND table_name NOT IN (SELECT relname FROM pg_class WHERE relispartition)
    GROUP BY table_name HAVING bool_or(column_name = 'organisation') ORDER BY table_name
    """
)
_UNGUARDED = text(
    """
    SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'organisation'
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND NOT (
        relrowsecurity AND relforcerowsecurity AND (
            SELECT string_agg(polname::text || ' ' || polcmd::text, ',') FROM pg_policy
            WHERE polrelid = pg_class.oid AND 0 = ANY (polroles)
        ) = 'own_organisation *'
    )
    """
)


@pytest.fixture
async def meetings(postgres: Postgres) -> AsyncIterator[Database]:
    database = Database(await postgres.create_database("meetings"))
    with acting_for():
        yield database
    await database.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_of_organisations_is_guarded_against_whoever_is_not_named(
    service: str, postgres: Postgres
) -> None:
    database = Database(await postgres.create_database(service))
    async with database.transaction() as connection:
        assert (await connection.execute(_UNGUARDED)).scalars().all() == [], "a migration has to name them: `policies`"
        tables = {
            row.table_name: dict(zip(row.names, row.types, strict=True)) for row in await connection.execute(_TABLES)
        }
    assert len(tables) > 5
    for table, columns in tables.items():
        await _keeps_apart(database, table, columns)
    await database.close()


async def _keeps_apart(database: Database, table: str, columns: dict[str, str]) -> None:
    values = [f"'{OURS}'" if name == "organisation" else _VALUES[kind] for name, kind in columns.items()]
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(values)})"
    with acting_for(OURS):
        assert await _changed(database, insert) == 1
    for names, seen in ((), 0), ((THEIRS,), 0), ((THEIRS, OURS), 1), ((OURS,), 1):
        with acting_for(*names):
            assert await _count(database, table) == seen, (table, names)
            if not seen:
                assert await _changed(database, f"UPDATE {table} SET organisation = organisation") == 0, table
                assert await _changed(database, f"DELETE FROM {table}") == 0, table
                with pytest.raises(DBAPIError, match="row-level security"):
                    await _changed(database, insert)
    with acting_for(OURS), pytest.raises(DBAPIError, match="row-level security"):
        await _changed(database, f"UPDATE {table} SET organisation = '{THEIRS}'")
    with for_all("a test"):
        assert await _count(database, table) == 1, table


async def test_who_is_acted_for_goes_along_with_the_beginning_of_a_transaction(
    meetings: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _fill(meetings)
    sent: list[str] = []
    execute = asyncpg.Connection.execute

    async def noted(self: asyncpg.Connection, query: str, *arguments: Any, **options: Any) -> str:
        sent.append(query)
        return str(await execute(self, query, *arguments, **options))

    monkeypatch.setattr(asyncpg.Connection, "execute", noted)
    seen: list[Query] = []
    with acting_for(OURS), observed(meetings.engine.sync_engine, seen):
        async with meetings.transaction() as connection:
            assert await _names(connection) == [OURS]
    assert len(seen) == 1, "the reading, and no statement more"
    assert [one.rstrip(";") for one in sent] == [f"BEGIN; SET LOCAL justera.organisations = '{OURS}'", "COMMIT"]


async def test_a_single_reading_asks_once_more_only_when_others_are_acted_for(meetings: Database) -> None:
    await _fill(meetings)
    seen: list[Query] = []
    with observed(meetings.engine.sync_engine, seen):
        for organisation in (OURS, OURS, THEIRS, THEIRS):
            with acting_for(organisation):
                async with meetings.single() as connection:
                    assert await _names(connection) == [organisation]
    assert ["set_config" in one.sql for one in seen] == [True, False, False, True, False, False]


async def test_a_transaction_leaves_nothing_to_who_has_the_connection_next(meetings: Database) -> None:
    await _fill(meetings)
    with for_all("a test"):
        async with meetings.transaction() as connection:
            assert await _names(connection) == [OURS, THEIRS]
    async with meetings.single() as connection:
        assert await _names(connection) == []
    with acting_within(OURS, f"{THEIRS},{OURS}"):
        async with meetings.single() as connection:
            assert await _names(connection) == [OURS, THEIRS]
    async with meetings.transaction() as connection:
        assert await _names(connection) == []


async def test_the_release_before_sees_what_it_saw_while_pods_roll(meetings: Database) -> None:
    await _fill(meetings)
    connection = await asyncpg.connect(meetings.engine.url.set(drivername="postgresql").render_as_string(False))
    assert await connection.fetchval("SELECT count(*) FROM register") == 2
    await connection.close()


async def test_a_superuser_is_told_from_an_owner(meetings: Database, postgres: Postgres) -> None:
    above = Database(postgres.admin_url.render_as_string(hide_password=False))
    assert await is_guarded(meetings.engine)
    assert not await is_guarded(above.engine)
    await above.close()


async def _fill(database: Database) -> None:
    for organisation in (OURS, THEIRS):
        with acting_for(organisation):
            await _changed(database, f"INSERT INTO register (organisation, version) VALUES ('{organisation}', 1)")


async def _names(connection: AsyncConnection) -> list[str]:
    rows = await connection.execute(text("SELECT organisation FROM register"))
    return sorted(rows.scalars().all())


async def _count(database: Database, table: str) -> int:
    async with database.single() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def _changed(database: Database, statement: str) -> int:
    async with database.transaction() as connection:
        return (await connection.execute(text(statement))).rowcount


async def test_a_migration_that_loses_a_deadlock_against_the_release_before_begins_anew(postgres: Postgres) -> None:
    """It locks all tables, and what works meanwhile does so in an order of its own."""
    database = Database(await postgres.create_database())
    waiting = text("SELECT count(*) FROM pg_locks WHERE relation = 'timer'::regclass AND NOT granted")
    try:
        await migrate(database.engine, "signing", to="signing_0009")
        async with database.transaction() as at_work:
            await at_work.execute(text("SET LOCAL deadlock_timeout = '1h'"))  # the other one is ended
            await at_work.execute(text("SELECT 1 FROM timer"))
            migrating = asyncio.create_task(migrate(database.engine, "signing"))
            while not migrating.done() and not (await at_work.execute(waiting)).scalar_one():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await at_work.execute(text("SELECT 1 FROM agreement"))
        await migrating
        assert await is_current(database.engine, "signing")
    finally:
        await database.close()
