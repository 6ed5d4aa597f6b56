"""The blows: what is killed, paused or replaced, and how it comes back."""

import asyncio
import random
from collections.abc import Sequence

from shared.names import SERVICES
from tests.drills.storm import Blow
from tests.drills.world import Processes, Whole
from tests.support.processes import until

LONGEST_AWAY = 1.0
"""Seconds that something stays dead before it is started again, at most."""
_MOST_INSTANCES = 3
_READY_SHARE = 0.3  # how often a restarted service may join its groups before the next blow falls


def kill_service(world: Processes, services: Sequence[str] = SERVICES) -> Blow:
    """`kill -9` of a service (a random one of those named), then a new process on the same port.

    A dead member stays in its consumer group for its session's time: most often the next blow falls before that.
    """

    async def blow(chance: random.Random) -> str:
        service = chance.choice(services)
        away, waits = chance.uniform(0, LONGEST_AWAY), chance.random() < _READY_SHARE
        # The first that lives: number 0 may have left. It takes no draw, so that a seed keeps its choices.
        number = min(_living(world, service), default=0)
        world.cluster.kill(service, number)
        await asyncio.sleep(away)
        await world.cluster.start(service, number, ready=waits)
        if not waits:
            await until(lambda: _answers(world, service, number), what=f"the answer of {service}-{number}")
        return f"kill -9 {service}-{number}, away {away:.1f} s" + (", joined again" if waits else "")

    return blow


def kill_broker(world: Processes) -> Blow:
    async def blow(chance: random.Random) -> str:
        away = chance.uniform(0, LONGEST_AWAY)
        world.kafka.kill()
        await asyncio.sleep(away)
        await world.kafka.start_again()
        return f"kill -9 Apache Kafka, away {away:.1f} s"

    return blow


def kill_postgres(world: Processes) -> Blow:
    async def blow(chance: random.Random) -> str:
        away = chance.uniform(0, LONGEST_AWAY)
        world.postgres.kill()
        await asyncio.sleep(away)
        await world.postgres.start()
        return f"kill -9 PostgreSQL, away {away:.1f} s"

    return blow


def kill_whole(world: Whole) -> Blow:
    async def blow(chance: random.Random) -> str:
        away = chance.uniform(0, LONGEST_AWAY)
        world.up.kill()
        await asyncio.sleep(away)
        await world.up.start()
        return f"kill -9 justera up, away {away:.1f} s"

    return blow


def pause_broker(world: Processes, seconds: float) -> Blow:
    async def blow(chance: random.Random) -> str:
        world.kafka.pause()
        await asyncio.sleep(seconds)
        world.kafka.resume()
        return f"SIGSTOP of Apache Kafka for {seconds:.0f} s"

    return blow


def join_or_leave(world: Processes) -> Blow:
    """Of a random service an instance joins, leaves by SIGTERM, or dies by SIGKILL: one stays, three are the most."""

    async def blow(chance: random.Random) -> str:
        cluster, service = world.cluster, chance.choice(SERVICES)
        living = _living(world, service)
        leaves = len(living) == _MOST_INSTANCES or (len(living) > 1 and chance.random() < 0.5)
        if not leaves:
            number = next(number for number in range(_MOST_INSTANCES) if number not in living)
            await cluster.start(service, number, ready=False)
            return f"{service}-{number} joins {len(living)}"
        number = chance.choice(living)
        if chance.random() < 0.5:
            cluster.kill(service, number)
            return f"{service}-{number} of {len(living)} dies by SIGKILL"
        status = await cluster.stop(service, number)
        assert status == 0, f"{service}-{number} ended with {status}"
        return f"{service}-{number} of {len(living)} leaves by SIGTERM"

    return blow


def _living(world: Processes, service: str) -> list[int]:
    """Its instances' numbers."""
    return [number for number in range(_MOST_INSTANCES) if world.cluster.alive(service, number)]


async def _answers(world: Processes, service: str, number: int) -> bool | None:
    return await world.cluster.answers(service, number) or None
