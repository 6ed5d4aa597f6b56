from services.signing.tables import SigningTable
from shared.database import Database
from shared.messaging.tables import MessagingTable
from shared.migrations import drift, is_current, migrate
from shared.settings import Settings


async def test_the_migrated_tables_are_those_in_code(settings: Settings) -> None:
    database = Database(settings.database_url_of("signing"))
    try:
        await migrate(database.engine, "signing")
        assert await is_current(database.engine, "signing")
        assert await drift(database.engine, [MessagingTable.metadata, SigningTable.metadata]) == []
    finally:
        await database.close()
