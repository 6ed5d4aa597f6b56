"""One address before the services of a cluster, as an ingress gives them in production: `/signing/…` goes to signing.

It says who asked (`X-Forwarded-For`) and passes everything on as it is. A client's own `X-Forwarded-For` is believed to
be that of a proxy before this one, so tests let people come from addresses of the documentation networks.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

Upstreams = Callable[[str], Sequence[str]]
"""The addresses (`http://host:port`) at which a service may answer now, by its name."""

_HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding")


class _Server(uvicorn.Server):
    """Leaves signals to the test runner."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Ingress:
    """An asynchronous context manager in the running event loop; `url` is known at once."""

    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        config = uvicorn.Config(
            self._app, interface="asgi3", proxy_headers=False, log_config=None, access_log=False, lifespan="off"
        )
        self._server = _Server(config)
        self._client = httpx.AsyncClient(timeout=60, trust_env=False)
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = self._server.force_exit = True
        if self._serving is not None:
            await self._serving
        await self._client.aclose()
        self._listener.close()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope, receive)
            await (await self._pass_on(request, await request.body()))(scope, receive, send)

    async def _pass_on(self, request: Request, body: bytes) -> Response:
        service = request.url.path.split("/")[1]
        for upstream in self._upstreams(service):
            try:
                return await self._ask(upstream, request, body)
            except httpx.ConnectError:
                continue
        return PlainTextResponse(f"nothing answers for /{service}", 502)

    async def _ask(self, upstream: str, request: Request, body: bytes) -> Response:
        headers = [(name, value) for name, value in request.headers.items() if name not in _HOP_BY_HOP]
        if request.client is not None:
            headers.append(("x-forwarded-for", request.client.host))
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        answer = await self._client.request(request.method, f"{upstream}{target}", headers=headers, content=body)
        response = Response(answer.content, answer.status_code)
        kept = [(name, value) for name, value in answer.headers.raw if name.decode().lower() not in _HOP_BY_HOP]
        response.raw_headers = [*kept, (b"content-length", str(len(answer.content)).encode())]
        return response
