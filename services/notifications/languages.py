"""The languages of mails, and days and times in their words. Pure."""

from datetime import date, datetime
from typing import Literal

Language = Literal["sv", "en"]

_DAYS = {
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


def language_of(given: str) -> Language:
    """What we have words in, for a reader's language tag (BCP 47)."""
    return "en" if given.lower().startswith("en") else "sv"


def day(one: date, language: Language) -> str:
    """`fredag 25 november 2022`."""
    return f"{_DAYS[language][one.weekday()]} {one.day} {_MONTHS[language][one.month - 1]} {one.year}"


def moment(one: datetime, language: Language) -> str:
    """`fredag 25 november 2022 kl. 13:00`."""
    return f"{day(one, language)}{_AT[language]}{one:%H:%M}"


def span(starts: datetime, ends: datetime, language: Language) -> str:
    """`fredag 25 november 2022 kl. 13:00–15:30`; of one that ends on another day, both days."""
    if starts.date() == ends.date():
        return f"{moment(starts, language)}–{ends:%H:%M}"
    return f"{moment(starts, language)} – {moment(ends, language)}"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
