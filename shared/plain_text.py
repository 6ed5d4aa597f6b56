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
