"""What a drill is held on: the four services as processes on Kafka and PostgreSQL, or the all-in-one process."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import asyncpg
from sqlalchemy.engine import make_url

from shared.names import Role
from tests.integration.up.running import Up
from tests.support.cluster import Cluster
from tests.support.kafka_server import RealKafka
from tests.support.postgres_server import RealPostgres
from tests.support.processes import until
from tests.support.smtp_sink import SmtpSink
from tests.support.workload import Site, site_of


class World(Protocol):
    """What the outcome is read from."""

    sink: SmtpSink

    @property
    def site(self) -> Site: ...

    @property
    def auditor(self) -> str:
        """A token that may read histories and sealed copies."""
        ...

    async def connect(self, service: str) -> asyncpg.Connection:
        """To the service's own database. Close it."""
        ...

    async def settle(self, *, seconds: float) -> None:
        """Return once nothing is under way. Raises AssertionError."""
        ...

    def logs(self) -> Mapping[str, str]:
        """All that each process wrote."""
        ...


@dataclass
class Processes:
    kafka: RealKafka
    postgres: RealPostgres
    cluster: Cluster
    sink: SmtpSink

    @property
    def site(self) -> Site:
        return site_of(self.cluster)

    @property
    def auditor(self) -> str:
        return self.cluster.tokens[Role.AUDITOR]

    async def connect(self, service: str) -> asyncpg.Connection:
        url = make_url(self.cluster.database_url.replace("{service}", service)).set(drivername="postgresql")
        return await asyncpg.connect(url.render_as_string(hide_password=False))

    async def settle(self, *, seconds: float) -> None:
        for instance in self.cluster.instances:
            if instance.alive:
                await self.cluster.wait_ready(instance.service, instance.number)
        await self.cluster.settle(seconds=seconds)

    def logs(self) -> Mapping[str, str]:
        return {one.name: one.log_file.read_text(errors="replace") for one in self.cluster.instances}


@asynccontextmanager
async def processes(folder: Path, kafka: RealKafka, postgres: RealPostgres) -> AsyncIterator[Processes]:
    """One instance of each service; mails go to a sink."""
    database_url = await postgres.server.create_service_databases()
    async with (
        SmtpSink() as sink,
        Cluster(
            folder,
            kafka=kafka.bootstrap,
            database_url=database_url,
            environment={"JUSTERA_SMTP_PORT": str(sink.port)},
        ) as cluster,
    ):
        yield Processes(kafka, postgres, cluster, sink)


@dataclass
class Whole:
    """`justera up`, sending its mail by SMTP."""

    up: Up
    sink: SmtpSink

    @property
    def site(self) -> Site:
        return Site(self._addresses, self.up.token(Role.SECRETARY))

    @property
    def auditor(self) -> str:
        return self.up.token(Role.AUDITOR)

    async def connect(self, service: str) -> asyncpg.Connection:
        folder = (self.up.data / "postgres" / "socket").read_text().strip()
        return await asyncpg.connect(host=folder, user="justera", database=f"justera_{service}")

    async def settle(self, *, seconds: float) -> None:
        await until(self.up.at_rest, seconds=seconds, what="rest")

    def logs(self) -> Mapping[str, str]:
        files = [self.up.folder / "up.log", self.up.data / "logs" / "justera.log"]
        return {file.name: file.read_text(errors="replace") for file in files}

    def _addresses(self, service: str) -> Sequence[str]:
        return [self.up.url] if self.up.alive else []


@asynccontextmanager
async def whole(folder: Path) -> AsyncIterator[Whole]:
    async with SmtpSink() as sink:
        up = Up(folder, environment={"JUSTERA_SMTP_HOST": "127.0.0.1", "JUSTERA_SMTP_PORT": str(sink.port)})
        try:
            await up.start()
            yield Whole(up, sink)
        finally:
            up.end()
