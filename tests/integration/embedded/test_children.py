"""The embedded servers: what they keep, and whom they outlive, whatever happens to their owner."""

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from services.embedded.broker import EmbeddedBroker
from services.embedded.children import AlreadyRunning, ChildFailed, stop_leftover
from services.embedded.postgres import EmbeddedPostgres, OtherMajorVersion
from tests.support.parts import REPOSITORY
from tests.support.processes import wait_until


def server(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder / "postgres", folder / "postgres.log")


async def execute(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


def mode_of(path: str) -> int | None:
    return stat.S_IMODE(Path(path).stat().st_mode) if Path(path).exists() else None


class Owner:
    """Another process that runs both servers on `folder`."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.integration.embedded.owner", str(folder)]
        self.process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        answer = self.process.stdout.readline().split()
        if len(answer) != 3:
            self.kill()
        postgres, broker, self.url = answer
        self.children = [psutil.Process(int(postgres)), psutil.Process(int(broker))]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    owner = Owner(tmp_path)
    yield owner
    owner.kill()


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def test_data_outlives_a_restart(tmp_path: Path) -> None:
    async with server(tmp_path) as first:
        url = await first.ensure_database("meetings")
        await execute(url, "CREATE TABLE bodies (name text)")
        await execute(url, "INSERT INTO bodies VALUES ('Styrelsen')")
    async with server(tmp_path) as second:
        url = await second.ensure_database("meetings")
        assert [row["name"] for row in await execute(url, "SELECT name FROM bodies")] == ["Styrelsen"]


async def test_it_listens_only_in_a_folder_closed_to_others_and_writes_durably(tmp_path: Path) -> None:
    async with server(tmp_path) as running:
        url = running.admin_url
        settings = await execute(
            url, "SELECT current_setting('listen_addresses') AS tcp, current_setting('fsync') AS fsync"
        )
        (folder,) = await execute(url, "SELECT current_setting('unix_socket_directories') AS path")
        assert dict(settings[0]) == {"tcp": "", "fsync": "on"}
        assert mode_of(folder["path"]) == 0o700
    assert mode_of(folder["path"]) is None


async def test_children_die_with_their_killed_owner_and_the_next_one_goes_on(tmp_path: Path, owner: Owner) -> None:
    await execute(owner.url, "CREATE TABLE acknowledged AS SELECT 1 AS n")
    owner.kill()
    for child in owner.children:
        wait_until(lambda child=child: gone(child), seconds=10, what="the end of the children")  # type: ignore[misc]
    async with server(tmp_path) as successor:
        assert await execute(successor.url("kept"), "SELECT n FROM acknowledged")


async def test_a_server_that_outlives_its_owner_is_awaited_by_the_next_start(tmp_path: Path, owner: Owner) -> None:
    survivor = owner.children[0]
    survivor.suspend()  # it cannot act on the death signal yet
    owner.kill()
    waking = threading.Timer(0.5, survivor.resume)
    waking.start()
    async with server(tmp_path) as successor:
        assert gone(survivor)
        assert await execute(successor.url("kept"), "SELECT 1 AS n")
    waking.join()


def test_a_leftover_is_ended_but_a_stranger_of_the_same_number_is_not(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    process = subprocess.Popen(["sleep", "60"], cwd=tmp_path)
    try:
        stop_leftover(process.pid, folder=tmp_path / "ours", how=signal.SIGTERM)
        assert process.poll() is None
        stop_leftover(process.pid, folder=tmp_path, how=signal.SIGTERM)
        assert not psutil.pid_exists(process.pid)
    finally:
        process.kill()
        process.wait()


async def test_a_stale_pid_file_with_a_number_in_use_stops_nothing(tmp_path: Path) -> None:
    async with server(tmp_path):
        pass
    pid_file = tmp_path / "postgres" / "cluster" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1\n5432\n/nowhere\n\n  1 1\nready   \n")
    async with server(tmp_path) as running:
        assert running.pid != os.getpid()


async def test_a_server_killed_alone_is_noticed_and_starts_again(tmp_path: Path) -> None:
    running = server(tmp_path)
    await running.start()
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    assert await running.wait_dead() == -signal.SIGKILL
    await running.stop()
    async with running:
        assert await execute(running.admin_url, "SELECT 1 AS n")


async def test_a_second_owner_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    async with server(tmp_path) as first:
        with pytest.raises(AlreadyRunning, match="in use by process"):
            await server(tmp_path).start()
        assert await execute(first.admin_url, "SELECT 1 AS n")


async def test_a_folder_of_another_major_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    cluster = tmp_path / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("9\n")
    with pytest.raises(OtherMajorVersion, match="written by PostgreSQL 9, but this is PostgreSQL 18"):
        await server(tmp_path).start()
    assert [file.name for file in cluster.iterdir()] == ["PG_VERSION"]


async def test_an_initialisation_that_was_killed_is_begun_again(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    async with server(tmp_path) as running:
        assert await execute(running.admin_url, "SELECT 1 AS n")


async def test_a_failed_start_names_the_log_file_and_frees_the_folder(tmp_path: Path) -> None:
    async with server(tmp_path):
        pass
    settings = tmp_path / "postgres" / "cluster" / "postgresql.conf"
    whole = settings.read_text()
    settings.write_text("no_such_setting = 1\n")
    with pytest.raises(ChildFailed) as refused:
        await server(tmp_path).start()
    assert str(tmp_path / "postgres.log") in refused.value.hint
    settings.write_text(whole)
    async with server(tmp_path):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another user")
async def test_as_root_it_runs_as_another_user_even_under_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    async with server(closed) as running:
        assert psutil.Process(running.pid).uids().effective != 0


async def test_a_broker_starts_anew_after_its_death(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path / "broker", tmp_path / "broker.log")
    await broker.start()
    first = broker.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await broker.wait_dead()
    await broker.start()
    assert broker.pid != first
    assert broker.bootstrap.startswith("127.0.0.1:")
    await broker.stop()
