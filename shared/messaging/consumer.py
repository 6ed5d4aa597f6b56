"""The batch consumer: Kafka's messages in, one transaction a batch, and only then the offset.

It runs through FastStream's batch subscriber with manual acknowledgement, and keeps three promises that the defaults do
not (each measured, see docs/decisions): a failing handler never loses or skips a batch, an infrastructure error waits
before it tries again, and only offsets of messages that were handled are committed, whatever a rebalance did meanwhile.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from prometheus_client import Histogram

from shared.database import is_transient
from shared.errors import Unavailable
from shared.logging import get_logger
from shared.messaging.broker import GRACEFUL_SECONDS, KafkaSettings, consuming_broker
from shared.messaging.message import RawMessage, from_record
from shared.messaging.pace import Pace
from shared.messaging.unreadable import SteppingConsumer
from shared.panics import ends

log = get_logger(__name__)

HandleBatch = Callable[[Sequence[RawMessage]], Awaitable[None]]
REBALANCES = Histogram(
    "justera_consumer_rebalance_seconds",
    "For how long this instance handled nothing, from giving its partitions up to having some again",
    ["group"],
    buckets=(0.1, 0.3, 1, 3, 10, 30),
)
_LONGEST_BACKOFF = 10.0
_COMMIT_SECONDS = 10.0
# A member hears of a rebalance by its next heartbeat, and until all have heard, the first ones stand still: a group
# stops for at most this long, and for the batches in hand.
_HEARTBEAT_MS = 1000


class EventConsumer:
    """One consumer group of a service. `group` names it in Kafka: never change it, or it starts over. In a process that
    is alone it is a name in logs and metrics: there it begins at the beginning, and the inbox drops what it knows.

    `max_records` is messages a transaction. `linger`: for how many seconds Kafka may hold messages back until there are
    64 KiB of them, for a consumer that nobody waits for. Scale by partitions and processes, never by workers in a
    process.
    """

    def __init__(
        self,
        group: str,
        topics: Collection[str],
        handle: HandleBatch,
        kafka: KafkaSettings,
        *,
        max_records: int = 500,
        linger: float = 0.0,
    ) -> None:
        self.group = group
        self.topics = tuple(sorted(topics))
        self._handle = handle
        self._failures = 0
        self._max_records = max_records
        self._pace = Pace()
        # Held while a batch is in hand, so that a rebalance waits for it.
        self._in_hand = asyncio.Lock()
        self._committed: dict[TopicPartition, int] = {}
        self._alone = kafka.alone
        self._idle_pause = kafka.idle_pause
        self._broker: KafkaBroker = consuming_broker(kafka)
        self._subscriber = self._broker.subscriber(
            *self.topics,
            batch=True,
            group_id=None if kafka.alone else group,
            max_records=max_records,
            batch_timeout_ms=200,
            fetch_min_bytes=64 * 1024 if linger else 1,
            fetch_max_wait_ms=round(linger * 1000) if linger else 500,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            session_timeout_ms=kafka.session_timeout_ms,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            listener=_DrainOnRevoke(group, self._in_hand, self._committed),
            parser=_raw_batch,
            decoder=_raw_records,
        )
        self._subscriber(self._on_batch)

    async def start(self) -> None:
        """Join the group. Raises Unavailable when Kafka does not answer within 30 seconds."""
        try:
            async with asyncio.timeout(30):
                await self._broker.connect()
                config = self._broker.config.broker_config
                config.builder = partial(SteppingConsumer, **config.builder.keywords)  # type: ignore[attr-defined]
                await self._broker.start()
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable(f"Kafka does not answer: {type(error).__name__}") from error
        if self._idle_pause and self._consumer is not None:
            _pause_when_idle(self._consumer, self._idle_pause)

    async def stop(self) -> None:
        """Finish and commit the batch in hand, then leave the group: within 25 seconds, also when Kafka is away."""
        try:
            async with asyncio.timeout(GRACEFUL_SECONDS + 5):
                await self._broker.stop()
        except (KafkaError, OSError, TimeoutError) as error:
            # Kafka ends the membership by itself; what was not committed is read again, and the inbox drops it.
            log.warning("consumer.abandoned", group=self.group, error=type(error).__name__)

    async def ping(self) -> None:
        """Raises KafkaError when Kafka does not answer, or nobody asks it any more."""
        if all(task.done() for task in self._subscriber.tasks):
            raise KafkaError("the loop that consumes has ended")
        if self._consumer is not None:
            await self._consumer.topics()

    async def lag(self) -> int | None:
        """Messages not yet handled and committed in the assigned partitions; None while nothing is assigned.

        Raises KafkaError.
        """
        consumer = self._consumer
        if consumer is None or not (assigned := consumer.assignment()):
            return None
        await self._learn_committed(consumer, assigned)
        ends = await consumer.end_offsets(assigned)
        if not self._committed.keys() >= ends.keys():
            return None  # a rebalance took the partitions away meanwhile
        behind = {partition: int(end) - self._committed[partition] for partition, end in ends.items()}
        for partition in [partition for partition, count in behind.items() if count < 0]:
            del self._committed[partition]  # the topic was rebuilt: ask Kafka again next time
        return sum(max(0, count) for count in behind.values())

    async def _learn_committed(self, consumer: AIOKafkaConsumer, assigned: Collection[TopicPartition]) -> None:
        """Committed offsets are asked of Kafka once after an assignment, a partition at a time, then known from our own
        commits: a broker answers only after the fetch that waits on the same connection."""
        unknown = [partition for partition in assigned if partition not in self._committed]
        if not unknown:
            return
        beginnings = await consumer.beginning_offsets(unknown)
        for partition in unknown:
            stored = None if self._alone else await consumer.committed(partition)
            self._committed.setdefault(partition, beginnings[partition] if stored is None else stored)

    @property
    def _consumer(self) -> AIOKafkaConsumer | None:
        return self._subscriber.consumer

    async def _on_batch(self, messages: tuple[RawMessage, ...]) -> None:
        """Never raises: FastStream would take the batch as done, and a later commit would jump the gap."""
        backoff = 0.0
        self._pace.begin()
        async with self._in_hand:
            try:
                await self._handle(messages)
                self._failures = 0
                await self._commit(messages)
            except BaseException as error:
                if ends(error):
                    raise
                backoff = self._after_failure(messages, error)
        if backoff:
            await asyncio.sleep(backoff)
        elif len(messages) < self._max_records:
            await self._pace.keep()

    def _after_failure(self, messages: Sequence[RawMessage], error: BaseException) -> float:
        """Go back to the batch's start; return the seconds to wait before it is read again."""
        self._failures += 1
        self._seek_back(messages)
        backoff: float = min(_LONGEST_BACKOFF, 0.1 * 2 ** min(self._failures, 10))
        backoff *= random.uniform(0.5, 1)  # noqa: S311  (jitter, not a secret)
        report = log.warning if is_transient(error) else log.exception
        report(
            "consumer.batch_failed",
            group=self.group,
            error=type(error).__name__,
            failures=self._failures,
            retry_in=round(backoff, 2),
        )
        return backoff

    def _seek_back(self, messages: Sequence[RawMessage]) -> None:
        consumer = self._consumer
        assigned = consumer.assignment() if consumer else frozenset()
        for partition, position in _edge(messages, min).items():
            if consumer and partition in assigned:
                consumer.seek(partition, position)

    async def _commit(self, messages: Sequence[RawMessage]) -> None:
        """Commit the offsets after these messages, and none else (a bare commit takes whatever is assigned now)."""
        offsets = {partition: position + 1 for partition, position in _edge(messages, max).items()}
        try:
            if self._consumer is not None and not self._alone:
                # aiokafka tries without end; a batch that stays uncommitted is read again, and the inbox drops it.
                async with asyncio.timeout(_COMMIT_SECONDS):
                    await self._consumer.commit(offsets)
            self._committed.update(offsets)
        except (CommitFailedError, IllegalStateError):
            # A rebalance took the partitions away. Their new owner reads the batch again; its inbox drops it.
            log.info("consumer.commit_after_rebalance", group=self.group)


class _DrainOnRevoke(ConsumerRebalanceListener):  # type: ignore[misc]
    """aiokafka rebalances eagerly and in the background: wait for the batch in hand before partitions are given up."""

    def __init__(self, group: str, in_hand: asyncio.Lock, committed: dict[TopicPartition, int]) -> None:
        self._group = group
        self._in_hand = in_hand
        self._committed = committed
        self._stands_since: float | None = None

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        async with self._in_hand:
            self._committed.clear()
        if self._stands_since is None and any(True for _ in revoked):  # one that joins had none
            self._stands_since = time.monotonic()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._committed.clear()
        since, self._stands_since = self._stands_since, None
        if since is not None:
            stood = time.monotonic() - since
            REBALANCES.labels(self._group).observe(stood)
            log.info(
                "consumer.rebalanced", group=self._group, partitions=sum(1 for _ in assigned), stood=round(stood, 2)
            )


def _pause_when_idle(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Wait after each fetch that brought nothing.

    The embedded broker answers such a fetch at once, whatever `fetch.max.wait.ms` says: without a pause an idle process
    asks it thousands of times a second. aiokafka has no setting for this: hence a private name, and a pinned version.
    """
    fetcher = consumer._fetcher
    fetch = fetcher._proc_fetch_request

    async def fetch_then_pause(*arguments: Any) -> Any:
        brought = await fetch(*arguments)
        if not brought:
            await asyncio.sleep(seconds)
        return brought

    fetcher._proc_fetch_request = fetch_then_pause


async def _raw_batch(records: tuple[Any, ...]) -> KafkaMessage:
    """In place of FastStream's parser, which raises on a header that is not UTF-8 before any handler is asked."""
    return KafkaMessage(
        body=tuple(from_record(record) for record in records), raw_message=records, consumer=FAKE_CONSUMER
    )


async def _raw_records(message: KafkaMessage) -> tuple[RawMessage, ...]:
    records: tuple[RawMessage, ...] = message.body  # type: ignore[assignment]
    return records


def _edge(messages: Sequence[RawMessage], pick: Callable[[Iterable[int]], int]) -> dict[TopicPartition, int]:
    """The lowest or highest position of each partition."""
    positions: dict[TopicPartition, list[int]] = {}
    for message in messages:
        positions.setdefault(message.topic_partition, []).append(message.position)
    return {partition: pick(found) for partition, found in positions.items()}
