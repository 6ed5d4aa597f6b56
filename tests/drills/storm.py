"""Blow after blow at random moments while agreements run: what all drills that kill have in common."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from tests.drills.plan import Drill
from tests.drills.world import World
from tests.support.workload import Agreement, Workload

Blow = Callable[[random.Random], Awaitable[str]]
"""Strikes, mends, and says what it did. All its choices come from the given random.Random."""

IN_FLIGHT = 16
LONGEST_LULL = 2.0
"""Seconds from feeding agreements to the next blow, at most."""
_PATIENCE = 540.0
_FINISH_SECONDS = 240.0


async def storm(drill: Drill, world: World, blows: Sequence[Blow]) -> list[Agreement]:
    """Play the drill's agreements, strike as often as it says, with some under way each time; return when all ended.

    One blow is chosen each time; with several, each comes at least once if there are as many kills.
    """
    turns = list(blows)
    drill.chance.shuffle(turns)
    async with Workload(
        world.site, world.sink, drill.workload_chance, in_flight=IN_FLIGHT, patience=_PATIENCE
    ) as workload:
        for number in range(drill.kills):
            workload.feed(drill.agreements * (number + 1) // drill.kills - len(workload.agreements))
            await asyncio.sleep(drill.chance.uniform(0.1, LONGEST_LULL))
            if not workload.under_way:  # the machine was faster than the lull was long
                workload.feed(1)
                await asyncio.sleep(drill.chance.uniform(0.1, 0.5))
            workload.check()
            under_way = workload.under_way
            blow = turns[number] if number < len(turns) else drill.chance.choice(turns)
            what = await blow(drill.chance)
            drill.say(
                f"{number + 1:>2}/{drill.kills} {what}; {under_way} were under way, "
                f"{workload.done} of {len(workload.agreements)} have ended"
            )
        agreements = await workload.finish(seconds=_FINISH_SECONDS)
        drill.say(f"all {len(agreements)} agreements have ended")
        return agreements
