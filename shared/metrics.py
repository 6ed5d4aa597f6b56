"""What Prometheus may scrape from a service: how far behind it is, what waits, what failed, what it has published.

Gauges are read when they are scraped, at most every few seconds and within a time limit: a slow or absent database must
not make the scrape hang. A gauge that cannot be read is left out, so that it is never stale. Counts only; no
ids but those of traces.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from prometheus_client import REGISTRY, CollectorRegistry, Gauge
from prometheus_client.exposition import choose_encoder
from starlette.middleware import Middleware

from shared.auth import public
from shared.events import declared_events, event_type
from shared.logging import get_logger
from shared.messaging import dead_letters
from shared.messaging.relay import EVENTS_PUBLISHED
from shared.messaging.transaction import EVENTS_WRITTEN
from shared.request_times import RequestTimes
from shared.service import Service

log = get_logger(__name__)

_FRESH = 5.0  # seconds that a reading serves further scrapes
_PATIENCE = 2.0  # seconds for each reading

_END = b"# EOF\n"  # of OpenMetrics

_LAG = "Messages not yet handled, in this instance's partitions"


def include_metrics(service: Service) -> None:
    """Add `GET /metrics` to the service's app, and count its requests.

    As Prometheus' text, or as OpenMetrics for who accepts that: only there a sample names its trace.
    """
    gauges = _Gauges(service)
    # Innermost, next to the router: only there the request knows its route.
    service.app.user_middleware.append(Middleware(RequestTimes, service=service.name))
    for event in declared_events():
        if event.service == service.name:
            for counter in (EVENTS_WRITTEN, EVENTS_PUBLISHED):
                counter.labels(event_type(event))  # from 0 on: a rate does not see the first of a new series

    @service.app.get(
        "/metrics", include_in_schema=False, dependencies=[public("scraped inside the cluster; counts only")]
    )
    async def metrics(request: Request) -> Response:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(await gauges.read()).removesuffix(_END) + encode(REGISTRY), media_type=media_type)


class _Gauges:
    """One service's readings, in a registry of their own: several services may share a process."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._reading = asyncio.Lock()
        self._read_at = float("-inf")
        self._registry = CollectorRegistry()

    async def read(self) -> CollectorRegistry:
        async with self._reading:
            if time.monotonic() - self._read_at > _FRESH:
                self._registry = await self._read()
                self._read_at = time.monotonic()
            return self._registry

    async def _read(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        readings = (self._outbox, self._letters, self._pending, self._seal, self._journal, self._lag)
        await asyncio.gather(*(_within_patience(read, registry) for read in readings))
        return registry

    async def _outbox(self, registry: CollectorRegistry) -> None:
        state = await self._service.outbox_state()
        self._add(registry, "outbox_unpublished", "Events that wait to be published", state.unpublished)
        self._add(registry, "outbox_oldest_seconds", "Age of the oldest event that waits to be published", state.oldest)

    async def _letters(self, registry: CollectorRegistry) -> None:
        async with self._service.database.transaction() as connection:
            count = await dead_letters.count(connection)
        self._add(registry, "dead_letters", "Messages that failed, and those that wait behind them", count)

    async def _pending(self, registry: CollectorRegistry) -> None:
        pending = await self._service.pending()
        self._add(registry, "work_pending", "Mails or documents in hand, beyond outbox and topics", pending)
        given_up = await self._service.given_up()
        self._add(registry, "work_given_up", "Work that failed too often and waits for a person", given_up)
        unread = await self._service.unread()
        self._add(
            registry, "replies_unread", "Replies to mails that could not be read as reports, for a person", unread
        )

    async def _seal(self, registry: CollectorRegistry) -> None:
        if (ends := self._service.seal_ends) is not None:
            meaning = "When the seal's certificate ends, in seconds since 1970"
            self._add(registry, "seal_ends_timestamp_seconds", meaning, ends().timestamp())

    async def _journal(self, registry: CollectorRegistry) -> None:
        if self._service.journal_ends is not None:
            ends = await self._service.journal_ends()
            meaning = "When the last month ends that the journal has a partition for, in seconds since 1970"
            self._add(registry, "journal_ends_timestamp_seconds", meaning, ends.timestamp() if ends else 0.0)

    async def _lag(self, registry: CollectorRegistry) -> None:
        """Each instance tells of its own partitions: the sum over instances is the group's lag."""
        lags = await self._service.lag()
        joined = Gauge("justera_consumer_joined", "1 when the consumer has partitions", ["group"], registry=registry)
        gauge = Gauge("justera_consumer_lag", _LAG, ["group"], registry=registry)
        for group, behind in lags.items():
            joined.labels(group).set(behind is not None)
            if behind is not None:
                gauge.labels(group).set(behind)

    def _add(self, registry: CollectorRegistry, name: str, meaning: str, value: float) -> None:
        Gauge(f"justera_{name}", meaning, ["service"], registry=registry).labels(self._service.name).set(value)


async def _within_patience(read: Callable[[CollectorRegistry], Awaitable[None]], registry: CollectorRegistry) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            await read(registry)
    except Exception as error:
        log.warning("metrics.not_read", error=type(error).__name__)
