"""Databases of the four services, with rows of two organisations in every table that has rows of organisations."""

from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import Database
from shared.names import SERVICES
from shared.row_security import acting_for
from shared.settings import Settings

OURS, THEIRS = "bjorka", "norrdalen"

_COLUMNS = text(
    """
    SELECT table_name, array_agg(column_name::text) AS names, array_agg(data_type::text) AS types
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_identity = 'NO' AND is_generated = 'NEVER'
      AND table_name NOT IN (SELECT relname FROM pg_class WHERE relispartition)
      AND NOT (table_name = 'journal' AND column_name = 'id')
    GROUP BY table_name HAVING bool_or(column_name = 'organisation') ORDER BY table_name
    """
)


def word_of(organisation: str) -> str:
    """Stands in every text that the organisation has."""
    return f"ord-av-{organisation}"


def _values(word: str) -> dict[str, str]:
    """Of each type that a column has, in SQL."""
    return {
        "text": f"'{word}'",
        "jsonb": f"""'{{"said": "{word}"}}'""",
        "ARRAY": "'{}'",
        "integer": "1",
        "bigint": "1",
        "smallint": "1",
        "double precision": "1",
        "boolean": "false",
        "date": "'2022-09-26'",
        "timestamp with time zone": "'2022-09-26T10:00Z'",
        "timestamp without time zone": "'2022-09-26T10:00'",
        "bytea": f"convert_to('{word}', 'UTF8')",
        "tsvector": f"to_tsvector('simple', '{word}')",
        "regconfig": "'swedish'",
    }


@asynccontextmanager
async def connected(settings: Settings, service: str) -> Any:
    database = Database(settings.database_url_of(service), pool_size=1)
    try:
        async with database.transaction() as connection:
            yield connection
    finally:
        await database.close()


async def fill(settings: Settings) -> dict[str, int]:
    """A row of each organisation in each table. How many tables there are, by service."""
    found = {}
    for service in SERVICES:
        for organisation in (OURS, THEIRS):
            with acting_for(organisation):
                async with connected(settings, service) as connection:
                    tables = (await connection.execute(_COLUMNS)).all()
                    for statement in _inserts(tables, organisation):
                        await connection.execute(text(statement))
        found[service] = len(tables)
    return found


def _inserts(tables: Any, organisation: str) -> Iterator[str]:
    values = _values(word_of(organisation))
    for row in tables:
        columns = dict(zip(row.names, row.types, strict=True))
        given = [f"'{organisation}'" if name == "organisation" else values[kind] for name, kind in columns.items()]
        names = ", ".join(f'"{name}"' for name in columns)
        yield f"INSERT INTO {row.table_name} ({names}) VALUES ({', '.join(given)})".replace(":", "\\:")


async def add_people(connection: AsyncConnection, organisation: str, count: int) -> None:
    """So many that they are read and erased in several pieces."""
    statement = """
        INSERT INTO person
        SELECT (jsonb_populate_record(p, jsonb_build_object('id', 'p' || n, 'key', 'p' || n, 'email_key', 'p' || n))).*
        FROM person p, generate_series(1, :count) AS n WHERE organisation = :organisation
    """
    await connection.execute(text(statement), {"count": count, "organisation": organisation})
