"""The migrated database and the tables in code say the same."""

from services.notifications.tables import NotificationsTable
from shared.database import Database
from shared.messaging.tables import MessagingTable
from shared.migrations import drift, is_current, migrate
from tests.support.postgres import Postgres


async def test_migrations_make_the_tables_that_the_code_knows(postgres: Postgres) -> None:
    database = Database(await postgres.create_database())
    await migrate(database.engine, "notifications")
    assert await is_current(database.engine, "notifications")
    assert await drift(database.engine, [MessagingTable.metadata, NotificationsTable.metadata]) == []
    await database.close()
