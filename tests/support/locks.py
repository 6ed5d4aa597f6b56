"""Watching who waits for whose lock in PostgreSQL."""

import asyncio

from sqlalchemy import text

from shared.database import Database

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def waits_for_a_lock(database: Database) -> None:
    """Until some transaction on the database waits for another one's lock."""
    async with asyncio.timeout(10):
        while True:
            async with database.transaction() as connection:
                if (await connection.execute(_WAITING)).scalar_one():
                    return
            await asyncio.sleep(0.02)
