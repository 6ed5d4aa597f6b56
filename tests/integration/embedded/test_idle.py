"""An idle process leaves the machine alone."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka.consumer.fetcher import Fetcher

from services.embedded.broker import EmbeddedBroker
from shared.events import topics
from shared.messaging.broker import KafkaSettings, ensure_topics
from shared.messaging.consumer import EventConsumer
from shared.messaging.message import RawMessage


async def test_a_consumer_of_the_embedded_broker_pauses_between_empty_fetches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetches = 0
    fetch = Fetcher._proc_fetch_request

    async def counted(self: Fetcher, *arguments: Any) -> Any:
        nonlocal fetches
        fetches += 1
        return await fetch(self, *arguments)

    async def handle(batch: Sequence[RawMessage]) -> None:
        raise AssertionError("nothing was published")

    monkeypatch.setattr(Fetcher, "_proc_fetch_request", counted)
    async with EmbeddedBroker(tmp_path / "broker", tmp_path / "broker.log") as broker:
        kafka = KafkaSettings(broker.bootstrap, idle_pause=0.05)
        await ensure_topics(kafka)
        consumer = EventConsumer("idle", [topics.SIGNING], handle, kafka)
        await consumer.start()
        fetches = 0
        await asyncio.sleep(1)
        await consumer.stop()
    assert 0 < fetches < 40  # without the pause, thousands
