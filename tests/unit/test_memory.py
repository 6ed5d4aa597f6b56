"""Where the tests' servers keep what is thrown away."""

import os
import time
from pathlib import Path

import pytest

from services.embedded.children import FolderLock
from tests.support import memory


def aged(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    then = time.time() - 2 * 3600
    os.utime(folder, (then, then))
    return folder


def test_a_folder_in_memory_goes_with_its_server(tmp_path: Path) -> None:
    with memory.scratch_folder(tmp_path / "disk", tmp_path) as folder:
        assert folder.parent == tmp_path
        (folder / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_without_memory_or_room_in_it_the_folder_is_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with memory.scratch_folder(tmp_path / "disk", tmp_path / "nowhere") as folder:
        assert folder == tmp_path / "disk"
    monkeypatch.setattr(memory, "_ROOM", 1 << 62)
    with memory.scratch_folder(tmp_path / "disk", tmp_path) as folder:
        assert folder == tmp_path / "disk"


def test_what_a_killed_session_left_is_swept_and_nothing_of_one_that_lives(tmp_path: Path) -> None:
    left = aged(tmp_path / "justera-test-left")
    young = tmp_path / "justera-test-young"
    young.mkdir()
    lock = FolderLock(tmp_path / "justera-test-alive")
    lock.take()
    alive = aged(tmp_path / "justera-test-alive")
    others = aged(tmp_path / "another")
    with memory.scratch_folder(tmp_path / "disk", tmp_path):
        assert not left.exists()
        assert young.exists()
        assert alive.exists()
        assert others.exists()
    lock.release()
