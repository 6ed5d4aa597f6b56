"""Small synchronous tools for servers that a test session starts."""

import asyncio
import fcntl
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_PORTS = range(12_000, 32_000)
_locks: dict[int, int] = {}  # the locked ports of this process, with the files that lock them


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to its end in a loop of its own, leaving the test's current loop alone."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def wait_until(ready: Callable[[], bool], *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} seconds")
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 for servers that start later, all different, and this process's until it ends.

    The system hands out the upper ports (from 32768 on in Linux, 49152 by RFC 6335) to whatever connects or binds to 0,
    in any process, at any moment: one that was free would be another's before its server starts. These are below
    them, and each is locked by a file, for tests that run beside these.
    """
    ports: list[int] = []
    for _ in _PORTS:
        if len(ports) == count:
            return ports
        port = secrets.choice(_PORTS)
        if port not in _locks and is_free(port) and (lock := _lock(port)) is not None:
            _locks[port] = lock
            ports.append(port)
    raise AssertionError(f"not {count} free ports among {_PORTS}")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers bind: what a connection that has just ended left behind does not stop them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _lock(port: int) -> int | None:
    """A lock of that name among the machine's processes, gone with this one; None when another has it."""
    folder = Path(tempfile.gettempdir()) / "justera-test-ports"
    folder.mkdir(exist_ok=True)
    file = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


async def until(check: Callable[[], Awaitable[T | None]], *, seconds: float = 120.0, what: str = "it") -> T:
    """Ask again and again; the first answer that is not None. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while (answer := await check()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} seconds")
        await asyncio.sleep(0.05)
    return answer
