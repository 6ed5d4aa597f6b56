"""Who gives way where all places are taken: pure rules.

A host may have a quarter of the places, so that no one of them keeps out the rest. Whoever comes when there is none
left gets that of a connection which waits for its client: of the host that has most, between two requests before amid
one, then the one that has waited longest. A request that is being answered is never ended.
"""

from collections import Counter
from collections.abc import Collection
from typing import Protocol, TypeVar

_SHARE = 4


class Holder(Protocol):
    """One connection. `waits_since`: by some clock, since when it is its client's turn; None while it is ours."""

    @property
    def host(self) -> str: ...

    @property
    def in_request(self) -> bool: ...

    @property
    def waits_since(self) -> float | None: ...


H = TypeVar("H", bound=Holder)


def contested(held: Collection[H], host: str, most: int) -> list[H] | None:
    """Among which one must give way to a newcomer from `host`: its own, or all; None where there is room."""
    own = [holder for holder in held if holder.host == host]
    if len(own) >= max(1, most // _SHARE):
        return own
    return list(held) if len(held) >= most else None


def least_missed(rivals: Collection[H], held: Collection[H]) -> H | None:
    """Which of `rivals`; None if all of them are being answered."""
    of_host = Counter(holder.host for holder in held)
    waiting = [(holder, since) for holder in rivals if (since := holder.waits_since) is not None]
    if not waiting:
        return None
    return min(waiting, key=lambda each: (-of_host[each[0].host], each[0].in_request, each[1]))[0]
