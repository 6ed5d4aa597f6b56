"""Fixtures that every test may ask for: `kafka`, `postgres`, `browser`, `start_postfix`, `real_kafka`,
`real_postgres`.

`tests/support/parts.py` says where the parts come from and what happens when one is missing.
"""

import os
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.async_api import Browser, async_playwright

from shared.collector import keep_code_from_the_collector, leave_loading_alone
from tests.support.browser import chromium
from tests.support.kafka import Kafka, find_kafka
from tests.support.kafka_server import RealKafka
from tests.support.parts import PartMissing, docker_forced, embedded_forced, missing, required
from tests.support.postfix import Postfix
from tests.support.postgres import Postgres, find_postgres
from tests.support.postgres_server import RealPostgres
from tests.support.processes import run

_REAL_PARTS = ("kafka", "postgres")
_FOUND = pytest.StashKey[dict[str, str]]()
_MOST_WORKERS = 6  # each has servers of its own


# How long an example takes says more of a busy machine than of the code.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")


def pytest_configure(config: pytest.Config) -> None:
    leave_loading_alone()
    config.stash[_FOUND] = {}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than processors: much of the time goes by in waiting for other processes."""
    return min((os.cpu_count() or 1) + 1, _MOST_WORKERS)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["found"] = session.config.stash[_FOUND]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[_FOUND].update(getattr(node, "workeroutput", {}).get("found", {}))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The run on embedded parts repeats only what touches them."""
    if not embedded_forced():
        return
    left_out = [item for item in items if not _repeats_on_embedded(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """All that was imported and collected lives to the end."""
    keep_code_from_the_collector()


def _repeats_on_embedded(item: pytest.Item) -> bool:
    touches = any(part in getattr(item, "fixturenames", ()) for part in _REAL_PARTS)
    needs_other = any(item.get_closest_marker(name) for name in ("kafka", "postgres", "browser", "postfix"))
    return touches and not needs_other


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for part, kind in config.stash[_FOUND].items():
        terminalreporter.write_line(f"{part}: {kind}")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Kafka]:
    """The session's Kafka (`bootstrap`, `kind`); real where one is found."""
    with find_kafka(tmp_path_factory.mktemp("kafka")) as found:
        pytestconfig.stash[_FOUND]["kafka"] = found.kind
        _refuse_embedded("kafka", found.kind)
        yield found


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Postgres]:
    """The session's PostgreSQL (`kind`, `await create_database()`); real where one is found."""
    with find_postgres(tmp_path_factory.mktemp("postgres")) as found:
        pytestconfig.stash[_FOUND]["postgres"] = found.kind
        _refuse_embedded("postgres", found.kind)
        yield found


def _refuse_embedded(part: str, kind: str) -> None:
    if kind == "embedded" and required(part) and not embedded_forced():
        missing(part, "only the embedded one was found")


@pytest.fixture(autouse=True)
def _parts_of_the_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Marked tests get a real server or none; databases that the test created are dropped after it."""
    for part in _REAL_PARTS:
        if request.node.get_closest_marker(part) and request.getfixturevalue(part).kind == "embedded":
            missing(part, f"only the embedded {part} was found")
    server: Postgres | None = None
    if "postgres" in request.fixturenames:
        server = request.getfixturevalue("postgres")
    before = len(server.created) if server is not None else 0
    yield
    if server is not None:
        run(server.drop_databases(kept=before))


@pytest.fixture
def real_kafka(tmp_path: Path) -> Iterator[RealKafka]:
    """An Apache Kafka of the test's own, to stop, kill and pause. Mark such tests `kafka`."""
    try:
        server = RealKafka(tmp_path / "real-kafka")
    except PartMissing as lack:
        if docker_forced():
            pytest.skip(f"such a server runs on this machine itself, not in Docker, and {lack}")
        missing("kafka", str(lack))
    with server:
        yield server


@pytest.fixture
async def real_postgres(tmp_path: Path) -> AsyncIterator[RealPostgres]:
    """A PostgreSQL of the test's own, started, with fsync as in production. Mark such tests `postgres`."""
    try:
        server = RealPostgres(tmp_path / "postgres")
    except PartMissing as lack:
        missing("postgres", str(lack))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop)
        await server.start()
        yield server


@pytest.fixture(scope="session")
def chromium_endpoint(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[str]:
    try:
        with chromium(tmp_path_factory.mktemp("chromium")) as endpoint:
            pytestconfig.stash[_FOUND]["browser"] = "machine"
            yield endpoint
    except PartMissing as lack:
        missing("browser", str(lack))


@pytest.fixture
async def browser(chromium_endpoint: str) -> AsyncIterator[Browser]:
    """The session's Chromium through Playwright's asynchronous API. Open pages in an own `browser.new_context()`."""
    async with async_playwright() as playwright:
        connected = await playwright.chromium.connect_over_cdp(chromium_endpoint)
        yield connected
        for context in connected.contexts:
            await context.close()
        await connected.close()


@pytest.fixture
def start_postfix(pytestconfig: pytest.Config) -> Iterator[Callable[[Collection[str], int, str], Postfix]]:
    """Call it with the addresses that have a mailbox, and with the port and domain of delivery reports."""
    with ExitStack() as stack:

        def start(addresses: Collection[str], reports: int, report_domain: str) -> Postfix:
            try:
                server = Postfix(addresses, reports=reports, report_domain=report_domain)
            except PartMissing as lack:
                missing("postfix", str(lack))
            pytestconfig.stash[_FOUND]["postfix"] = "machine"
            return stack.enter_context(server)

        yield start
