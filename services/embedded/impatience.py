"""HTTP connections that are not waited for without end: each phase has its time, whoever holds the other end, and where
all places are taken one that stands still makes room.

uvicorn limits only the pause between two requests, and refuses requests where we end connections. Bodies have their
time in `shared.guard`.
"""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from services.embedded.crowding import contested, least_missed
from shared.forwarding import network_key
from shared.logging import get_logger

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\ncache-control: no-store\r\n\r\n"
_TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\nretry-after: 10\r\n"
    b"cache-control: no-store\r\n\r\n"
)
_TELL_EVERY = 60.0  # seconds: whoever crowds us should not fill the log, too

_log = get_logger(__name__)


class ImpatientProtocol(H11Protocol):
    """`head_seconds`: from the connection, or from a later request's first byte, until a request's head is whole.
    `reading_seconds`: how long a client may leave an answer in our buffers. The configuration's `limit_concurrency`:
    how many connections there are at most."""

    head_seconds: ClassVar[float] = 10.0
    reading_seconds: ClassVar[float] = 60.0
    _told_at: ClassVar[float] = float("-inf")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._most, self.limit_concurrency = self.limit_concurrency, None  # uvicorn's own answer would be 503 to all
        self._turned_at = self.loop.time()
        self.host = ""
        self._asked = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._reading_timer: asyncio.TimerHandle | None = None

    @property
    def in_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def waits_since(self) -> float | None:
        """By the loop's clock, since when it is the client's turn, whatever trickles in; None while it is ours."""
        unread = self._reading_timer is not None or self.transport.is_closing()
        if not self.in_request or unread or (self.cycle.more_body and not self.cycle.body):
            return self._turned_at
        return None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = transport.get_extra_info("peername")
        self.host = network_key(str(peer[0])) if peer else ""
        if not self._find_a_place():
            super().connection_made(transport)
            self.connections.discard(self)
            transport.write(_TOO_MANY)
            transport.close()
            return
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def on_response_complete(self) -> None:
        self._turned_at = self.loop.time()
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        request = self.cycle
        super().data_received(data)
        if self.cycle is not request:
            self._asked = True
            self._turned_at = self.loop.time()
            self._stop_head()
        elif self._head_timer is None and (not self._asked or request.response_complete):
            # The beginning of a next head, or what is left of a body that nobody reads any more.
            self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_reading()
        self._turned_at = self.loop.time()
        self._reading_timer = self.loop.call_later(self.reading_seconds, self._abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head()
        self._stop_reading()
        super().connection_lost(exc)

    def _find_a_place(self) -> bool:
        """Whether there is one, maybe that of another connection, which is ended."""
        held = [other for other in self.connections if isinstance(other, ImpatientProtocol)]
        rivals = contested(held, self.host, self._most or len(held) + 1)
        if rivals is None:
            return True
        ended = least_missed(rivals, held)
        now = self.loop.time()
        if now - ImpatientProtocol._told_at >= _TELL_EVERY:
            ImpatientProtocol._told_at = now
            _log.warning("http.crowded", connections=len(held), of_one_host=len(rivals), made_room=ended is not None)
        if ended is None:
            return False
        self.connections.discard(ended)
        ended._abort()
        return True

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
