"""Which characters our fonts can draw.

PDF/A and PDF/UA allow no missing glyph and no private-use character, so typst refuses to render one. A name may hold
anything, and a set of minutes must never fail for it: what cannot be drawn becomes U+FFFD (�). Behind the body font
(Latin, Greek, Cyrillic) stand DejaVu Sans (Arabic, Hebrew, Armenian, Georgian and more) and Droid Sans Fallback
(Chinese, Japanese, Korean). Only TrueType outlines: veraPDF finds wrong widths in what typst embeds of some CFF fonts.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont

FONT_FOLDER = Path(__file__).parent / "fonts"
FALLBACK_FONTS = ("DejaVu Sans", "Droid Sans Fallback")

_BODY_FONT = ("SourceSans3[wght].ttf",)
_ALL_FONTS = (*_BODY_FONT, "DejaVuSans.ttf", "DroidSansFallbackFull.ttf")
_LATIN_END = "\u017f"  # up to here the body font has every printable character
_NO_TEXT = ("Cc", "Cs", "Co")


def printable(data: Any, *, body_font_only: bool = False) -> Any:
    """The same JSON-like data; every character of its values that the fonts lack is U+FFFD.

    `body_font_only` leaves nothing to combining marks and joiners across fonts: enough for Latin, Greek and Cyrillic.
    """
    match data:
        case str():
            fonts = _BODY_FONT if body_font_only else _ALL_FONTS
            if data.isascii() and data.isprintable():
                return data
            return data.translate({ord(char): "\ufffd" for char in set(data) if not _drawable(char, fonts)})
        case Mapping():
            return {key: printable(value, body_font_only=body_font_only) for key, value in data.items()}
        case Sequence():
            return [printable(value, body_font_only=body_font_only) for value in data]
        case _:
            return data


def _drawable(char: str, fonts: tuple[str, ...]) -> bool:
    if char == "\n":
        return True
    if unicodedata.category(char) in _NO_TEXT:
        return False
    return char <= _LATIN_END or ord(char) in _characters(fonts)


@cache
def _characters(fonts: tuple[str, ...]) -> frozenset[int]:
    drawn: set[int] = set()
    for name in fonts:
        with TTFont(FONT_FOLDER / name, lazy=True) as font:
            drawn.update(font.getBestCmap())
    return frozenset(drawn)
