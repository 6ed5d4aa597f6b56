"""Which characters our fonts can draw.

PDF/A and PDF/UA allow no missing glyph and no private-use character, so typst refuses to render one. What people write
is refused at the door when it holds one (`shared.plain_text`); in what was taken in before that was so, it becomes
U+FFFD (�): a document that is half signed must not fail for it. Behind the body font
(Latin, Greek, Cyrillic) stand DejaVu Sans (Arabic, Hebrew, Armenian, Georgian and more) and Droid Sans Fallback
(Chinese, Japanese, Korean). Only TrueType outlines: veraPDF finds wrong widths in what typst embeds of some CFF fonts.

What each draws stands in `fonts/characters.txt`: reading it from the fonts takes 16 MB of a process that stays.
"""

import re
import unicodedata
from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

FONT_FOLDER = Path(__file__).parent / "fonts"
FALLBACK_FONTS = ("DejaVu Sans", "Droid Sans Fallback")

_BODY_FONT = ("SourceSans3[wght].ttf",)
_ALL_FONTS = (*_BODY_FONT, "DejaVuSans.ttf", "DroidSansFallbackFull.ttf")
_LATIN_END = "\u017f"  # up to here the body font has every printable character
_LAST_POINT = 0x10FFFF
_NO_TEXT = ("Cc", "Cs", "Co")
_MARKS = ("Mn", "Me", "Mc")
MOST_MARKS = 4
"""On one letter: Vietnamese, polytonic Greek, pointed Hebrew and voweled Arabic need three."""
LOST = "\ufffd"
_DRAWN_IN_EVERY_FACE = re.compile("[ -~\xa0-\u017f]*")
_NOT_IN_EVERY_FACE = re.compile("[^\n -~\xa0-\xac\xae-\u017f]")
_LONG_WORD = re.compile(r"[^ \n]{40}(?=[^ \n])")

Data = TypeVar("Data")

_RUN_OF_LOST = re.compile(f"{LOST}+")


def printable(data: Data, *, body_font_only: bool = False) -> Data:
    """The same JSON-like data; every character of its values that the fonts lack is U+FFFD.

    `body_font_only` leaves nothing to combining marks and joiners across fonts: enough for Latin, Greek and Cyrillic.
    """
    fonts = _BODY_FONT if body_font_only else _ALL_FONTS

    def drawn(text: str) -> str:
        if text.isascii() and text.isprintable():
            return text
        return text.translate({ord(char): LOST for char in set(text) if not _drawable(char, fonts)})

    return map_texts(data, drawn)


def surely_printable(text: str) -> str:
    """Only what every face of the body font draws, letter by letter, and no word longer than a line.

    A run of what is lost is one sign: typst nests each sign of another font, and does not nest for ever.
    """
    drawn = _RUN_OF_LOST.sub(LOST, _NOT_IN_EVERY_FACE.sub(LOST, text))
    return _LONG_WORD.sub(lambda word: word[0] + " ", drawn)


def map_texts(data: Data, change: Callable[[str], str]) -> Data:
    """JSON-like data with each text of its values changed."""
    return cast(Data, _mapped(data, change))


def _mapped(data: Any, change: Callable[[str], str]) -> Any:
    match data:
        case str():
            return change(data)
        case Mapping():
            return {key: _mapped(value, change) for key, value in data.items()}
        case Sequence():
            return [_mapped(value, change) for value in data]
        case _:
            return data


def first_undrawable(text: str) -> str | None:
    """The first letter with its marks that no font of ours draws whole, or None. Of more marks than `MOST_MARKS` too.

    A letter and its marks are drawn by one font, or not at all.
    """
    if _DRAWN_IN_EVERY_FACE.fullmatch(text):
        return None
    for cluster in _clusters(text):
        if len(cluster) > 1 + MOST_MARKS or unicodedata.category(cluster[0]) in _MARKS:
            return cluster[: 2 + MOST_MARKS]
        if any(unicodedata.category(char) in (*_NO_TEXT, "Cn") for char in cluster):
            return cluster
        if not any(all(_draws(font, ord(char)) for char in cluster) for font in _ALL_FONTS):
            return cluster
    return None


def _clusters(text: str) -> Iterator[str]:
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or unicodedata.category(text[index]) not in _MARKS:
            yield text[start:index]
            start = index


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
