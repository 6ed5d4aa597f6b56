"""The service on Kafka: what its group consumes, what its relay publishes."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.errors import NotFound
from shared.messaging.broker import KafkaSettings, ensure_topics
from shared.settings import Settings
from tests.integration.signing.flow import MEETING, ORGANISATION, Flow, drafted, message
from tests.support.kafka import Kafka
from tests.support.signed import as_signed, send
from tests.unit.signing.story import AGREEMENT_ID, SECRETARY


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(600):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("not within 30 seconds")


async def test_a_draft_and_a_mail_through_kafka(flow: Flow, kafka: Kafka, settings: Settings) -> None:
    await kafka.delete_topics()
    kafka_settings = KafkaSettings(kafka.bootstrap)
    await ensure_topics(kafka_settings)
    await flow.service.start(kafka_settings)
    try:
        draft = message(drafted(), flow.tick(), key=MEETING)
        await send(kafka.bootstrap, as_signed(draft, settings))
        await until(lambda: exists(flow))
        await flow.send_off()
        sent = message(await flow.email_sent(SECRETARY), flow.tick())
        await send(kafka.bootstrap, as_signed(sent, settings))
        await until(lambda: recorded(flow, "EmailSent"))
        await until(lambda: at_rest(flow))
    finally:
        await flow.service.stop()


async def exists(flow: Flow) -> bool:
    try:
        await flow.queries.state(ORGANISATION, AGREEMENT_ID)
    except NotFound:
        return False
    return True


async def recorded(flow: Flow, name: str) -> bool:
    return name in await flow.recorded_names()


async def at_rest(flow: Flow) -> bool:
    outbox = await flow.service.outbox_state()
    return outbox.unpublished == 0 and await flow.service.lag() == {"signing": 0}
