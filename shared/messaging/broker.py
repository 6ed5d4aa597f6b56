"""What reads and writes Kafka, with the settings that exactly-once effects need, and the topics themselves.

Every setting here overrides a default that loses or reorders events (see docs/decisions on delivery): `acks=1`, no
idempotence, `auto_offset_reset="latest"`, automatic topics of one partition, a ping without a timeout.
"""

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from faststream.kafka import KafkaBroker
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLScram512

from shared.errors import Unavailable
from shared.events import topics
from shared.logging import get_logger

log = get_logger(__name__)

GRACEFUL_SECONDS = 20.0


@dataclass(frozen=True)
class KafkaSettings:
    """Where Kafka is. `bootstrap`: comma-separated host:port.

    With `tls` the connection is encrypted; with `username` it logs in by SCRAM-SHA-512 (RFC 5802). `idle_pause`: how
    many seconds to wait after a fetch that brought nothing, for a server that does not hold it back as Kafka does.
    `alone`: one process reads all partitions from their beginning, in no group: nobody who joins one takes any away.
    """

    bootstrap: str
    client_id: str = "justera"
    replication_factor: int = 1
    session_timeout_ms: int = 15_000
    idle_pause: float = 0.0
    alone: bool = False
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    username: str | None = None
    password: str = field(default="", repr=False)

    @property
    def security(self) -> BaseSecurity:
        encrypted = self.tls is not None
        if self.username is None:
            return BaseSecurity(self.tls, use_ssl=encrypted)
        return SASLScram512(self.username, self.password, self.tls, use_ssl=encrypted)


def idempotent_producer(settings: KafkaSettings) -> AIOKafkaProducer:
    """For the relay: it keeps each partition's order. aiokafka's own: an outbox holds bytes, so FastStream has nothing
    to serialise, and its `publish` costs as much again as the sending."""
    return AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap.split(","),
        client_id=f"{settings.client_id}-relay",
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=256 * 1024,
        request_timeout_ms=15_000,
        **parse_security(settings.security),
    )


def consuming_broker(settings: KafkaSettings) -> KafkaBroker:
    return KafkaBroker(
        settings.bootstrap.split(","),
        client_id=settings.client_id,
        consumer_only=True,
        # A topic that is created, or deleted and rebuilt, is noticed within this time instead of five minutes.
        metadata_max_age_ms=30_000,
        allow_auto_create_topics=False,
        security=settings.security,
        logger=None,
        graceful_timeout=GRACEFUL_SECONDS,
        apply_types=False,
    )


async def ensure_topics(settings: KafkaSettings, names: Iterable[str] = topics.ALL) -> None:
    """Create the topics that are missing, each with 12 partitions. Raises Unavailable when Kafka does not answer."""
    wanted = [NewTopic(name, topics.PARTITIONS, settings.replication_factor) for name in names]
    try:
        async with asyncio.timeout(30):
            admin = AIOKafkaAdminClient(
                bootstrap_servers=settings.bootstrap,
                client_id=settings.client_id,
                **parse_security(settings.security),
            )
            await admin.start()
            try:
                response = await admin.create_topics(wanted, timeout_ms=15_000)
            finally:
                await admin.close()
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka at {settings.bootstrap} does not answer: {type(error).__name__}") from error
    for topic, code, *_ in response.topic_errors:
        error_class = for_code(code)
        if code and error_class is not TopicAlreadyExistsError:
            raise Unavailable(f"Kafka refused to create the topic {topic}: {error_class.__name__}")
