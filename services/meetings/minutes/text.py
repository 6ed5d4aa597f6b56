"""The Markdown under a minutes file's front matter -> paragraphs of plain blocks.

CommonMark decides what is a heading or a list, GitHub's extension of it what is a table; HTML, links, quotes and code
are switched off, so that they stay the characters that were typed.
"""

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token
from pydantic import BaseModel, ConfigDict

from services.meetings.minutes.elections import MOST_ELECTIONS, Election, elections_in
from shared.errors import InvalidInput
from shared.rendering.minutes import Align, Attached, Block, BulletList, Cell, OrderedList, Run, Subheading, Table, Text

MAX_HEADING = 300  # characters
MAX_SECTIONS = 1000
MAX_LIST_START = 9999
MAX_COLUMNS = 10
MAX_LINES = 20_000
MAX_MARKS = 20_000  # of * _ and \\; each costs the parser as much as a line

_ATTACHMENTS = ("bilaga", "bilagor", "attachment", "attachments", "annex", "annexes")

_MARKDOWN = MarkdownIt("zero").enable(["heading", "list", "table", "emphasis", "escape", "newline", "text_join"])


class Section(BaseModel):
    """What stands under one `##`, which is in `line` of the file; it gets its number later."""

    model_config = ConfigDict(frozen=True)

    heading: str
    blocks: tuple[Block, ...]
    line: int
    elections: tuple[Election, ...] = ()

    @property
    def attachments(self) -> tuple[Attached, ...]:
        """What the lists below its headings `### Bilaga` name."""
        return tuple(Attached(title=title) for title in _attachments(self.blocks))


def read_sections(text: str, *, first_line: int) -> tuple[Section, ...]:
    """`first_line` is the number in the file of the text's first line. Raises InvalidInput naming the line."""
    _refuse_the_excessive(text)
    tokens = _Tokens(_MARKDOWN.parse(text), text.split("\n"), first_line)
    sections: list[Section] = []
    while tokens.more():
        if not tokens.at("heading_open", tag="h2"):
            raise tokens.refusal("text before the first paragraph; begin with a line `## Heading`")
        if len(sections) == MAX_SECTIONS:
            raise tokens.refusal(f"more than {MAX_SECTIONS} paragraphs")
        line = tokens.line()
        heading = _heading(tokens)
        blocks = tuple(_blocks(tokens))
        elections = tuple(tokens.elections)
        tokens.elections.clear()
        sections.append(Section(heading=heading, blocks=blocks, line=line, elections=elections))
    if sum(len(section.elections) for section in sections) > MOST_ELECTIONS:
        raise InvalidInput(f"the minutes have more than {MOST_ELECTIONS} elections")
    if not sections:
        raise InvalidInput("no paragraph found; write at least one line `## Heading`")
    return tuple(sections)


def is_attachments(heading: str) -> bool:
    """Whether the lists below a heading inside a paragraph name its attachments."""
    return heading.casefold().rstrip(":") in _ATTACHMENTS


def title_of(item: Sequence[Run]) -> str:
    """A list's item as one line of plain text."""
    return " ".join("".join(run.text for run in item).split())


def _attachments(blocks: Sequence[Block]) -> Iterator[str]:
    below = False
    for block in blocks:
        if isinstance(block, Subheading):
            below = is_attachments(block.text)
        elif below and isinstance(block, BulletList | OrderedList):
            for item in block.items:
                if title := title_of(item):
                    yield title


def _refuse_the_excessive(text: str) -> None:
    """Bounds the time that parsing takes (about a second), whatever was sent."""
    if text.count("\n") > MAX_LINES:
        raise InvalidInput(f"the minutes have more than {MAX_LINES} lines")
    if sum(text.count(mark) for mark in "*_\\") > MAX_MARKS:
        raise InvalidInput(f"the minutes have more than {MAX_MARKS} of the marks * _ \\")


class _Tokens:
    """A cursor over markdown-it's flat list of tokens that knows the line of what it stands on.

    `elections`: those that the tables of the present paragraph declare.
    """

    def __init__(self, tokens: Sequence[Token], lines: Sequence[str], first_line: int) -> None:
        self._tokens = tokens
        self._lines = lines
        self._index = 0
        self._line = first_line
        self._first_line = first_line
        self.elections: list[Election] = []

    def more(self) -> bool:
        return self._index < len(self._tokens)

    def at(self, kind: str, tag: str = "") -> bool:
        if not self.more():
            return False
        token = self._tokens[self._index]
        return token.type == kind and (not tag or token.tag == tag)

    def take(self) -> Token:
        token = self._tokens[self._index]
        self._index += 1
        self._line = self._line_of(token)
        return token

    def source(self) -> Sequence[str]:
        """The lines that the next token was read from."""
        begin, end = self._tokens[self._index].map or (0, 0)
        return self._lines[begin:end]

    def line(self) -> int:
        return self._line_of(self._tokens[self._index]) if self.more() else self._line

    def refusal(self, why: str) -> InvalidInput:
        return InvalidInput(f"line {self.line()}: {why}")

    def _line_of(self, token: Token) -> int:
        return self._first_line + token.map[0] if token.map else self._line


def _blocks(tokens: _Tokens) -> Iterator[Block]:
    while tokens.more() and not tokens.at("heading_open", tag="h2"):
        yield _block(tokens)


def _block(tokens: _Tokens) -> Block:
    if tokens.at("heading_open", tag="h3"):
        return Subheading(text=_heading(tokens))
    if tokens.at("paragraph_open"):
        _refuse_half_a_table(tokens)
        return Text(runs=_paragraph(tokens))
    if tokens.at("table_open"):
        return _table(tokens)
    if tokens.at("bullet_list_open"):
        tokens.take()
        return BulletList(items=tuple(_items(tokens)))
    if tokens.at("ordered_list_open"):
        start = int(tokens.take().attrs.get("start", 1))
        if start > MAX_LIST_START:
            raise tokens.refusal(
                f"a list that starts at {start}; write a backslash before the full stop if it is no list"
            )
        return OrderedList(start=start, items=tuple(_items(tokens)))
    raise tokens.refusal("only ## (a numbered paragraph) and ### (a heading in it) are headings here")


def _heading(tokens: _Tokens) -> str:
    opened = tokens.take()
    text = "".join(run.text for run in _runs(tokens.take())).replace("\n", " ").strip()
    if not text or len(text) > MAX_HEADING:
        raise tokens.refusal(f"a heading {opened.markup} must have from 1 to {MAX_HEADING} characters")
    tokens.take()
    return text


def _paragraph(tokens: _Tokens) -> tuple[Run, ...]:
    tokens.take()
    runs = _runs(tokens.take())
    tokens.take()
    return runs


def _table(tokens: _Tokens) -> Table:
    """GitHub's rule drops cells that a row has too many of and takes a line without `|` for a row: both are refused."""
    tokens.take()
    tokens.take()
    header, align = _row(tokens)
    if len(header) > MAX_COLUMNS:
        raise tokens.refusal(f"a table of more than {MAX_COLUMNS} columns, which a page cannot show; divide it")
    tokens.take()
    rows, row_lines = [], []
    if tokens.at("tbody_open"):
        tokens.take()
        while tokens.at("tr_open"):
            row_lines.append(tokens.line())
            (line,) = tokens.source()
            if "|" not in line:
                raise tokens.refusal("a row of a table without |; leave an empty line after a table")
            if (found := _cells_in(line)) > len(header):
                raise tokens.refusal(f"a row of {found} cells in a table of {len(header)}; write \\| for a | in a cell")
            rows.append(_row(tokens)[0])
        tokens.take()
    tokens.take()
    table = Table(header=header, align=align, rows=tuple(rows))
    tokens.elections += elections_in(table, row_lines)
    return table


def _row(tokens: _Tokens) -> tuple[tuple[Cell, ...], tuple[Align, ...]]:
    tokens.take()
    cells: list[Cell] = []
    align: list[Align] = []
    while not tokens.at("tr_close"):
        align.append(_align(tokens.take()))
        cells.append(_runs(tokens.take()))
        tokens.take()
    tokens.take()
    return tuple(cells), tuple(align)


def _align(cell: Token) -> Align:
    match cell.attrs.get("style"):
        case "text-align:right":
            return "right"
        case "text-align:center":
            return "center"
        case _:
            return "left"


def _cells_in(line: str) -> int:
    cells = escapedSplit(line.strip())
    return len(cells) - (cells[:1] == [""]) - (len(cells) > 1 and cells[-1] == "")


def _refuse_half_a_table(tokens: _Tokens) -> None:
    """Its lines would run together on the page."""
    lines = tokens.source()
    if len(lines) > 1 and all(line.lstrip().startswith("|") for line in lines):
        raise tokens.refusal(
            "a table whose second line is not | --- | --- |, with as many columns as the first; mend it"
        )


def _items(tokens: _Tokens) -> Iterator[tuple[Run, ...]]:
    while tokens.at("list_item_open"):
        tokens.take()
        yield _item(tokens)
    tokens.take()


def _item(tokens: _Tokens) -> tuple[Run, ...]:
    """An item's paragraphs become its lines."""
    runs: list[Run] = []
    while not tokens.at("list_item_close"):
        if not tokens.at("paragraph_open"):
            raise tokens.refusal("a list, heading or table inside a list; give each a place of its own")
        runs += [Run(text="\n"), *_paragraph(tokens)] if runs else _paragraph(tokens)
    tokens.take()
    return tuple(runs)


def _runs(inline: Token) -> tuple[Run, ...]:
    bold = italic = 0
    runs: list[Run] = []
    for child in inline.children or ():
        match child.type:
            case "strong_open" | "strong_close":
                bold += child.nesting
            case "em_open" | "em_close":
                italic += child.nesting
            case _:
                _append(runs, Run(text=_text(child), bold=bold > 0, italic=italic > 0))
    return tuple(runs)


def _text(token: Token) -> str:
    return {"softbreak": " ", "hardbreak": "\n"}.get(token.type, token.content.replace("\t", " "))


def _append(runs: list[Run], run: Run) -> None:
    """Neighbours of the same style are one run."""
    if not run.text:
        return
    last = runs[-1] if runs else None
    if last and (last.bold, last.italic) == (run.bold, run.italic):
        runs[-1] = last.model_copy(update={"text": last.text + run.text})
    else:
        runs.append(run)
