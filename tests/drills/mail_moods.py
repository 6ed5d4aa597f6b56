"""Moods of the mail server, as blows: for some seconds it answers 4xx, hangs up, or takes 20 seconds."""

import asyncio
import random

from tests.drills.storm import Blow
from tests.drills.world import World
from tests.support.smtp_server import Behaviour, Delay, Drop, Reply, Stage

_LASTS = (2.0, 6.0)  # seconds
_SHARE = 0.5  # of conversations that a mood touches
_SLOW_SECONDS = 20.0

_REPLIES: dict[Stage, str] = {
    "connect": "421 4.3.2 not now",
    "mail": "451 4.3.0 try again later",
    "rcpt": "450 4.2.1 mailbox busy",
    "data": "452 4.3.1 no room",
    "reply": "451 4.7.1 try again later",
}


def mail_trouble(world: World) -> Blow:
    """At one random stage of a conversation, with `reply` the nastiest: the mail was taken, and nobody is told."""

    async def blow(chance: random.Random) -> str:
        mood = chance.choice(("4xx", "drops", "20 s"))
        stage: Stage = chance.choice(("connect", "mail", "rcpt", "data", "reply"))
        lasts = chance.uniform(*_LASTS)
        coin = random.Random(chance.random())

        def behave(now: Stage) -> Behaviour | None:
            return _behaviour(mood, stage) if now == stage and coin.random() < _SHARE else None

        world.sink.behave = behave
        await asyncio.sleep(lasts)
        world.sink.behave = None
        return f"the mail server: {mood} at {stage} for {lasts:.0f} s"

    return blow


def _behaviour(mood: str, stage: Stage) -> Behaviour:
    if mood == "4xx":
        return Reply(_REPLIES[stage])
    return Drop() if mood == "drops" else Delay(_SLOW_SECONDS)
