"""Whose work is taken next from a queue that all organisations share: they take turns, so that none waits for another's
thousands.

A round takes so many rows. Each organisation that waits gets an equal part of it, of its own rows in their order; what
the parts leave over goes to the rows that wait longest, whose ever they are. So the one organisation that waits gets
all of a round. Where more wait than a round has rows, the next round begins after those that had their turn.

Three statements say this rule in SQL, each by an index that begins with the organisation: the outbox's, the mailer's
and the archive's. `taken` is what they are compared with. See
docs/decisions/0106-organisations-take-turns-where-they-share-a-queue.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

Row = tuple[str, int]
"""Of this organisation, and how long it has waited beside all others': less is longer."""

FIRST = ""  # before every organisation's name


@dataclass(slots=True)
class Turns:
    """Where a worker's next round begins: after the organisation of this name."""

    after: str = FIRST


def taken(waiting: Mapping[str, Sequence[int]], most: int, turns: Turns) -> list[Row]:
    """The rows of a round of `most`, by how long they have waited, and `turns` moved on. `waiting`: of each
    organisation, in its own order."""
    rows = {organisation: list(positions) for organisation, positions in waiting.items() if positions}
    here = list(islice((organisation for organisation in sorted(rows) if organisation > turns.after), most))
    part = most // max(1, len(here))
    fair = [(organisation, position) for organisation in here for position in rows[organisation][:part]]
    rest = sorted(
        (position, organisation)
        for organisation, positions in rows.items()
        for position in positions[part if organisation in here else 0 :]
    )
    longest = [(organisation, position) for position, organisation in rest[: most - len(fair)]]
    turns.after = here[-1] if here and len(here) == most else FIRST
    return sorted([*fair, *longest], key=lambda row: row[1])
