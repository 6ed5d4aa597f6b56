"""The service on Kafka: what its group consumes, what its relay publishes."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.errors import NotFound
from shared.events import Event
from shared.messaging.broker import KafkaSettings, ensure_topics
from shared.messaging.transaction import Transaction
from tests.integration.signing.flow import MEETING, ORGANISATION, Flow, drafted
from tests.support.kafka import Kafka
from tests.unit.signing.story import AGREEMENT_ID, SECRETARY


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(600):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("not within 30 seconds")


async def test_a_draft_and_a_mail_through_kafka(flow: Flow, kafka: Kafka) -> None:
    """Their events are put into this service's own outbox: its relay brings them to the topics they belong to."""
    await kafka.delete_topics()
    settings = KafkaSettings(kafka.bootstrap)
    await ensure_topics(settings)
    await flow.service.start(settings)
    try:
        await publish(flow, drafted(), key=MEETING)
        await until(lambda: exists(flow))
        await flow.send_off()
        await publish(flow, await flow.email_sent(SECRETARY), key=AGREEMENT_ID)
        await until(lambda: recorded(flow, "EmailSent"))
        await until(lambda: at_rest(flow))
    finally:
        await flow.service.stop()


async def publish(flow: Flow, event: Event, *, key: str) -> None:
    async with flow.service.database.transaction() as connection:
        transaction = Transaction(connection)
        transaction.publish(
            event,
            organisation=ORGANISATION,
            subject=key,
            key=key,
            sequence=1,
            time=flow.tick(),
            correlation_id=MEETING,
        )
        await transaction.flush()
    flow.service.outbox_wakeup.set()


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
