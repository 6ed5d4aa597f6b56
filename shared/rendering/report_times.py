"""Moments as people read them on a signed page: local time with the offset from GMT that held then."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.rendering.minutes import Language

_MONTHS: dict[Language, tuple[str, ...]] = {
    "sv": ("jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


def stamp_time(moment: datetime, timezone: str, language: Language) -> str:
    """`26 sep 2022 10:58 GMT+2` for an aware moment, in the IANA zone `timezone`.

    Raises ValueError for a naive moment, zoneinfo.ZoneInfoNotFoundError for an unknown zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be placed")
    local = moment.astimezone(_zone(timezone))
    month = _MONTHS[language][local.month - 1]
    return f"{local.day} {month} {local.year} {local:%H:%M} {_gmt(local.utcoffset() or timedelta())}"


def _zone(name: str) -> ZoneInfo:
    """`ZoneInfo` raises what the file system says of odd names, which would look like trouble of the machine."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError) as error:
        raise ZoneInfoNotFoundError(f"no time zone: {name[:60]!r}") from error


def _gmt(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    if minutes == 0:
        return "GMT"
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else "-"
    return f"GMT{sign}{hours}" + (f":{rest:02}" if rest else "")
