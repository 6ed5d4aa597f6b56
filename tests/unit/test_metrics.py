"""`/metrics`: what is read, how often, and what happens when something cannot be read."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from shared import metrics
from shared.messaging.outbox import OutboxState
from shared.settings import BadConfiguration


class FakeService:
    """Answers like a service whose consumer `second` has no partitions, and counts how often it is asked."""

    name = "notifications"

    def __init__(
        self,
        *,
        letters: int | Exception = 2,
        seal_ends: datetime | Exception | None = None,
        journal_ends: Callable[[], Awaitable[datetime | None]] | None = None,
    ) -> None:
        self.app = FastAPI()
        self.journal_ends = journal_ends
        self.seal_ends = None if seal_ends is None else lambda: _or_raised(seal_ends)
        self.asked = 0
        self._letters = letters
        self.database = SimpleNamespace(transaction=self._transaction)

    @asynccontextmanager
    async def _transaction(self) -> Any:
        if isinstance(self._letters, Exception):
            raise self._letters
        yield SimpleNamespace(execute=self._execute)

    async def _execute(self, statement: object) -> Any:
        return SimpleNamespace(scalar_one=lambda: self._letters)

    async def outbox_state(self) -> OutboxState:
        self.asked += 1
        return OutboxState(unpublished=3, oldest=41.5, last_id=9)

    async def pending(self) -> int:
        return 4

    async def given_up(self) -> int:
        return 1

    async def unread(self) -> int:
        return 5

    async def lag(self) -> dict[str, int | None]:
        return {"first": 7, "second": None}


def _or_raised(value: datetime | Exception) -> datetime:
    if isinstance(value, Exception):
        raise value
    return value


async def scraped(service: FakeService, times: int = 1, *, accept: str = "text/plain") -> str:
    metrics.include_metrics(service)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service.example") as client:
        for _ in range(times):
            response = await client.get("/metrics", headers={"accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(accept)
    return response.text


async def scrape(service: FakeService, times: int = 1) -> dict[str, float]:
    text = await scraped(service, times)
    lines = [line for line in text.splitlines() if line.startswith("justera_")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


async def test_gauges_tell_outbox_lag_letters_and_work() -> None:
    found = await scrape(FakeService())
    assert found['justera_outbox_unpublished{service="notifications"}'] == 3
    assert found['justera_outbox_oldest_seconds{service="notifications"}'] == 41.5
    assert found['justera_dead_letters{service="notifications"}'] == 2
    assert found['justera_work_pending{service="notifications"}'] == 4
    assert found['justera_work_given_up{service="notifications"}'] == 1
    assert found['justera_replies_unread{service="notifications"}'] == 5
    assert found['justera_consumer_lag{group="first"}'] == 7


async def test_a_service_that_seals_tells_when_its_certificate_ends() -> None:
    ends = datetime(2027, 3, 1, 12, tzinfo=UTC)
    found = await scrape(FakeService(seal_ends=ends))
    assert found['justera_seal_ends_timestamp_seconds{service="notifications"}'] == ends.timestamp()


async def test_a_service_without_a_seal_or_with_one_that_cannot_be_read_tells_no_end() -> None:
    for seal_ends in (None, BadConfiguration("no seal")):
        found = await scrape(FakeService(seal_ends=seal_ends))
        assert not [name for name in found if name.startswith("justera_seal")]
        assert found['justera_work_pending{service="notifications"}'] == 4


@pytest.mark.parametrize("ends", [datetime(2027, 2, 1, tzinfo=UTC), None])
async def test_a_service_with_a_journal_tells_when_its_last_partition_ends(ends: datetime | None) -> None:
    async def journal_ends() -> datetime | None:
        return ends

    found = await scrape(FakeService(journal_ends=journal_ends))
    assert found['justera_journal_ends_timestamp_seconds{service="notifications"}'] == (ends.timestamp() if ends else 0)
    assert not [name for name in await scrape(FakeService()) if name.startswith("justera_journal")]


async def test_a_consumer_without_partitions_has_no_lag_and_says_so() -> None:
    found = await scrape(FakeService())
    assert found['justera_consumer_joined{group="second"}'] == 0
    assert found['justera_consumer_joined{group="first"}'] == 1
    assert 'justera_consumer_lag{group="second"}' not in found


async def test_a_service_counts_its_own_events_from_zero() -> None:
    found = await scrape(FakeService())
    for counter in ("written", "published"):
        assert f'justera_events_{counter}_total{{type="se.justera.notifications.bounce-detected.v1"}}' in found


async def test_what_cannot_be_read_is_left_out_and_the_rest_stays() -> None:
    found = await scrape(FakeService(letters=OSError("the database is away")))
    assert 'justera_dead_letters{service="notifications"}' not in found
    assert found['justera_work_pending{service="notifications"}'] == 4


async def test_scrapes_in_quick_succession_share_a_reading() -> None:
    service = FakeService()
    await scrape(service, times=3)
    assert service.asked == 1


async def test_who_accepts_openmetrics_gets_the_same_whole_and_ended_once() -> None:
    """Prometheus asks for it first; samples name their traces there alone."""
    text = await scraped(FakeService(), accept="application/openmetrics-text")
    found = {sample.name: sample.value for family in parse_openmetrics(text) for sample in family.samples}
    assert found["justera_outbox_unpublished"] == 3
    assert {"justera_events_written_total", "justera_http_requests_total"} <= found.keys()
    assert text.count("# EOF") == 1


async def test_a_reading_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_PATIENCE", 0.01)
    service = FakeService()

    async def never() -> int:
        await asyncio.sleep(60)
        return 0

    service.pending = never  # type: ignore[method-assign]
    found = await scrape(service)
    assert 'justera_work_pending{service="notifications"}' not in found
    assert found['justera_outbox_unpublished{service="notifications"}'] == 3
