"""KEDA's rule on a real Kafka: the lag that it scales by is what our metric tells, and brings pods and takes them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiokafka import AIOKafkaProducer

from shared.events import topics
from shared.messaging.broker import KafkaSettings
from shared.messaging.consumer import EventConsumer
from shared.messaging.message import RawMessage
from tests.integration.messaging.ledger import until
from tests.support.keda import lag_of, replicas
from tests.unit.deploy.manifests import EXAMPLE, of_kind

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

_BEHIND = 9_500


async def test_its_lag_is_our_metric_and_brings_pods(kafka_settings: KafkaSettings, topic: str) -> None:
    """`justera_consumer_lag` is `EventConsumer.lag`, summed over instances."""
    may_go_on = asyncio.Event()

    async def handle(messages: Sequence[RawMessage]) -> None:
        await may_go_on.wait()

    consumers = [EventConsumer("scaled", [topic], handle, kafka_settings) for _ in range(2)]

    async def told() -> int | None:
        lags = [await one.lag() for one in consumers]
        return None if None in lags else sum(one or 0 for one in lags)

    async def asked() -> int:
        return await lag_of(kafka_settings.bootstrap, "scaled", topic, partitions=topics.PARTITIONS)

    for one in consumers:
        await one.start()
    try:
        await until(lambda: _equals(told, 0), what="both consumers in the group")
        await _fill(kafka_settings, topic)
        await until(lambda: _equals(told, _BEHIND), what="our metric of what waits")
        assert await asked() == _BEHIND
        assert _pods(_BEHIND) == 5
        may_go_on.set()
        await until(lambda: _equals(told, 0), what="our metric of nothing")
        assert await asked() == 0
        assert _pods(0) == 2
    finally:
        may_go_on.set()
        for one in consumers:
            await one.stop()


async def _equals(told: Callable[[], Awaitable[int | None]], wanted: int) -> bool:
    return await told() == wanted


def _pods(lag: int) -> int:
    """What signing's rule makes of that lag of one topic of its."""
    (signing,) = (one for one in of_kind(EXAMPLE, "ScaledObject") if one["metadata"]["name"] == "signing")
    return replicas(signing, {"meetings.meeting": lag}, partitions=topics.PARTITIONS)


async def _fill(kafka: KafkaSettings, topic: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    try:
        for number in range(_BEHIND):
            await producer.send(topic, b"{}", key=str(number).encode())
    finally:
        await producer.stop()
