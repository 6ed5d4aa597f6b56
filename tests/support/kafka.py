"""Where the tests' Kafka comes from: the environment, Docker, this machine, else the embedded broker."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.embedded.broker import EmbeddedBroker
from tests.support.kafka_server import KAFKA_VERSION, RealKafka
from tests.support.parts import Kind, PartMissing, docker_answers, docker_forced, embedded_forced
from tests.support.processes import free_ports, run, wait_until

_INTERNAL = ("__",)


@dataclass(frozen=True)
class Kafka:
    """The session's broker: `bootstrap` is `HOST:PORT`."""

    bootstrap: str
    kind: Kind

    async def create_topic(self, name: str, *, partitions: int = 12) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, num_partitions=partitions, replication_factor=1)])
        finally:
            await admin.close()

    async def delete_topics(self) -> None:
        """Delete every topic with its events, for tests that share topic names.

        The embedded broker keeps the groups' offsets (Kafka drops them): let new consumers join new groups.
        """
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            topics = [name for name in await admin.list_topics() if not name.startswith(_INTERNAL)]
            if topics:
                await admin.delete_topics(topics)
        finally:
            await admin.close()


@contextmanager
def find_kafka(folder: Path) -> Iterator[Kafka]:
    """The first that is there; servers started here end with the block and keep their files in `folder`."""
    with ExitStack() as stack:
        if embedded_forced():
            yield stack.enter_context(_embedded(folder))
            return
        if bootstrap := os.environ.get("JUSTERA_TEST_KAFKA"):
            yield Kafka(bootstrap, "environment")
            return
        if docker_forced():
            yield stack.enter_context(_docker(folder))
            return
        for source in (_docker, _machine):
            with suppress(PartMissing):
                found = stack.enter_context(source(folder))
                break
        else:
            found = stack.enter_context(_embedded(folder))
        yield found


@contextmanager
def _docker(folder: Path) -> Iterator[Kafka]:
    if not docker_answers():
        raise PartMissing("no Docker daemon answers")
    from testcontainers.core.container import DockerContainer

    # Clients are told the advertised address, so the host's port is chosen before the start.
    (port,) = free_ports(1)
    container = (
        DockerContainer(os.environ.get("JUSTERA_TEST_KAFKA_IMAGE", f"apache/kafka:{KAFKA_VERSION}"))
        .with_bind_ports(9092, port)
        .with_envs(
            KAFKA_NODE_ID="1",
            KAFKA_PROCESS_ROLES="broker,controller",
            KAFKA_LISTENERS="PLAINTEXT://:9092,CONTROLLER://:9093",
            KAFKA_ADVERTISED_LISTENERS=f"PLAINTEXT://127.0.0.1:{port}",
            KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
            KAFKA_LISTENER_SECURITY_PROTOCOL_MAP="PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            KAFKA_CONTROLLER_QUORUM_VOTERS="1@localhost:9093",
            KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
            KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR="1",
            KAFKA_TRANSACTION_STATE_LOG_MIN_ISR="1",
            KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS="0",
            KAFKA_AUTO_CREATE_TOPICS_ENABLE="false",
        )
    )
    try:
        container.start()
        wait_until(
            lambda: b"Kafka Server started" in b"".join(container.get_logs()),
            seconds=60,
            what="Apache Kafka in Docker",
        )
    except Exception as error:  # no image, no permission …: whatever Docker says, the machine's own is next
        with suppress(Exception):
            container.stop()
        raise PartMissing(f"Docker has no Kafka: {error}") from error
    try:
        yield Kafka(f"127.0.0.1:{port}", "docker")
    finally:
        container.stop()


@contextmanager
def _machine(folder: Path) -> Iterator[Kafka]:
    with RealKafka(folder / "kafka") as server:
        yield Kafka(server.bootstrap, "machine")


@contextmanager
def _embedded(folder: Path) -> Iterator[Kafka]:
    broker = EmbeddedBroker(folder / "broker", folder / "broker.log")
    run(broker.start())
    try:
        yield Kafka(broker.bootstrap, "embedded")
    finally:
        run(broker.stop())
