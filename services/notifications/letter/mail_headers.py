"""Header fields that every mail program reads as they were meant: titles and names outside ASCII as encoded words.

The standard library breaks a long title into encoded words and loses spaces between them, and breaks some names. Here
the whole title, or the whole name, is a run of encoded words (RFC 2047): their readers join them without anything in
between, and each is cut between two characters.
"""

import base64
from email.headerregistry import AddressHeader, UniqueUnstructuredHeader
from email.policy import EmailPolicy
from typing import Any

_LONGEST_WORD = 75  # characters; RFC 2047 section 2
_LONGEST_LINE = 76
_PLAIN = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-!*+/"
)  # in a name: RFC 2047 section 5


class MailPolicy(EmailPolicy):
    """As the standard library's, but for those fields."""

    def fold(self, name: str, value: Any) -> str:
        encoded = _encoded(name, value)
        return super().fold(name, value) if encoded is None else encoded + self.linesep

    def fold_binary(self, name: str, value: Any) -> bytes:
        encoded = _encoded(name, value)
        return super().fold_binary(name, value) if encoded is None else (encoded + self.linesep).encode("ascii")


def _encoded(name: str, value: object) -> str | None:
    """The field, folded; None for what the standard library writes well."""
    text = str(value)
    if text.isascii() and "=?" not in text:
        return None
    if isinstance(value, UniqueUnstructuredHeader):
        return f"{name}: " + "\r\n ".join(_words(text, first=len(name) + 2))
    if isinstance(value, AddressHeader) and len(value.addresses) == 1:
        address = value.addresses[0]
        words = _words(address.display_name, first=len(name) + 2)
        addr_spec = f"<{address.addr_spec}>"
        gap = " " if len(words[-1]) + len(addr_spec) + len(name) + 3 <= _LONGEST_LINE else "\r\n "
        return f"{name}: " + "\r\n ".join(words) + gap + addr_spec
    return None


def _words(text: str, *, first: int) -> list[str]:
    """Encoded words of whole characters; `first`: how much of the first line is taken."""
    words: list[str] = []
    taken, room = "", _LONGEST_LINE - first
    for character in text:
        if len(_word(taken + character)) > min(room, _LONGEST_WORD):
            words.append(_word(taken))
            taken, room = "", _LONGEST_LINE - 1
        taken += character
    return [*words, _word(taken)]


def _word(text: str) -> str:
    """In the shorter one of the two encodings: a name that fits into one word is read well by every program."""
    octets = text.encode()
    in_base64 = base64.b64encode(octets).decode()
    quoted = "".join("_" if octet == 0x20 else chr(octet) if octet in _PLAIN else f"={octet:02X}" for octet in octets)
    return f"=?utf-8?q?{quoted}?=" if len(quoted) <= len(in_base64) else f"=?utf-8?b?{in_base64}?="
