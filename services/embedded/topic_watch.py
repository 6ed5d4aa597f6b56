"""Noticing that somebody else changed the embedded broker's topics.

It knows no logins, and its port is open to every user of the machine: they can delete topics, empty them, or make them
anew. None of ours does: once it is seen, the broker starts over, and the outboxes are published again.

Unseen goes a topic that is deleted, made anew and filled to its old length between two looks.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.events import topics

_LOOK_SECONDS = 10.0

Offsets = Mapping[TopicPartition, int]


async def change_of(bootstrap: str, *, every: float) -> str:
    """Look every so many seconds; return what was changed, once something was. A broker that is away is no change."""
    looks: deque[Offsets] = deque(maxlen=2)
    while True:
        await asyncio.sleep(every)
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                beginnings, ends = await _look(bootstrap)
            if found := change(looks, beginnings, ends):
                return found
            looks.append(ends)


def change(looks: "deque[Offsets]", beginnings: Offsets, ends: Offsets) -> str | None:
    """What somebody changed since `looks`, where the partitions ended then, the oldest first; None if nothing.

    Kafka's own retention takes what is days old, never what came since the oldest look.
    """
    partitions = Counter(partition.topic for partition in ends)
    for topic in topics.ALL:
        if partitions[topic] != topics.PARTITIONS:
            return f"{topic} has {partitions[topic]} partitions"
    oldest, latest = (looks[0], looks[-1]) if looks else ({}, {})
    for partition, end in ends.items():
        if end < latest.get(partition, 0):
            return f"{partition.topic} was made anew"
        if beginnings[partition] > oldest.get(partition, 0):
            return f"new events of {partition.topic} were deleted"
    return None


async def _look(bootstrap: str) -> tuple[Offsets, Offsets]:
    """Where each partition begins and ends."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, client_id="justera-watch")
    try:
        await consumer.start()
        await asyncio.sleep(0)  # aiokafka's `stop` raises CancelledError where its tasks have not begun yet
        found = [
            TopicPartition(topic, number)
            for topic in topics.ALL
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        # In this order: what is published and deleted between the two answers is seen next time.
        return (await consumer.beginning_offsets(found), await consumer.end_offsets(found)) if found else ({}, {})
    finally:
        await consumer.stop()
