"""A manuscript: minutes while they are written, paragraph by paragraph, before they have numbers and signers. Pure.

Its text is that of a file of minutes (`services.meetings.minutes.minutes`), in pieces: the fields, and one for each
paragraph, with the version in which it was changed last. So two who write two paragraphs are not in each other's way.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from services.meetings.minutes.front_matter import read_front_matter, within
from services.meetings.minutes.minutes import MAX_MINUTES
from services.meetings.minutes.pasted import as_markdown
from services.meetings.minutes.text import MAX_SECTIONS, read_sections
from services.meetings.versions import require_version
from shared.errors import InvalidInput, NotFound, Refused, TooLarge
from shared.plain_text import lines_of, unfit

_PARAGRAPH = re.compile(r" {0,3}##(?:[ \t]|$)")
_MARK = re.compile(r"(?m)^[ \t]*(?:#{1,6}|[-*])[ \t]+|\*\*")
_ESCAPED = re.compile(r"\\([^\w\s])")
_WHAT = "the draft"


class Source(StrEnum):
    """What it began as."""

    SITTING = "sitting"
    WORD = "word"
    TEXT = "text"


class Remark(BaseModel):
    """What is to be looked at. `what`: of `from_sitting.Open`, or not_kept of a Word document, which `about` tells."""

    model_config = ConfigDict(frozen=True)

    what: str
    about: str = ""


class Piece(BaseModel):
    """A paragraph: Markdown that begins with its line `## `. `version`: of the manuscript, when it was changed last.

    `item_id`, `written`: of what was written of a sitting, its item and the text as it was written. `at_once`:
    the agreement by which it is approved on its own; while that stands, it is not changed.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    text: str
    version: int
    item_id: str | None = None
    written: str | None = None
    at_once: str | None = None

    @property
    def heading(self) -> str:
        return self.text.partition("\n")[0].strip().lstrip("#").strip()

    @property
    def below(self) -> str:
        """What stands below the heading."""
        return self.text.partition("\n")[2].strip("\n")

    @property
    def gist(self) -> str:
        """What stands below the heading, without its marks, in one line: for a list of paragraphs."""
        return " ".join(_ESCAPED.sub(r"\1", _MARK.sub("", self.below)).split())


class Manuscript(BaseModel):
    """`fields`: YAML, without the lines `---`. `version` counts its changes from 1, `made` its pieces. `numbered`: the
    version of the minutes that were drafted of it last; while they stand, it is not changed.

    `fields_written`, `steps`: of what was written of a sitting, the fields as they were written, and how many steps it
    had; see `catching_up`.
    """

    model_config = ConfigDict(frozen=True)

    version: int
    fields: str
    fields_version: int
    pieces: tuple[Piece, ...]
    made: int
    source: Source
    remarks: tuple[Remark, ...] = ()
    numbered: int | None = None
    fields_written: str | None = None
    steps: int | None = None

    @property
    def markdown(self) -> str:
        """A whole file of minutes."""
        return f"---\n{self.fields}\n---\n\n" + "\n\n".join(piece.text for piece in self.pieces) + "\n"

    def piece(self, piece_id: str) -> Piece:
        """Raises NotFound."""
        return self.pieces[self.place(piece_id)]

    def adjusted(self, piece_id: str, agreement_id: str) -> "Manuscript":
        """A paragraph of it is put forward on its own. Raises NotFound."""
        pieces = list(self.pieces)
        place = self.place(piece_id)
        pieces[place] = pieces[place].model_copy(update={"at_once": agreement_id})
        return self.model_copy(update={"pieces": tuple(pieces)})

    def place(self, piece_id: str) -> int:
        """Counted from 0. Raises NotFound."""
        for place, piece in enumerate(self.pieces):
            if piece.id == piece_id:
                return place
        raise NotFound("the draft has no such paragraph", hint="look at the draft: someone may have removed it")


def begun(
    markdown: str, source: Source, remarks: Sequence[Remark] = (), before: Manuscript | None = None
) -> Manuscript:
    """Of a whole file. What it says need not be whole yet. `before`: whose place it takes.

    Raises InvalidInput, TooLarge.
    """
    lines = lines_of(markdown)
    _require_size(markdown)
    ends = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or ends is None:
        raise InvalidInput("the minutes have no fields: they begin with a line `---`, and another one ends the fields")
    version, made = (before.version + 1, before.made) if before else (1, 0)
    pieces: list[list[str]] = []
    for number, line in enumerate(lines[ends + 1 :], ends + 2):
        if _PARAGRAPH.match(line):
            pieces.append([line])
        elif pieces:
            pieces[-1].append(line)
        elif line.strip():
            raise InvalidInput(f"line {number}: text before the first paragraph; begin with a line `## Heading`")
    _require_room(len(pieces))
    return Manuscript(
        version=version,
        fields="\n".join(lines[1:ends]),
        fields_version=version,
        pieces=tuple(
            Piece(id=f"p{made + n}", text="\n".join(piece).strip("\n"), version=version)
            for n, piece in enumerate(pieces, 1)
        ),
        made=made + len(pieces),
        source=source,
        remarks=tuple(remarks),
    )


def of_sitting(made: Manuscript, items: Sequence[str], steps: int) -> Manuscript:
    """A manuscript that was begun just now knows what was written: `items` are those of its pieces."""
    pieces = (
        piece.model_copy(update={"item_id": item_id, "written": piece.text})
        for piece, item_id in zip(made.pieces, items, strict=True)
    )
    return made.model_copy(update={"pieces": tuple(pieces), "fields_written": made.fields, "steps": steps})


def with_text(there: Manuscript, piece_id: str, heading: str, below: str, *, seen: int | None) -> Manuscript:
    """A paragraph as somebody wrote it. Raises NotFound, Refused (changed since), InvalidInput (line 1 is the first
    below the heading, and 0 the heading), TooLarge."""
    place = there.place(piece_id)
    require_version("the paragraph", there.pieces[place].version, seen)
    text = paragraph(heading, below)
    if text == there.pieces[place].text:
        return there
    version = there.version + 1
    pieces = list(there.pieces)
    pieces[place] = pieces[place].model_copy(update={"text": text, "version": version})
    return _whole(there, version=version, pieces=tuple(pieces))


def with_fields(there: Manuscript, fields: str, *, seen: int | None) -> Manuscript:
    """`fields`: YAML. Raises Refused (changed since), InvalidInput, TooLarge."""
    require_version("the draft", there.fields_version, seen)
    within(read_front_matter(fields), len(there.pieces), fields)
    version = there.version + 1
    return _whole(there, version=version, fields=fields.strip("\n"), fields_version=version)


def with_more(there: Manuscript, heading: str, below: str = "") -> Manuscript:
    """With one more paragraph at its end. Raises InvalidInput, Refused, TooLarge."""
    _require_room(len(there.pieces) + 1)
    version, made = there.version + 1, there.made + 1
    piece = Piece(id=f"p{made}", text=paragraph(heading, below), version=version)
    return _whole(there, version=version, made=made, pieces=(*there.pieces, piece))


def without(there: Manuscript, piece_id: str, *, seen: int | None) -> Manuscript:
    """Raises NotFound, Refused (changed since, or the last one)."""
    place = there.place(piece_id)
    require_version("the paragraph", there.pieces[place].version, seen)
    if len(there.pieces) == 1:
        raise Refused("the draft has one paragraph, and minutes have at least one", hint="change it instead")
    pieces = there.pieces[:place] + there.pieces[place + 1 :]
    return _whole(there, version=there.version + 1, pieces=pieces)


def stepped(there: Manuscript, piece_id: str, steps: int) -> Manuscript:
    """A paragraph some places further down, or up; at an end it stays. Raises NotFound."""
    place = there.place(piece_id)
    target = min(max(place + steps, 0), len(there.pieces) - 1)
    if target == place:
        return there
    pieces = list(there.pieces)
    pieces.insert(target, pieces.pop(place))
    return _whole(there, version=there.version + 1, pieces=tuple(pieces))


def paragraph(heading: str, below: str) -> str:
    """The Markdown of one paragraph, in the form that minutes are read in. Raises InvalidInput; see `with_text`."""
    lines = as_markdown(lines_of(f"## {' '.join(heading.split())}\n\n{below.strip(chr(10))}".rstrip("\n")))
    for number, line in enumerate(lines, -1):
        if found := unfit(line):
            raise InvalidInput(f"line {max(number, 0)}: holds {found}")
    text = "\n".join(lines)
    sections = read_sections(text, first_line=-1)
    if len(sections) > 1:
        raise InvalidInput(f"line {sections[1].line}: another paragraph begins here", hint="add it on its own")
    return text


def _whole(there: Manuscript, **changes: object) -> Manuscript:
    return within_size(there.model_copy(update=changes))


def within_size(made: Manuscript) -> Manuscript:
    """Raises TooLarge, Refused."""
    _require_size(made.markdown)
    _require_room(len(made.pieces))
    return made


def _require_size(markdown: str) -> None:
    if len(markdown) > MAX_MINUTES or len(markdown.encode("utf-8", "surrogatepass")) > MAX_MINUTES:
        raise TooLarge(f"the minutes are longer than {MAX_MINUTES // 1024} KiB")


def _require_room(count: int) -> None:
    if count > MAX_SECTIONS:
        raise Refused(f"minutes have at most {MAX_SECTIONS} paragraphs", hint="put some of them together")
