"""More connections than there are places: who stands still makes room, and no host takes the places of all."""

import asyncio
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from services.embedded.server import configuration
from shared.auth import Access, public
from shared.http import create_app

PLACES = 20
SHARE = PLACES // 4
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
BODY_BEGUN = b"POST /items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"

# As `justera run` serves, with the file limits of many a machine.
_SERVER = """
import asyncio
from services.embedded.server import bind, serve
from shared.auth import Access
from shared.http import create_app

app = create_app("Test", description="", access=Access((), None), max_body_bytes=10_000, checks={})
listener = bind("127.0.0.1", 0)
print(listener.getsockname()[1], flush=True)
asyncio.run(serve(app, listener))
"""
_FILES = (256, 640)


@pytest.fixture
def port_of_a_process() -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, _FILES),
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()
        assert process.wait(20) == 0


class Busy:
    """Requests that are being answered until `end`."""

    def __init__(self) -> None:
        self.end = asyncio.Event()


@pytest.fixture
def busy() -> Busy:
    return Busy()


@pytest.fixture
async def port(busy: Busy) -> AsyncIterator[int]:
    app: FastAPI = create_app("Test", description="", access=Access((), None), max_body_bytes=10_000, checks={})

    @app.get("/busy", dependencies=[public("a test")])
    async def get() -> str:
        await busy.end.wait()
        return "done"

    @app.post("/items", dependencies=[public("a test")])
    async def post(item: str) -> str:
        return item

    listener = socket.create_server(("0.0.0.0", 0))  # reached from several addresses of this machine
    config = configuration(app)
    config.limit_concurrency = PLACES
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    busy.end.set()
    server.should_exit = True
    await task


class Client:
    """A connection from one of this machine's addresses."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.host = host
        self._reader = reader
        self._writer = writer

    @classmethod
    async def of(cls, host: str, port: int, beginning: bytes = b"") -> "Client":
        client = cls(host, *await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0)))
        client._writer.write(beginning)
        return client

    async def status(self, request: bytes = LIVE) -> int | None:
        """Of the answer; None if the connection is ended instead."""
        try:
            self._writer.write(request)
            async with asyncio.timeout(5):
                head = await self._reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await self._reader.readexactly(length)
        except (ConnectionError, asyncio.IncompleteReadError):
            return None
        return int(head.split()[1])

    async def ended(self) -> bool:
        """Whether the server has ended it."""
        try:
            async with asyncio.timeout(0.2):
                return await self._reader.read(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True


def hosts(count: int) -> list[str]:
    return [f"127.0.1.{number}" for number in range(1, count + 1)]


def test_idle_connections_without_end_block_nobody(port_of_a_process: int) -> None:
    """More than the process has file descriptors, though it takes what its hard limit allows."""
    with ExitStack() as stack:
        for number in range(700):
            source = (f"127.0.1.{number % 7 + 1}", 0)
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port_of_a_process), 5, source))
            one.sendall(LIVE)
            one.settimeout(5)
            assert one.recv(4096).startswith(b"HTTP/1.1 200")
        assert httpx.get(f"http://127.0.0.1:{port_of_a_process}/health/live", timeout=5).status_code == 200


async def test_one_that_is_idle_makes_room_for_a_newcomer(port: int) -> None:
    first = [await Client.of(host, port) for host in hosts(4) for _ in range(SHARE)]
    for client in first:
        assert await client.status() == 200
    newcomer = await Client.of("127.0.2.1", port)
    assert await newcomer.status() == 200
    assert [await client.ended() for client in first] == [True] + [False] * (PLACES - 1)


async def test_a_host_with_its_share_loses_its_own_only(port: int) -> None:
    neighbour = await Client.of("127.0.2.1", port)
    assert await neighbour.status() == 200
    own = [await Client.of("127.0.1.1", port) for _ in range(3 * SHARE)]
    assert await own[-1].status() == 200
    assert [await client.ended() for client in own].count(False) == SHARE
    assert await neighbour.status() == 200


async def test_a_host_whose_requests_are_all_being_answered_is_refused(port: int, busy: Busy) -> None:
    asked = [await Client.of("127.0.1.1", port, b"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(SHARE)]
    await asyncio.sleep(0.2)
    refused = await Client.of("127.0.1.1", port)
    assert await refused.status(b"") == 503
    assert await refused.ended()
    assert await (await Client.of("127.0.2.1", port)).status() == 200
    busy.end.set()
    assert [await client.status(b"") for client in asked] == [200] * SHARE


@pytest.mark.parametrize("beginning", [LIVE[:20], BODY_BEGUN, BODY_BEGUN + b"1"], ids=["head", "body", "trickle"])
async def test_who_does_not_end_a_request_makes_room(port: int, beginning: bytes) -> None:
    for host in hosts(4):
        for _ in range(SHARE):
            await Client.of(host, port, beginning)
    await asyncio.sleep(0.2)
    assert await (await Client.of("127.0.2.1", port)).status() == 200
