from contextlib import nullcontext

import pytest
from sqlalchemy import text

from services.archive.tables import ArchiveTable
from shared.database import Database
from shared.messaging.tables import MessagingTable
from shared.migrations import drift, is_current, migrate
from shared.passed_sessions import PassedTable
from shared.settings import Settings


async def test_the_migrated_tables_are_those_in_code(settings: Settings) -> None:
    database = Database(settings.database_url_of("archive"))
    try:
        await migrate(database.engine, "archive")
        assert await is_current(database.engine, "archive")
        assert (
            await drift(database.engine, [MessagingTable.metadata, PassedTable.metadata, ArchiveTable.metadata]) == []
        )
    finally:
        await database.close()


async def test_a_statement_is_given_up_in_time_but_for_a_migrations(settings: Settings) -> None:
    slow = text("SELECT pg_sleep(0.2)")
    for seconds, given_up in (0.05, True), (None, False):
        database = Database(settings.database_url_of("archive"), command_seconds=seconds)
        with pytest.raises(TimeoutError) if given_up else nullcontext():
            async with database.transaction() as connection:
                await connection.execute(slow)
        await database.close()
