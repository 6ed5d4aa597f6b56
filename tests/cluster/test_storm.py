"""Agreements on a real cluster while its pods come and go (`make cluster-test`), checked as a drill's outcome is."""

import pytest

from shared.names import SERVICES
from tests.cluster import images
from tests.cluster.blows import delete_pod, drain, restart, roll
from tests.cluster.found import cluster
from tests.cluster.installation import installed
from tests.drills.outcome import check_outcome
from tests.drills.plan import planned
from tests.drills.storm import storm

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(7200)]


async def test_nothing_is_lost_while_pods_come_and_go() -> None:
    drill = planned("cluster", short_agreements=40, short_kills=9, command="make cluster-test")
    with cluster(images.archives()) as found:
        drill.say("the cluster is ready")
        async with installed(found.kubectl, found.address, found.own_address) as world:
            drill.say("everything is installed")
            blows = [*(delete_pod(world, service) for service in SERVICES), restart(world, "kafka")]
            blows += [restart(world, "postgres"), drain(world), *2 * [roll(world)]]  # to the other version, and back
            agreements = await storm(drill, world, blows)
            drill.say(str(await check_outcome(world, agreements, mailers_died=True)))
