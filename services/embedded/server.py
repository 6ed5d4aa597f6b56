"""Serving HTTP from the event loop that also runs consumers and workers, and draining all of it on a signal."""

import asyncio
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from services.embedded.impatience import ImpatientProtocol
from shared.settings import BadConfiguration

MOST_CONNECTIONS = 1000
_BACKLOG = 128  # asyncio takes so many at once, before any of them is counted
_OTHER_FILES = 128  # databases, Kafka, blobs, logs
_ENOUGH_FILES = 8192


class _Server(uvicorn.Server):
    """Leaves signals to `serve`: uvicorn would raise them again after its own end, in the middle of our draining."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises BadConfiguration when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = error.strerror or type(error).__name__
        raise BadConfiguration(
            f"cannot listen on {host}:{port}: {reason}", hint="choose another port with --port"
        ) from error
    listener.listen(_BACKLOG)
    return listener


def configuration(app: ASGIApp) -> uvicorn.Config:
    """How every app is served: no access log, which would hold the links' tokens, nobody waited for without end, and no
    more connections than there are file descriptors for."""
    return uvicorn.Config(
        app,
        http=ImpatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        backlog=_BACKLOG,
        limit_concurrency=_places(),
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
    )


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; requests in hand get 10 seconds to end."""
    _raise_file_limit()
    server = _Server(configuration(app))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _ask_to_stop, server)
    try:
        await server.serve(sockets=[listener])
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _ask_to_stop(server: uvicorn.Server) -> None:
    server.should_exit = True


def _places() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(files // 4, files - _BACKLOG - _OTHER_FILES))


def _raise_file_limit() -> None:
    """The soft limit is often 1,024, for programs that use select(2), which we do not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = _ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < enough:
        with suppress(OSError, ValueError):  # a system may have further limits
            resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
