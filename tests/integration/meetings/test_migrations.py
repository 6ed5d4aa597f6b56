"""What the migrations of meetings do with rows that are there."""

import alembic.command
from sqlalchemy import Connection, text

from shared.database import Database
from shared.migrations import _config, migrate
from tests.support.postgres import Postgres

COMPOSED, DECOMPOSED = "nämnden", "na\u0308mnden"


async def test_a_body_in_two_forms_becomes_one_that_goes_on_after_the_highest(postgres: Postgres) -> None:
    database = Database(await postgres.create_database())
    async with database.engine.begin() as connection:
        await connection.run_sync(_migrate_to, "meetings_0001")
    rows = [(COMPOSED, 2025, 7), (DECOMPOSED, 2025, 9), (DECOMPOSED, 2026, 3), ("styrelsen", 2026, None)]
    async with database.transaction() as connection:
        for body, year, following in rows:
            await connection.execute(
                text("INSERT INTO numbering VALUES ('norrdalen', :body, :year, :following)"),
                {"body": body, "year": year, "following": following},
            )
    await migrate(database.engine, "meetings")
    async with database.single() as connection:
        kept = await connection.execute(text("SELECT body_key, year, next_paragraph FROM numbering ORDER BY 1, 2"))
        assert [tuple(row) for row in kept] == [(COMPOSED, 2025, 9), (COMPOSED, 2026, 3), ("styrelsen", 2026, None)]
    await database.close()


def _migrate_to(connection: Connection, revision: str) -> None:
    config = _config("meetings")
    config.attributes.update(connection=connection, metadata=None)
    alembic.command.upgrade(config, revision)
