"""Requests that are begun and never ended: the door stays open for others, and shuts on those who keep it so."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, ClassVar

import httpx
import pytest
import uvicorn
from fastapi import Body, FastAPI

from services.embedded.impatience import ImpatientProtocol
from services.embedded.server import configuration
from shared.auth import Access, public
from shared.http import create_app

HALF_OPEN = 60


class Hasty(ImpatientProtocol):
    head_seconds: ClassVar[float] = 0.4
    reading_seconds: ClassVar[float] = 0.4


def _app() -> FastAPI:
    app = create_app("Test", description="", access=Access((), None), max_body_bytes=10_000, checks={})

    @app.post("/items", dependencies=[public("a test")])
    async def post(text: Annotated[str, Body()]) -> str:
        return text

    @app.get("/much", dependencies=[public("a test")])
    async def much() -> str:
        return "x" * 20_000_000

    return app


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = configuration(_app())
    assert config.http is ImpatientProtocol
    config.http = Hasty
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await task


async def _open(port: int, beginning: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(beginning)
    return reader, writer


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Long: ",
        # Refused at once; what is left of its body trickles in after the answer.
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\nab",
    ],
)
async def test_half_open_requests_block_nobody_and_are_ended(port: int, beginning: bytes) -> None:
    connections = [await _open(port, beginning) for _ in range(HALF_OPEN)]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=2) as client:
        assert (await client.get("/health/live")).status_code == 200

    async def trickle(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"a")
            await asyncio.sleep(0.05)

    trickles = [asyncio.create_task(trickle(writer)) for _, writer in connections]
    try:
        async with asyncio.timeout(10):
            for reader, _ in connections:
                with suppress(ConnectionResetError):
                    await reader.read()  # until the server ends it
    finally:
        for task in trickles:
            task.cancel()
        for _, writer in connections:
            writer.close()


async def test_who_never_sent_a_request_is_told(port: int) -> None:
    reader, writer = await _open(port, b"GET / HTTP/1.1\r\n")
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_an_answer_that_nobody_reads_is_given_up(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)  # less, and draining it goes by drops
        client.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(1.0)  # longer than it may lie there
        client.settimeout(5)

        def drained() -> int:
            taken = 0
            try:
                while piece := client.recv(1_000_000):
                    taken += len(piece)
            except ConnectionResetError:
                pass
            return taken

        assert await asyncio.to_thread(drained) < 20_000_000


async def test_a_connection_lives_on_from_request_to_request(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for _ in range(3):
            assert (await client.post("/items", json="a")).json() == "a"
            await asyncio.sleep(0.5)  # longer than a head may take: between requests nothing is waited for
        assert len(client._transport._pool.connections) == 1  # type: ignore[attr-defined]
