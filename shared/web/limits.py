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
    """`burst` at once, then `per_second`. The longest idle keys are forgotten first, so memory is bounded."""

    def __init__(self, *, burst: int, per_second: float, now: Callable[[], float] = time.monotonic) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, key: str) -> None:
        """Raises TooMany."""
        now = self._now()
        left, since = self._buckets.pop(key, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        self._buckets[key] = (max(left - 1, 0.0), now)
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        if left < 1:
            raise TooMany("too many attempts", hint="wait a minute and try again")
