"""Our own links and tokens in texts that others wrote: left out before anything of such a text is kept. Pure.

A report returns the mail it is about, and a mail server's answer may name the return path. Whoever reads what is kept
must not come by a signer's link that way. Links are found by how they look (`shared.links`, `verp`), also where mail
programs, gateways and logs wrote them otherwise: wrapped, quoted, in quoted-printable, percent-encoding, character
references, JSON's escapes or base64, cut up by tags, and in any of them within another.

The text is decoded step by step until nothing is left to decode, and looked at after each step; what is found is left
out of the original. Each step takes time in proportion to the text and makes it shorter, and their number is bounded.
"""

import base64
import re
from collections.abc import Iterator
from html.entities import html5
from itertools import repeat

LEFT_OUT = "[redacted]"

_ENCODED_TEXT = 60  # letters of base64: fewer hold nothing of ours
_MOST_STEPS = 32  # a text of more layers was made to hide something
# A link's token, cut or whole: key id (which a cut may have taken), organisation, subject, version, and enough of the
# HMAC that the rest could be tried out. Then whatever follows a link's path; then a return path's token.
_OURS = re.compile(
    r"(?<![A-Za-z0-9_-])(?:[A-Za-z0-9]++\.)?[A-Za-z0-9_-]++\.[A-Za-z0-9_-]{1,128}\.\d{1,9}\.[A-Za-z0-9_-]{16,43}"
    r"|(?<=/signing/s/)[A-Za-z0-9._~-]++"
    r"|(?<=/archive/copies/)[A-Za-z0-9._~-]++"
    r"|(?<=/meetings/my/)[A-Za-z0-9._~-]++"
    r"|(?<=/meetings/calendar/)[A-Za-z0-9._~-]++"
    r"|[A-Za-z0-9]{0,8}-[A-Za-z2-7]{30,45}"
)
# How a character is written (`letter`: JSON's).
_WRITTEN = re.compile(
    r"[=%](?P<hex>[2-7][0-9A-Fa-f]|0[9AaDd])"
    r"|&\#0{0,20}(?P<decimal>[0-9]{1,3});|&\#[xX]0{0,20}(?P<hex2>[0-9A-Fa-f]{1,2});|&(?P<name>[A-Za-z]{2,31}[1-4]{0,2};)"
    r"|(?:[\\%]u00|\\x)(?P<hex3>[0-9A-Fa-f]{2})|\\(?P<letter>[nrt\\/\"])"
)
# References without their semicolon, which browsers take, and whatever has a backslash before it, as Markdown's marks:
# only when nothing else is left, for what follows may be written itself.
_LOOSE = re.compile(
    r"&\#0{0,20}(?P<decimal>[0-9]{1,3})(?![0-9])|&\#[xX]0{0,20}(?P<hex>[0-9A-Fa-f]{1,2})(?![0-9A-Fa-f])"
    r"|&(?P<name>amp|lt|gt|quot|AMP|LT|GT|QUOT)|\\(?P<letter>[!-~])"
)
_INVISIBLE = r"\0|[\xad\u200b-\u200f\u2060\ufeff]|\xe2\x80[\x8b-\x8f]|\xe2\x81\xa0|\xef\xbb\xbf"


def _between(quotes: str) -> re.Pattern[str]:
    """What stands between two characters of a word: line breaks, two encoded words of a header (RFC 2047), NULs and
    invisible characters, in UTF-8, too. `quotes`: how a quoted line begins. Empty lines are kept: they end a word.
    """
    empty = rf"(?P<kept>\r?\n[{quotes}]*(?:\Z|(?:\r?\n[{quotes}]*)+))"
    two_words = r"\?=[ \t\r\n]*=\?[A-Za-z0-9_-]{1,40}\?[BbQq]\?"
    return re.compile(rf"{empty}|\r?\n[{quotes}]*|{two_words}|{_INVISIBLE}")


def _soft_breaks(quotes: str) -> re.Pattern[str]:
    return re.compile(rf"=[ \t]*\r?\n[{quotes}]*")


_TAGS = re.compile(r"<(?:[^<>\\%&=]|=(?![0-9A-Fa-f]{2}))*+>")
_ANY_TAGS = re.compile(r"<[^<>]*>")
_STEPS = (_soft_breaks(" \t>|"), _WRITTEN, _between(" \t>|"), _LOOSE)
# A tag may end with a line's first character.
_STEPS_WITH_TAGS = (_TAGS, _soft_breaks(" \t"), _WRITTEN, _ANY_TAGS, _between(" \t"), _LOOSE)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}
_RUN = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_LEGIBLE = re.compile(r"[\t\n\r -~]{8,}")
_URL_SAFE = str.maketrans("-_", "+/")
_ENCODED = re.compile(
    r"(?:^[ \t>]*[A-Za-z0-9+/]{24,}={0,2}[ \t]*\r?(?:\n|\Z))+(?:^[A-Za-z0-9+/]{1,23}={0,2}[ \t]*\r?$)?", re.MULTILINE
)
# In a mail server's answer any long run of a token's letters goes, but for those that are words, or a UUID.
_LONG_RUN = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
_WORD = r"[A-Z]?[a-z]{0,19}(?:[A-Z][a-z]{1,15}){0,2}|[A-Z]{1,19}|[0-9]{1,10}"
_WORDS = re.compile(rf"(?:{_WORD})(?:[+/_=-](?:{_WORD}))*")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

_View = tuple[str, list[int]]
"""A text on its way to plain, and where each of its characters (and its end) stands in the original."""


def redacted(text: str) -> str:
    """The text without our links and tokens. Encoded data that is no text is left out, too: nobody reads it."""
    return _ENCODED.sub(lambda run: _encoded(run[0]), _without_ours(text))


def redacted_bytes(raw: bytes) -> bytes:
    """As it came, but for our links and tokens, and encoded data."""
    return redacted(raw.decode("latin-1")).encode("latin-1")


def redacted_words(text: str) -> str:
    """A mail server's answer, of which nobody needs a long run of letters and digits: it could be a piece of a token.

    Queue ids and status codes are shorter than 24 characters; a message id that is longer goes.
    """
    return _LONG_RUN.sub(lambda run: run[0] if _is_harmless(run[0]) else LEFT_OUT, redacted(text))


def _is_harmless(run: str) -> bool:
    return bool(_WORDS.fullmatch(run) or _UUID.fullmatch(run))


def _without_ours(text: str) -> str:
    found: list[tuple[int, int]] = []
    has_tags = False
    for steps in (_STEPS, _STEPS_WITH_TAGS):
        for taken, (plain, origins) in enumerate(_views(text, steps)):
            if taken == _MOST_STEPS:
                return LEFT_OUT
            found += ((origins[match.start()], origins[match.end()]) for match in _OURS.finditer(plain))
            has_tags = has_tags or "<" in plain
        if not has_tags:
            break
    pieces, end = [], 0
    for start, stop in sorted(found):
        if start >= end:
            pieces += [text[end:start], LEFT_OUT]
        end = max(end, stop)
    return "".join((*pieces, text[end:]))


def _views(text: str, steps: tuple[re.Pattern[str], ...]) -> Iterator[_View]:
    """The text as it came, and after each step. A step is taken when those before it find no more to do: a `=` and its
    line's end may have a tag between them."""
    view: _View | None = text, list(range(len(text) + 1))
    while view is not None:
        yield view
        # Base64 only when nothing else is left: a token's own letters would be taken for it.
        view = next(filter(None, map(_unescaped, repeat(view), steps)), None) or _unpacked(view)


def _unescaped(view: _View, step: re.Pattern[str]) -> _View | None:
    """Each escape's character, and nothing for what only stands between; None when there is neither."""
    text, origins = view
    characters: list[str] = []
    stands: list[int] = []
    end = 0
    for match in step.finditer(text):
        written = _character(match)
        if written == match[0]:
            continue
        characters += (text[end : match.start()], written)
        stands += origins[end : match.start()]
        stands += [origins[match.start()]] * len(written)
        end = match.end()
    if not characters:
        return None
    return "".join((*characters, text[end:])), stands + origins[end:]


def _character(match: re.Match[str]) -> str:
    """What an escape stands for; the escape itself when that is no ASCII."""
    kind = match.lastgroup
    if kind is None:
        return ""
    if kind == "kept":
        return match[0]
    if kind == "letter":
        return _LETTERS.get(match[kind], match[kind])
    given = html5.get(match[kind], "") if kind == "name" else chr(int(match[kind], 10 if kind == "decimal" else 16))
    if re.fullmatch(_INVISIBLE, given):
        return ""
    return given if given and given.isascii() else match[0]


def _unpacked(view: _View) -> _View | None:
    """Runs of base64 (or base64url) that hold text as that text; None when there is none."""
    text, origins = view
    characters: list[str] = []
    stands: list[int] = []
    end = 0
    for match in _RUN.finditer(text):
        best = max((_decoded(match[0], skipped) for skipped in range(4)), key=lambda found: found[0])
        legible, skipped, octets = best
        if (legible < 24 and legible < 0.7 * len(octets.replace(b"\0", b""))) or not legible:
            continue
        start = match.start()
        characters += (text[end:start], octets.decode("latin-1"))
        stands += origins[end:start]
        stands += [origins[start + skipped + at * 4 // 3] for at in range(len(octets))]
        end = match.end()
    if not characters:
        return None
    return "".join((*characters, text[end:])), stands + origins[end:]


def _decoded(run: str, skipped: int) -> tuple[int, int, bytes]:
    """How many legible characters it holds when the first few letters are not of it, and what it says."""
    letters = run[skipped:].translate(_URL_SAFE)
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    octets = base64.b64decode(letters + "=" * (-len(letters) % 4))
    text = octets.replace(b"\0", b"").decode("latin-1")
    return sum(map(len, _LEGIBLE.findall(text))), skipped, octets


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
