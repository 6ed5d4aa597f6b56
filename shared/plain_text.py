"""Which characters a person's text may hold.

Control characters have no shape on paper and upset terminals; bidirectional overrides let a name read as another
(Unicode Technical Report 36, § 2.5; CVE-2021-42574). Everything else is free text: markup in it is just characters.
"""

import unicodedata

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINES = frozenset("\u2028\u2029")


def forbidden_character(text: str, *, multiline: bool = False) -> str | None:
    """The first forbidden character as `U+202E`, or None. Newlines and tabs are allowed only in `multiline` text."""
    for char in text:
        if multiline and char in "\n\t":
            continue
        if char in _BIDI or char in _LINES or unicodedata.category(char) in ("Cc", "Cs"):
            return f"U+{ord(char):04X}"
    return None


def quoted(text: str, most: int = 100) -> str:
    """Foreign text for a line of a terminal or a log: between quotes that it cannot close, cut, nothing invisible."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return '"' + "".join(char if _is_plain(char) else _escaped(char) for char in cut) + '"'


def printable(text: str) -> str:
    """A whole line, with what has no shape escaped."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _is_plain(char: str) -> bool:
    return char.isprintable() and char not in '"\\'


def _escaped(char: str) -> str:
    return "\\" + char if char in '"\\' else char.encode("unicode_escape").decode()
