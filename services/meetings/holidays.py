"""Swedish public holidays (lagen 1989:253 om allmänna helgdagar), and the three eves that everyone keeps. Pure."""

from datetime import date, timedelta
from functools import lru_cache

_FIXED = {
    (1, 1): "New Year's Day",
    (1, 6): "Epiphany",
    (5, 1): "May Day",
    (6, 6): "National Day",
    (12, 24): "Christmas Eve",
    (12, 25): "Christmas Day",
    (12, 26): "Second Day of Christmas",
    (12, 31): "New Year's Eve",
}
_AFTER_EASTER = {
    -2: "Good Friday",
    0: "Easter Sunday",
    1: "Easter Monday",
    39: "Ascension Day",
    49: "Pentecost",
}
_SATURDAY = 5


def holiday(day: date) -> str:
    """Its name; empty for any other day, a Sunday among them."""
    return _of_year(day.year).get(day, "")


@lru_cache(maxsize=64)
def _of_year(year: int) -> dict[date, str]:
    """The law as it has stood since 2005; Midsummer is the Saturday from 20 June, All Saints' that from 31 October."""
    easter = _easter(year)
    midsummer, saints = _saturday_from(date(year, 6, 20)), _saturday_from(date(year, 10, 31))
    return {
        **{date(year, month, day): name for (month, day), name in _FIXED.items()},
        **{easter + timedelta(days=days): name for days, name in _AFTER_EASTER.items()},
        midsummer - timedelta(days=1): "Midsummer Eve",
        midsummer: "Midsummer Day",
        saints: "All Saints' Day",
    }


def _saturday_from(day: date) -> date:
    return day + timedelta(days=(_SATURDAY - day.weekday()) % 7)


def _easter(year: int) -> date:
    """Meeus, Jones and Butcher's reckoning of the Gregorian Easter (J. Meeus, Astronomical Algorithms, chapter 8)."""
    century, of_century = divmod(year, 100)
    golden = year % 19
    leap, rest = divmod(century, 4)
    moon = (19 * golden + century - leap - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * rest + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)
