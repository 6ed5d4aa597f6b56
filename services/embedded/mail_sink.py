"""A mail server that accepts everything and keeps nothing: replays and demos deliver to it over real SMTP."""

import asyncio
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP

_LARGEST = 4 * 1024 * 1024


class _AcceptAll:
    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        return "250 2.0.0 accepted"


class MailSink:
    """Listens on a free port of 127.0.0.1 within the running event loop."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self.host = "127.0.0.1"
        self.port = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()

    def _protocol(self) -> SMTP:
        return SMTP(_AcceptAll(), hostname="localhost", enable_SMTPUTF8=True, data_size_limit=_LARGEST)
