"""The days of the invented association's year. None is a holiday, or before one. Pure."""

from datetime import date, timedelta

from services.meetings.holidays import holiday

_FRIDAY, _TUESDAY, _THURSDAY = 4, 1, 3
_WEEK = timedelta(days=7)


def days_of(year: int) -> dict[str, str]:
    """By the names that the file of its plan has for them."""
    congress = _weekday_of(year, 4, _THURSDAY, last=True)
    found = {"year": date(year, 1, 1), "congress": congress, "training": _weekday_of(year, 6, _THURSDAY, last=False)}
    found["before_congress"] = congress - timedelta(days=15)
    for month in range(1, 13):
        found[f"last_friday_{month}"] = _weekday_of(year, month, _FRIDAY, last=True)
        found[f"second_friday_{month}"] = _weekday_of(year, month, _FRIDAY, last=False)
        found[f"second_tuesday_{month}"] = _weekday_of(year, month, _TUESDAY, last=False)
    return {name: f"{year}" if name == "year" else day.isoformat() for name, day in found.items()}


def _weekday_of(year: int, month: int, weekday: int, *, last: bool) -> date:
    """The last such day of a month, or the second; earlier while it, or its day the week before, is off or an eve."""
    day = date(year, month, 28 if last else 14)
    day -= timedelta(days=(day.weekday() - weekday) % 7)
    while any(holiday(day - back) or holiday(day - back + timedelta(days=1)) for back in (timedelta(), _WEEK)):
        day -= _WEEK
    return day
