"""Wake-ups are never lost, workers never give up, and a stop is neither early nor endless."""

import asyncio
import gc
import logging
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
import structlog
from aiokafka.errors import UnknownMemberIdError

from shared.database import VersionConflict, with_retries
from shared.errors import Refused, Unavailable
from shared.service import _on_unheard_failure
from shared.wakeup import Wakeup
from shared.workers import Worker


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


async def test_a_nudge_is_remembered_until_someone_waits() -> None:
    wakeup = Wakeup()
    wakeup.set()
    async with asyncio.timeout(1):
        await wakeup.wait(60)
    started = time.monotonic()
    await wakeup.wait(0.05)
    assert time.monotonic() - started >= 0.04


async def test_a_nudge_ends_a_wait() -> None:
    wakeup = Wakeup()
    waiting = asyncio.create_task(wakeup.wait(60))
    await asyncio.sleep(0)
    wakeup.set()
    async with asyncio.timeout(1):
        await waiting


async def test_no_nudge_is_lost_between_two_loops() -> None:
    wakeup, made, taken = Wakeup(), 0, 0

    async def take() -> None:
        nonlocal taken
        while taken < 500:
            if taken == made:
                await wakeup.wait(60)
            taken = made

    taking = asyncio.create_task(take())
    for _ in range(500):
        made += 1
        wakeup.set()
        if made % 7 == 0:
            await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await taking


class PanicException(BaseException):
    """As compiled code raises it."""


@pytest.mark.parametrize(
    "error", [ConnectionResetError, KeyError, asyncio.CancelledError, TimeoutError, PanicException]
)
async def test_a_failing_step_is_tried_again(error: type[BaseException]) -> None:
    """A library's cancelled future too: it is not the worker that is being cancelled."""
    attempts, done = 0, asyncio.Event()

    async def step() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise error
        done.set()
        await asyncio.sleep(0.01)

    worker = Worker("test", step, max_backoff=0.02)
    worker.start()
    async with asyncio.timeout(2):
        await done.wait()
        await worker.stop()


async def test_a_cancelled_worker_ends() -> None:
    started = asyncio.Event()

    async def step() -> None:
        started.set()
        await asyncio.sleep(10)

    worker = Worker("test", step)
    worker.start()
    await started.wait()
    assert worker._task is not None
    worker._task.cancel()
    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await worker._task


async def test_a_stop_waits_for_the_step_in_hand() -> None:
    started, finished = asyncio.Event(), False

    async def step() -> None:
        nonlocal finished
        started.set()
        await asyncio.sleep(0.1)
        finished = True

    worker = Worker("test", step)
    worker.start()
    await started.wait()
    await worker.stop()
    assert finished


async def test_a_stop_cancels_a_step_that_does_not_end() -> None:
    async def step() -> None:
        await asyncio.sleep(60)

    worker = Worker("test", step, drain=0.05)
    worker.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await worker.stop()


async def test_a_stop_interrupts_a_backoff() -> None:
    async def step() -> None:
        raise ConnectionResetError

    worker = Worker("test", step, max_backoff=60)
    worker.start()
    await asyncio.sleep(0.3)
    async with asyncio.timeout(1):
        await worker.stop()


async def test_a_worker_that_never_started_stops() -> None:
    await Worker("test", asyncio.Event().wait).stop()  # type: ignore[arg-type]


async def test_conflicts_are_retried_and_refusals_are_not() -> None:
    attempts = 0

    async def work() -> int:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise VersionConflict
        return attempts

    assert await with_retries(work) == 3

    async def refuse() -> None:
        nonlocal attempts
        attempts += 1
        raise Refused("no")

    with pytest.raises(Refused):
        await with_retries(refuse)
    assert attempts == 4


async def test_what_stays_in_conflict_is_unavailable() -> None:
    async def work() -> None:
        raise VersionConflict

    with pytest.raises(Unavailable):
        await with_retries(work, attempts=2)


@pytest.mark.parametrize(("error", "bug"), [(UnknownMemberIdError("signing"), False), (ValueError("a bug"), True)])
async def test_the_end_of_an_abandoned_request_is_no_bug(
    error: Exception, *, bug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    _on_unheard_failure(asyncio.get_running_loop(), {"message": "never retrieved", "exception": error})
    assert bool(caplog.records) == bug


async def test_nor_is_the_end_of_an_abandoned_connection(caplog: pytest.LogCaptureFixture) -> None:
    """asyncpg leaves a future that nobody awaits, when it is cancelled after the server took the connection."""
    loop = asyncio.get_running_loop()
    heard: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: heard.append(context))
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for steps in range(1, 10):
            connecting = asyncio.create_task(asyncpg.connect(host="127.0.0.1", port=port, user="x", database="x"))
            for _ in range(steps):
                await asyncio.sleep(0)
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            del connecting
            await asyncio.sleep(0.01)
            gc.collect()
    assert heard, "nothing was left unheard: this is no longer needed"
    for context in heard:
        _on_unheard_failure(loop, context)
    assert not caplog.records


async def test_a_task_of_ours_that_lost_a_connection_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ConnectionResetError

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    context = {"message": "never retrieved", "exception": task.exception(), "future": task}
    _on_unheard_failure(asyncio.get_running_loop(), context)
    assert caplog.records
