"""From one instance of a service to six and back, under load: as KEDA scales it.

`replicas` plays agreements through whole services; `rebalances` measures how long each partition waits, from a
message's birth to its handling, with consumers alone.
"""

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from structlog.testing import capture_logs

from shared.events import topics
from shared.messaging.broker import KafkaSettings, ensure_topics
from shared.messaging.consumer import EventConsumer
from shared.messaging.message import RawMessage
from shared.names import SERVICES
from tests.drills.outcome import check_outcome
from tests.drills.plan import is_short, planned
from tests.drills.rebalances import stood_in
from tests.drills.storm import Blow, storm
from tests.drills.world import Processes, processes
from tests.support.kafka_server import RealKafka
from tests.support.postgres_server import RealPostgres

pytestmark = [pytest.mark.drill, pytest.mark.timeout(1200)]

MOST = 6  # as overlays/example/autoscaling.yaml has it
LONGEST_STOP = 3.0
"""Seconds that a partition may stand still because its group rebalances."""
_STEPS = [*range(2, MOST + 1), *range(MOST - 1, 0, -1)]  # how many there are after each


@pytest.mark.short
async def test_replicas(tmp_path: Path, real_kafka: RealKafka, real_postgres: RealPostgres) -> None:
    """All four services, one after the other; in the short form the one that chance begins with."""
    drill = planned("replicas", kills=len(SERVICES) * len(_STEPS), short_agreements=40, short_kills=len(_STEPS))
    first = drill.chance.randrange(len(SERVICES))
    order = [*SERVICES[first:], *SERVICES[:first]]
    async with processes(tmp_path / "cluster", real_kafka, real_postgres) as world:
        agreements = await storm(drill, world, [scale(world, order)])
        drill.say(str(await check_outcome(world, agreements, mailers_died=True)))
        logs = world.logs()
    scaled = order[: -(-drill.kills // len(_STEPS))]
    for service in scaled:
        assert any(stood_in(log) for name, log in logs.items() if name.startswith(service)), f"{service}: nothing tried"
    stood = [one for log in logs.values() for one in stood_in(log)]
    drill.say(f"{', '.join(scaled)}: {len(stood)} stops of a consumer by rebalances, the longest {max(stood):.2f} s")
    assert max(stood) < LONGEST_STOP, stood


@pytest.mark.short
async def test_rebalances(real_kafka: RealKafka) -> None:
    """Consumers join one by one, leave one by one, and one leaves and comes back as a release has it."""
    drill = planned("rebalances")
    delays = Delays()
    settings = KafkaSettings(real_kafka.bootstrap)
    topic = "rebalances"
    await ensure_topics(settings, [topic])
    lull = 3.0 if is_short() else 10.0
    consumers: list[EventConsumer] = []

    async def join() -> None:
        consumers.append(EventConsumer("rebalances", [topic], delays.handle, settings))
        await consumers[-1].start()

    async def leave() -> None:
        await consumers.pop(drill.chance.randrange(len(consumers))).stop()

    with capture_logs():  # of consumers in this process: their lines are between ours
        await join()
        async with _stream(real_kafka, topic) as sent:
            await asyncio.sleep(lull)
            for step in [join] * (MOST - 1) + [leave, join] + [leave] * (MOST - 1):
                delays.forget()
                await step()
                await asyncio.sleep(drill.chance.uniform(0.5, 1) * lull)
                drill.say(f"{step.__name__}: {len(consumers)} consumers, {delays}")
                assert max(delays.longest.values()) < LONGEST_STOP
        await asyncio.sleep(lull)
        await consumers.pop().stop()
    assert delays.handled == sent


def scale(world: Processes, services: Sequence[str]) -> Blow:
    """One more or one less of a service each time: up to six, down to one, and then the next one."""
    turn = 0

    async def blow(chance: random.Random) -> str:
        nonlocal turn
        service = services[turn // len(_STEPS) % len(services)]
        target, turn = _STEPS[turn % len(_STEPS)], turn + 1
        living = [number for number in range(MOST) if world.cluster.alive(service, number)]
        if len(living) < target:
            number = next(number for number in range(MOST) if number not in living)
            await world.cluster.start(service, number)
            return f"{service}-{number} is the {target}th"
        number = chance.choice(living)
        assert await world.cluster.stop(service, number) == 0
        return f"{service}-{number} leaves, {target} stay"

    return blow


class Delays:
    """What was handled, and for each partition the longest that a message waited since `forget`."""

    def __init__(self) -> None:
        self.handled: dict[int, list[int]] = defaultdict(list)
        self.longest: dict[int, float] = dict.fromkeys(range(topics.PARTITIONS), 0.0)
        self._since = time.monotonic()

    def forget(self) -> None:
        self.longest = dict.fromkeys(self.longest, 0.0)
        self._since = time.monotonic()

    async def handle(self, messages: Sequence[RawMessage]) -> None:
        """Each once: an inbox would drop what comes again."""
        now = time.monotonic()
        for message in messages:
            assert message.body is not None
            number, born = json.loads(message.body)
            known = self.handled[message.partition]
            if not known or number > known[-1]:
                known.append(number)
                self.longest[message.partition] = max(self.longest[message.partition], now - max(born, self._since))

    def __str__(self) -> str:
        waits = sorted(self.longest.values())
        return f"partitions waited {waits[0]:.2f} to {waits[-1]:.2f} s, half of them {waits[len(waits) // 2]:.2f} s"


@asynccontextmanager
async def _stream(kafka: RealKafka, topic: str) -> AsyncIterator[dict[int, list[int]]]:
    """Twenty messages a second into each partition; the numbers that were sent, by partition."""
    sent: dict[int, list[int]] = defaultdict(list)
    over = asyncio.Event()
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=True)
    await producer.start()

    async def send() -> None:
        number = 0
        while not over.is_set():
            for partition in range(topics.PARTITIONS):
                message = json.dumps([number, time.monotonic()]).encode()
                await producer.send(topic, message, partition=partition)
                sent[partition].append(number)
            number += 1
            await asyncio.sleep(0.05)

    sending = asyncio.create_task(send())
    try:
        yield sent
    finally:
        over.set()
        await sending
        await producer.stop()
