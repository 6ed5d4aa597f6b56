"""The migrated database and the tables in code say the same."""

import pytest
from sqlalchemy import text

from services.notifications.tables import NotificationsTable
from shared.database import Database
from shared.messaging.tables import MessagingTable
from shared.migrations import drift, is_current, migrate
from shared.settings import BadConfiguration
from tests.support.postgres import Postgres


async def test_migrations_make_the_tables_that_the_code_knows(postgres: Postgres) -> None:
    database = Database(await postgres.create_database())
    await migrate(database.engine, "notifications")
    assert await is_current(database.engine, "notifications")
    assert await drift(database.engine, [MessagingTable.metadata, NotificationsTable.metadata]) == []
    await database.close()


@pytest.mark.parametrize(("revision", "enough"), [("0001", False), ("0099", True)])
async def test_a_service_runs_on_a_later_schema_but_not_on_an_older_one(
    postgres: Postgres, revision: str, *, enough: bool
) -> None:
    """In a rolling upgrade the schema comes first, and a service of the version before may still start."""
    database = Database(await postgres.create_database())
    await migrate(database.engine, "notifications")
    async with database.transaction() as connection:
        await connection.execute(text(f"UPDATE alembic_version SET version_num = 'notifications_{revision}'"))
    assert await is_current(database.engine, "notifications") == enough
    if enough:
        await migrate(database.engine, "notifications")  # nothing to do, and nothing to complain of
    await database.close()


async def test_a_database_that_is_not_in_utf8_is_refused(postgres: Postgres) -> None:
    database = Database(await postgres.create_other_encoding())
    with pytest.raises(BadConfiguration, match="the database of notifications is in SQL_ASCII"):
        await migrate(database.engine, "notifications")
    await database.close()
