"""The languages of mails. Pure."""

from typing import Literal

Language = Literal["sv", "en"]


def language_of(given: str) -> Language:
    """What we have words in, for a reader's language tag (BCP 47)."""
    return "en" if given.lower().startswith("en") else "sv"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
