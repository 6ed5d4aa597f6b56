import logging
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import structlog

from shared.database import Database
from shared.events import MeetingCancelled, topics
from shared.messaging.broker import KafkaSettings
from tests.integration.messaging.ledger import SESSION_MS, Ledger
from tests.support.kafka import Kafka
from tests.support.postgres import Postgres


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """Failures are what these tests make, and structlog's default rendering of one takes seconds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
async def ledger(postgres: Postgres) -> AsyncIterator[Ledger]:
    database = Database(await postgres.create_database())
    ledger = Ledger(database)
    await ledger.create_tables()
    yield ledger
    await database.close()


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> str:
    """A topic of the test's own, which its events go to."""
    name = f"test.{uuid4().hex}"
    monkeypatch.setattr(MeetingCancelled, "topic", name)
    monkeypatch.setitem(topics.WRITERS, name, "meetings")
    monkeypatch.setitem(topics.READERS, name, ("ledger",))
    return name


@pytest.fixture
async def kafka_settings(kafka: Kafka, topic: str) -> KafkaSettings:
    await kafka.create_topic(topic)
    return KafkaSettings(kafka.bootstrap, session_timeout_ms=SESSION_MS)
