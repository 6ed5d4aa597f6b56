"""A journal of two years with as many events as are wanted, copied from those that real agreements told.

Each copy of an agreement has ids of its own, as long as the original's; headers and bodies stay as they were. Copies
belong in turn to as many organisations as Sweden has municipalities, regions and their bodies. Rows lie in the order of
their months, an agreement's events beside each other; what the indexes hold is as scattered as ids are.
"""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import asyncpg

from services.archive import witnesses
from services.archive.journal import Journal, _is_there
from services.archive.journal_months import beginning, first_id, following, month_of
from services.archive.journal_reader import END, JournalFilter, JournalReader
from shared.database import Database
from shared.events import Envelope
from shared.ids import new_id
from shared.messaging.freshness import Freshness
from shared.messaging.message import RawMessage, headers_from_json
from shared.messaging.signatures import new_event_keys, parse_event_keys
from tests.benchmarks.servers import Servers, plain
from tests.support.signed import signed_for

MONTHS = 24
_ORGANISATIONS = 611
_OURS = "association-0"
_ROUNDS = 25

_RENAMED = {
    name: f"left(o.{name}, 28) || lpad(to_hex(k), 8, '0')" for name in ("key", "event_id", "subject", "correlation_id")
}
_AS_IT_WAS = ("topic", "partition", "position", "event_type", "readable", "authentic", "headers", "body")

Say = Callable[[str], None]
Cost = Callable[[Callable[[], Awaitable[object]], int], Awaitable[dict[str, Any]]]


@dataclass
class JournalRows:
    database: Database
    connection: asyncpg.Connection
    events: int
    months: list[int]
    seconds: float

    async def measured(self, cost: Cost) -> dict[str, Any]:
        """What the rows take, and what readers, the comparison of histories and the writer pay for them."""
        rows, indexes = await self.connection.fetchrow(
            "SELECT sum(pg_table_size(inhrelid))::bigint, sum(pg_indexes_size(inhrelid))::bigint FROM pg_inherits"
            " WHERE inhparent = 'journal'::regclass"
        )
        return {
            "events": self.events,
            "months": len(self.months),
            "filled_in_seconds": round(self.seconds),
            "bytes": {"rows": rows // self.events, "indexes": indexes // self.events},
            "read": {name: await cost(reading, _ROUNDS) for name, reading in (await self._readings()).items()},
            "take": {str(size): await cost(self._taking(size), _ROUNDS) for size in (1, 100, 500)},
        }

    async def _readings(self) -> dict[str, Callable[[], Awaitable[object]]]:
        reader, everything = JournalReader(self.database), JournalFilter()
        of_an_agreement = await self._some_agreement()
        middle = beginning(self.months[len(self.months) // 2]) + timedelta(days=3)
        period = JournalFilter(since=middle, until=middle + timedelta(days=1))
        a_type = JournalFilter(types=(of_an_agreement.event_type,))
        about = JournalFilter(about=of_an_agreement.subject)
        new = dict(of_an_agreement._asdict(), event_id=new_id(), subject=new_id())

        async def in_a_transaction(work: Callable[[Any], Awaitable[object]]) -> object:
            async with self.database.transaction() as connection:
                return await work(connection)

        return {
            "the first page of 100": lambda: reader.page(_OURS, everything),
            "the last page of 100": lambda: reader.page_back(_OURS, everything, before=END),
            "the last 100 of a type": lambda: reader.page_back(_OURS, a_type, before=END),
            "100 of a day": lambda: reader.page(_OURS, period),
            "one agreement with its mails": lambda: reader.page(_OURS, about),
            "an agreement compared": lambda: in_a_transaction(
                lambda connection: witnesses.of_agreement(connection, cast(Envelope, of_an_agreement))
            ),
            "an event looked for": lambda: in_a_transaction(lambda connection: _is_there(connection, new)),
        }

    async def _some_agreement(self) -> Any:
        """As an event that ends it says of itself."""
        lowest = first_id(self.months[len(self.months) // 2])
        row = await self.connection.fetchrow(
            "SELECT * FROM journal WHERE organisation = $1 AND event_type LIKE '%.agreement-completed.%'"
            " ORDER BY id > $2 DESC, id LIMIT 1",
            _OURS,
            lowest,
        )
        named = SimpleNamespace(**dict(row))
        named._asdict = lambda: dict(row)
        return named

    def _taking(self, size: int) -> Callable[[], Awaitable[None]]:
        """Each round brings other events; they are made before."""
        keys = parse_event_keys(new_event_keys())
        verifier = keys.verifier("archive")
        journal = Journal(self.database, _OURS, verifier, Freshness(timedelta(days=30)))
        batches = [
            [signed_for(verifier, _with_new_id(self._originals[n % len(self._originals)])) for n in range(size)]
            for _ in range(_ROUNDS)
        ]

        async def take() -> None:
            await journal.handle(batches.pop())

        return take

    async def load_originals(self) -> None:
        rows = await self.connection.fetch("SELECT * FROM original")
        self._originals = [_raw(row) for row in rows if row["readable"]]


def _raw(row: Any) -> RawMessage:
    headers = headers_from_json(json.loads(row["headers"]))
    return RawMessage(row["topic"], row["partition"], row["position"], row["key"], tuple(headers), row["body"])


def _with_new_id(raw: RawMessage) -> RawMessage:
    headers = dict(raw.headers) | {"ce_id": new_id().encode()}
    unsigned = {name: value for name, value in headers.items() if name.startswith(("ce_", "content"))}
    return replace(raw, headers=tuple(unsigned.items()))


@asynccontextmanager
async def journal_of(
    machine: Servers, originals: Path, events: int, say: Say, *, months_of: int = MONTHS
) -> AsyncIterator[JournalRows]:
    url = await machine.postgres.create_database("archive")
    connection = await asyncpg.connect(plain(url), command_timeout=3600)
    database = Database(url)
    begun = time.perf_counter()
    months = [month_of(datetime.now(UTC))]
    while len(months) < months_of:
        months.append(following(months[-1]))
    try:
        await connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '256MB'")
        await connection.execute("CREATE TABLE original (LIKE journal INCLUDING DEFAULTS)")
        await connection.copy_to_table("original", source=originals, format="binary")
        of_one = await connection.fetchval("SELECT count(*) FROM original")
        for (name,) in await connection.fetch("SELECT relname FROM pg_class WHERE relname ~ '^journal_[0-9]{6}$'"):
            await connection.execute(f"DROP TABLE {name}")
        copies, made = max(1, round(events / months_of / of_one)), 0
        for number, month in enumerate(months):
            made += await _fill(connection, month, number * copies, copies, of_one)
            say(f"{made:,} of {events:,} events after {time.perf_counter() - begun:.0f} s")
        await connection.execute(f"SELECT setval('journal_id_seq', {first_id(months[-1]) + copies * of_one})")
        await connection.execute("VACUUM ANALYZE journal")
        await connection.execute("CHECKPOINT")
        rows = JournalRows(database, connection, made, months, time.perf_counter() - begun)
        await rows.load_originals()
        yield rows
    finally:
        await database.close()
        await connection.close()
        await machine.postgres.drop_databases(0)


async def _fill(connection: asyncpg.Connection, month: int, first: int, copies: int, of_one: int) -> int:
    """Without indexes, which are made at the end as they come with the journal; then it is one of its months."""
    name = f"journal_{month}"
    await connection.execute(f"CREATE TABLE {name} (LIKE journal INCLUDING DEFAULTS)")
    names = ", ".join((*_RENAMED, *_AS_IT_WAS))
    values = ", ".join((*_RENAMED.values(), *(f"o.{name}" for name in _AS_IT_WAS)))
    at = f"'{beginning(month).isoformat()}'::timestamptz + (k - {first}) * interval '28 days' / {copies}"
    done = await connection.execute(
        f'INSERT INTO {name} (id, organisation, "time", recorded_at, {names}) '
        f"SELECT {first_id(month)} + (k - {first}) * {of_one} + row_number() OVER (PARTITION BY k), "
        f"'association-' || k % {_ORGANISATIONS}, {at}, {at}, {values} "
        f"FROM generate_series({first}, {first + copies - 1}) AS k, LATERAL (SELECT * FROM original WHERE k >= 0) AS o"
    )
    await connection.execute(
        f"ALTER TABLE journal ATTACH PARTITION {name} "
        f"FOR VALUES FROM ({first_id(month)}) TO ({first_id(following(month))})"
    )
    return int(done.rpartition(" ")[2])
