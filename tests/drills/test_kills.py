"""`kill -9` at random moments while agreements run: a service, any service, the broker, PostgreSQL, all in one."""

from pathlib import Path

import pytest

from tests.drills.blows import kill_broker, kill_postgres, kill_service, kill_whole
from tests.drills.outcome import check_outcome
from tests.drills.plan import planned
from tests.drills.storm import storm
from tests.drills.world import processes, whole
from tests.support.kafka_server import RealKafka
from tests.support.postgres_server import RealPostgres

pytestmark = [pytest.mark.drill, pytest.mark.timeout(1200)]


async def test_one_service(tmp_path: Path, real_kafka: RealKafka, real_postgres: RealPostgres) -> None:
    drill = planned("one_service")
    async with processes(tmp_path / "cluster", real_kafka, real_postgres) as world:
        agreements = await storm(drill, world, [kill_service(world, ["signing"])])
        drill.say(str(await check_outcome(world, agreements)))


async def test_any_service(tmp_path: Path, real_kafka: RealKafka, real_postgres: RealPostgres) -> None:
    drill = planned("any_service")
    async with processes(tmp_path / "cluster", real_kafka, real_postgres) as world:
        agreements = await storm(drill, world, [kill_service(world)])
        drill.say(str(await check_outcome(world, agreements, mailers_died=True)))


async def test_broker(tmp_path: Path, real_kafka: RealKafka, real_postgres: RealPostgres) -> None:
    drill = planned("broker")
    async with processes(tmp_path / "cluster", real_kafka, real_postgres) as world:
        agreements = await storm(drill, world, [kill_broker(world)])
        drill.say(str(await check_outcome(world, agreements)))


async def test_postgres(tmp_path: Path, real_kafka: RealKafka, real_postgres: RealPostgres) -> None:
    drill = planned("postgres")
    async with processes(tmp_path / "cluster", real_kafka, real_postgres) as world:
        await world.cluster.start("notifications", 1)  # a second mailer, to take a mail whose lease ended
        agreements = await storm(drill, world, [kill_postgres(world)])
        drill.say(str(await check_outcome(world, agreements)))


@pytest.mark.short
async def test_whole(tmp_path: Path) -> None:
    drill = planned("whole", short_agreements=20, short_kills=4)
    async with whole(tmp_path / "whole") as world:
        agreements = await storm(drill, world, [kill_whole(world)])
        drill.say(str(await check_outcome(world, agreements, mailers_died=True)))
