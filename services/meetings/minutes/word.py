"""A Word document (.docx) -> the Markdown of minutes, and what of it could not be kept. Pure.

mammoth reads Word's XML; what it makes of it is taken apart here. It is given the parts that were looked at before
(`word_package.py`), and no other.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

from services.meetings.minutes.fields import as_yaml
from services.meetings.minutes.word_package import look_inside
from shared.errors import InvalidInput
from shared.plain_text import one_line

_NUMBERED = re.compile(r"§+\s*([0-9]{1,5})[.:]?\s+(\S.*)")
_OWN_HEADINGS = ("beslut", "bakgrund", "bilaga", "bilagor", "decision", "background", "attachment", "attachments")
_WHO = re.compile(r"(?P<name>[^,(]+?)\s*(?:\((?P<party>[^)]{1,30})\))?\s*(?:,\s*(?P<rest>.*))?")
_ROLE = re.compile(r"\b(v(ice)?\.?\s*)?ordf(örande|\.)?|sekreterare|ersättare|chair|secretary", re.IGNORECASE)
_LABELS = {
    "närvarande": "present",
    "present": "present",
    "närvarande ledamöter": "present",
    "frånvarande": "absent",
    "absent": "absent",
    "övriga närvarande": "others",
    "others present": "others",
    "sekreterare": "secretary",
    "secretary": "secretary",
    "justerande": "adjuster",
    "utses att justera": "adjuster",
    "adjuster": "adjuster",
    "plats": "place",
    "place": "place",
    "diarienummer": "reference",
}
_MOST_NOTES = 30


@dataclass(frozen=True, slots=True)
class Known:
    """What the register knows of the meeting already; None where nobody knows when it is."""

    title: str
    body: str
    place: str
    starts: datetime | None
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class FromWord:
    """`markdown`: a whole file of minutes. `not_kept`: one sentence each."""

    markdown: str
    not_kept: tuple[str, ...]


@dataclass(slots=True)
class _Piece:
    """`lines`: of a paragraph one, of a list one an item; each Markdown. `rows`: of a table."""

    kind: str  # heading, text, bullets, ordered, table
    plain: str = ""
    lines: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # numbers of footnotes that it refers to
    level: int = 0
    bold: bool = False


def read_word(content: bytes, known: Known) -> FromWord:
    """Raises InvalidInput, TooLarge with one sentence."""
    import mammoth  # the service has this done in another process

    lost: Counter[str] = Counter()
    looked_at = look_inside(content, lost)

    def picture(_: Any) -> list[Any]:
        lost["a picture"] += 1
        return []

    try:
        made = mammoth.convert_to_html(
            BytesIO(looked_at), convert_image=picture, style_map="p[style-name='Title'] => h1"
        )
    except (RecursionError, MemoryError):
        raise InvalidInput("the Word document is nested too deeply to be read") from None
    except Exception as error:  # whatever a damaged part makes a library of another say
        raise InvalidInput(
            "the Word document is damaged", hint="open it in Word, save it under another name, and try again"
        ) from error
    for message in made.messages:
        if found := re.match(r"Unrecognised (?:paragraph|run|table) style: (.{1,80}?) \(Style ID", message.message):
            lost[f"the look of the style {found[1]} (its text was kept)"] += 1
    reader = _Reader(lost)
    reader.feed(made.value)
    reader.close()
    return _minutes(reader, known, lost)


class _Reader(HTMLParser):
    """mammoth's HTML -> pieces. Runs are kept with their style until their piece ends."""

    def __init__(self, lost: Counter[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[_Piece] = []
        self.footnotes: dict[str, str] = {}
        self._lost = lost
        self._runs: list[tuple[str, bool, bool]] = []
        self._bold = self._italic = 0
        self._lists: list[_Piece] = []
        self._tables: list[_Piece] = []
        self._span = 1
        self._in_note: str | None = None
        self._skip = False
        self._notes: list[str] = []
        self.numbers: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if re.fullmatch(r"h[1-6]", tag) or (tag == "p" and not self._tables and not self._lists):
            self._runs.clear()
        elif tag in ("strong", "b"):
            self._bold += 1
        elif tag in ("em", "i"):
            self._italic += 1
        elif tag in ("s", "del", "strike"):
            self._lost["struck-through text (kept, without the stroke)"] += 1
        elif tag == "br":
            self._runs.append(("\n", False, False))
        elif tag in ("ul", "ol"):
            self._open_list(tag)
        elif tag == "li":
            self._runs.clear()
            if given.get("id", "").startswith(("footnote-", "endnote-")):
                self._in_note = given["id"].rpartition("-")[2]
        elif tag == "a":
            self._open_link(given)
        elif tag == "table":
            if self._tables:
                self._lost["a table inside a table (its text was kept)"] += 1
            self._tables.append(_Piece("table"))
        elif tag == "tr" and len(self._tables) == 1:
            self._tables[0].rows.append([])
        elif tag in ("td", "th") and len(self._tables) == 1:
            self._runs.clear()
            self._span = int(given["colspan"]) if given.get("colspan", "").isdecimal() else 1
            if self._span > 1 or given.get("rowspan", "1") != "1":
                self._lost["merged cells of a table (divided)"] += 1

    def handle_endtag(self, tag: str) -> None:
        if re.fullmatch(r"h[1-6]", tag) and not self._tables:
            self._close_text("heading", int(tag[1]))
        elif tag == "p":
            if self._tables or self._lists:
                self._runs.append((" ", False, False))
            else:
                self._close_text("text")
        elif tag in ("strong", "b"):
            self._bold -= 1
        elif tag in ("em", "i"):
            self._italic -= 1
        elif tag == "a":
            self._skip = False
        elif tag == "li":
            self._close_item()
        elif tag in ("ul", "ol"):
            self._close_list()
        elif tag in ("td", "th") and len(self._tables) == 1:
            line, _ = self._taken(cell=True)
            self._tables[0].rows[-1] += [line, *[""] * (min(self._span, 50) - 1)]
        elif tag == "table":
            table = self._tables.pop()
            if not self._tables and table.rows:
                table.notes, self._notes = self._notes, []
                self.pieces.append(table)

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self._runs.append((data.replace("\t", " "), self._bold > 0, self._italic > 0))

    def _open_link(self, given: dict[str, str]) -> None:
        target = given.get("href", "")
        if target.startswith(("#footnote-ref", "#endnote-ref")):
            self._skip = True  # the way back up
        elif target.startswith(("#footnote-", "#endnote-")):
            note = target.rpartition("-")[2]
            self._notes.append(note)
            self.numbers.setdefault(note, len(self.numbers) + 1)
        elif target and not target.startswith("#"):
            self._lost["the address behind a link (its text was kept)"] += 1

    def _open_list(self, tag: str) -> None:
        if self._lists and self._in_note is None:
            self._lost["a list inside a list (its lines follow in the outer one)"] += 1
            self._end_of_item()
        self._lists.append(_Piece("ordered" if tag == "ol" else "bullets"))

    def _close_item(self) -> None:
        line, plain = self._taken()
        if self._in_note is not None:
            self.footnotes[self._in_note], self._in_note = line, None
        elif plain and self._lists:
            self._lists[0].lines.append(line)

    def _end_of_item(self) -> None:
        line, plain = self._taken()
        if plain:
            self._lists[0].lines.append(line)

    def _close_list(self) -> None:
        closed = self._lists.pop()
        if not self._lists and closed.lines:
            if self._tables:
                self._runs += [(f"{line}; ", False, False) for line in closed.lines]
                return
            closed.notes, self._notes = self._notes, []
            self.pieces.append(closed)

    def _close_text(self, kind: str, level: int = 0) -> None:
        bold = all(run[1] or not run[0].strip() for run in self._runs)
        line, plain = self._taken(cell=kind == "heading")
        notes, self._notes = self._notes, []
        if plain:
            self.pieces.append(_Piece(kind, plain, [line], notes=notes, level=level, bold=bold))

    def _taken(self, *, cell: bool = False) -> tuple[str, str]:
        """The runs as Markdown on one line (with line breaks, unless a cell), and as plain text."""
        runs, self._runs = self._runs, []
        plain = " ".join("".join(text for text, _, _ in runs).split())
        line = _marked(runs)
        return (" ".join(line.split()).replace("|", "\\|") if cell else line), plain


def _marked(runs: Sequence[tuple[str, bool, bool]]) -> str:
    joined: list[tuple[str, bool, bool]] = []
    for text, bold, italic in runs:
        if joined and joined[-1][1:] == (bold, italic):
            joined[-1] = (joined[-1][0] + text, bold, italic)
        else:
            joined.append((text, bold, italic))
    made = ""
    for index, (text, bold, italic) in enumerate(joined):
        core = text.strip()
        marks = "*" * (2 * bold + italic)
        after = text[len(text.rstrip()) :] or (joined[index + 1][0] if index + 1 < len(joined) else "")
        before = (made[-1:] or " ") if text[:1] == core[:1] else " "
        fits = core and _opens(before, core[0]) and _opens(after[:1] or " ", core[-1])
        escaped = re.sub(r"([\\*_])", r"\\\1", text)
        if marks and fits:
            inner = re.sub(r"([\\*_])", r"\\\1", core).replace("\n", " ")
            escaped = text[: len(text) - len(text.lstrip())] + marks + inner + marks + text[len(text.rstrip()) :]
        made += escaped
    lines = [" ".join(line.split()) for line in made.split("\n")]
    return "  \n".join(_as_text(line) for line in lines if line)


def _opens(outside: str, inside: str) -> bool:
    """Whether a mark between the two is one (CommonMark 0.31, flanking)."""
    return inside.isalnum() or not outside.isalnum()


def _as_text(line: str) -> str:
    """What would begin a heading, a list or a table at a line's beginning is text."""
    if re.match(r"[#+|-]|[–—·•‣◦▪●○■□]\s", line):
        return "\\" + line if line[0] in "#+|-" else line
    return re.sub(r"^(\d{1,9})([.)])(?=\s|$)", r"\1\\\2", line)


def _minutes(reader: _Reader, known: Known, lost: Counter[str]) -> FromWord:
    pieces = reader.pieces
    begins = _sections(pieces)
    if not begins:
        raise InvalidInput(
            "no paragraph was found in the Word document",
            hint="give each item a heading, or let it begin with § and its number",
        )
    first = min(begins)
    front, left_out = _front(pieces[:first], known)
    number = next(iter(begins.values()))[0]
    if number is not None:
        front["first_paragraph"] = str(number)
    body: list[str] = []
    waiting: list[str] = []

    def write_notes() -> None:
        body.extend(
            f"[{reader.numbers[note]}] {reader.footnotes[note]}" for note in waiting if note in reader.footnotes
        )
        waiting.clear()

    for index, piece in enumerate(pieces[first:], first):
        if index in begins:
            write_notes()
            body.append(f"## {_heading(begins[index][1])}")
        elif piece.kind == "heading" or _is_own_heading(piece):
            if piece.kind == "heading" and piece.level > 4:
                lost["the level of a small heading"] += 1
            body.append(f"### {_heading(piece.plain.rstrip(':'))}")
        elif piece.kind == "text":
            body.append(piece.lines[0])
        elif piece.kind == "table":
            body += _table(piece, lost)
        else:
            mark = "-" if piece.kind == "bullets" else None
            body.append(
                "\n".join(f"{mark or f'{n}.'} {line}".replace("\n", "\n   ") for n, line in enumerate(piece.lines, 1))
            )
        waiting += piece.notes
    write_notes()
    notes = [what if count == 1 else f"{what}, {count} times" for what, count in lost.items()]
    notes += [f"before the first paragraph: {line}" for line in left_out]
    return FromWord(f"---\n{as_yaml(front)}---\n" + "\n\n".join(body) + "\n", tuple(notes[:_MOST_NOTES]))


def _sections(pieces: Sequence[_Piece]) -> dict[int, tuple[int | None, str]]:
    """Where paragraphs begin: at § and the next number; else at headings of the upmost level but for the title."""
    numbered: dict[int, tuple[int | None, str]] = {}
    last = 0
    for index, piece in enumerate(pieces):
        found = _NUMBERED.fullmatch(piece.plain) if piece.kind in ("heading", "text") else None
        if found and len(piece.plain) <= 300 and last in (0, int(found[1]) - 1):
            last = int(found[1])
            numbered[index] = (last, found[2])
    if numbered:
        return numbered
    headings = [(index, piece) for index, piece in enumerate(pieces) if piece.kind == "heading"]
    upmost = [one for one in headings if one[1].level == min(piece.level for _, piece in headings)]
    if len(upmost) == 1 and len(headings) > 1:
        rest = [one for one in headings if one is not upmost[0]]
        upmost = [one for one in rest if one[1].level == min(piece.level for _, piece in rest)]
    return {index: (None, piece.plain) for index, piece in upmost if not _is_own_heading(piece)}


def _is_own_heading(piece: _Piece) -> bool:
    word = piece.plain.casefold().rstrip(":").strip()
    return piece.kind in ("text", "heading") and (word in _OWN_HEADINGS or (piece.bold and len(piece.plain) <= 80))


def _heading(text: str) -> str:
    return re.sub(r"([\\*_#])", r"\\\1", one_line(text))[:300]


def _table(piece: _Piece, lost: Counter[str]) -> Iterable[str]:
    width = max(len(row) for row in piece.rows)
    rows = [row + [""] * (width - len(row)) for row in piece.rows]
    if width > 10:
        lost["a table of more than 10 columns (its rows became lines)"] += 1
        return ["  \n".join(_as_text(", ".join(cell for cell in row if cell)) for row in rows)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return ["\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])]


def _front(pieces: Sequence[_Piece], known: Known) -> tuple[dict[str, Any], list[str]]:
    """What stands before the first paragraph, as far as it is understood; and the lines that are not."""
    front: dict[str, Any] = {
        "title": known.title,
        "body": known.body,
        "place": known.place or "…",
        "starts": f"{known.starts:%Y-%m-%dT%H:%M}" if known.starts else "…",
        "ends": f"{known.ends:%Y-%m-%dT%H:%M}" if known.ends else "…",
        "present": [],
        "secretary": "",
        "adjuster": "",
    }
    left_out: list[str] = []
    label = ""
    for place, piece in enumerate(pieces):
        plain = [piece.plain] if piece.plain else [_unmarked(line) for line in piece.lines]
        lines = [line for text in plain for line in text.split("\n")]
        if piece.kind == "text":
            lines = [" ".join(_unmarked(line).split()) for line in piece.lines[0].split("  \n")]
        for line in lines:
            word, colon, value = line.partition(":")
            known_label = _LABELS.get(word.strip().casefold(), "") if len(word) < 40 else ""
            if known_label and (colon or piece.kind == "heading" or not value):
                label = known_label
                if value.strip():
                    label = _keep(front, label, value.strip())
            elif label in ("present", "absent", "others") and piece.kind != "heading":
                front.setdefault(label, []).append(_person(line, label))
            elif place == 0 and piece.kind in ("heading", "text"):
                front["title"] = line[:300]
            elif not re.match(r"paragrafe?r?\b|underskrifter|signaturer|tid\b|ordförande:", line, re.IGNORECASE):
                left_out.append(line[:120])
                label = ""
        if piece.kind == "table":
            left_out.append("a table")
    return front, left_out


def _keep(front: dict[str, Any], label: str, value: str) -> str:
    if label in ("present", "absent", "others"):
        front.setdefault(label, []).extend(_person(one.strip(), label) for one in value.split(";") if one.strip())
        return label
    if not front.get(label) or label in ("place", "reference"):
        front[label] = value[:300]
    return ""


def _person(line: str, label: str) -> dict[str, str]:
    """`Olof Berg (S), Björkå, ordförande`, with or without the second comma."""
    found = _WHO.fullmatch(line.strip())
    if found is None:
        return {"name": line[:200]}
    person = {"name": found["name"].strip()[:200]}
    rest = [part.strip() for part in (found["rest"] or "").split(",") if part.strip()]
    if label == "others":
        return person | ({"title": ", ".join([*([found["party"]] if found["party"] else []), *rest])} if rest else {})
    if found["party"]:
        person["party"] = found["party"].strip()
    if rest and not _ROLE.search(rest[0]):
        person["municipality"] = rest.pop(0)
    elif rest and (parts := re.fullmatch(r"(\S+)\s+(\d.*)", rest[0])):  # "Björka 2 v. ordf."
        person["municipality"] = parts[1]
        rest[0] = parts[2]
    if rest:
        person["role"] = ", ".join(rest)[:300]
    return person


def _unmarked(line: str) -> str:
    return re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)\*+", "", line))
