"""A broker that stands still, a full disk, a mail server in a bad mood, instances that come and go, a lost topic."""

import asyncio
import random
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.events import topics
from shared.names import SERVICES
from tests.drills.blows import join_or_leave, kill_broker, kill_postgres, kill_service, pause_broker
from tests.drills.full_disk import POSTGRES_SETTINGS, NoMount, fill_disk, small_disk
from tests.drills.mail_moods import mail_trouble
from tests.drills.outcome import check_outcome
from tests.drills.plan import planned
from tests.drills.storm import Blow, storm
from tests.drills.world import Processes, processes
from tests.support.kafka_server import RealKafka
from tests.support.parts import missing
from tests.support.postgres_server import RealPostgres

pytestmark = [pytest.mark.drill, pytest.mark.timeout(1200)]


@pytest.mark.short
async def test_all_together(tmp_path: Path, real_kafka: RealKafka, real_postgres: RealPostgres) -> None:
    drill = planned("all_together", short_agreements=35, short_kills=7)
    async with processes(tmp_path / "cluster", real_kafka, real_postgres) as world:
        blows = [
            kill_service(world, ["signing"]),
            kill_service(world),
            kill_broker(world),
            kill_postgres(world),
            pause_broker(world, 3.0),
            mail_trouble(world),
            join_or_leave(world),
        ]
        agreements = await storm(drill, world, blows)
        drill.say(str(await check_outcome(world, agreements, mailers_died=True)))


async def test_paused_broker(tmp_path: Path, real_kafka: RealKafka, real_postgres: RealPostgres) -> None:
    drill = planned("paused_broker", kills=4)
    async with processes(tmp_path / "cluster", real_kafka, real_postgres) as world:
        agreements = await storm(drill, world, [pause_broker(world, 30.0)])
        drill.say(str(await check_outcome(world, agreements)))


async def test_full_disk(tmp_path: Path, real_kafka: RealKafka) -> None:
    drill = planned("full_disk", kills=4)
    try:
        with small_disk(tmp_path / "disk") as disk:
            postgres = RealPostgres(disk, POSTGRES_SETTINGS, log_file=tmp_path / "postgres.log")
            await postgres.start()
            try:
                async with processes(tmp_path / "cluster", real_kafka, postgres) as world:
                    await world.cluster.start("notifications", 1)  # a second mailer, to take a mail whose lease ended
                    agreements = await storm(drill, world, [fill_disk(world, disk)])
                    drill.say(str(await check_outcome(world, agreements)))
            finally:
                await postgres.stop()
    except NoMount:
        missing("mount", "a small file system cannot be mounted here")


async def test_mail_server(tmp_path: Path, real_kafka: RealKafka, real_postgres: RealPostgres) -> None:
    drill = planned("mail_server")
    async with processes(tmp_path / "cluster", real_kafka, real_postgres) as world:
        agreements = await storm(drill, world, [mail_trouble(world)])
        drill.say(str(await check_outcome(world, agreements)))


async def test_instances(tmp_path: Path, real_kafka: RealKafka, real_postgres: RealPostgres) -> None:
    drill = planned("instances", kills=40)
    async with processes(tmp_path / "cluster", real_kafka, real_postgres) as world:
        await asyncio.gather(*(world.cluster.start(service, 1) for service in SERVICES))
        agreements = await storm(drill, world, [join_or_leave(world)])
        drill.say(str(await check_outcome(world, agreements, mailers_died=True)))


async def test_lost_topic(tmp_path: Path, real_kafka: RealKafka, real_postgres: RealPostgres) -> None:
    drill = planned("lost_topic", kills=len(topics.ALL))
    async with processes(tmp_path / "cluster", real_kafka, real_postgres) as world:
        agreements = await storm(drill, world, [lose_topic(world, topic) for topic in sorted(topics.ALL)])
        drill.say(str(await check_outcome(world, agreements, lost_topics=topics.ALL)))


def lose_topic(world: Processes, topic: str) -> Blow:
    """Deleted with all it holds, then made anew and filled from the outboxes, as docs/operations.md says."""

    async def blow(chance: random.Random) -> str:
        admin = AIOKafkaAdminClient(bootstrap_servers=world.kafka.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics([topic])
        finally:
            await admin.close()
        await asyncio.sleep(chance.uniform(0, 3))
        for arguments in (("migrate", "--topics"), ("republish", "--since", "2020-01-01")):
            told = await world.cluster.command(*arguments)
            assert told.status == 0, told
        return f"{topic} deleted and rebuilt"

    return blow
