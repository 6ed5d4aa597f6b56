"""Child processes that live no longer than we do: the servers beside the all-in-one process.

A child runs in a session of its own, so that Ctrl-C in the terminal reaches only us and we stop it in order. It
writes to a log file. On Linux the kernel signals it when we die, even by `kill -9` (prctl(2), PR_SET_PDEATHSIG);
elsewhere, and for what slips through, the next start looks for the remains by pid (`stop_leftover`).

The kernel watches the *thread* that started the child: start children from the main thread, not from a worker.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from shared.errors import JusteraError, Unavailable

_POLL_SECONDS = 0.05
_LAST_WORDS = 300  # characters of them in an error
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


class ChildFailed(Unavailable):
    """A child process did not start, or died; the message names its log file."""

    slug = "embedded-part-failed"


class AlreadyRunning(JusteraError):
    """Another process holds the same data folder."""

    slug = "already-running"


@dataclass(frozen=True)
class Account:
    """The user a child runs as, when it must not be root. `all_files` lets it reach folders that are closed to that
    user (the checkout or the data under a closed home), as we, root, could anyway."""

    uid: int
    gid: int
    all_files: bool = False


class Child:
    """A running child process; made by `spawn`."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log_file: Path, log_start: int) -> None:
        self.name = name
        self.log_file = log_file
        self._process = process
        self._log_start = log_start

    @classmethod
    def spawn(
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        log_file: Path,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> Self:
        """Start `command` with its output appended to `log_file`. `death_signal` is what it gets when we die.

        Raises ChildFailed when it cannot be executed.
        """
        log_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # What a server logs may be about people, and so may what it writes: for our eyes only.
        with open(log_file, "ab", opener=_private) as log:
            start = log.seek(0, os.SEEK_END)
            try:
                process = subprocess.Popen(  # noqa: S603 (the command is ours)
                    [str(part) for part in command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    env=None if environment is None else dict(environment),
                    start_new_session=True,
                    umask=0o077,
                    preexec_fn=_before_exec(account, death_signal),
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise ChildFailed(f"{name} cannot be started: {error}") from error
        return cls(name, process, log_file, start)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def output(self) -> str:
        """What it wrote since its start."""
        with self.log_file.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    async def wait(self) -> int:
        """Return its exit status once it has ended."""
        while True:
            status = self._process.poll()
            if status is not None:
                return status
            await asyncio.sleep(_POLL_SECONDS)

    async def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Poll until `ready()`; raises ChildFailed when it ends before, or when `seconds` have passed."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive:
                raise self.failure(f"{self.name} ended at its start (exit status {self._process.returncode})")
            if time.monotonic() > deadline:
                raise self.failure(f"{self.name} was not ready within {seconds:.0f} seconds")
            await asyncio.sleep(_POLL_SECONDS)

    def failure(self, what: str) -> ChildFailed:
        """What became of it, with its last words: a log in a temporary folder is gone when they are read."""
        said = self.output().strip().splitlines()
        last = f": {said[-1].strip()[:_LAST_WORDS]}" if said else ""
        return ChildFailed(f"{what}{last}", hint=f"its log says more: {self.log_file}")

    async def stop(self, how: signal.Signals = signal.SIGTERM, *, seconds: float = 20.0) -> None:
        """Ask it to end by `how`, wait for `seconds`, then kill it. Nothing happens when it has ended already."""
        if not self.alive:
            return
        self._process.send_signal(how)
        try:
            await asyncio.wait_for(self.wait(), seconds)
        except TimeoutError:
            self.kill()

    def signal_group(self, which: signal.Signals) -> None:
        """Signal it and its own children, and wait until it has ended."""
        if self.alive:
            os.killpg(self.pid, which)
            self._process.wait()

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self._process.kill()
        self._process.wait()


class FolderLock:
    """One owner per data folder: a locked file that the kernel frees when its owner dies."""

    file_name: ClassVar[str] = "lock"

    def __init__(self, folder: Path) -> None:
        self._path = folder / self.file_name
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises AlreadyRunning when a living process holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise AlreadyRunning(
                f"the data folder {self._path.parent} is in use by process {owner}",
                hint="stop that one first, or choose another folder with --data",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def stop_leftover(pid: int, *, folder: Path, how: signal.Signals, seconds: float = 20.0) -> None:
    """End the process `pid`, a child of a dead predecessor, if it is indeed one: it works in `folder`.

    Numbers of processes are used again, so another process of the same number is left alone.
    """
    import psutil  # comes with the extra `embedded`, which a container does without

    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
        process = psutil.Process(pid)
        if not Path(process.cwd()).samefile(folder):
            return
        process.send_signal(how)
        try:
            process.wait(seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(seconds)


def account_for(folder: Path, *needed: Path) -> Account | None:
    """Who runs a server that refuses to be root: None (ourselves) unless we are root.

    An existing `folder` keeps its owner; a new one goes to `postgres` or `nobody`. `needed` are further paths that the
    server must be able to read.
    """
    if os.geteuid() != 0:
        return None
    uid = folder.stat().st_uid if folder.exists() else 0
    entry = pwd.getpwuid(uid) if uid else _server_user()
    all_files = not all(open_to_all(path) for path in (folder.parent, *needed))
    return Account(entry.pw_uid, entry.pw_gid, all_files)


def wheel_folder(package: str) -> Path:
    """Where the wheel `package` lies, without importing it. Raises ChildFailed when it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ChildFailed(
            f"the embedded servers are not installed ({package} is missing)",
            hint="pip install 'justera[embedded]'",
        )
    return Path(spec.origin).parent


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def remove_tree(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _server_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ChildFailed(
        "PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody",
        hint="start as an ordinary user",
    )


def open_to_all(path: Path) -> bool:
    """Whether every user may enter each folder down to `path`."""
    resolved = path.resolve()
    existing = [folder for folder in (resolved, *resolved.parents) if folder.exists()]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in existing)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _before_exec(account: Account | None, death_signal: signal.Signals) -> Callable[[], None]:
    """What the child does between fork and exec. The order counts: a change of user clears the death signal."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    parent = os.getpid()

    def run() -> None:
        if account is not None:
            _become(account, libc)
        _die_with(parent, death_signal, libc)

    return run


def die_with_parent(parent: int, how: signal.Signals) -> None:
    """For a process that was forked from `parent` and goes on in the same program. On Linux; elsewhere nothing."""
    _die_with(parent, how, ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None)


def _die_with(parent: int, how: signal.Signals, libc: ctypes.CDLL | None) -> None:
    if libc is not None:
        libc.prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and prctl: nobody will be told
            os._exit(1)


def _become(account: Account, libc: ctypes.CDLL | None) -> None:
    keep = account.all_files and libc is not None
    if keep and libc is not None:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    if keep and libc is not None:
        mask = 1 << _CAP_DAC_OVERRIDE
        data = (_CapabilityData * 2)(_CapabilityData(mask, mask, mask), _CapabilityData(0, 0, 0))
        libc.capset(ctypes.byref(_CapabilityHeader(_CAPABILITY_VERSION_3, 0)), data)
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
