"""Bring a service's database to the schema of this version, by Alembic; each service keeps its own revisions.

Forward only: a schema change lets the version before it still run (add, fill, later remove), and a backup is
the way back.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database import is_conflict
from shared.row_security import EVERYBODY, SETTING
from shared.settings import BadConfiguration

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where it is used: a running service only asks for the revision, and saves its eight megabytes.
_HERE = Path(__file__).parent
_ROOT = _HERE.parent
_MIGRATION_LOCK = 0x6D696772  # "migr": instances that start together take turns
_ATTEMPTS = 5


async def migrate(engine: AsyncEngine, service: str, *, to: str = "head") -> None:
    """To the newest revision, or for a test to an older one; does nothing when it is there or beyond.

    In one transaction, but that a revision with `begins_anew` begins another: what is before it is committed, and its
    locks are gone. It has to be one before which the release that is running may stay for good.

    A revision that locks many tables, while the release before works on them in another order, may be the one that
    PostgreSQL ends to undo a deadlock: it begins anew. Raises what the database raises, and BadConfiguration for one
    that is not in UTF-8. One at a time in a process: Alembic keeps its context in global names.
    """
    while await _in_a_transaction(engine, service, to):
        pass


async def _in_a_transaction(engine: AsyncEngine, service: str, to: str) -> bool:
    """Whether there is more to do, in another one."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(_upgrade, service, to)
        except Exception as error:
            if not is_conflict(error) or attempt == _ATTEMPTS:
                raise
            await asyncio.sleep(attempt)
    raise AssertionError("unreachable")


async def is_current(engine: AsyncEngine, service: str) -> bool:
    """Whether the database has this version's schema, or a later one: in a rolling upgrade it runs on that, too."""
    async with engine.connect() as connection:
        return await connection.run_sync(_at_head, service)


async def is_guarded(engine: AsyncEngine) -> bool:
    """Whether policies bind who we are here: the tables' owner, say, but no superuser, and nobody with BYPASSRLS."""
    async with engine.connect() as connection:
        above = await connection.execute(
            text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        )
        return not above.scalar_one()


async def drift(engine: AsyncEngine, metadata: Sequence[MetaData]) -> list[Any]:
    """What the tables in code have and the migrated database has not, or the other way round; for a test."""
    async with engine.connect() as connection:
        return await connection.run_sync(_compare, metadata)


def newest_revision(service: str) -> str:
    """By the names of the files: `0002_what.py` holds the revision `SERVICE_0002`."""
    newest = max(path.name for path in _versions(service).glob("[0-9]*.py"))
    return f"{service}_{newest.partition('_')[0]}"


def _versions(service: str) -> Path:
    return _ROOT / "services" / service / "migrations"


def _config(service: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE / "alembic"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(_versions(service)))
    return config


def _upgrade(connection: Connection, service: str, to: str) -> bool:
    """Up to the next revision that begins anew; whether there is one."""
    # What a revision changes in rows it changes in all; until the transaction ends.
    connection.execute(text(f"SET LOCAL {SETTING} = '{EVERYBODY}'"))
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise BadConfiguration(f"the database of {service} is in {encoding}", hint="make it with ENCODING 'UTF8'")
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    if _at_head(connection, service):
        return False
    return _run_alembic(connection, service, to)


def _run_alembic(connection: Connection, service: str, to: str) -> bool:
    import alembic.command
    from alembic.script import ScriptDirectory

    config = _config(service)
    config.attributes["connection"] = connection
    config.attributes["metadata"] = None
    found = _revision(connection)
    pending = [*ScriptDirectory.from_config(config).iterate_revisions(to, found or "base")][::-1]
    ends = [n for n, one in enumerate(pending) if n and getattr(one.module, "begins_anew", False)]
    alembic.command.upgrade(config, pending[ends[0] - 1].revision if ends else to)
    return bool(ends)


def _at_head(connection: Connection, service: str) -> bool:
    found = _revision(connection)
    return found is not None and found >= newest_revision(service)


def _revision(connection: Connection) -> str | None:
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def _compare(connection: Connection, metadata: Sequence[MetaData]) -> list[Any]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    partitions = set(connection.execute(text("SELECT relname FROM pg_class WHERE relispartition")).scalars())

    def is_declared(name: str | None, kind: str, _parents: Any) -> bool:
        return kind != "table" or name not in partitions  # a partition has what its table has

    context = MigrationContext.configure(connection, opts={"include_name": is_declared})
    # Alembic takes several; its annotation says one.
    return list(compare_metadata(context, metadata))  # type: ignore[arg-type]
