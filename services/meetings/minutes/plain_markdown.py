"""Plain text as people type it in a form -> Markdown of minutes that prints just that. Pure.

The only marks that are taken as such are those of lists: lines that begin with a dash or a bullet.
"""

import re
from collections.abc import Iterator

_MARKS = re.compile(r"([\\*_|])")
# What would begin a heading, a list, the line below a table's header or one that a word processor left.
_BEGINS = re.compile(r"[#+:-]|[•‣◦▪●○■□\uf0b7\uf0a7](?= )")
_SPACES = re.compile("[ \t]+")
_COUNTS = re.compile(r"([0-9]{1,9})([.)])")
_ITEM = re.compile("[-*+•‣◦▪●○■□\uf0b7\uf0a7–—·][ \xa0]+(?=[^ \xa0])")


def inline(text: str) -> str:
    """A text of one line, wherever it stands but at the beginning of a line."""
    return _MARKS.sub(r"\\\1", _spaced(text.replace("\n", " ")))


def _spaced(text: str) -> str:
    """A no-break space between two words stays."""
    return _SPACES.sub(" ", text).strip(" \xa0")


def heading(text: str) -> str:
    """What follows `## `: a `#` at its end would fall away."""
    return inline(text).replace("#", "\\#")


def line(text: str) -> str:
    """A text of one line, which may stand at the beginning of a line."""
    made = inline(text)
    if _BEGINS.match(made):
        return _as_text(made)
    return _COUNTS.sub(r"\1\\\2", made, count=1) if _COUNTS.match(made) else made


def _as_text(made: str) -> str:
    """A bullet, which no backslash can take its meaning, becomes a dash that is one in the text."""
    first = made[0] if made[0] in "#+:-" else "-"
    return f"\\{first}{made[1:]}"


def blocks(text: str) -> str:
    """Paragraphs and lists, with an empty line between them; empty for none. Line breaks stay."""
    found = [(kind, "\n".join(lines)) for kind, lines in _grouped(text)]
    return "\n\n".join(made for _, made in found)


def _grouped(text: str) -> Iterator[tuple[str, list[str]]]:
    kind, lines = "", list[str]()
    for given in [*text.split("\n"), ""]:
        typed = _spaced(given)
        item = _ITEM.match(typed)
        now = "" if not typed else "list" if item else "text"
        if now != kind and lines:
            yield kind, lines
            lines = []
        kind = now
        if item:
            lines.append(f"- {line(_unlisted(typed))}")
        elif typed:
            if lines:
                lines[-1] += "\\"
            lines.append(line(typed))


def _unlisted(typed: str) -> str:
    """The words of a list's item, however many marks stand before them."""
    while item := _ITEM.match(typed):
        typed = typed[item.end() :]
    return typed
