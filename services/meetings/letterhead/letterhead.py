"""The rules of an association's letterhead: its logo, colour and foot, as its documents bear them. Pure."""

import base64
import hashlib
import re

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.letterhead.logo import MOST_BYTES, logo_type
from shared.errors import InvalidInput, Refused
from shared.rendering.minutes import Letterhead, Logo
from shared.text import clean_line

LEAST_CONTRAST = 4.5
"""Of a text's colour on white (WCAG 2.2, 1.4.3, level AA)."""
_COLOUR = re.compile(r"#[0-9a-f]{6}")


class LogoFile(BaseModel):
    """`content`: the PNG or SVG, in base64. `alt`: what it shows, for who does not see it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: str = Field(max_length=2 * MOST_BYTES)
    alt: str = Field(max_length=4000)


class LetterheadDetails(BaseModel):
    """What stands on documents drafted from now on. `colour`: of headings, `#1f3a5f`; empty is Justera's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    colour: str = Field("", max_length=20)
    foot: str = Field("", max_length=4000)
    logo: LogoFile | None = None


def cleaned(details: LetterheadDetails) -> Letterhead:
    """As it is kept. Raises InvalidInput that begins with the field's name."""
    foot = clean_line(details.foot, "foot") if details.foot.strip() else ""
    colour = details.colour.strip().lower()
    if colour and not _COLOUR.fullmatch(colour):
        raise InvalidInput("colour: must be such as #1f3a5f")
    if colour and (found := contrast_on_white(colour)) < LEAST_CONTRAST:
        raise InvalidInput(
            f"colour: is too light to be read on white: a contrast of {found:.1f}, and {LEAST_CONTRAST} is needed",
            hint="choose a darker one",
        )
    logo = None
    if details.logo is not None:
        content = _decoded(details.logo.content)
        kind = logo_type(content)
        if not details.logo.alt.strip():
            raise InvalidInput("alt: say what the logo shows, for who does not see it")
        logo = Logo(type=kind, content=content, alt=clean_line(details.logo.alt, "alt"))
    return Letterhead(colour=colour, foot=foot, logo=logo)


def mark_of(letterhead: Letterhead | None) -> str:
    """By which two who change it at the same time are told apart; of none, `none`."""
    if letterhead is None:
        return "none"
    return hashlib.sha256(letterhead.model_dump_json().encode()).hexdigest()[:32]


def require_unchanged(letterhead: Letterhead | None, seen: str | None) -> None:
    """`seen`: the mark of the one that a change was made from; None does not ask. Raises Refused."""
    if seen is not None and seen != mark_of(letterhead):
        raise Refused(
            "the letterhead was changed by someone else meanwhile", hint="look at it as it is now, and change that"
        )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise InvalidInput("logo: its content is no base64") from None


def contrast_on_white(colour: str) -> float:
    """From 1 to 21 (WCAG 2.2, "contrast ratio"). `colour`: `#rrggbb`."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
