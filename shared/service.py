"""A running service: its HTTP app, its database, its consumers, relay and workers, started and drained together."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from aiokafka.errors import KafkaError
from fastapi import FastAPI

from shared.database import Database
from shared.erasing import Eraser
from shared.errors import Unavailable
from shared.logging import get_logger
from shared.messaging import outbox
from shared.messaging.broker import KafkaSettings
from shared.messaging.consumer import EventConsumer, HandleBatch
from shared.messaging.gate import Gate
from shared.messaging.outbox import OutboxState
from shared.messaging.relay import Relay
from shared.messaging.signatures import Signer
from shared.wakeup import Wakeup
from shared.workers import Worker

log = get_logger(__name__)

_ANSWER_SECONDS = 5.0  # how long a probe or an operator's question waits for Kafka


class Background(Protocol):
    """A loop beside the HTTP side. Starting does not wait; stopping drains."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...


@dataclass(frozen=True)
class Subscription:
    """One consumer group: which topics, what happens to a batch, and how many seconds messages may wait for others."""

    group: str
    topics: Collection[str]
    handle: HandleBatch
    linger: float = 0.0


async def _nothing_pending() -> int:
    return 0


@dataclass
class Service:
    """`pending` counts work in hand beyond outbox and topics (documents to seal, say): a replay waits for it.
    `given_up` counts work that waits for a person, `unread` what came in and nobody could read. `seal_ends` says
    when the certificate of a service that seals does, `journal_ends` when the last month does that a service which
    keeps the journal has made a partition for.

    `eraser` erases organisations, where the service holds any.

    `signer` signs what the relay publishes; `gates` stand before the consumers whose dead letters can be retried.
    """

    name: str
    app: FastAPI
    database: Database
    outbox_wakeup: Wakeup
    signer: Signer
    organisation: str = "default"
    subscriptions: Sequence[Subscription] = ()
    workers: Sequence[Background] = ()
    gates: Sequence[Gate] = ()
    pending: Callable[[], Awaitable[int]] = _nothing_pending
    given_up: Callable[[], Awaitable[int]] = _nothing_pending
    unread: Callable[[], Awaitable[int]] = _nothing_pending
    seal_ends: Callable[[], datetime] | None = None
    journal_ends: Callable[[], Awaitable[datetime | None]] | None = None
    eraser: Eraser | None = None
    retention_seconds: float = 30 * 24 * 3600.0
    commands: Any = None
    _messaging: "_Messaging | None" = field(default=None, init=False)

    async def start(self, kafka: KafkaSettings) -> None:
        """Start everything. Kafka may be away: messaging starts when it answers, and readiness says so until then."""
        asyncio.get_running_loop().set_exception_handler(_on_unheard_failure)
        for worker in self._beside:
            worker.start()
        self.start_messaging(kafka)
        log.info("service.started", service=self.name)

    async def stop(self) -> None:
        """Drain: batches in hand are finished and their offsets committed, mail in hand is sent.

        All at once, since a container has some 30 seconds for it; whatever fails, the rest is stopped too.
        """
        stops = (self.stop_messaging(), *(worker.stop() for worker in self._beside))
        for outcome in await asyncio.gather(*stops, return_exceptions=True):
            if isinstance(outcome, BaseException):
                log.error("service.part_not_stopped", service=self.name, exc_info=outcome)
        await self.database.close()
        log.info("service.stopped", service=self.name)

    @property
    def _beside(self) -> Sequence[Background]:
        return self.workers if self.eraser is None else (*self.workers, self.eraser)

    def start_messaging(self, kafka: KafkaSettings) -> None:
        self._messaging = _Messaging(self, kafka)
        self._messaging.start()

    async def stop_messaging(self) -> None:
        messaging, self._messaging = self._messaging, None
        if messaging is not None:
            await messaging.stop()

    async def check_messaging(self) -> None:
        """For readiness. Raises Unavailable until every consumer has joined its group, and while Kafka is away."""
        if self._messaging is None or not self._messaging.joined:
            raise Unavailable("the consumers have not joined their groups yet")
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await asyncio.gather(*(consumer.ping() for consumer in self._messaging.consumers))
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable(f"Kafka does not answer: {type(error).__name__}") from error

    async def lag(self) -> dict[str, int | None]:
        """Messages behind, by consumer group; None while a group is not joined or Kafka does not answer."""
        unknown: dict[str, int | None] = {subscription.group: None for subscription in self.subscriptions}
        if self._messaging is None or not self._messaging.joined:
            return unknown
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return {consumer.group: await consumer.lag() for consumer in self._messaging.consumers}
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("service.lag_unknown", service=self.name, error=type(error).__name__)
            return unknown

    async def outbox_state(self) -> OutboxState:
        async with self.database.single() as connection:
            return await outbox.state(connection)


def _on_unheard_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """aiokafka shields a request from our timeout. How it ends after that concerns nobody any more: a batch whose
    commit was given up is read again. Nor does the end of a connection that asyncpg was to open, given up in the moment
    when the server had just answered: that is a bare future's, while a failure of our own would be a task's."""
    error, future = context.get("exception"), context.get("future")
    if isinstance(error, KafkaError):
        log.warning("kafka.abandoned_request_failed", error=type(error).__name__)
    elif isinstance(error, ConnectionError) and not isinstance(future, asyncio.Task | None):
        log.warning("database.abandoned_connection_failed", error=type(error).__name__)
    else:
        loop.default_exception_handler(context)


class _Messaging:
    """Relay and consumers on one Kafka; replaced as a whole when Kafka is replaced (the embedded one is volatile)."""

    def __init__(self, service: Service, kafka: KafkaSettings) -> None:
        self.consumers: list[EventConsumer] = []
        self.joined = False
        self._kafka = kafka
        self._relay = Relay(
            service.database, kafka, service.outbox_wakeup, service.signer, retention=service.retention_seconds
        )
        self._joining = Worker("joining", self._join_once, max_backoff=5.0, drain=1.0)
        self._waiting = list(service.subscriptions)
        self._stopped = asyncio.Event()

    def start(self) -> None:
        self._relay.start()
        self._joining.start()

    async def stop(self) -> None:
        self._stopped.set()
        await self._joining.stop()
        # What the last batches wrote into the outbox lies there until a relay comes.
        stops = (self._relay.stop(), *(consumer.stop() for consumer in self.consumers))
        for outcome in await asyncio.gather(*stops, return_exceptions=True):
            if isinstance(outcome, BaseException):
                log.error("service.messaging_not_stopped", exc_info=outcome)

    async def _join_once(self) -> None:
        while self._waiting:
            await self._join(self._waiting[0])
            self._waiting.pop(0)
        self.joined = True
        await self._stopped.wait()

    async def _join(self, subscription: Subscription) -> None:
        """A consumer that failed to start is thrown away: the next try makes a new one."""
        consumer = EventConsumer(
            subscription.group, subscription.topics, subscription.handle, self._kafka, linger=subscription.linger
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        self.consumers.append(consumer)
