"""A Kafka-protocol server as a child process: the embedded mode's pipe between the services.

`noida-db` loses acknowledged events at a `kill -9`, so nothing is kept in it: every start begins with an empty folder,
and the outboxes, which are the log, are published again (see `docs/decisions/`).
"""

import contextlib
import os
import re
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from services.embedded.children import Child, ChildFailed, remove_tree, stop_leftover, wheel_folder
from shared.logging import get_logger

_log = get_logger(__name__)

_START_SECONDS = 30.0
_ADDRESS = re.compile(r"^\s*kafka\s+(127\.0\.0\.1:\d+)\s*$", re.MULTILINE)


class EmbeddedBroker:
    """One broker on a free port of 127.0.0.1; an asynchronous context manager, or `start` and `stop`.

    After `wait_dead` returns, `start` begins anew: empty, on another port.
    """

    def __init__(self, folder: Path, log_file: Path) -> None:
        self._folder = folder.absolute()
        self._pipe = self._folder / "pipe"
        self._pid_file = self._folder / "broker.pid"
        self._log_file = log_file.absolute()
        self._child: Child | None = None
        self._bootstrap = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def bootstrap(self) -> str:
        """`127.0.0.1:PORT`."""
        if self._child is None:
            raise ChildFailed("the embedded broker is not running")
        return self._bootstrap

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    async def start(self) -> None:
        """Return once it listens. Raises ChildFailed (see the log file)."""
        await self.stop()
        self._empty_folder()
        # Port 0: the server takes a free port itself and says which, so no other process can be quicker.
        command: list[str | Path] = [_binary(), "start", "--data-dir", self._pipe, "--host", "127.0.0.1"]
        child = Child.spawn(
            "the embedded broker",
            [*command, "--only", "kafka", "--kafka-port", "0"],
            log_file=self._log_file,
            folder=self._pipe,
        )
        self._child = child
        self._pid_file.write_text(f"{child.pid}\n")
        try:
            await child.wait_until(lambda: _ADDRESS.search(child.output()) is not None, seconds=_START_SECONDS)
        except BaseException:
            await self.stop()
            raise
        address = _ADDRESS.search(child.output())
        self._bootstrap = address.group(1) if address else ""
        _log.info("embedded.broker_started", pid=child.pid)

    async def stop(self) -> None:
        """End it, with all that it holds. May be called twice."""
        if self._child is not None:
            # Killed at once: what a longer end would save is thrown away at the next start.
            await self._child.stop(signal.SIGKILL)
            self._child = None

    async def wait_dead(self) -> int:
        """Return its exit status once it has ended, for a supervisor."""
        if self._child is None:
            raise ChildFailed("the embedded broker is not running")
        return await self._child.wait()

    async def answers(self) -> bool:
        """Whether it tells its topics, to somebody new. May take as long as it likes: the caller has the time limit."""
        client = AIOKafkaClient(bootstrap_servers=self.bootstrap, client_id="justera-watch")
        try:
            await client.bootstrap()
        except KafkaError:
            return False
        finally:
            await client.close()
        return True

    def kill(self) -> None:
        """End one that lives without answering."""
        if self._child is not None:
            self._child.kill()

    def _empty_folder(self) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError):
            stop_leftover(int(self._pid_file.read_text()), folder=self._pipe, how=signal.SIGKILL)
        remove_tree(self._pipe)
        self._pipe.mkdir(parents=True, mode=0o700)


def _binary() -> Path:
    """The server itself: the wheel's Python wrapper would stand between us and it."""
    name = "noida-db.exe" if sys.platform == "win32" else "noida-db"
    path = wheel_folder("noida_db") / name
    if not os.access(path, os.X_OK):
        path.chmod(path.stat().st_mode | 0o111)  # as the wrapper does; another user's installation has it done
    return path
