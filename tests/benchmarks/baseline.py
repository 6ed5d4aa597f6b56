"""Runs the bare baseline of `bare` on the same servers, as often as the services."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from services.embedded.children import Child
from shared.names import SERVICES
from tests.benchmarks.bare import SCHEMA, TOPICS
from tests.benchmarks.pipeline import COUNTERS_SECONDS, MAILS, Throughput
from tests.benchmarks.servers import Servers, Written, plain, written
from tests.support.kafka import Kafka
from tests.support.parts import REPOSITORY

_LIMIT_SECONDS = 300.0
_ARCHIVED = "SELECT count(*) FROM aggregate"
_MAILS_SENT = "SELECT count(*) FROM mail WHERE status = 'sent'"
_OUTBOX = "SELECT count(*) FROM outbox"
_JOURNAL = "SELECT count(*) FROM fact"
_UNPUBLISHED = "SELECT count(*) FROM outbox WHERE published_at IS NULL"


class Baseline:
    def __init__(
        self, servers: Servers, pids: dict[str, int], urls: dict[str, str], connections: dict[str, asyncpg.Connection]
    ) -> None:
        self._servers = servers
        self._pids = pids
        self._urls = urls
        self._connections = connections

    async def run(self, agreements: int) -> Throughput:
        archived, sent = await self._count("archive", _ARCHIVED), await self._count("notifications", _MAILS_SENT)
        before, events = await self._written(), await self._events()
        begun, used = time.perf_counter(), self._servers.cpu(self._pids)
        await self._connections["meetings"].execute("INSERT INTO go VALUES ($1)", agreements)
        await self._wait_for("archive", _ARCHIVED, archived + agreements)
        await self._wait_for("notifications", _MAILS_SENT, sent + agreements * MAILS)
        seconds, spent = time.perf_counter() - begun, self._servers.cpu(self._pids)
        await self._wait_for("archive", _JOURNAL, await self._events())
        after = await self._written()
        counted = {service: after[service] - before[service] for service in SERVICES}
        cpu = {name: spent[name] - used[name] for name in spent}
        return Throughput(agreements, seconds, counted, await self._events() - events, cpu)

    async def _wait_for(self, service: str, query: str, number: int) -> None:
        deadline = time.monotonic() + _LIMIT_SECONDS
        while (count := await self._count(service, query)) < number:
            if time.monotonic() > deadline:
                raise TimeoutError(f"bare {service}: {count} of {number} ({query})")
            await asyncio.sleep(0.1)

    async def _count(self, service: str, query: str) -> int:
        return int(await self._connections[service].fetchval(query))

    async def _events(self) -> int:
        return sum([await self._count(service, _OUTBOX) for service in SERVICES])

    async def _written(self) -> dict[str, Written]:
        await asyncio.sleep(COUNTERS_SECONDS)
        return {service: await written(url) for service, url in self._urls.items()}


@asynccontextmanager
async def baseline(folder: Path, servers: Servers) -> AsyncIterator[Baseline]:
    """Four processes, on databases of their own; topics named as the services."""
    kafka = Kafka(servers.bootstrap, "machine")
    for topic in TOPICS:
        await kafka.create_topic(topic)
    template = await servers.postgres.create_service_databases()
    urls = {service: plain(template.replace("{service}", service)) for service in SERVICES}
    connections = {service: await asyncpg.connect(url) for service, url in urls.items()}
    children: dict[str, Child] = {}
    try:
        for service, connection in connections.items():
            await connection.execute(SCHEMA)
            command = [sys.executable, "-m", "tests.benchmarks.bare", service, servers.bootstrap, urls[service]]
            log_file = folder / f"bare-{service}.log"
            children[service] = Child.spawn(f"bare {service}", command, log_file=log_file, folder=REPOSITORY)
        yield Baseline(servers, {service: child.pid for service, child in children.items()}, urls, connections)
    finally:
        for child in children.values():
            child.kill()
        for connection in connections.values():
            await connection.close()
