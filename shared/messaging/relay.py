"""The relay: publishes a service's outbox in order, at least once, and marks what Kafka has acknowledged.

At most one relay per service publishes, by a session advisory lock that a killed process loses with its connection. Two
for a moment do no harm: each sends in key order, and the inboxes drop the second copy. Organisations take turns
(`shared.turns`): one with thousands of events holds up no other.
"""

import asyncio
import collections
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Counter
from pydantic_core import from_json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import tracing
from shared.database import Database
from shared.errors import Unavailable
from shared.logging import get_logger
from shared.messaging import answers, inbox, outbox
from shared.messaging.broker import KafkaSettings, idempotent_producer
from shared.messaging.freshness import SKEW
from shared.messaging.outbox import OutgoingMessage
from shared.messaging.pace import Pace
from shared.messaging.signatures import Signer
from shared.row_security import for_all
from shared.turns import Turns
from shared.wakeup import Wakeup
from shared.workers import Worker

log = get_logger(__name__)

_RELAY_LOCK = 0x6A757374  # "just": one per database, and every service has its own
_DAY = 24 * 3600.0
_SKEW = 2 * SKEW.total_seconds()  # the writer's clock may be ahead and the reader's behind
_PRUNED_AT_ONCE = 10_000
_PRUNING_SECONDS = 600.0

Result = TypeVar("Result")

EVENTS_PUBLISHED = Counter(
    "justera_events_published", "Events that Kafka has acknowledged; those published again count again", ["type"]
)


class Relay:
    """`batch` rows at a time; `poll` and `standby` are seconds, `retention` seconds that published rows are kept.

    Rounds that are not full are kept apart (`Pace`), so that under load a round carries many events; after a quiet
    while an event goes out at once.
    """

    def __init__(
        self,
        database: Database,
        kafka: KafkaSettings,
        wakeup: Wakeup,
        signer: Signer,
        *,
        batch: int = 500,
        poll: float = 0.1,
        standby: float = 1.0,
        retention: float = 30 * _DAY,
    ) -> None:
        self._database = database
        self._kafka = kafka
        self._wakeup = wakeup
        self._signer = signer
        self._batch = batch
        self._poll = poll
        self._standby = standby
        self._retention = retention
        self._turns = Turns()
        self._stopped = asyncio.Event()
        # An idempotent producer waits for acknowledgement without end; what is in hand at the end goes out next time.
        self._publish = Worker("relay", self._lead, max_backoff=2.0, drain=5.0)
        self._prune = Worker("outbox-pruning", self._prune_once)

    def start(self) -> None:
        self._publish.start()
        self._prune.start()

    async def stop(self) -> None:
        self._stopped.set()
        self._wakeup.set()
        await asyncio.gather(self._publish.stop(), self._prune.stop())

    async def _lead(self) -> None:
        """Publish for as long as the lock is held; returns when stopping or when another relay leads."""
        async with self._database.engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
            if not await self._try_lock(connection):
                await self._wait_until_stopped(self._standby)
                return
            # A failed producer is never used again: a new one starts over at the lowest unmarked row.
            producer = idempotent_producer(self._kafka)
            try:
                await self._connect(producer)
                await self._publish_until_stopped(connection, producer)
            finally:
                try:
                    await _close(producer)
                finally:  # also when cancelled
                    # Closed, not given back: with the lock in the pool it would bar every relay for good.
                    await connection.invalidate()

    async def _try_lock(self, connection: AsyncConnection) -> bool:
        result = await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _RELAY_LOCK})
        return bool(result.scalar_one())

    async def _connect(self, producer: AIOKafkaProducer) -> None:
        try:
            async with asyncio.timeout(15):
                await producer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable(f"Kafka does not answer: {type(error).__name__}") from error

    async def _publish_until_stopped(self, connection: AsyncConnection, producer: AIOKafkaProducer) -> None:
        """A round's mark travels with the next reading: one round trip to PostgreSQL, one to Kafka.

        A full round is followed by another, which is read while Kafka takes this one.
        """
        pace = Pace()
        published: list[OutgoingMessage] = []
        ahead: list[OutgoingMessage] = []
        while not self._stopped.is_set():
            if not ahead:
                ahead = await outbox.unpublished(connection, self._batch, published=published, turns=self._turns)
                published = []
            if not ahead:
                await self._wakeup.wait(self._poll)
                continue
            messages, ahead = ahead, []
            pace.begin()
            if len(messages) < self._batch:
                published = [*published, *await self._publish_batch(connection, producer, messages)]
                await pace.keep()
                continue
            read, sent = await asyncio.gather(
                outbox.unpublished(connection, self._batch, published=published, in_hand=messages, turns=self._turns),
                send_in_order(producer, messages, self._signer),
                return_exceptions=True,
            )
            published, ahead = await self._outcome(connection, _result(sent)), _result(read)
        await outbox.unpublished(connection, 0, published=published)

    async def _publish_batch(
        self, connection: AsyncConnection, producer: AIOKafkaProducer, messages: list[OutgoingMessage]
    ) -> list[OutgoingMessage]:
        return await self._outcome(connection, await send_in_order(producer, messages, self._signer))

    async def _outcome(
        self, connection: AsyncConnection, sent: tuple[list[OutgoingMessage], BaseException | None]
    ) -> list[OutgoingMessage]:
        """What Kafka acknowledged, to be marked next. Raises Unavailable for a failure, what came before it marked."""
        acknowledged, failure = sent
        for event_type, count in collections.Counter(message.event_type for message in acknowledged).items():
            EVENTS_PUBLISHED.labels(event_type).inc(count)
        log.debug("relay.published", count=len(acknowledged))
        if failure is not None:
            await outbox.unpublished(connection, 0, published=acknowledged)
            raise Unavailable(f"Kafka did not take an event: {type(failure).__name__}") from failure
        return acknowledged

    async def _prune_once(self) -> None:
        most = dropped = _PRUNED_AT_ONCE
        while dropped == most and not self._stopped.is_set():
            with for_all("answers are dropped by their age, whose ever"):
                dropped = await self._dropped(most)
        await self._wait_until_stopped(_PRUNING_SECONDS)

    async def _dropped(self, most: int) -> int:
        async with self._database.transaction() as connection:
            # Inbox rows outlive whatever a topic, an outbox, or who plays it again could bring a second time.
            return max(
                await outbox.prune(connection, older_than=self._retention, most=most),
                await inbox.prune(connection, older_than=self._retention * 2 + _SKEW, most=most),
                await answers.prune(connection, most=most),
            )

    async def _wait_until_stopped(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)


def _result(outcome: Result | BaseException) -> Result:
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


async def send_in_order(
    producer: AIOKafkaProducer, messages: list[OutgoingMessage], signer: Signer
) -> tuple[list[OutgoingMessage], BaseException | None]:
    """Publish in key order, signed and sealed for the topic's readers.

    Returns the acknowledged messages before the first failure, and that failure.

    Each call is awaited in turn (that is what keeps the order) but only the futures of acknowledgement are gathered:
    confirming one by one makes 170 events a second, this some 30,000.
    """
    with _traced(messages):
        return await _send_in_order(producer, messages, signer)


def _traced(messages: Sequence[OutgoingMessage]) -> AbstractContextManager[Any]:
    """A round is of many traces: a span of its own, with a link to each event's."""
    if not tracing.is_on():
        return nullcontext()
    attributes: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.operation.type": "send",
        "messaging.batch.message_count": len(messages),
    }
    links = (from_json(message.attributes).get("traceparent") for message in messages)
    return tracing.span("send outbox", tracing.SENT, attributes=attributes, links=links)


async def _send_in_order(
    producer: AIOKafkaProducer, messages: list[OutgoingMessage], signer: Signer
) -> tuple[list[OutgoingMessage], BaseException | None]:
    futures: list[Any] = []
    failure: BaseException | None = None
    for message in messages:
        try:
            key = message.key.encode()
            headers, body = signer.outgoing(message.topic, key, message.headers(), message.body())
            futures.append(await producer.send(message.topic, body, key=key, headers=headers))
        except (KafkaError, OSError, TimeoutError) as error:
            failure = error
            break
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    for position, outcome in enumerate(outcomes):
        if isinstance(outcome, BaseException):
            return messages[:position], outcome
    return messages[: len(outcomes)], failure


async def _close(producer: AIOKafkaProducer) -> None:
    """Close without waiting for what a dead Kafka will never acknowledge."""
    try:
        async with asyncio.timeout(3):
            await producer.stop()
    except Exception as error:
        log.info("relay.producer_abandoned", error=type(error).__name__)
        await _abandon(producer)


async def _abandon(producer: AIOKafkaProducer) -> None:
    """aiokafka has no such call: a producer that cannot flush would go on trying, in the background, for ever."""
    if (sending := producer._sender.sender_task) is not None:
        sending.cancel()
    with suppress(Exception):
        await producer.client.close()
