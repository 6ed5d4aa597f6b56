"""`justera run` of all four: one command, the whole way of an agreement, and one end."""

import asyncio
import json
import os
import random
import signal
from pathlib import Path

import psutil
import pytest

from shared.names import SERVICES
from tests.support.cluster import Together, own_topics
from tests.support.kafka import Kafka
from tests.support.postgres import Postgres
from tests.support.smtp_sink import SmtpSink
from tests.support.workload import Workload, site_of

pytestmark = pytest.mark.slow

_MOST_MB = 400  # of all five processes together: memory that they share is counted once


async def test_four_services_of_one_command_share_their_memory_and_end_together(
    tmp_path: Path, kafka: Kafka, postgres: Postgres
) -> None:
    async with asyncio.timeout(200), own_topics(kafka, tmp_path) as bootstrap, SmtpSink() as sink:
        url = await postgres.create_service_databases()
        environment = {"JUSTERA_SMTP_HOST": "127.0.0.1", "JUSTERA_SMTP_PORT": str(sink.port)}
        folder = tmp_path / "cluster"
        async with Together(folder, kafka=bootstrap, database_url=url, environment=environment) as cluster:
            site, chance = site_of(cluster), random.Random(1)
            async with Workload(site, sink, chance, in_flight=2, plain=True) as workload:
                workload.feed(4)
                assert len(await workload.finish(seconds=120)) == 4
            await cluster.settle()
            processes = [cluster.parent.pid, *(cluster.pid(service) for service in SERVICES)]
            megabytes = sum(psutil.Process(pid).memory_full_info().pss for pid in processes) / 1e6
            print(f"{megabytes:.0f} MB")
            assert megabytes < _MOST_MB
            os.kill(cluster.parent.pid, signal.SIGTERM)
            assert await cluster.parent.wait() == 0
            lines = [json.loads(line) for line in cluster.log("signing").splitlines()]
            assert {line["service"] for line in lines} == set(SERVICES), "each line says whose it is"
            assert not any(psutil.pid_exists(pid) for pid in processes)
