"""Days, times and sizes as people read them on pages, in mails and in papers. Pure.

Not for what programs read, nor for documents whose form is kept (minutes, the audit report).
"""

from datetime import date, datetime
from typing import Literal

Language = Literal["sv", "en"]

_WEEKDAYS = {
    "sv": ("måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = {
    "sv": (
        "januari",
        "februari",
        "mars",
        "april",
        "maj",
        "juni",
        "juli",
        "augusti",
        "september",
        "oktober",
        "november",
        "december",
    ),
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}
_AT = {"sv": " kl. ", "en": " "}
_KILO, _MEGA = 1000, 1_000_000
_TOGETHER = "\N{NO-BREAK SPACE}"
ONLINE = {"sv": "Digitalt", "en": "Online"}
"""The place of a meeting that is held online, where nobody names one."""


class Octets(int):
    """A number of bytes that is told to people."""


def place(named: str, mode: str | None, language: Language) -> str:
    """Where a meeting is, of its mode: an online one whose place nobody named is so in the reader's language."""
    return ONLINE[language] if mode == "digital" and named in ONLINE.values() else named


def day(one: date, language: Language) -> str:
    """`25 november 2022`."""
    return f"{one.day} {_MONTHS[language][one.month - 1]} {one.year}"


def weekday(one: date, language: Language) -> str:
    """`fredag 25 november 2022`, as within a sentence."""
    return f"{_WEEKDAYS[language][one.weekday()]} {day(one, language)}"


def moment(one: datetime, language: Language) -> str:
    """`fredag 25 november 2022 kl. 13:00`."""
    return f"{weekday(one, language)}{_AT[language]}{one:%H:%M}"


def at(one: datetime, language: Language) -> str:
    """`25 november 2022 kl. 13:00`: when something happened."""
    return f"{day(one, language)}{_AT[language]}{one:%H:%M}"


def span(starts: datetime, ends: datetime, language: Language) -> str:
    """`fredag 25 november 2022 kl. 13:00–15:30`; of one that ends on another day, both days."""
    if starts.date() == ends.date():
        return f"{moment(starts, language)}–{ends:%H:%M}"
    return f"{moment(starts, language)} – {moment(ends, language)}"


def size(octets: int, language: Language) -> str:
    """`380 kB`, `2,4 MB`: in thousands, as file managers tell it; the number and its unit stay together."""
    if octets < _KILO:
        number, unit = str(octets), "B"
    elif octets < _MEGA - _KILO // 2:
        number, unit = str(round(octets / _KILO)), "kB"
    else:
        number, unit = f"{octets / _MEGA:.1f}", "MB"
    return f"{number.replace('.', ',') if language == 'sv' else number}{_TOGETHER}{unit}"
