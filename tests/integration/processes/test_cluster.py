"""What the tests' cluster promises: it gets ready, comes to rest, loses a service and gets it back."""

import asyncio
import time
from pathlib import Path

import pytest

from shared.names import Role
from tests.integration.up.running import draft_and_send
from tests.support.cluster import Cluster, own_topics
from tests.support.forms import done
from tests.support.kafka import Kafka
from tests.support.postgres import Postgres
from tests.support.processes import until
from tests.support.smtp_server import Delay, RecordingSmtpServer

pytestmark = pytest.mark.slow


@pytest.mark.kafka  # the embedded broker keeps a killed member in its group
async def test_services_come_and_go(tmp_path: Path, kafka: Kafka, postgres: Postgres) -> None:
    async with asyncio.timeout(150), own_topics(kafka, tmp_path) as bootstrap:
        database_url = await postgres.create_service_databases()
        async with Cluster(tmp_path / "cluster", kafka=bootstrap, database_url=database_url) as cluster:
            await cluster.settle()
            cluster.kill("signing")
            assert not cluster.alive("signing")
            assert (await cluster.command("doctor")).status == 1
            await cluster.start("signing")
            await cluster.start("signing", 1)
            assert len(await cluster.states()) == 5
            assert await cluster.stop("signing") == 0
            await cluster.settle()
            doctor = await cluster.command("doctor")
            assert doctor.status == 0, doctor


async def test_a_mail_in_the_hands_of_a_killed_mailer_is_sent_again_within_five_seconds_of_its_next_start(
    tmp_path: Path, kafka: Kafka, postgres: Postgres
) -> None:
    """Under the same Message-ID; and not by a second mailer beside it, which cannot know that the first one is dead."""
    signers = [f"{name}@bjorka.example" for name in ("maja.lind", "olof.berg", "sven.dahl")]
    async with asyncio.timeout(150), own_topics(kafka, tmp_path) as bootstrap, RecordingSmtpServer() as server:
        database_url = await postgres.create_service_databases()
        environment = {"JUSTERA_SMTP_HOST": "127.0.0.1", "JUSTERA_SMTP_PORT": str(server.port)}
        folder = tmp_path / "cluster"
        async with Cluster(folder, kafka=bootstrap, database_url=database_url, environment=environment) as cluster:
            server.at("reply", Delay(30))
            async with cluster.person("203.0.113.7") as client:
                client.headers["authorization"] = f"Bearer {cluster.tokens[Role.SECRETARY]}"
                await draft_and_send(client, signers)

            async def in_hand() -> bool | None:
                return server.connections == 1 or None

            async def started() -> bool | None:
                return cluster.log("notifications").count('"service.started"') == 2 or None

            async def sent() -> bool | None:
                return len(server.mails) == 1 or None

            await until(in_hand, what="the mail")
            await cluster.start("notifications", 1)
            cluster.kill("notifications")
            await asyncio.sleep(3)
            assert server.connections == 1
            await cluster.start("notifications", ready=False)
            await until(started, seconds=60, what="the next start")  # apart from Python's own, on a busy machine
            began = time.monotonic()
            await until(sent, seconds=20, what="the mail once more")
            assert time.monotonic() - began < 5
            operator = cluster.client("notifications", role=Role.OPERATOR)
            (delivery,) = done(await operator.get("/deliveries")).json()["deliveries"]
            assert server.mails[0].message["Message-ID"] == f"<{delivery['id']}@norrdalen.example>"
