"""What a cluster does to pods, and an operator with them."""

import asyncio
import random
import time
from collections import Counter

from shared.names import SERVICES
from tests.cluster import images
from tests.cluster.installation import OURS, Installation
from tests.cluster.kubectl import Refused
from tests.drills.storm import Blow
from tests.support.processes import until

_WORKLOADS = "deployment,statefulset"
_MOST, _USUAL = 6, 2  # pods of a service: as overlays/example/autoscaling.yaml has it, and as the base has it
_DRAIN_SECONDS = 20
_MOVE_SECONDS = 300  # until all of a node is elsewhere, one of a service after the other
# How kubectl says that pods which have no other place are kept by their budgets, and that it waited for long enough.
_KEPT = ("disruption budget", "global timeout reached", "deadline exceeded", "timed out")


def delete_pod(world: Installation, service: str) -> Blow:
    """By force: no goodbye, and its successor starts at once."""

    async def blow(chance: random.Random) -> str:
        pods = world.pods(_named(service))
        name = chance.choice([one["metadata"]["name"] for one in pods])
        await _force_out(world, name)
        return f"{name} deleted by force, {len(pods) - 1} beside it"

    return blow


def restart(world: Installation, name: str) -> Blow:
    """Kafka or PostgreSQL: its one pod deleted by force, its volume kept."""

    async def blow(chance: random.Random) -> str:
        await _force_out(world, f"{name}-0")
        return f"{name}-0 deleted by force"

    return blow


def drain(world: Installation) -> Blow:
    """A node of ours. What is evicted goes to another one, if there is one. Else budgets keep one a service."""

    async def blow(chance: random.Random) -> str:
        await world.rolled_out()
        others = len(world.nodes()) - 1
        limit = _MOVE_SECONDS if others else _DRAIN_SECONDS
        pods = world.pods()
        node = chance.choice(sorted({one["spec"]["nodeName"] for one in pods}))
        there = {one["metadata"]["uid"] for one in pods if one["spec"]["nodeName"] == node}
        began = time.monotonic()
        try:
            ours = (f"--pod-selector={OURS}", "--delete-emptydir-data", f"--timeout={limit}s")
            await world.run("drain", node, *ours, seconds=limit + 60)
        except Refused as refused:
            if others or not any(word in str(refused) for word in _KEPT):
                raise
        finally:
            gone = there - {one["metadata"]["uid"] for one in world.pods()}
            kept = Counter(service for name in world.ready_pods() for service in SERVICES if name.startswith(service))
            await world.run("uncordon", node)
        assert gone, f"a drain of {node} evicted none of ours"
        assert not others or gone == there, f"a drain of {node} left {len(there - gone)} of {len(there)} pods"
        assert set(kept) == set(SERVICES), f"a drain left {dict(kept)}"
        whither = "elsewhere" if others else "gone"
        seconds = time.monotonic() - began
        return f"drained {node} for {seconds:.0f} s: {len(gone)} {whither}; ready meanwhile {dict(kept)}"

    return blow


def scale(world: Installation, service: str) -> Blow:
    """From one pod to six, and back: as KEDA scales it. Then as many as the release has."""

    async def blow(chance: random.Random) -> str:
        (workload,) = (await world.run("get", _WORKLOADS, f"--selector={_named(service)}", "--output=name")).split()
        began = time.monotonic()
        for number in (1, _MOST, 1, _USUAL):
            await world.run("scale", workload, f"--replicas={number}")
            await world.run("rollout", "status", workload, "--timeout=300s", seconds=310)
            await _so_many(world, service, number)
        return f"{service} scaled from 1 to {_MOST} and back in {time.monotonic() - began:.0f} s"

    return blow


async def _so_many(world: Installation, service: str, number: int) -> None:
    async def are() -> bool | None:
        return len(await asyncio.to_thread(world.ready_pods, _named(service))) == number or None

    await until(are, seconds=120, what=f"{number} pods of {service}")


def _named(service: str) -> str:
    return f"{OURS},app.kubernetes.io/name={service}"


def roll(world: Installation) -> Blow:
    """Every pod to the other version, one after the other, as a release does, its migrations first."""
    versions = [images.FIRST, images.SECOND]

    async def blow(chance: random.Random) -> str:
        versions.reverse()
        await world.upgrade(versions[0])
        return f"rolled to version {versions[0]}"

    return blow


async def _force_out(world: Installation, name: str) -> None:
    await world.run("delete", "pod", name, "--force", "--grace-period=0", "--wait=false")
