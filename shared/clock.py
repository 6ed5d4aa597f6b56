"""Business time. Leases, backoff, retention, UUIDs, certificates and seals use the machine's clock instead."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The time of the business, timezone-aware, in UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved: for scenarios and tests. It never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = _in_utc(start)

    def now(self) -> datetime:
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Raises ValueError when `moment` is naive or earlier than now."""
        target = _in_utc(moment)
        if target < self._now:
            raise ValueError(f"a clock does not go back: {target} is before {self._now}")
        self._now = target


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be placed")
    return moment.astimezone(UTC)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with six decimals: `2022-09-26T08:41:44.000000Z`. One form, since history entries hash it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_timestamp(text: str) -> datetime:
    """The inverse of `timestamp`; also takes other RFC 3339 forms. Raises ValueError, also when no zone is given."""
    try:
        return _in_utc(datetime.fromisoformat(text))
    except OverflowError as error:  # year 1 or 9999, pushed over the edge by its offset
        raise ValueError(f"{text!r} lies outside the calendar in UTC") from error
