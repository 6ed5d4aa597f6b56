"""Agreements and bodies' years on a real cluster while its pods come and go (`make cluster-test`), checked as a drill's
outcome is."""

import asyncio

import pytest

from shared.names import SERVICES
from tests.cluster import images, policies, versions
from tests.cluster.blows import delete_pod, drain, restart, roll, scale
from tests.cluster.found import cluster
from tests.cluster.installation import Installation, installed
from tests.cluster.kubectl import given_cluster
from tests.drills.outcome import check_outcome
from tests.drills.plan import Drill, is_short, planned
from tests.drills.rebalances import stood_in
from tests.drills.storm import Blow, storm
from tests.support.workload import Agreement
from tests.support.year import Years

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(7200)]


async def test_nothing_is_lost_while_pods_come_and_go() -> None:
    drill = planned("cluster", short_agreements=40, short_kills=10, command="make cluster-test")
    with cluster(images.archives(), nodes=2) as found:
        drill.say("the cluster is ready")
        async with installed(found.kubectl, found.address, found.own_address) as world:
            drill.say("everything is installed")
            drill.say(await policies.judged(world, enforced=given_cluster() is None))
            blows = [*(delete_pod(world, service) for service in SERVICES), drain(world)]
            blows += [restart(world, one) for one in ("kafka", "postgres", "objects")]
            blows += 2 * [roll(world)]  # to the other version, and back
            blows += [] if is_short() else [scale(world, service) for service in SERVICES]
            async with Years(world.site, world.sink, drill.workload_chance) as years:
                agreements = await _played(drill, world, blows, years)
                await years.check()
            drill.say(str(await check_outcome(world, agreements, years=years, mailers_died=True)))
            drill.say(await versions.wrote_side_by_side(world))
            stood = [one for log in world.logs().values() for one in stood_in(log)]
            drill.say(f"{len(stood)} stops of a consumer by rebalances, the longest {max(stood):.2f} s")


async def _played(drill: Drill, world: Installation, blows: list[Blow], years: Years) -> list[Agreement]:
    """One year after the other for as long as blows fall."""
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        playing = group.create_task(years.play_while(lambda: not over.is_set()))
        agreements = await storm(drill, world, blows)
        over.set()
        await playing
        drill.say(f"{len(years.years)} bodies' years were played")
    return agreements
