"""A consumer that what it cannot read does not stop, and what is too large when unpacked does not fill.

aiokafka decodes the names of headers while it hands messages over, and raises for one that is not UTF-8: one such
message, which anybody who reaches Kafka can send, ends FastStream's loop, and each later start ends at the same place.
It has by then moved on past what it took of other partitions in the same call, which nobody has seen. So one call takes
of one partition, and what raises has moved nothing.

It unpacks compressed batches before anything is checked, however large they become: gzip makes a thousandth of zeros,
so that a batch of 1 MiB, which anybody who reaches Kafka can send, would take 1 GiB. Our services send no compressed
batches, and a broker that compresses them (its `compression.type`) makes none that are larger than they were. What
gzip unpacks to is limited here; of the other codecs we have none.
"""

import asyncio
import gzip
import io
import sys
import zlib
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, UnsupportedCodecError

from shared.logging import get_logger

log = get_logger(__name__)

# In place of the headers: a gate refuses a message without a signature, and keeps it as a dead letter of its own.
UNREADABLE = "unreadable"
UNPACKED_BYTES = 16 * 1024 * 1024  # of a batch; a broker takes 1 MiB of one unless it is told otherwise
_MOST = 500  # messages at once, where nobody says how many
# Longer than Kafka holds a request that finds nothing (half a second), behind which the next one to it waits.
_LOOK_SECONDS = 5.0
_LOOK_EVERY = 0.01


class NotUnpacked(Exception):
    """A batch is no gzip, or becomes too large."""


_UNREADABLE = (UnicodeDecodeError, UnsupportedCodecError, NotUnpacked)
Found = dict[TopicPartition, list["ConsumerRecord[Any, Any]"]]


def _gzip_decode(payload: bytes) -> bytes:
    """In place of aiokafka's, which has no limit. Raises NotUnpacked."""
    try:
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(payload)).read(UNPACKED_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise NotUnpacked from error
    if len(unpacked) > UNPACKED_BYTES:
        raise NotUnpacked
    return unpacked


for _name, _module in list(sys.modules.items()):
    if _name.startswith("aiokafka.record.") and "gzip_decode" in vars(_module):
        vars(_module)["gzip_decode"] = _gzip_decode


class SteppingConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """In place of a message that cannot be read comes one without key and body that says where it stands."""

    _turn = 0

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None) -> Any:
        """As in aiokafka, for all that is assigned."""
        found: Found = {}
        room = max_records or _MOST
        try:
            # This call waits; with one message at most, it takes of one partition only.
            found = await super().getmany(timeout_ms=timeout_ms, max_records=1)
            room -= len(found)
            for partition in self._in_turn() if found else ():
                room -= await self._take(partition, found, room)
        except _UNREADABLE:
            await self._step_over(found, room)
        except KafkaError:
            if not found:
                raise  # else it comes again, once what was found is handled
        return found

    def _in_turn(self) -> Sequence[TopicPartition]:
        """Another one first at each call, so that a full one takes the room of none for long."""
        ours = sorted(self.assignment())
        self._turn += 1
        first = self._turn % len(ours) if ours else 0
        return ours[first:] + ours[:first]

    async def _take(self, partition: TopicPartition, found: Found, most: int) -> int:
        """How many were there."""
        if most <= 0:
            return 0
        records = (await super().getmany(partition, max_records=most)).get(partition, [])
        if records:
            found.setdefault(partition, []).extend(records)
        return len(records)

    async def _step_over(self, found: Found, room: int) -> None:
        """A message at a time, so that the place of one that cannot be read is known.

        Its partition is asked for anew, since aiokafka threw away what it had of it: hence the wait.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _LOOK_SECONDS
        stepped = False
        while room > 0 and not stepped and loop.time() < until:
            for partition in self._in_turn():
                try:
                    while room > 0 and await self._take(partition, found, 1):
                        room -= 1
                except _UNREADABLE:
                    found.setdefault(partition, []).append(await self._stand_in(partition))
                    room -= 1
                    stepped = True
            await asyncio.sleep(_LOOK_EVERY)

    async def _stand_in(self, partition: TopicPartition) -> "ConsumerRecord[Any, Any]":
        position = await self.position(partition)
        self.seek(partition, position + 1)
        log.warning("consumer.unreadable", topic=partition.topic, partition=partition.partition, position=position)
        place = f"{partition.partition}:{position}".encode()
        return ConsumerRecord(
            partition.topic, partition.partition, position, 0, 0, None, None, None, -1, -1, ((UNREADABLE, place),)
        )
