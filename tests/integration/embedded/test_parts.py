"""The servers that the other integration tests stand on: what is promised of each kind, real or embedded."""

import asyncio
import uuid

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from playwright.async_api import Browser

from tests.support.browser import accessibility_violations
from tests.support.kafka import Kafka
from tests.support.kafka_server import RealKafka
from tests.support.postgres import Postgres


async def send(bootstrap: str, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all")
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, key=b"one aggregate")
    finally:
        await producer.stop()


async def receive(bootstrap: str, topic: str, group: str, count: int) -> list[bytes | None]:
    """Read as a member of `group` from where it committed, and commit what was read."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            read = [(await consumer.getone()).value for _ in range(count)]
        await consumer.commit()
        return read
    finally:
        await consumer.stop()


async def test_a_group_goes_on_where_it_committed(kafka: Kafka) -> None:
    topic, group = f"test.{uuid.uuid4().hex}", uuid.uuid4().hex
    await kafka.create_topic(topic)
    await send(kafka.bootstrap, topic, b"1", b"2", b"3")
    assert await receive(kafka.bootstrap, topic, group, 2) == [b"1", b"2"]
    assert await receive(kafka.bootstrap, topic, group, 1) == [b"3"]


async def test_deleted_topics_begin_anew(kafka: Kafka) -> None:
    topic = f"test.{uuid.uuid4().hex}"
    await kafka.create_topic(topic, partitions=1)
    await send(kafka.bootstrap, topic, b"before")
    await kafka.delete_topics()
    await kafka.create_topic(topic, partitions=1)
    await send(kafka.bootstrap, topic, b"after")
    assert await receive(kafka.bootstrap, topic, uuid.uuid4().hex, 1) == [b"after"]


async def test_every_database_is_fresh(postgres: Postgres) -> None:
    first, second = await postgres.create_database(), await postgres.create_database()
    connection = await asyncpg.connect(first.replace("+asyncpg", ""))
    await connection.execute("CREATE TABLE taken (n int)")
    await connection.close()
    connection = await asyncpg.connect(second.replace("+asyncpg", ""))
    assert await connection.fetchval("SELECT to_regclass('taken')") is None
    assert await connection.fetchval("SELECT upper('åäö')") == "ÅÄÖ"
    await connection.close()


@pytest.mark.slow
@pytest.mark.kafka
async def test_a_real_server_keeps_what_it_acknowledged_when_killed(real_kafka: RealKafka) -> None:
    kafka, topic = Kafka(real_kafka.bootstrap, "machine"), "test.kept"
    await kafka.create_topic(topic)
    await send(kafka.bootstrap, topic, b"acknowledged")
    real_kafka.kill()
    assert not real_kafka.alive
    real_kafka.start()
    assert await receive(kafka.bootstrap, topic, "readers", 1) == [b"acknowledged"]


@pytest.mark.browser
async def test_a_page_opens_and_axe_reads_it(browser: Browser) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.set_content("<html><body><main><img src='data:,'></main></body></html>")
    found = [line.split(":")[0] for line in await accessibility_violations(page)]
    assert {"image-alt", "html-has-lang", "document-title"} <= set(found)
