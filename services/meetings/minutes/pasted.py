"""What a word processor leaves in text that is pasted from it -> the Markdown that was meant. Pure.

A list arrives as lines that begin with a bullet and a tab; one with labels as `a)`, a tab and text. Markdown would run
such lines together.
"""

import re
from collections.abc import Iterable

# • and its kin never begin a sentence; a dash, a middle dot or Word's hollow bullet `o` may, without a tab. U+F0B7 and
# U+F0A7 are the bullets of the fonts Symbol and Wingdings, which have no meaning elsewhere.
_BULLET = re.compile("([ \t]*)(?:[•‣◦▪●○■□\uf0b7\uf0a7](?=[ \t])|[–—·o](?=\t))")
_LABEL = re.compile(r"[ \t]*[^\s#*+|-]\S{0,3}\t")


def as_markdown(lines: Iterable[str]) -> list[str]:
    """As many lines as before: bullets are list marks, and a line with a label begins on a line of its own."""
    made: list[str] = []
    for line in lines:
        line = _BULLET.sub(r"\1-", line, count=1) if _BULLET.match(line) else line
        if made and _LABEL.match(line) and made[-1].strip() and not made[-1].lstrip().startswith("#"):
            made[-1] = made[-1].rstrip() + "  "
        made.append(line)
    return made
