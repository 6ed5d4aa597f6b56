"""The whole thing: over HTTP, with documents, seals and mails accepted by SMTP; some agreements in flight at a time.

Four processes as one `justera run` makes them. People and the mail server are in the benchmark's own process, which
takes its part of the machine too, but is not counted as theirs.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import asyncpg

from shared.names import SERVICES
from tests.benchmarks.resources import resident_bytes
from tests.benchmarks.servers import Servers, plain
from tests.support.cluster import Together
from tests.support.smtp_sink import SmtpSink
from tests.support.workload import Workload, site_of
from tests.support.year import Years

_SEED = 1
_AT_ONCE = 4  # bodies whose meetings are held
_LIMIT_SECONDS = 600.0


@dataclass(frozen=True)
class Whole:
    """`p50` and `p99`: seconds from the signature's answer to the next signer's mail accepted by SMTP.

    `cpu`: seconds of CPU an agreement, by process, the servers' included.
    """

    in_flight: int
    agreements: int
    seconds: float
    p50: float
    p99: float
    cpu: dict[str, float]

    @property
    def per_second(self) -> float:
        return self.agreements / self.seconds


class Office:
    """Four running services and their mail server. Runs follow each other on the same tables."""

    def __init__(self, cluster: Together, sink: SmtpSink, servers: Servers) -> None:
        self._cluster = cluster
        self._sink = sink
        self._servers = servers
        self._next = 1

    async def run(self, agreements: int, *, in_flight: int) -> Whole:
        """From the first meeting to the last mail about a sealed copy."""
        chance = random.Random(_SEED + self._next)
        before, begun = self._cpu(), time.perf_counter()
        async with Workload(
            site_of(self._cluster), self._sink, chance, in_flight=in_flight, plain=True, first=self._next
        ) as workload:
            workload.feed(agreements)
            done = await workload.finish(seconds=_LIMIT_SECONDS)
        seconds, after = time.perf_counter() - begun, self._cpu()
        self._next += agreements
        waits = [hop.seconds for agreement in done for hop in agreement.hops]
        percentiles = quantiles(waits, n=100)
        cpu = {name: (after[name] - before[name]) / agreements for name in after}
        return Whole(in_flight, agreements, seconds, percentiles[49], percentiles[98], cpu)

    def memory(self) -> dict[str, tuple[int, int]]:
        """RSS and PSS of each service, and of the process that they were forked from, in bytes."""
        processes = {service: self._cluster.pid(service) for service in SERVICES} | {"parent": self._cluster.parent.pid}
        return {name: resident_bytes(pid) for name, pid in processes.items()}

    def _cpu(self) -> dict[str, float]:
        return self._servers.cpu({service: self._cluster.pid(service) for service in SERVICES})


class PlayedYears:
    """Four running services, and bodies whose meetings are held, four at a time."""

    def __init__(self, cluster: Together, sink: SmtpSink, servers: Servers, database_url: str) -> None:
        self.database_url = database_url
        self._cluster = cluster
        self._sink = sink
        self._servers = servers
        self._years = Years(site_of(cluster), sink, random.Random(_SEED))

    async def play(self, meetings: int) -> None:
        """From the register to the minutes on the notice board and in the archive."""

        async def play(number: int) -> None:
            for _ in range(number):
                await self._years.play()

        await asyncio.gather(*(play(meetings // _AT_ONCE) for _ in range(_AT_ONCE)))
        await self._cluster.settle(seconds=_LIMIT_SECONDS)

    def cpu(self) -> dict[str, float]:
        return self._servers.cpu({service: self._cluster.pid(service) for service in SERVICES})

    async def events(self) -> int:
        found = 0
        for service in SERVICES:
            connection = await asyncpg.connect(plain(self.database_url.replace("{service}", service)))
            found += await connection.fetchval("SELECT count(*) FROM outbox")
            await connection.close()
        return found

    def blob_bytes(self) -> int:
        return sum(file.stat().st_size for file in (self._cluster.folder / "blobs").rglob("*") if file.is_file())

    async def close(self) -> None:
        await self._years.asking.close()


@asynccontextmanager
async def played_years(folder: Path, servers: Servers) -> AsyncIterator[PlayedYears]:
    async with _running(folder, servers) as (cluster, sink, url):
        years = PlayedYears(cluster, sink, servers, url)
        try:
            yield years
        finally:
            await years.close()


@asynccontextmanager
async def office(folder: Path, servers: Servers) -> AsyncIterator[Office]:
    async with _running(folder, servers) as (cluster, sink, _):
        yield Office(cluster, sink, servers)


@asynccontextmanager
async def _running(folder: Path, servers: Servers) -> AsyncIterator[tuple[Together, SmtpSink, str]]:
    async with SmtpSink() as sink:
        url = await servers.postgres.create_service_databases()
        environment = {
            "JUSTERA_LOG_LEVEL": "WARNING",
            "JUSTERA_DATABASE_POOL": "8",
            "JUSTERA_SMTP_HOST": "127.0.0.1",
            "JUSTERA_SMTP_PORT": str(sink.port),
        }
        async with Together(folder, kafka=servers.bootstrap, database_url=url, environment=environment) as cluster:
            yield cluster, sink, url
