"""The service on Kafka: both groups, garbage among the events, and what its relay publishes."""

import asyncio
from collections.abc import Awaitable, Callable

from aiokafka import AIOKafkaProducer

from services.archive.journal_reader import JournalEvent
from shared.errors import NotFound
from shared.messaging.broker import KafkaSettings, ensure_topics
from shared.messaging.message import RawMessage
from tests.integration.archive.completed import AGREEMENT, MEETING, ORGANISATION, Archive, message
from tests.integration.archive.test_journal import expired
from tests.support.kafka import Kafka


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(600):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("not within 30 seconds")


async def send(kafka: Kafka, *messages: RawMessage) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
        for raw in messages:
            await producer.send_and_wait(raw.topic, raw.body, key=raw.key.encode(), headers=list(raw.headers))


async def test_a_completed_agreement_and_garbage_through_kafka(archive: Archive, kafka: Kafka) -> None:
    await kafka.delete_topics()
    settings = KafkaSettings(kafka.bootstrap)
    await ensure_topics(settings)
    completed = message(await archive.completed())
    other = expired("other")
    await archive.service.start(settings)
    try:
        garbage = RawMessage(completed.topic, 0, 0, "k\0", (("ce_type", b"\xff"), ("x", b"\0")), b"\xff\0")
        await send(kafka, garbage, completed, other, completed)
        await until(lambda: is_archived(archive))
        await until(lambda: at_rest(archive))
        events = await journalled(archive)
    finally:
        await archive.service.stop()
    assert sorted(event.name or "garbage" for event in events) == [
        "AgreementCompleted",
        "AgreementCreated",
        "AgreementExpired",
        *["DocumentSigned"] * 3,
        "ProtocolArchived",
        "garbage",
    ]
    archived = next(event for event in events if event.name == "ProtocolArchived")
    assert (archived.subject, archived.key, archived.correlation_id) == (AGREEMENT, AGREEMENT, MEETING)


async def journalled(archive: Archive) -> list[JournalEvent]:
    return (await archive.commands.events(ORGANISATION)).events


async def is_archived(archive: Archive) -> bool:
    try:
        await archive.commands.sealed_copy(ORGANISATION, AGREEMENT)
    except NotFound:
        return False
    return True


async def at_rest(archive: Archive) -> bool:
    outbox = await archive.service.outbox_state()
    return outbox.unpublished == 0 and await archive.service.lag() == {"archive": 0, "journal": 0}
