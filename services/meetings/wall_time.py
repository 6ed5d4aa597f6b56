"""Local wall time on the nights when clocks are put forward or back. Pure.

An hour that is skipped is no time at which anyone could meet: it is refused wherever it is given. An hour that comes
twice means the first of the two, as calendars read it (RFC 5545, section 3.3.5), and as Python does (PEP 495).
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shared.errors import InvalidInput, says


def is_skipped(local: datetime, zone: str) -> bool:
    """`zone`: an IANA name that is known."""
    placed = local.replace(tzinfo=ZoneInfo(zone), fold=0)
    return placed.astimezone(UTC).astimezone(placed.tzinfo).replace(tzinfo=None) != placed.replace(tzinfo=None)


def comes_twice(local: datetime, zone: str) -> bool:
    """On the night when the clocks of `zone`, an IANA name that is known, are put back."""
    first, second = (local.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    return first.utcoffset() != second.utcoffset() and not is_skipped(local, zone)


def require_there(local: datetime, zone: str, field: str) -> None:
    """Raises InvalidInput that begins with the field."""
    if is_skipped(local, zone):
        raise InvalidInput(
            f"{field}: {local:%H:%M} does not exist on {local.date()} in {zone}: the clocks are put forward then",
            hint="choose another time",
            says=says("skipped_hour", field, hour=f"{local:%H:%M}", day=local.date()),
        )
