"""What the tests' cluster promises: it gets ready, comes to rest, loses a service and gets it back."""

import asyncio
from pathlib import Path

import pytest

from tests.support.cluster import Cluster, own_topics
from tests.support.kafka import Kafka
from tests.support.postgres import Postgres

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
