"""Drills run by `-m drill` only, and bring their own servers: what they do to them is nothing to share."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.drills.plan import is_short
from tests.support.parts import PartMissing, missing
from tests.support.postgres_server import RealPostgres

_WHOLE = pytest.StashKey[bool]()


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


@pytest.fixture
async def real_postgres(tmp_path: Path) -> AsyncIterator[RealPostgres]:
    """Started; with fsync, as in production."""
    try:
        server = RealPostgres(tmp_path / "postgres")
    except PartMissing as lack:
        missing("postgres", str(lack))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(server.stop)
        await server.start()
        yield server
