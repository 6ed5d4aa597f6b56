"""Bring a service's database to the schema of this version, by Alembic; each service keeps its own revisions.

Forward only: a schema change lets the version before it still run (add, fill, later remove), and a backup is
the way back.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import alembic.command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine

_HERE = Path(__file__).parent
_ROOT = _HERE.parent
_MIGRATION_LOCK = 0x6D696772  # "migr": instances that start together take turns


async def migrate(engine: AsyncEngine, service: str) -> None:
    """To the newest revision; does nothing when it is there. Raises what the database raises.

    One at a time in a process: Alembic keeps its context in global names.
    """
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade, service)


async def is_current(engine: AsyncEngine, service: str) -> bool:
    """Whether the database is at the newest revision."""
    async with engine.connect() as connection:
        return await connection.run_sync(_at_head, service)


async def drift(engine: AsyncEngine, metadata: Sequence[MetaData]) -> list[Any]:
    """What the tables in code have and the migrated database has not, or the other way round; for a test."""
    async with engine.connect() as connection:
        return await connection.run_sync(_compare, metadata)


def _config(service: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE / "alembic"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(_ROOT / "services" / service / "migrations"))
    return config


def _upgrade(connection: Connection, service: str) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    config = _config(service)
    config.attributes["connection"] = connection
    config.attributes["metadata"] = None
    alembic.command.upgrade(config, "head")


def _at_head(connection: Connection, service: str) -> bool:
    heads = set(ScriptDirectory.from_config(_config(service)).get_heads())
    return set(MigrationContext.configure(connection).get_current_heads()) == heads


def _compare(connection: Connection, metadata: Sequence[MetaData]) -> list[Any]:
    # Alembic takes several; its annotation says one.
    return list(compare_metadata(MigrationContext.configure(connection), metadata))  # type: ignore[arg-type]
