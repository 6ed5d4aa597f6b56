"""The journal's months: each is a partition, made some months ahead, and the ids drawn in it begin with it.

So one number gives the order, the place that a reader remembers, and the month: `2026110000000042` is the 42nd of
November 2026. A month begins when the first instance here sees that it has; an event that comes in between belongs to
the one before. What no partition holds lies in the default one, until its month is made; see
docs/decisions/0110-the-journals-ids-begin-with-their-month.md.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive.journal import hold_writers
from shared.database import Database
from shared.logging import get_logger
from shared.row_security import for_all, policies
from shared.workers import Worker

log = get_logger(__name__)

IN_A_MONTH = 10_000_000_000  # ids
AHEAD = 2  # months made beside the running one
_LOOK = 600.0  # seconds

_DATABASES_CLOCK = text("SELECT clock_timestamp()")
_MADE = text(
    "SELECT substr(relname, 9)::int FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
    "WHERE inhparent = 'journal'::regclass AND relname ~ '^journal_[0-9]{6}$'"
)
_DRAWN = text("SELECT last_value FROM journal_id_seq")
_DRAW_FROM = text("SELECT setval('journal_id_seq', :first)")
# First of all: whoever has read the default partition may wait for the writers' lock, and would wait for us with it.
_HOLD_OTHER = text("LOCK TABLE journal_other IN ACCESS EXCLUSIVE MODE")


def month_of(moment: datetime) -> int:
    """As a number that reads as one: 202611."""
    utc = moment.astimezone(UTC)
    return utc.year * 100 + utc.month


def following(month: int) -> int:
    return month + 1 if month % 100 < 12 else month + 89


def beginning(month: int) -> datetime:
    return datetime(month // 100, month % 100, 1, tzinfo=UTC)


def first_id(month: int) -> int:
    """No id of the month is lower. This one itself is never drawn."""
    return month * IN_A_MONTH


def wanted(moment: datetime) -> list[int]:
    months = [month_of(moment)]
    for _ in range(AHEAD):
        months.append(following(months[-1]))
    return months


class JournalMonths:
    """Makes partitions ahead and has ids begin with the month that it is, by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopping = asyncio.Event()
        self._worker = Worker("journal-months", self._step)

    def start(self) -> None:
        self._worker.start()

    async def stop(self) -> None:
        self._stopping.set()
        await self._worker.stop()

    async def ends(self) -> datetime | None:
        """When the last month that is made does; None when none is."""
        async with self._database.single() as connection:
            made = (await connection.execute(_MADE)).scalars().all()
        return beginning(following(max(made))) if made else None

    async def keep_up(self) -> None:
        """Make what lacks; have the month begin."""
        async with self._database.single() as connection:
            now = (await connection.execute(_DATABASES_CLOCK)).scalar_one()
            made = set((await connection.execute(_MADE)).scalars())
            drawn = (await connection.execute(_DRAWN)).scalar_one()
        for month in wanted(now):
            if month not in made:
                await self._make(month)
        if drawn < first_id(month_of(now)):
            await self._begin(month_of(now))

    async def _make(self, month: int) -> None:
        with for_all("what lay in the default partition moves along, whose ever it is"):
            async with self._database.transaction() as connection:
                await connection.execute(_HOLD_OTHER)
                await hold_writers(connection)
                if month not in (await connection.execute(_MADE)).scalars().all():  # another instance was here
                    moved = await _add_partition(connection, month)
                    log.info("journal.month_made", month=month, moved=moved)

    async def _begin(self, month: int) -> None:
        async with self._database.transaction() as connection:
            await hold_writers(connection)
            if (await connection.execute(_DRAWN)).scalar_one() < first_id(month):
                await connection.execute(_DRAW_FROM, {"first": first_id(month)})
                log.info("journal.month_begun", month=month)

    async def _step(self) -> None:
        await self.keep_up()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), _LOOK)


async def _add_partition(connection: AsyncConnection, month: int) -> int:
    """How many rows it takes from the default partition. Attached, not made as a partition: that would stop readers."""
    name, first, end = f"journal_{month}", first_id(month), first_id(following(month))
    within = f"id >= {first} AND id < {end}"
    await connection.execute(text(f"CREATE TABLE {name} (LIKE journal INCLUDING DEFAULTS INCLUDING INDEXES)"))
    for statement in policies(name):
        await connection.execute(text(statement))
    taken = (
        f"WITH taken AS (DELETE FROM journal_other WHERE {within} RETURNING *) INSERT INTO {name} SELECT * FROM taken"  # noqa: S608
    )
    moved = (await connection.execute(text(taken))).rowcount
    await connection.execute(text(f"ALTER TABLE journal ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})"))
    return moved
