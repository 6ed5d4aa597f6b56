"""PostgreSQL itself, on this machine's own programs: one server of a test's own, to kill as a crash does."""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
from sqlalchemy.engine import make_url

from services.embedded.children import Child, account_for
from tests.support.postgres import Postgres, machine_binaries
from tests.support.processes import free_ports

_START_SECONDS = 60.0
_USER = "justera"


class RealPostgres:
    """One PostgreSQL of the test's own on this machine's programs, durable as in production, to kill and start again.

    The port stays the same. `settings` are added to its own; the log is `log_file`, else in `folder`. Raises
    PartMissing where PostgreSQL lacks.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, str] | None = None, *, log_file: Path | None = None
    ) -> None:
        self._binaries = machine_binaries()
        self._cluster = folder / "cluster"
        self._log_file = log_file or folder / "postgres.log"
        (self._port,) = free_ports(1)
        own = {"listen_addresses": "127.0.0.1", "port": str(self._port), "unix_socket_directories": ""}
        self._settings = {**own, "timezone": "UTC", "log_timezone": "UTC", **(settings or {})}
        self._child: Child | None = None

    @property
    def server(self) -> Postgres:
        return Postgres(make_url(f"postgresql+asyncpg://{_USER}@127.0.0.1:{self._port}/postgres"), "machine")

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    @property
    def log(self) -> str:
        return self._log_file.read_text(errors="replace")

    async def start(self) -> None:
        """Return once it accepts connections: after a `kill`, once it has recovered."""
        if not self._cluster.exists():
            await self._initialise()
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        self._child = Child.spawn(
            "PostgreSQL",
            [self._binaries / "postgres", "-D", self._cluster, *options],
            log_file=self._log_file,
            folder=self._cluster,
            account=account_for(self._cluster, self._binaries),
        )
        await self._child.wait_until(self._ready, seconds=_START_SECONDS)

    async def stop(self) -> None:
        """An orderly end, if it runs."""
        if self._child is not None:
            await self._child.stop(signal.SIGINT)

    def kill(self) -> None:
        """`kill -9` of the postmaster and all its processes, as a machine that crashes does."""
        assert self._child is not None
        processes = psutil.Process(self._child.pid).children(recursive=True)
        self._child.kill()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=10)

    async def _initialise(self) -> None:
        self._cluster.mkdir(mode=0o700, parents=True)
        account = account_for(self._cluster, self._binaries)
        if account is not None:
            os.chown(self._cluster, account.uid, account.gid)
        command: list[str | Path] = [
            self._binaries / "initdb",
            "-D",
            self._cluster,
            "-U",
            _USER,
            "--auth=trust",
            "--encoding=UTF8",
        ]
        command.append("--locale=C.UTF-8")
        child = Child.spawn("initdb", command, log_file=self._log_file, folder=self._cluster, account=account)
        assert await child.wait() == 0, self.log

    def _ready(self) -> bool:
        """As pg_ctl sees it: the pid file is this server's, and its eighth line says ready."""
        assert self._child is not None
        with suppress(FileNotFoundError):
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[0] == str(self._child.pid) and lines[7].strip() == "ready"
        return False
