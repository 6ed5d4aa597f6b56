"""HTTP connections that are not waited for without end: each phase has its time, whoever holds the other end.

uvicorn limits only the pause between two requests. Bodies have their time in `shared.guard`.
"""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\ncache-control: no-store\r\n\r\n"


class ImpatientProtocol(H11Protocol):
    """`head_seconds`: from the connection, or from a later request's first byte, until a request's head is whole.
    `reading_seconds`: how long a client may leave an answer in our buffers."""

    head_seconds: ClassVar[float] = 10.0
    reading_seconds: ClassVar[float] = 60.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._asked = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._reading_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def data_received(self, data: bytes) -> None:
        request = self.cycle
        super().data_received(data)
        if self.cycle is not request:
            self._asked = True
            self._stop_head()
        elif self._head_timer is None and (not self._asked or request.response_complete):
            # The beginning of a next head, or what is left of a body that nobody reads any more.
            self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_reading()
        self._reading_timer = self.loop.call_later(self.reading_seconds, self._abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head()
        self._stop_reading()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if not self._asked:
            self.transport.write(_TOO_SLOW)
        self.transport.close()

    def _abort(self) -> None:
        """Not closed: that would wait for the client to read."""
        self.transport.abort()

    def _stop_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_reading(self) -> None:
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None
