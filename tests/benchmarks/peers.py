"""What others make of the same hops, on the same machine: a Celery chain on Redis, and faststream-outbox.

Their packages are pinned in requirements.txt beside this file, which `make bench` installs; Redis is used where it is.
"""

import asyncio
import importlib
import importlib.util
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from services.embedded.children import Child
from shared.names import SERVICES
from tests.benchmarks.hops import ARCHIVED, MAILS_SENT, SCHEMA, Hop, first
from tests.benchmarks.pipeline import MAILS, Throughput
from tests.benchmarks.servers import Servers, plain
from tests.support.parts import REPOSITORY, PartMissing
from tests.support.processes import free_ports

_LIMIT_SECONDS = 600.0

Start = Callable[[list[Hop]], Awaitable[None]]


class Peer:
    """`start` hands in the first hops; `pids` are the processes that work, and Redis."""

    def __init__(self, servers: Servers, connection: asyncpg.Connection, pids: dict[str, int], start: Start) -> None:
        self._servers = servers
        self._connection = connection
        self._pids = pids
        self._start = start

    async def run(self, agreements: int) -> Throughput:
        archived, sent = await self._count(ARCHIVED), await self._count(MAILS_SENT)
        begun, used = time.perf_counter(), self._servers.cpu(self._pids)
        await self._start(list(first(agreements)))
        await self._wait_for(ARCHIVED, archived + agreements)
        await self._wait_for(MAILS_SENT, sent + agreements * MAILS)
        seconds, spent = time.perf_counter() - begun, self._servers.cpu(self._pids)
        cpu = {name: spent[name] - used[name] for name in spent}
        return Throughput(agreements, seconds, {}, 0, cpu)

    async def _wait_for(self, query: str, number: int) -> None:
        deadline = time.monotonic() + _LIMIT_SECONDS
        while (count := await self._count(query)) < number:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count} of {number} ({query})")
            await asyncio.sleep(0.1)

    async def _count(self, query: str) -> int:
        return int(await self._connection.fetchval(query))


@asynccontextmanager
async def celery_on_redis(folder: Path, servers: Servers) -> AsyncIterator[Peer]:
    """Raises PartMissing."""
    _installed("celery", "redis", "psycopg")
    server = shutil.which("redis-server")
    if server is None:
        raise PartMissing("there is no redis-server (apt install redis-server)")
    _make(folder)
    (port,) = free_ports(1)
    redis = [server, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""]
    redis += ["--appendonly", "yes", "--appendfsync", "always"]
    async with _database(servers) as (url, connection):
        driver = make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        environment = {"PEER_REDIS": f"redis://127.0.0.1:{port}/0", "PEER_DATABASE": driver}
        os.environ.update(environment)
        children = {"redis": Child.spawn("redis", redis, log_file=folder / "redis.log", folder=folder)}
        try:
            await asyncio.sleep(0.5)
            for service in SERVICES:
                command = [sys.executable, "-m", "celery", "-A", "tests.benchmarks.celery_peer", "worker", "--queues"]
                command += [service, "--hostname", f"{service}@peer", "--concurrency", "2", "--loglevel", "ERROR"]
                command += ["--without-gossip", "--without-mingle"]
                log_file = folder / f"{service}.log"
                children[service] = Child.spawn(service, command, log_file=log_file, folder=REPOSITORY)
            celery_peer = importlib.import_module("tests.benchmarks.celery_peer")

            async def start(hops: list[Hop]) -> None:
                for hop in hops:
                    celery_peer.send(hop)

            yield Peer(servers, connection, {name: child.pid for name, child in children.items()}, start)
        finally:
            _kill(children)


@asynccontextmanager
async def faststream_outbox(folder: Path, servers: Servers) -> AsyncIterator[Peer]:
    """Raises PartMissing."""
    _installed("faststream_outbox")
    peer = importlib.import_module("tests.benchmarks.outbox_peer")
    _make(folder)
    children: dict[str, Child] = {}
    async with _database(servers) as (url, connection):
        driver = make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
        engine = create_async_engine(driver, pool_size=1, max_overflow=0)
        async with engine.begin() as tables:
            await tables.run_sync(peer.metadata.create_all)
        try:
            for service in SERVICES:
                command = [sys.executable, "-m", "tests.benchmarks.outbox_peer", service, driver]
                log_file = folder / f"{service}.log"
                children[service] = Child.spawn(service, command, log_file=log_file, folder=REPOSITORY)
            broker = peer.broker_on(engine)

            async def start(hops: list[Hop]) -> None:
                async with engine.begin() as transaction:
                    await peer.send(broker, transaction, hops)

            yield Peer(servers, connection, {name: child.pid for name, child in children.items()}, start)
        finally:
            _kill(children)
            await engine.dispose()


@asynccontextmanager
async def _database(servers: Servers) -> AsyncIterator[tuple[str, asyncpg.Connection]]:
    url = await servers.postgres.create_database()
    connection = await asyncpg.connect(plain(url))
    try:
        await connection.execute(SCHEMA)
        yield url, connection
    finally:
        await connection.close()


def _installed(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise PartMissing(f"{package} is not installed (pip install -r tests/benchmarks/requirements.txt)")


def _make(folder: Path) -> None:
    folder.mkdir()


def _kill(children: dict[str, Child]) -> None:
    for child in children.values():
        for below in psutil.Process(child.pid).children(recursive=True):
            below.kill()
        child.kill()
