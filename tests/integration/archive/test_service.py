"""The service on Kafka: both groups, garbage among the events, and what its relay publishes."""

import asyncio
from collections.abc import Awaitable, Callable

from services.archive.journal_reader import JournalEvent
from shared.errors import NotFound
from shared.messaging.broker import KafkaSettings, ensure_topics
from shared.messaging.message import RawMessage
from shared.settings import Settings
from tests.integration.archive.completed import AGREEMENT, MEETING, ORGANISATION, Archive, message
from tests.integration.archive.test_journal import expired
from tests.support.kafka import Kafka
from tests.support.signed import as_signed, send


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(600):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("not within 30 seconds")


async def test_a_completed_agreement_and_garbage_through_kafka(
    archive: Archive, kafka: Kafka, settings: Settings
) -> None:
    await kafka.delete_topics()
    kafka_settings = KafkaSettings(kafka.bootstrap)
    await ensure_topics(kafka_settings)
    event = await archive.completed()
    completed = as_signed(message(event), settings)
    other = as_signed(expired("other"), settings)
    forged = message(event.model_copy(update={"agreement_id": "forged"}))
    await archive.service.start(kafka_settings)
    try:
        garbage = RawMessage(completed.topic, 0, 0, "k\0", (("ce_type", b"\xff"), ("x", b"\0")), b"\xff\0")
        await send(kafka.bootstrap, garbage, forged, completed, other, completed)
        await until(lambda: is_archived(archive))
        await until(lambda: at_rest(archive))
        events = await journalled(archive)
    finally:
        await archive.service.stop()
    assert sorted(event.name or "garbage" for event in events if event.authentic) == [
        "AgreementCompleted",
        "AgreementCreated",
        "AgreementExpired",
        *["DocumentSigned"] * 3,
        "ProtocolArchived",
    ]
    assert sorted(event.name or "garbage" for event in events if not event.authentic) == [
        "AgreementCompleted",
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
