"""All of an organisation that is to be no more, erased from a service's database, and its documents; a row that says so
stays (`OrganisationRow`).

Piece by piece, each a transaction of its own that also counts what it took: whoever was killed goes on where it was,
and several instances take turns by that row's lock. It is at its end when a look finds nothing after every
transaction has ended that may have begun before the organisation was known to be erased. What comes late is dropped by
the inbox; what slips in all the same, from a request that was on its way, is found when it is looked again: at every
start, and each hour, as long as events are kept.

See docs/decisions/0104-an-organisation-is-erased-by-each-service.md.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, cast, delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import Database
from shared.events import OrganisationErased
from shared.events.base import event_type
from shared.holdings import OWNER, Holdings
from shared.logging import get_logger
from shared.messaging.message import headers_as_json
from shared.messaging.tables import DEAD_LETTER, ORGANISATION, OUTBOX
from shared.row_security import acting_for, for_all
from shared.wakeup import Wakeup
from shared.workers import Worker

if TYPE_CHECKING:
    from shared.blobs import BlobStore

log = get_logger(__name__)

AT_ONCE = 1000  # rows in a transaction
_WINDOW = 20_000  # ids that are looked through in one, of tables without an index by organisation
_POLL = 5.0
_AGAIN = 3600.0
_DOCUMENTS = "documents"

_ERASED = select(ORGANISATION).where(ORGANISATION.c.erased_at.is_not(None)).order_by(ORGANISATION.c.id)
_HOLD = text("SELECT 1 FROM organisation WHERE id = :id AND erased_at IS NOT NULL FOR UPDATE")
_COUNT = text(
    """
    UPDATE organisation SET erased = coalesce(erased, '{}') || jsonb_build_object(
        CAST(:what AS text), coalesce(CAST(erased ->> CAST(:what AS text) AS bigint), 0) + :count
    )
    WHERE id = :id
    """
)
_END = text(
    "UPDATE organisation SET erasure_ended_at = clock_timestamp(), erased = coalesce(erased, '{}') "
    "WHERE id = :id AND erasure_ended_at IS NULL"
)
# Ids of transactions: the next one, and the oldest that has not ended.
_NEXT = text("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)")
_OLDEST = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")


@dataclass(frozen=True, slots=True)
class Erasure:
    """What a service tells of one: `told_at`, when it was decided; `ended_at`, when nothing was left here; `rows` by
    table, and documents; `late`: events that came after, and were dropped."""

    organisation: str
    told_at: datetime
    ended_at: datetime | None
    rows: dict[str, int]
    late: int


class Eraser:
    """A loop beside a service. `blobs`: None where a service holds no documents. `retention`: of events."""

    def __init__(self, database: Database, holdings: Holdings, blobs: "BlobStore | None", retention: timedelta) -> None:
        self._database = database
        self._holdings = holdings
        self._blobs = blobs
        self._retention = retention
        self._wakeup = Wakeup()
        self._worker = Worker("eraser", self._step)
        self._barriers: dict[str, int] = {}
        self._clean: dict[str, float] = {}  # when a look found nothing

    def start(self) -> None:
        self._worker.start()

    async def stop(self) -> None:
        self._wakeup.set()
        await self._worker.stop()

    async def _step(self) -> None:
        await self.run()
        await self._wakeup.wait(_POLL)

    async def run(self) -> None:
        """Look once through what is to be erased; all that is there then is gone after."""
        for erasure in await self.erasures():
            clean_at = self._clean.get(erasure.organisation)
            if clean_at is None or (monotonic() - clean_at > _AGAIN and await self._is_young(erasure)):
                await self._erase(erasure)

    async def erasures(self) -> list[Erasure]:
        """All that there were, by their short names."""
        async with self._database.single() as connection:
            return [_erasure(row) for row in await connection.execute(_ERASED)]

    async def held(self) -> dict[str, int]:
        """How many rows of each organisation an erasure would take, what is on its way apart; by their short names."""
        counted = " UNION ALL ".join(
            f"SELECT organisation, count(*) AS rows FROM {table} GROUP BY organisation"  # noqa: S608
            for table in self._holdings.tables
        )
        statement = text(f"SELECT organisation, sum(rows) FROM ({counted}) AS c GROUP BY organisation ORDER BY 1")  # noqa: S608
        with for_all("who runs the installation asks how much each organisation has"):
            async with self._database.single() as connection:
                return {row[0]: int(row[1]) for row in await connection.execute(statement)}

    async def _erase(self, erasure: Erasure) -> None:
        organisation = erasure.organisation
        barrier = self._barriers.get(organisation)
        if barrier is None:
            barrier = self._barriers[organisation] = await self._number(_NEXT)
        all_ended = await self._number(_OLDEST) >= barrier
        with acting_for(organisation):
            took = [await self._whole_table(organisation, table) for table in self._holdings.tables.values()]
            took += [await self._windows(organisation, table) for table in (OUTBOX, DEAD_LETTER)]
        if self._blobs is not None:
            took.append(await self._documents(organisation))
        if all_ended and not any(took):
            self._clean[organisation] = monotonic()
            async with self._held(organisation) as connection:
                await connection.execute(_END, {"id": organisation})
            log.info("organisation.erased", organisation=organisation)
        else:
            self._wakeup.set()  # look again

    async def _whole_table(self, organisation: str, table: Table) -> int:
        """How many rows were there."""
        key = [column for column in table.primary_key if column.name != OWNER]
        of_it = table.c[OWNER] == organisation
        some = select(*key).where(of_it).limit(AT_ONCE) if key else None
        total = 0
        while True:
            condition = of_it if some is None else of_it & _among(key, some)
            count = await self._piece(organisation, table, delete(table).where(condition))
            total += count
            if count < AT_ONCE:
                return total

    async def _windows(self, organisation: str, table: Table) -> int:
        """Of a table without `organisation`: looked through by id, as many at once as a transaction should."""
        identity = table.c.id
        async with self._database.single() as connection:
            first, last = (await connection.execute(select(func.min(identity), func.max(identity)))).one()
        total = 0
        for begin in range(first or 0, (last or -1) + 1, _WINDOW):
            window = (identity >= begin) & (identity < begin + _WINDOW)
            total += await self._piece(organisation, table, delete(table).where(window, _of(table, organisation)))
        return total

    async def _piece(self, organisation: str, table: Table, statement: Any) -> int:
        async with self._held(organisation) as connection:
            count = int((await connection.execute(statement)).rowcount)
            await _counted(connection, organisation, table.name, count)
            return count

    async def _documents(self, organisation: str) -> int:
        count = await self._blobs.erase(organisation) if self._blobs is not None else 0
        async with self._held(organisation) as connection:
            await _counted(connection, organisation, _DOCUMENTS, count)
        return count

    @asynccontextmanager
    async def _held(self, organisation: str) -> AsyncIterator[AsyncConnection]:
        """A transaction that holds what stays of it: other instances take turns."""
        async with self._database.transaction() as connection:
            await connection.execute(_HOLD, {"id": organisation})
            yield connection

    async def _is_young(self, erasure: Erasure) -> bool:
        async with self._database.single() as connection:
            now: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
        return now - (erasure.ended_at or now) < self._retention

    async def _number(self, statement: Any) -> int:
        async with self._database.single() as connection:
            return int((await connection.execute(statement)).scalar_one())


async def _counted(connection: AsyncConnection, organisation: str, what: str, count: int) -> None:
    if count:
        await connection.execute(_COUNT, {"id": organisation, "what": what, "count": count})


def _among(key: list[Any], some: Any) -> Any:
    return tuple_(*key).in_(some) if len(key) > 1 else key[0].in_(some)


def _of(table: Table, organisation: str) -> Any:
    """Whether a row on its way is of the organisation. What tells that it is erased stays, for whoever has yet to hear;
    it names nobody."""
    if table is OUTBOX:
        attributes = table.c.attributes
        return (attributes["organisation"].astext == organisation) & (
            attributes["type"].astext != event_type(OrganisationErased)
        )
    [header] = headers_as_json((("ce_organisation", organisation.encode()),))
    return table.c.headers.contains(cast([header], JSONB))


def _erasure(row: Any) -> Erasure:
    return Erasure(row.id, row.erased_at, row.erasure_ended_at, row.erased or {}, row.late)
