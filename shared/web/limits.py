"""How often someone may do something: a token bucket per key, in this process's memory.

It slows down loops and guessing, no more: several processes count apart, and a restart forgets.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from typing import ClassVar

from shared.errors import JusteraError

_MOST_KEYS = 10_000


class TooMany(JusteraError):
    slug: ClassVar[str] = "too-many"
    status: ClassVar[HTTPStatus] = HTTPStatus.TOO_MANY_REQUESTS


class RateLimit:
    """`burst` at once, then `per_second`. The longest idle keys are forgotten first, so memory is bounded.

    `backstop`: a limit over all keys together, for those who come from many addresses.
    """

    def __init__(
        self,
        *,
        burst: int,
        per_second: float,
        backstop: "RateLimit | None" = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._backstop = backstop
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, key: str = "") -> None:
        """Raises TooMany. An attempt that is refused, by its key's limit or by the backstop, costs nothing: who goes on
        trying gets in as soon as others do."""
        now = self._now()
        left, since = self._buckets.pop(key, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        self._buckets[key] = (left, now)
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        if left < 1:
            raise TooMany("too many attempts", hint="wait a minute and try again")
        if self._backstop is not None:
            self._backstop.spend()
        self._buckets[key] = (left - 1, now)


def wrong_guesses(*, burst: int, per_second: float) -> RateLimit:
    """For what is spent on wrong links and tokens only, by address: one who guesses behind a shared address locks out
    nobody there who has the right one. A hundred such addresses at once empty the backstop."""
    return RateLimit(
        burst=burst,
        per_second=per_second,
        backstop=RateLimit(burst=100 * burst, per_second=100 * per_second),
    )
