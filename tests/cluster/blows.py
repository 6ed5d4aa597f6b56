"""What a cluster does to pods, and an operator with them."""

import random
from collections import Counter

from shared.names import SERVICES
from tests.cluster import images
from tests.cluster.installation import OURS, Installation
from tests.cluster.kubectl import Refused
from tests.drills.storm import Blow

_DRAIN_SECONDS = 20
# How kubectl says that pods which have no other place are kept by their budgets, and that it waited for long enough.
_KEPT = ("disruption budget", "global timeout reached", "deadline exceeded", "timed out")


def delete_pod(world: Installation, service: str) -> Blow:
    """By force: no goodbye, and its successor starts at once."""

    async def blow(chance: random.Random) -> str:
        pods = world.pods(f"{OURS},app.kubernetes.io/name={service}")
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
    """A node of ours. Where it is the only one, what is evicted has no other place: budgets keep one a service."""

    async def blow(chance: random.Random) -> str:
        await world.rolled_out()
        pods = world.pods()
        node = chance.choice(sorted({one["spec"]["nodeName"] for one in pods}))
        there = {one["metadata"]["uid"] for one in pods if one["spec"]["nodeName"] == node}
        drained = ("drain", node, f"--pod-selector={OURS}", "--delete-emptydir-data", f"--timeout={_DRAIN_SECONDS}s")
        try:
            await world.run(*drained, seconds=_DRAIN_SECONDS + 60)
        except Refused as refused:
            if not any(word in str(refused) for word in _KEPT):
                raise
        finally:
            gone = there - {one["metadata"]["uid"] for one in world.pods()}
            kept = Counter(service for name in world.ready_pods() for service in SERVICES if name.startswith(service))
            await world.run("uncordon", node)
        assert gone, f"a drain of {node} evicted none of ours"
        assert set(kept) == set(SERVICES), f"a drain left {dict(kept)}"
        return f"drained {node} for {_DRAIN_SECONDS} s: {len(gone)} gone; budgets kept {dict(kept)}"

    return blow


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
