"""Which characters our fonts can draw.

PDF/A and PDF/UA allow no missing glyph and no private-use character, so typst refuses to render one. A name may hold
anything, and a set of minutes must never fail for it: what cannot be drawn becomes U+FFFD (�). Behind the body font
(Latin, Greek, Cyrillic) stand DejaVu Sans (Arabic, Hebrew, Armenian, Georgian and more) and Droid Sans Fallback
(Chinese, Japanese, Korean). Only TrueType outlines: veraPDF finds wrong widths in what typst embeds of some CFF fonts.

What each draws stands in `fonts/characters.txt`: reading it from the fonts takes 16 MB of a process that stays.
"""

import unicodedata
from bisect import bisect
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

FONT_FOLDER = Path(__file__).parent / "fonts"
FALLBACK_FONTS = ("DejaVu Sans", "Droid Sans Fallback")

_BODY_FONT = ("SourceSans3[wght].ttf",)
_ALL_FONTS = (*_BODY_FONT, "DejaVuSans.ttf", "DroidSansFallbackFull.ttf")
_LATIN_END = "\u017f"  # up to here the body font has every printable character
_LAST_POINT = 0x10FFFF
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
    return char <= _LATIN_END or any(_draws(font, ord(char)) for font in fonts)


def _draws(font: str, point: int) -> bool:
    ranges = _ranges()[font]
    index = bisect(ranges, (point, _LAST_POINT)) - 1
    return index >= 0 and point <= ranges[index][1]


@cache
def _ranges() -> Mapping[str, Sequence[tuple[int, int]]]:
    """The first and last code point of each range, ascending, by the font's file."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    for line in (FONT_FOLDER / "characters.txt").read_text().splitlines():
        if line.startswith("#"):
            font = line.removeprefix("# ")
            ranges[font] = []
        else:
            first, last = line.split("-")
            ranges[font].append((int(first, 16), int(last, 16)))
    return ranges
