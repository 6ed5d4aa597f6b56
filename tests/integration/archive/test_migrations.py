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
