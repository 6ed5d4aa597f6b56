"""Our own links and tokens in texts that others wrote: left out before anything of such a text is kept. Pure.

A report returns the mail it is about, and a mail server's answer may name the return path. Whoever reads what is kept
must not come by a signer's link that way. Links are found by how they look (`shared.links`, `verp`), also where mail
programs broke them: wrapped, quoted, in quoted-printable, percent-encoding or character references, or base64.
"""

import base64
import re
from collections.abc import Iterator

LEFT_OUT = "[redacted]"

_ENCODED_TEXT = 60  # letters of base64: fewer hold nothing of ours
# A link's token, cut or whole: key id, organisation, subject, version, and enough of the HMAC that the rest could be
# tried out. Then whatever follows a link's path; then a return path's token.
_OURS = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z0-9]++\.[A-Za-z0-9_-]{1,128}\.[A-Za-z0-9_-]{1,128}\.\d{1,9}\.[A-Za-z0-9_-]{16,43}"
    r"|(?<=/signing/s/)[A-Za-z0-9._~-]++"
    r"|(?<=/archive/copies/)[A-Za-z0-9._~-]++"
    r"|[A-Za-z0-9]{1,8}-[A-Za-z2-7]{30,45}"
)
# What mail programs put between two characters of a word, and how they write a character.
_FOLD = re.compile(r"=[ \t]*\r?\n|\r?\n(?![ \t>|]*\r?\n)[ \t>|]*|\0")
_WRITTEN = re.compile(r"[=%]([2-7][0-9A-Fa-f])|&#(?:([0-9]{2,3})|x([0-9A-Fa-f]{2}));")
_ENCODED = re.compile(
    r"(?:^[ \t>]*[A-Za-z0-9+/]{24,}={0,2}[ \t]*\r?(?:\n|\Z))+(?:^[A-Za-z0-9+/]{1,23}={0,2}[ \t]*\r?$)?", re.MULTILINE
)


def redacted(text: str) -> str:
    """The text without our links and tokens. Encoded data that is no text is left out, too: nobody reads it."""
    return _without_ours(_ENCODED.sub(lambda run: _encoded(run[0]), text))


def redacted_bytes(raw: bytes) -> bytes:
    """As it came, but for our links and tokens, and encoded data."""
    return redacted(raw.decode("latin-1")).encode("latin-1")


def _without_ours(text: str) -> str:
    plain, origins = _plain(text)
    pieces, end = [], 0
    for match in _OURS.finditer(plain):
        start, stop = origins[match.start()], origins[match.end()]
        pieces += [text[end:start], LEFT_OUT]
        end = stop
    return "".join((*pieces, text[end:]))


def _plain(text: str) -> tuple[str, list[int]]:
    """The text without folds and escapes, and where each of its characters (and its end) stands in the original."""
    characters: list[str] = []
    origins: list[int] = []
    for character, origin in _characters(text):
        characters.append(character)
        origins.append(origin)
    return "".join(characters), [*origins, len(text)]


def _characters(text: str) -> Iterator[tuple[str, int]]:
    at = 0
    while at < len(text):
        if text[at] in "=\r\n\0" and (fold := _FOLD.match(text, at)):
            at = fold.end()
        elif text[at] in "=%&" and (written := _WRITTEN.match(text, at)):
            yield chr(int(written[1] or written[3], 16) if not written[2] else int(written[2]) % 128), at
            at = written.end()
        else:
            yield text[at], at
            at += 1


def _encoded(run: str) -> str:
    """A run of base64 as it is, if what it says is text without anything of ours."""
    letters = re.sub(r"[^A-Za-z0-9+/]", "", run)
    if len(letters) < _ENCODED_TEXT:
        return run
    octets = base64.b64decode(letters[: len(letters) - len(letters) % 4])
    text = octets.decode("latin-1").replace("\0", "")
    legible = sum(character.isprintable() or character.isspace() for character in text)
    if legible >= 0.9 * len(text) and redacted(text) == text:
        return run
    return f"{LEFT_OUT} ({len(octets)} bytes in base64)\n"
