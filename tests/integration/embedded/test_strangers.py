"""A local user reaches the embedded broker, which knows no logins: what they do there holds up nothing for long."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import OffsetAndMetadata

from services.embedded.assembly import AllInOne
from services.embedded.broker import EmbeddedBroker
from services.embedded.replay import Replay, replaying
from services.embedded.scenario import Step, load_scenario
from shared.errors import Unavailable
from shared.events import topics
from tests.support.parts import REPOSITORY

SCENARIO = REPOSITORY / "tests/scenarios/seed_history_sv/scenario.yaml"
REPORT = (SCENARIO.parent / "report.txt").read_text(encoding="utf-8")

Harm = Callable[[AIOKafkaAdminClient], Coroutine[None, None, None]]


@asynccontextmanager
async def stranger(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def join(replay: Replay, group: str, names: tuple[str, ...]) -> AIOKafkaConsumer:
    """Become the member of a group who takes what it gets, and commits far beyond."""
    consumer = AIOKafkaConsumer(*names, bootstrap_servers=replay.system.settings.kafka, group_id=group)
    await consumer.start()
    await consumer.commit({partition: OffsetAndMetadata(1000, "") for partition in consumer.assignment()})
    return consumer


async def test_who_joins_a_group_takes_nothing_away() -> None:
    async with replaying(load_scenario(SCENARIO)) as replay:
        groups = [one for service in replay.system.services.values() for one in service.subscriptions]
        joined = await asyncio.gather(*(join(replay, one.group, tuple(one.topics)) for one in groups))
        try:
            outcome = await replay.run()
        finally:
            await asyncio.gather(*(consumer.stop() for consumer in joined))
    assert outcome.text == REPORT


async def delete(admin: AIOKafkaAdminClient) -> None:
    await admin.delete_topics(list(topics.ALL))


async def empty(admin: AIOKafkaAdminClient) -> None:
    places = [TopicPartition(name, number) for name in topics.ALL for number in range(topics.PARTITIONS)]
    await admin.delete_records({place: RecordsToDelete(before_offset=-1) for place in places})


async def again_and_again(harm: Harm, admin: AIOKafkaAdminClient) -> None:
    """For as long as the broker lives."""
    while True:
        await harm(admin)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("harm", [delete, pytest.param(empty, marks=pytest.mark.slow)])
async def test_what_is_deleted_is_published_again_at_once(harm: Harm) -> None:
    async with replaying(load_scenario(SCENARIO)) as replay, stranger(replay.system.settings.kafka) as admin:
        harming: list[asyncio.Task[None]] = []

        async def once(step: Step) -> None:
            if not harming:
                harming.append(asyncio.create_task(again_and_again(harm, admin)))
                await asyncio.sleep(0.5)

        try:
            outcome = await replay.run(once)
        finally:
            harming[0].cancel()
            await asyncio.gather(*harming, return_exceptions=True)
    assert outcome.text == REPORT


@pytest.mark.parametrize("where", [(EmbeddedBroker, "_empty_folder"), (AllInOne, "_republish_all")])
async def test_a_start_over_that_fails_on_its_way_is_begun_anew(
    where: tuple[object, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = 0
    works = getattr(*where)

    def refuses_once(*arguments: object) -> object:
        nonlocal refused
        refused += 1
        if refused == 1:
            raise Unavailable("the disk is full")
        return works(*arguments)

    async with replaying(load_scenario(SCENARIO)) as replay:

        async def once(step: Step) -> None:
            if not refused:
                monkeypatch.setattr(*where, refuses_once)
                assert replay.system._broker.pid is not None
                os.kill(replay.system._broker.pid, signal.SIGKILL)
                await asyncio.sleep(0.5)

        outcome = await replay.run(once)
    assert outcome.text == REPORT
    assert refused > 1
