"""Whose turn it is to approve minutes (justera), by the body's earlier sittings. Pure.

No rule says who: the sitting chooses. Boards go round, and who keeps the list is the secretary.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime


def last_times(sittings: Iterable[tuple[datetime, Iterable[str]]]) -> dict[str, datetime]:
    """When each was chosen last, of sittings by start and whom they chose."""
    last: dict[str, datetime] = {}
    for starts, people in sittings:
        for person_id in people:
            last[person_id] = max(starts, last.get(person_id, starts))
    return last


def whose_turn(wanted: int, candidates: Sequence[str], last: Mapping[str, datetime]) -> tuple[str, ...]:
    """Those who were chosen longest ago, who never were first; of several, as they stand in the roll. Nobody where
    nothing is known of earlier sittings."""
    if not last:
        return ()
    return tuple(sorted(candidates, key=lambda one: last.get(one, datetime.min))[:wanted])
