"""Drills run by `-m drill` only, and bring their own servers: what they do to them is nothing to share."""

from pathlib import Path

import pytest

from tests.drills.plan import is_short


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "drill: kills, pauses and fills up parts while agreements run; `make drill`")
    config.addinivalue_line("markers", "short: the short form of the drills has it, too")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Neither the quick nor the slow run takes them."""
    return None if "drill" in config.getoption("markexpr") else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not is_short():
        return
    left_out = [item for item in items if item.get_closest_marker("drill") and not item.get_closest_marker("short")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
