"""How many agreements a second pass through the four services, without documents, HTTP and mail servers.

Four processes (see `without_pdfs`), all events at once: what is measured is the highest throughput, not latency.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx

from shared.ids import new_id
from shared.names import SERVICES, Role
from tests.benchmarks.servers import Servers, Written, plain, written
from tests.support.cluster import ORGANISATION, Cluster

_MAIN = "from tests.benchmarks.without_pdfs import main; main()"
COUNTERS_SECONDS = 2.5  # PostgreSQL's backends hand in what they counted a second later
_LIMIT_SECONDS = 600.0

# Only what is new is counted, by an index: a count of all would cost more the more is stored.
_ARCHIVED = f"SELECT count(*) FROM archived_protocol WHERE organisation = '{ORGANISATION}' AND archived_at > $1"
_MAILS_SENT = f"SELECT count(*) FROM delivery WHERE organisation = '{ORGANISATION}' AND id > $1 AND status = 'sent'"
MAILS = 10  # an agreement: three requests, three receipts, four copies
_OUTBOX = "SELECT count(*) FROM outbox"


@dataclass(frozen=True)
class Throughput:
    """`per_second`: agreements that were drafted, signed by three, completed, archived and all mails recorded.

    `written`: by service, what its database counted; `events` published; `cpu`: by process, seconds of CPU.
    """

    agreements: int
    seconds: float
    written: dict[str, Written]
    events: int
    cpu: dict[str, float]

    @property
    def per_second(self) -> float:
        return self.agreements / self.seconds


class Pipeline:
    """Four running services, and connections to look at their tables."""

    def __init__(
        self, cluster: Cluster, servers: Servers, database_url: str, connections: dict[str, asyncpg.Connection]
    ) -> None:
        self.cluster = cluster
        self._servers = servers
        self.database_url = database_url
        self._connections = connections

    async def run(self, agreements: int) -> Throughput:
        """From the first meeting scheduled to the last outcome of a mail on record."""
        now, newest = datetime.now(UTC), new_id()
        before = await self._written()
        events = await self._events()
        begun, used = time.perf_counter(), self._cpu()
        client = self.cluster.client("meetings", role=Role.SECRETARY)
        drafting = asyncio.create_task(client.post(f"/benchmark/{agreements}", timeout=_LIMIT_SECONDS))
        await self._wait_for("archive", _ARCHIVED, now, agreements, drafting)
        await self._wait_for("notifications", _MAILS_SENT, newest, agreements * MAILS, drafting)
        seconds, spent = time.perf_counter() - begun, self._cpu()
        (await drafting).raise_for_status()
        await self.cluster.settle()
        after = await self._written()
        return Throughput(
            agreements,
            seconds,
            {service: after[service] - before[service] for service in SERVICES},
            await self._events() - events,
            {name: spent[name] - used[name] for name in spent},
        )

    def _cpu(self) -> dict[str, float]:
        return self._servers.cpu({service: self.cluster.pid(service) for service in SERVICES})

    async def _wait_for(
        self, service: str, query: str, since: object, number: int, drafting: "asyncio.Task[httpx.Response]"
    ) -> None:
        deadline = time.monotonic() + _LIMIT_SECONDS
        while (count := await self._count(service, query, since)) < number:
            if drafting.done():
                drafting.result().raise_for_status()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{service}: {count} of {number} after {_LIMIT_SECONDS:.0f} s ({query})")
            await asyncio.sleep(0.1)

    async def _count(self, service: str, query: str, *arguments: object) -> int:
        return int(await self._connections[service].fetchval(query, *arguments))

    async def _events(self) -> int:
        return sum([await self._count(service, _OUTBOX) for service in SERVICES])

    async def _written(self) -> dict[str, Written]:
        await asyncio.sleep(COUNTERS_SECONDS)
        return {service: await written(self.database_url.replace("{service}", service)) for service in SERVICES}


@asynccontextmanager
async def pipeline(folder: Path, servers: Servers) -> AsyncIterator[Pipeline]:
    """Started on empty databases, and warm."""
    url = await servers.postgres.create_service_databases()
    environment = {"JUSTERA_LOG_LEVEL": "WARNING", "JUSTERA_DATABASE_POOL": "16"}
    async with Cluster(
        folder, kafka=servers.bootstrap, database_url=url, environment=environment, main=_MAIN
    ) as cluster:
        connections = {service: await asyncpg.connect(plain(url.replace("{service}", service))) for service in SERVICES}
        try:
            yield Pipeline(cluster, servers, url, connections)
        finally:
            for connection in connections.values():
                await connection.close()
