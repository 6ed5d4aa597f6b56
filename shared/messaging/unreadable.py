"""A consumer that what it cannot read does not stop.

aiokafka decodes the names of headers while it hands messages over, and raises for one that is not UTF-8: one such
message, which anybody who reaches Kafka can send, ends FastStream's loop, and each later start ends at the same place.
"""

from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.logging import get_logger

log = get_logger(__name__)

# In place of the headers: a gate refuses a message without a signature, and keeps it as a dead letter of its own.
UNREADABLE = "unreadable"
_LOOK_MS = 200  # for what is there to come from Kafka again


class SteppingConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """In place of a message that cannot be read comes one without key and body that says where it stands."""

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None) -> Any:
        try:
            return await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
        except UnicodeDecodeError:
            # Nothing was lost: a partition's place moves on only with what was handed over.
            return await self._one_by_one(max_records or 500)

    async def _one_by_one(self, most: int) -> Any:
        """What is there, a message at a time, so that the place of one that cannot be read is known."""
        found: dict[TopicPartition, list[Any]] = {}
        room = most
        for partition in sorted(self.assignment()):
            while room and (record := await self._next(partition)) is not None:
                found.setdefault(partition, []).append(record)
                room -= 1
        return found

    async def _next(self, partition: TopicPartition) -> "ConsumerRecord[Any, Any] | None":
        try:
            got = await super().getmany(partition, timeout_ms=_LOOK_MS, max_records=1)
        except UnicodeDecodeError:
            position = await self.position(partition)
            self.seek(partition, position + 1)
            log.warning("consumer.unreadable", topic=partition.topic, partition=partition.partition, position=position)
            return _stand_in(partition, position)
        return next((record for records in got.values() for record in records), None)


def _stand_in(partition: TopicPartition, position: int) -> "ConsumerRecord[Any, Any]":
    place = f"{partition.partition}:{position}".encode()
    return ConsumerRecord(
        partition.topic, partition.partition, position, 0, 0, None, None, None, -1, -1, ((UNREADABLE, place),)
    )
