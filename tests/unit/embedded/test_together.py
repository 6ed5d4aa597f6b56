"""Services forked from one process: they are drained together, and none outlives what started it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from services.embedded.together import run_forked
from tests.support.processes import wait_until

_MAIN = """
import os, signal, sys, time
from pathlib import Path
from services.cli.errors import one_line_errors
from services.embedded.together import run_forked
from shared.logging import configure_logging

configure_logging()
folder = Path(sys.argv[1])

def task(name, end):
    def run():
        signal.signal(signal.SIGTERM, lambda *_: ((folder / (name + ".drained")).touch(), sys.exit(0)))
        (folder / (name + ".pid")).write_text(str(os.getpid()))
        while not (folder / (name + ".end")).exists():
            time.sleep(0.01)
        end()
    return run

def fail():
    sys.exit(3)

def crash():
    raise ValueError("karin.ek@norrdalen.example")

with one_line_errors():
    run_forked({"meetings": task("meetings", fail), "signing": task("signing", crash)})
"""


@contextmanager
def started(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen([sys.executable, "-c", _MAIN, str(folder)], stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: len([*folder.glob("*.pid")]) == 2, seconds=60, what="both run")
        wait_until(lambda: all(pid.read_text() for pid in folder.glob("*.pid")), seconds=10, what="both are known")
        yield process
    finally:
        process.kill()
        process.communicate()


def drained(folder: Path) -> set[str]:
    return {one.stem for one in folder.glob("*.drained")}


def gone(folder: Path) -> bool:
    return not any(psutil.pid_exists(int(one.read_text())) for one in folder.glob("*.pid"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_all(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "")
        assert drained(tmp_path) == {"meetings", "signing"}
        assert gone(tmp_path)


@pytest.mark.parametrize(("ended", "other", "how"), [("meetings", "signing", 3), ("signing", "meetings", 1)])
def test_one_that_ends_by_itself_ends_all_and_is_named(tmp_path: Path, ended: str, other: str, how: int) -> None:
    with started(tmp_path) as process:
        (tmp_path / f"{ended}.end").touch()
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1
        assert f"error: {ended} ended by itself (status {how}), and the others were stopped" in said
        assert "Traceback" not in said
        assert "karin.ek" not in said
        assert drained(tmp_path) == {other}


def test_none_outlives_who_started_it(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        process.kill()
        process.communicate(timeout=60)
        wait_until(lambda: gone(tmp_path), seconds=30, what="both are gone")
        assert drained(tmp_path) == {"meetings", "signing"}


def test_threads_would_be_lost() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        with pytest.raises(RuntimeError, match="would lose"):
            run_forked({"meetings": _never})
    finally:
        done.set()
        thread.join()


def _never() -> None:
    os._exit(9)
