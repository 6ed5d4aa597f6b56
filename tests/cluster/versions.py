"""What each of two versions wrote that ran side by side."""

from tests.cluster import second_version
from tests.cluster.installation import Installation


async def wrote_side_by_side(world: Installation) -> str:
    """How many rows and events each wrote. Raises AssertionError where one wrote none: then nothing was tried."""
    said = []
    for service, table in second_version.COLUMNS.items():
        query = f"SELECT {second_version.COLUMN} IS NOT NULL, count(*) FROM {table} GROUP BY 1"
        said.append(f"{table} {_told(table, await _count(world, service, query))}")
    for kind, field in second_version.FIELDS.items():
        ours = f"event_type LIKE '%{kind}'"
        has_it = f"convert_from(body, 'UTF8')::jsonb->>'{field}' IS NOT NULL"
        query = f"SELECT {has_it}, count(*) FROM journal WHERE {ours} GROUP BY 1"
        said.append(f"{kind} {_told(kind, await _count(world, 'archive', query))}")
    return f"by the first and the second version: {', '.join(said)}"


async def _count(world: Installation, service: str, query: str) -> dict[bool, int]:
    connection = await world.connect(service)
    try:
        return {bool(is_second): number for is_second, number in await connection.fetch(query)}
    finally:
        await connection.close()


def _told(what: str, count: dict[bool, int]) -> str:
    assert set(count) == {False, True}, f"of {what}, one version wrote nothing: {count}"
    return f"{count[False]} + {count[True]}"
