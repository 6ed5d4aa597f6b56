"""What a draft and its annexes do not say of each other: a `Bilaga 3` in the text that is none of its annexes, and a
file that was handed in for the minutes and stands in none. Neither keeps minutes from being drafted: both are told
before somebody reads or signs them. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.meetings.annex.annex import MeetingFile
from services.meetings.minutes.minutes import MinutesDraft
from shared.rendering.minutes import Block, BulletList, OrderedList, Run, Subheading, Table

MOST_TOLD = 20
_SAID = re.compile(r"\b(bilaga|annex|attachment)\s+(\d{1,4})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Loose:
    """`label`: as it is written; `place`: of the paragraph, from 0, and its heading."""

    label: str
    place: int
    heading: str


def loose_in(draft: MinutesDraft) -> tuple[Loose, ...]:
    """Each once a paragraph, in their order."""
    found: dict[tuple[int, int], Loose] = {}
    for place, section in enumerate(draft.sections):
        for text in (section.heading, *(text for block in section.blocks for text in _texts(block))):
            for said in _SAID.finditer(text):
                if not 1 <= int(said[2]) <= len(draft.front.annexes):
                    found.setdefault((place, int(said[2])), Loose(said[0], place, section.heading))
    return tuple(found.values())[:MOST_TOLD]


def left_out(draft: MinutesDraft, files: Sequence[MeetingFile]) -> tuple[str, ...]:
    """The names of the files that were handed in for these minutes and are no annexes of theirs."""
    named = {" ".join(one.file.split()).casefold() for one in draft.front.annexes}
    handed_in = [one for one in files if one.origin == "minutes"]
    return tuple(one.name for one in handed_in if named.isdisjoint({one.id.casefold(), one.name.casefold()}))[
        :MOST_TOLD
    ]


def _texts(block: Block) -> Iterator[str]:
    if isinstance(block, Subheading):
        yield block.text
    elif isinstance(block, BulletList | OrderedList):
        yield from (_text(item) for item in block.items)
    elif isinstance(block, Table):
        yield from (_text(cell) for row in (block.header, *block.rows) for cell in row)
    else:
        yield _text(block.runs)


def _text(runs: Sequence[Run]) -> str:
    return "".join(run.text for run in runs)
