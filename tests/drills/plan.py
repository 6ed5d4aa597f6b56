"""How much a drill does, and the random choices it makes: all from one seed, which it prints.

`JUSTERA_DRILL_SEED`: the seed of every drill of this run. `JUSTERA_DRILL_AGREEMENTS`, `JUSTERA_DRILL_KILLS`: how many.
`JUSTERA_DRILL_SHORT=1`: the short form.
"""

import os
import random
import secrets
import sys
import time
from dataclasses import dataclass, field

AGREEMENTS, KILLS = 200, 20


def is_short() -> bool:
    return os.environ.get("JUSTERA_DRILL_SHORT", "") not in ("", "0")


def _number(name: str, default: int) -> int:
    return int(os.environ.get(f"JUSTERA_DRILL_{name}") or default)


@dataclass
class Drill:
    """One drill's choices. `agreements` run while `kills` blows fall."""

    name: str
    seed: int
    agreements: int
    kills: int
    command: str
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed} {self.name}")
        # The workload draws from its own: what it draws depends on how fast it is fed, not on what was struck.
        self.workload_chance = random.Random(f"{self.seed} {self.name} workload")
        numbers = f"SEED={self.seed} JUSTERA_DRILL_AGREEMENTS={self.agreements} JUSTERA_DRILL_KILLS={self.kills}"
        self.say(f"seed {self.seed}; again: JUSTERA_DRILL_{numbers} {self.command}")

    def say(self, what: str) -> None:
        """A line of progress, with the drill's age in seconds."""
        print(f"[{self.name} {time.monotonic() - self.began:6.1f} s] {what}", flush=True, file=sys.stderr)


def planned(
    name: str, *, kills: int = KILLS, short_agreements: int = 40, short_kills: int = 6, command: str = ""
) -> Drill:
    """`command` plays it again; as a rule, `make drill` does."""
    short = is_short()
    seed = _number("SEED", secrets.randbelow(2**32))
    agreements = _number("AGREEMENTS", short_agreements if short else AGREEMENTS)
    kills = _number("KILLS", short_kills if short else kills)
    return Drill(name, seed, agreements, kills, command or f"make drill DRILL={name}")
