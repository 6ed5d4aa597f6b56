"""The one rule of what people write, at every door: names, reasons, titles, minutes.

Text is NFC (Unicode Standard Annex 15). What has no shape is taken away: soft hyphens, zero-width and joining
characters, byte-order marks, variation selectors, direction marks. Every line end is a newline, every space a space; in
text of one line both are one space. A no-break space stays in minutes between two words, holding a number together.

Refused is what cannot be shown or misleads: control characters, which upset terminals; overrides and embeddings of
direction, which let a name read as another (Unicode Technical Report 36, § 2.5; CVE-2021-42574); a character lost in a
conversion (U+FFFD), private or unassigned; and one that our documents' fonts do not draw. Markup is just characters.
"""

import re
import unicodedata

from shared.rendering.coverage import MOST_MARKS, first_undrawable

_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[ \t\n\xa0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800]+")
_OTHER_SPACE = re.compile("[\u1680\u2000-\u2006\u2008-\u200a\u205f\u3000\u2800]")
_NO_BREAK = re.compile("[\u2007\u202f]")
_AROUND_NO_BREAK = re.compile("[ \t\xa0]+")
_MARKER = re.compile("[ \t\xa0]*(?:(?:#{1,6}|[-+*]|\\d{1,9}[.)])(?:[ \t\xa0]+|$))?")

# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, but those that turn the direction (refused), and
# the annotation marks, which nothing shows either.
_SHAPELESS = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u206a-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BIDI = _TURNING | frozenset("\u061c\u200e\u200f")
_LINES = frozenset("\u2028\u2029")
_LOST = "\ufffc\ufffd"


def one_line(text: str) -> str:
    """Text in the rule's form, on one line, trimmed."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return _SPACES.sub(" ", _BREAK.sub("\n", without_shapeless(text))).strip(" ")


def lines_of(text: str) -> list[str]:
    """Text in the rule's form, line by line. Tabs stay: Markdown reads them."""
    return [_line(line) for line in _BREAK.sub("\n", without_shapeless(text)).split("\n")]


def without_shapeless(text: str) -> str:
    """NFC, and what has no shape taken away: that first, since it may bring a letter and its mark together."""
    return unicodedata.normalize("NFC", _SHAPELESS.sub("", text))


def unfit(text: str) -> str | None:
    """What the rule refuses first in a text that has its form, for `holds …`; None when nothing. Tabs are allowed."""
    if text.isascii() and text.isprintable():
        return None
    for char in text:
        if char == "\t":
            continue
        if char in _TURNING:
            return f"{_code(char)}, which turns the direction of text; remove it"
        if unicodedata.category(char) in ("Cc", "Cs"):
            return f"{_code(char)}, a control character; remove it"
        if char in _LOST:
            return f"{_code(char)}, which stands for something that was lost; write what was there"
    return _undrawable(text.replace("\t", " "))


def forbidden_character(text: str) -> str | None:
    """The first character that no header of a mail and no line of a log may hold, as `U+202E`, or None."""
    for char in text:
        if char in _BIDI or char in _LINES or unicodedata.category(char) in ("Cc", "Cs"):
            return _code(char)
    return None


def quoted(text: str, most: int = 100) -> str:
    """Foreign text for a line of a terminal or a log: between quotes that it cannot close, cut, nothing invisible."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return '"' + "".join(char if _is_plain(char) else _escaped(char) for char in cut) + '"'


def printable(text: str) -> str:
    """A whole line, with what has no shape escaped."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _line(line: str) -> str:
    line = _NO_BREAK.sub("\xa0", _OTHER_SPACE.sub(" ", line))
    if "\xa0" not in line:
        return line
    marker = _MARKER.match(line)
    start = marker.end() if marker else 0
    return line[:start].replace("\xa0", " ") + _AROUND_NO_BREAK.sub(_kept_space, line[start:].rstrip("\xa0"))


def _kept_space(spaces: re.Match[str]) -> str:
    return spaces[0] if "\xa0" not in spaces[0] or spaces[0] == "\xa0" else " "


def _undrawable(text: str) -> str | None:
    found = first_undrawable(text)
    if found is None:
        return None
    if unicodedata.combining(found[0]):
        return f"{_code(found[0])}, a mark that stands on no letter; remove it"
    if len(found) > MOST_MARKS:
        return f"a letter with more than {MOST_MARKS} marks; remove some"
    if len(found) > 1:
        return f"{' '.join(map(_code, found))}, which our documents cannot show together; write it otherwise"
    return f"{_code(found)}, which our documents cannot show; write it otherwise"


def _code(char: str) -> str:
    return f"U+{ord(char):04X}"


def _is_plain(char: str) -> bool:
    return char.isprintable() and char not in '"\\'


def _escaped(char: str) -> str:
    return "\\" + char if char in '"\\' else char.encode("unicode_escape").decode()
