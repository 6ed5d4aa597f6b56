"""How old a message may be that is believed: whoever reaches Kafka can play a signed one again.

A second copy is dropped while the inbox knows the event. It forgets twice the outboxes' retention R after it took the
event in; so what was signed longer than R ago is refused. That is enough, also for what is published again: an event
is published for R after it was made, and each copy is signed anew then, so the last one is believed until 2 R after
that. And no less is: what was not read for R is gone from the topics, whose retention is shorter, and comes back by
`justera republish`, signed anew.

Messages of before there was the header `signed-at` are judged by their event's id, a UUIDv7 (RFC 9562 section 5.7),
which holds the time at which the event was made: 2 R, then, for the same reason.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.clock import parse_timestamp
from shared.messaging.message import RawMessage, event_id_of
from shared.messaging.signatures import SIGNED_AT

# By so much the clocks of writers, readers and databases may differ, in either direction: inboxes remember longer.
SKEW = timedelta(days=1)

_SUSPECT = "it may be an old one played again"


def machine_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Freshness:
    """`longest`: since the signing; the outboxes' retention."""

    longest: timedelta
    now: Callable[[], datetime] = machine_clock

    def refusal(self, raw: RawMessage) -> str | None:
        """Why an authentic message, as it travelled, may be one that was played again; None for one that is fresh."""
        stated = next((value for name, value in reversed(raw.headers) if name == SIGNED_AT), None)
        if stated is None:
            return self._by_id(raw)
        try:
            signed_at = parse_timestamp(stated.decode("ascii"))
        except (UnicodeDecodeError, ValueError):
            return "does not say when it was signed"
        age = self.now() - signed_at
        if age > self.longest:
            return f"was signed {_days(age)} days ago, of {_days(self.longest)} allowed: {_SUSPECT}"
        if age < -SKEW:
            return f"was signed in the future, by {_days(-age)} days: the writer's clock is wrong, or ours"
        return None

    def _by_id(self, raw: RawMessage) -> str | None:
        made_at = _made_at(event_id_of(raw))
        if made_at is None:
            return "does not say when it was signed"
        age = self.now() - made_at
        if age > self.longest * 2:
            return f"was made {_days(age)} days ago, of {_days(self.longest * 2)} allowed: {_SUSPECT}"
        return None


def _made_at(event_id: str | None) -> datetime | None:
    """The first 48 bits of a UUIDv7: milliseconds since 1970."""
    try:
        found = uuid.UUID(event_id or "")
        return datetime.fromtimestamp((found.int >> 80) / 1000, UTC) if found.version == 7 else None
    except (ValueError, OverflowError):
        return None


def _days(span: timedelta) -> int:
    return span // timedelta(days=1)
