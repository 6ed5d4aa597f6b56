"""What a later version of minutes took away and added, paragraph by paragraph, and there word by word. Pure.

A paragraph (§) is followed by its number and heading: one with another heading under the same number has another
heading, and one with the same heading under another number has another number. What stands before the first one (title,
place, who was there), and which files the annexes are, is compared the same way. Comparing is difflib's, of Python's
standard library.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.rendering.annexes import annexes_of
from shared.rendering.html import facts_of
from shared.rendering.minutes import Block, BulletList, MinutesDocument, OrderedList, Paragraph, Run, Subheading, Table
from shared.rendering.people import people_of

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_ALIKE = 0.4
"""Two lines that share less are another line each: words that they happen to share are noise."""
_MOST_WORDS = 3_000
"""Of a line that is compared word by word; comparing takes the square of them at worst."""


class Piece(BaseModel):
    """Some text that stands in both versions, in the earlier one alone, or in the later one alone."""

    model_config = ConfigDict(frozen=True)

    change: Literal["same", "removed", "added"]
    text: str


class Line(BaseModel):
    """A heading, a piece of text, a line of a list, or a row of a table, with ` | ` between its cells."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["heading", "text", "item", "row"]
    pieces: tuple[Piece, ...]

    @property
    def is_same(self) -> bool:
        return all(piece.change == "same" for piece in self.pieces)


class ParagraphDifference(BaseModel):
    """A paragraph of either version. `number`, `heading`: of the later one, or where it is gone, of the earlier one.
    `number_before`, `heading_before`: in the earlier one, None where it was not there. `lines` in the order of reading.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    heading: str
    number_before: int | None
    heading_before: str | None
    change: Literal["same", "changed", "added", "removed"]
    lines: tuple[Line, ...]


class Difference(BaseModel):
    """`before`, `after`: numbers of versions. `front`: what stands before the first paragraph."""

    model_config = ConfigDict(frozen=True)

    before: int
    after: int
    front: tuple[Line, ...]
    paragraphs: tuple[ParagraphDifference, ...]

    @property
    def front_differs(self) -> bool:
        return not all(line.is_same for line in self.front)

    @property
    def changed(self) -> tuple[ParagraphDifference, ...]:
        return tuple(one for one in self.paragraphs if one.change != "same")


_Pair = tuple[Paragraph | None, Paragraph | None, Paragraph]
"""The paragraph before, the one after, and which of them is shown."""
_Written = tuple[Literal["heading", "text", "item", "row"], str]


def difference(before: MinutesDocument, after: MinutesDocument, versions: tuple[int, int]) -> Difference:
    """Of two versions of the same minutes."""
    return Difference(
        before=versions[0],
        after=versions[1],
        front=_lines(_front(before), _front(after)),
        paragraphs=tuple(_paragraph(*pair) for pair in _pairs(before.paragraphs, after.paragraphs)),
    )


def words(before: str, after: str) -> tuple[Piece, ...]:
    """Of one line; equal lines are one piece, an empty one is none."""
    if before == after:
        return (Piece(change="same", text=before),) if before else ()
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > _MOST_WORDS:
        return _whole(before, after)
    matcher = SequenceMatcher(None, old, new)
    if before and after and matcher.ratio() < _ALIKE:
        return _whole(before, after)
    pieces: list[Piece] = []
    for change, i, j, k, m in matcher.get_opcodes():
        if change == "equal":
            pieces.append(Piece(change="same", text="".join(old[i:j])))
        else:
            pieces += _whole("".join(old[i:j]), "".join(new[k:m]))
    return _readable(pieces)


def _whole(before: str, after: str) -> tuple[Piece, ...]:
    removed = (Piece(change="removed", text=before),) if before else ()
    return (*removed, *((Piece(change="added", text=after),) if after else ()))


def _readable(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """A space that two changed words share is changed with them: `ett tu` for `tre fyra` is two words, not three
    pieces."""
    joined: list[Piece] = []
    removed = added = ""
    for index, piece in enumerate(pieces):
        inside = 0 < index < len(pieces) - 1 and piece.change == "same" and piece.text.isspace()
        if inside:
            removed, added = removed + piece.text, added + piece.text
        elif piece.change == "removed":
            removed += piece.text
        elif piece.change == "added":
            added += piece.text
        else:
            joined += [*_settled(removed, added), piece]
            removed = added = ""
    return (*joined, *_settled(removed, added))


def _settled(removed: str, added: str) -> Iterator[Piece]:
    """Spaces at the ends that both have are the same again."""
    end = ""
    while removed and added and removed[-1] == added[-1] and removed[-1].isspace():
        removed, added, end = removed[:-1], added[:-1], removed[-1] + end
    yield from _whole(removed, added)
    if end:
        yield Piece(change="same", text=end)


def _pairs(before: Sequence[Paragraph], after: Sequence[Paragraph]) -> Iterator[_Pair]:
    """Each paragraph of either, once; one that is gone stands before what came in its place."""
    matcher = SequenceMatcher(None, [one.heading for one in before], [one.heading for one in after], autojunk=False)
    for change, i, j, k, m in matcher.get_opcodes():
        if change == "equal":
            yield from zip(before[i:j], after[k:m], after[k:m], strict=True)
        else:
            yield from _renamed(before[i:j], after[k:m])


def _renamed(before: Sequence[Paragraph], after: Sequence[Paragraph]) -> Iterator[_Pair]:
    """Where headings differ, those of the same number belong together."""
    old, new = {one.number: one for one in before}, {one.number: one for one in after}
    for number in sorted(old.keys() | new.keys()):
        yield old.get(number), new.get(number), new.get(number) or old[number]


def _paragraph(before: Paragraph | None, after: Paragraph | None, shown: Paragraph) -> ParagraphDifference:
    lines = _lines(_written(before), _written(after))
    change: Literal["same", "changed", "added", "removed"] = "same"
    if before is None or after is None:
        change = "added" if before is None else "removed"
    elif (before.number, before.heading) != (after.number, after.heading) or not all(line.is_same for line in lines):
        change = "changed"
    return ParagraphDifference(
        number=shown.number,
        heading=shown.heading,
        number_before=before.number if before else None,
        heading_before=before.heading if before else None,
        change=change,
        lines=lines,
    )


def _lines(before: Sequence[_Written], after: Sequence[_Written]) -> tuple[Line, ...]:
    made: list[Line] = []
    for change, i, j, k, m in SequenceMatcher(None, before, after).get_opcodes():
        old, new = list(before[i:j]), list(after[k:m])
        if change == "equal":
            made += [Line(kind=kind, pieces=words(text, text)) for kind, text in new]
            continue
        while old and new and old[0][0] == new[0][0]:  # one for one, as far as they are of a kind
            (kind, was), (_, now) = old.pop(0), new.pop(0)
            pieces = words(was, now)
            made.append(Line(kind=kind, pieces=pieces))
        made += [Line(kind=kind, pieces=_whole(text, "")) for kind, text in old]
        made += [Line(kind=kind, pieces=_whole("", text)) for kind, text in new]
    return tuple(line for line in made if line.pieces)


def _front(document: MinutesDocument) -> list[_Written]:
    lines: list[_Written] = [("heading", document.title)]
    lines += [("text", f"{label}: {value}") for label, value in facts_of(document)]
    for label, people in people_of(document):
        lines += [("heading", label), *(("item", person) for person in people)]
    lines += [("text", f"{place.label}: {place.name}") for place in document.places]
    lines += [("text", " ".join(said.values())) for said in annexes_of(document)]
    return lines


def _written(paragraph: Paragraph | None) -> list[_Written]:
    """Its words, line by line; what is bold or a picture of a list is not compared."""
    return [line for block in (paragraph.blocks if paragraph else ()) for line in _of_block(block)]


def _of_block(block: Block) -> Iterator[_Written]:
    match block:
        case Subheading():
            yield "heading", block.text
        case BulletList() | OrderedList():
            for item in block.items:
                yield "item", _text(item)
        case Table():
            for row in (block.header, *block.rows):
                yield "row", " | ".join(_text(cell) for cell in row)
        case _:
            yield "text", _text(block.runs)


def _text(runs: Sequence[Run]) -> str:
    return "".join(run.text for run in runs)
