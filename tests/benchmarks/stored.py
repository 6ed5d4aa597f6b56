"""Fills the services' databases as if many agreements had passed: rows of finished ones are copied under other ids.

Every unique text gets a suffix, identities are drawn anew, and what is in no unique index stays as it is. So tables and
indexes have the size and the shape that as many real agreements would have left; the copies belong to nobody's event.
"""

import secrets

import asyncpg

from shared.names import SERVICES
from tests.benchmarks.servers import plain

_CONSTANT = {"organisation", "consumer", "kind", "body_key"}  # part of keys, and the same in all rows
_LEFT_OUT = {"alembic_version", "numbering"}
_COPIES_AT_ONCE = 20

_COLUMNS = """
SELECT c.table_name, c.column_name, c.is_identity = 'YES' AS identity,
       c.data_type = 'text' AND EXISTS (
           SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
           WHERE i.indisunique AND i.indrelid = c.table_name::regclass AND a.attname = c.column_name
       ) AS key
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
  AND c.table_name NOT IN (SELECT relname FROM pg_class WHERE relispartition)
ORDER BY c.table_name, c.ordinal_position
"""


async def copy_rows(database_url: str, times: int) -> int:
    """Copy what is stored `times` over; the number of rows added in all four databases."""
    return sum([await _copy(plain(database_url.replace("{service}", service)), times) for service in SERVICES])


async def _copy(url: str, times: int) -> int:
    connection = await asyncpg.connect(url, command_timeout=1200)
    try:
        await connection.execute("SET synchronous_commit = off")
        added = 0
        for table, columns in (await _tables(connection)).items():
            added += await _copy_table(connection, table, columns, times)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
    return added


async def _tables(connection: asyncpg.Connection) -> dict[str, list[tuple[str, bool]]]:
    """By table, its columns that are to be copied, and whether each needs a suffix."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for row in await connection.fetch(_COLUMNS):
        if row["table_name"] not in _LEFT_OUT and not row["identity"]:
            suffixed = row["key"] and row["column_name"] not in _CONSTANT
            found.setdefault(row["table_name"], []).append((row["column_name"], suffixed))
    return found


async def _copy_table(connection: asyncpg.Connection, table: str, columns: list[tuple[str, bool]], times: int) -> int:
    """In portions, from the rows that were there before."""
    names = ", ".join(f'"{name}"' for name, _ in columns)
    tag = f"-{secrets.token_hex(2)}-"  # the rows may be copies already
    values = ", ".join(f"\"{name}\" || '{tag}' || copy" if suffixed else f'"{name}"' for name, suffixed in columns)
    await connection.execute(f'CREATE TEMP TABLE original AS SELECT {names} FROM "{table}"')
    added = 0
    for first in range(1, times + 1, _COPIES_AT_ONCE):
        last = min(times, first + _COPIES_AT_ONCE - 1)
        done = await connection.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {values} FROM original, generate_series({first}, {last}) AS copy'
        )
        added += int(done.rpartition(" ")[2])
    await connection.execute("DROP TABLE original")
    return added
