"""What the garbage collector does while a process loads its code, and afterwards."""

import gc
from collections.abc import Iterator

import pytest

from shared.collector import keep_code_from_the_collector, leave_loading_alone


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)


def collections() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())


def many_objects() -> list[list[int]]:
    return [[number] for number in range(100_000)]


def test_nothing_is_collected_while_code_is_loaded() -> None:
    leave_loading_alone()
    before = collections()
    kept = many_objects()
    assert collections() == before
    assert len(kept) == 100_000


def test_what_is_loaded_is_left_out_and_what_comes_later_is_collected() -> None:
    leave_loading_alone()
    loaded = many_objects()
    keep_code_from_the_collector()
    assert gc.get_freeze_count() > len(loaded)
    before = collections()
    many_objects()
    assert collections() > before
