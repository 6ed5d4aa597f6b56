"""The decision register: what the paragraphs of signed minutes say, one entry each, and how finds are shown. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.errors import InvalidInput
from shared.rendering.minutes import Block, BulletList, MinutesDocument, OrderedList, Paragraph, Run, Subheading, Table
from shared.text import MAX_LINE, clean_line

MOST_TEXT = 50_000
"""Characters of a decision, or of a background, that are kept and searched; the sealed copy has all of it."""
MOST_FOUND = 5_000
"""How far back the pages of one search reach."""
FOUND, FOUND_END = "\x02", "\x03"
"""Around what was found. No minutes hold them: control characters are refused there."""
_DECISIONS = frozenset({"beslut", "besluten", "decision", "decisions"})


class Entry(BaseModel):
    """A paragraph. `decision`: what stands below its subheadings "Beslut"; `background`: all else, line by line.

    `people`: the names of the minutes' front matter, as they stand there, each once.
    """

    model_config = ConfigDict(frozen=True)

    paragraph: int
    heading: str
    decision: str
    background: str
    people: tuple[str, ...]


class Wanted(BaseModel):
    """What is looked for. `words` as people write them for a search engine: "a phrase", or, -not. `body`: its id.

    `person`: a name or a part of one. `since` and `until`: the first and the last day of the meetings.
    """

    model_config = ConfigDict(frozen=True)

    words: str = ""
    body: str = ""
    person: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def is_something(self) -> bool:
        return self != Wanted()


class Stretch(BaseModel):
    """A stretch of text. `found`: it is one of the words that were looked for."""

    model_config = ConfigDict(frozen=True)

    text: str
    found: bool = False


@dataclass(frozen=True, slots=True)
class Signed:
    """That everyone signed a version of minutes, as signing told it once."""

    agreement_id: str
    outcome: Literal["entered", "known", "unknown", "unreadable"]


def cleaned(wanted: Wanted) -> Wanted:
    """Raises InvalidInput that names the field."""
    given = {name: getattr(wanted, name).strip() for name in ("words", "body", "person")}
    for name, text in given.items():
        if text:
            given[name] = clean_line(text, name)
    if wanted.since and wanted.until and wanted.until < wanted.since:
        raise InvalidInput("until: is before since")
    return wanted.model_copy(update=given)


def entries_of(document: MinutesDocument) -> list[Entry]:
    """One a paragraph, in their order."""
    people = tuple(dict.fromkeys(_names(document)))
    return [_entry(paragraph, people) for paragraph in document.paragraphs]


def fits(document: MinutesDocument, *, year: int, first: int, last: int) -> bool:
    """Whether it is what minutes of these numbers were set from."""
    numbers = [paragraph.number for paragraph in document.paragraphs]
    return document.starts.year == year and numbers == list(range(first, last + 1))


def pieces(marked: str) -> list[Stretch]:
    """Text with `FOUND` and `FOUND_END` around what was found, as stretches; neighbours of one kind are one."""
    found: list[Stretch] = []
    inside = False
    for part in re.split(f"([{FOUND}{FOUND_END}])", marked):
        if part in (FOUND, FOUND_END):
            inside = part == FOUND
        elif part:
            found.append(Stretch(text=part, found=inside))
    return found


def _entry(paragraph: Paragraph, people: tuple[str, ...]) -> Entry:
    decision: list[str] = []
    background: list[str] = []
    goes_to = background
    for block in paragraph.blocks:
        if isinstance(block, Subheading):
            decides = block.text.strip().rstrip(":").casefold() in _DECISIONS
            goes_to = decision if decides else background
            if not decides:
                goes_to.append(block.text)
        else:
            goes_to.extend(_lines(block))
    return Entry(
        paragraph=paragraph.number,
        heading=paragraph.heading,
        decision=_kept(decision),
        background=_kept(background),
        people=people,
    )


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Subheading):
        yield block.text
    elif isinstance(block, BulletList):
        yield from (f"– {_text(item)}" for item in block.items)
    elif isinstance(block, OrderedList):
        yield from (f"{number}. {_text(item)}" for number, item in enumerate(block.items, block.start))
    elif isinstance(block, Table):
        yield from (", ".join(filter(None, map(_text, row))) for row in (block.header, *block.rows))
    else:
        yield _text(block.runs)


def _text(runs: Iterable[Run]) -> str:
    return "".join(run.text for run in runs).strip()


def _kept(lines: list[str]) -> str:
    text = "\n".join(filter(None, lines))
    for sign in (FOUND, FOUND_END, "\0"):
        text = text.replace(sign, "")
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


def _names(document: MinutesDocument) -> Iterator[str]:
    groups = (document.present, document.absent, document.others)
    given = [person.name for group in groups for person in group]
    for name in (*given, document.secretary, document.chair, *document.adjusters):
        if name.strip():
            yield name.strip()[:MAX_LINE]
