"""Apache Kafka and PostgreSQL for a benchmark: of its own, durable as in production, gone at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from services.embedded.postgres import EmbeddedPostgres
from tests.benchmarks.resources import cpu_seconds
from tests.support.kafka_server import RealKafka
from tests.support.parts import PartMissing
from tests.support.postgres import Postgres, machine_binaries


@dataclass(frozen=True)
class Servers:
    """`postgres_pid` and `kafka_pid` are the servers' first processes."""

    bootstrap: str
    postgres: Postgres
    postgres_pid: int
    kafka_pid: int

    def cpu(self, processes: dict[str, int]) -> dict[str, float]:
        """Seconds of CPU used so far by these processes, by name, and by the servers."""
        return {
            name: cpu_seconds(pid)
            for name, pid in {**processes, "kafka": self.kafka_pid, "postgres": self.postgres_pid}.items()
        }


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """Raises PartMissing without Java and Maven. PostgreSQL is the machine's own, else the embedded one; with fsync."""
    try:
        binaries = machine_binaries()
    except PartMissing:
        binaries = None
    database = EmbeddedPostgres(folder / "postgres", folder / "postgres.log", durable=True, binaries=binaries)
    with RealKafka(folder / "kafka") as kafka:
        async with database:
            postgres = Postgres(make_url(database.admin_url), "machine" if binaries else "embedded")
            assert database.pid is not None
            yield Servers(kafka.bootstrap, postgres, database.pid, kafka.pid)


def plain(url: str) -> str:
    """A SQLAlchemy URL as asyncpg takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@dataclass(frozen=True)
class Written:
    """What PostgreSQL counted: rows inserted, updated and deleted, and transactions committed."""

    inserted: int
    updated: int
    deleted: int
    commits: int

    def __sub__(self, other: "Written") -> "Written":
        return Written(
            self.inserted - other.inserted,
            self.updated - other.updated,
            self.deleted - other.deleted,
            self.commits - other.commits,
        )


async def written(url: str) -> Written:
    """The database's counters so far. Backends hand theirs in once a second: ask after a pause."""
    connection = await asyncpg.connect(plain(url))
    try:
        rows = await connection.fetchrow(
            "SELECT coalesce(sum(n_tup_ins), 0) AS i, coalesce(sum(n_tup_upd), 0) AS u,"
            " coalesce(sum(n_tup_del), 0) AS d FROM pg_stat_user_tables"
        )
        commits = await connection.fetchval(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        )
    finally:
        await connection.close()
    return Written(int(rows["i"]), int(rows["u"]), int(rows["d"]), int(commits))
