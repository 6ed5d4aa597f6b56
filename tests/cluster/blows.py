"""What a cluster does to pods, and an operator with them."""

import random
from collections import Counter

from shared.names import SERVICES
from tests.cluster import images
from tests.cluster.installation import OURS, Installation
from tests.drills.storm import Blow

_DRAIN_SECONDS = 20


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
    """One node. Where it is the only one, what is evicted has no other place: budgets keep one of each service."""

    async def blow(chance: random.Random) -> str:
        await world.rolled_out()
        node, *_ = (await world.run("get", "nodes", "--output=name")).split()
        drained = ("drain", node.removeprefix("node/"), f"--pod-selector={OURS}", "--delete-emptydir-data")
        await world.run(*drained, f"--timeout={_DRAIN_SECONDS}s", seconds=_DRAIN_SECONDS + 60, may_fail=True)
        kept = Counter(service for name in world.ready_pods() for service in SERVICES if name.startswith(service))
        await world.run("uncordon", node.removeprefix("node/"))
        assert set(kept) == set(SERVICES), f"a drain left {dict(kept)}"
        return f"drained for {_DRAIN_SECONDS} s; budgets kept {dict(kept)}"

    return blow


def roll(world: Installation) -> Blow:
    """Every pod to the other version, one after the other, as a release does."""
    versions = [images.FIRST, images.SECOND]

    async def blow(chance: random.Random) -> str:
        versions.reverse()
        image = f"justera={images.PRODUCT}:{versions[0]}"
        await world.run("set", "image", "deployment,statefulset", f"--selector={OURS}", image)
        await world.rolled_out()
        return f"rolled to version {versions[0]}"

    return blow


async def _force_out(world: Installation, name: str) -> None:
    await world.run("delete", "pod", name, "--force", "--grace-period=0", "--wait=false")
