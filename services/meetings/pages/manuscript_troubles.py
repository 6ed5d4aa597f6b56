"""What keeps a text or its fields from being minutes, as the pages say it: by keys of texts below `error.manuscript.`.

Pure.
"""

import re
from dataclasses import dataclass

from services.meetings.manuscript.manuscript import Manuscript, Piece
from services.meetings.minutes.fields import COLUMNS, LINES
from services.meetings.pages.manuscript_desk import why_of
from shared.errors import JusteraError, TooLarge
from shared.rendering.press import CannotBeSet

FIELDS = (*LINES, *COLUMNS)

# By what the refusal says.
_WHY_TEXT = {
    r"holds ": "characters",
    r"another paragraph begins": "another",
    r"only ## ": "level",
    r"a heading ": "heading",
    r"a list, heading or table": "in_list",
    r"a list that starts": "list_start",
    r"a table|a row of": "table",
    r"the paragraph names ": "annex_number",
    r"the register has no body": "election_no_body",
    r".* was closed on ": "election_closed",
    r"nobody in the register is called ": "election_no_person",
    r"several people are called ": "election_several",
    r".*(Vald till|Elected to|election|register)": "election",
}
_WHY_FIELD = {
    r".*name is missing": "name",
    r".*more than one has the role": "two_chairs",
    r".*serves_for": "serves",
    r".*items": "items",
    r".* as well$": "twice",
    r".*values between": "columns",
    r"ends: is before": "ends",
}
_WHY_ANNEX = {
    r".*no paragraph names it": "annex_unnamed",
    r".*the meeting has no file": "annex_no_file",
    r".*is another file": "annex_other_file",
    r".*the meeting has several files": "annex_which",
}
_PLAIN = {"starts": "time", "ends": "time", "adjuster": "adjuster", "first_paragraph": "number"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """`field`: one of `FIELDS`, empty where the form has none for it; `number`: of the person or annex there, or 0."""

    key: str
    field: str = ""
    number: int = 0


def of_text(error: JusteraError) -> tuple[int, Trouble]:
    """And the line that is named; 1 where none is."""
    found = re.match(r"line (-?\d+): (.*)", error.message, re.DOTALL)
    line, what = (int(found[1]), found[2]) if found else (1, error.message)
    if isinstance(error.__cause__, CannotBeSet):
        return line, Trouble("not_set")
    plain = "too_long" if isinstance(error, TooLarge) or "longer" in what or "more than" in what else "other"
    return line, Trouble(why_of(_WHY_TEXT, what) or plain)


def of_fields(error: JusteraError) -> Trouble:
    found = re.match(r"(?:line \d+: )?([a-z_]+)(?:, number (\d+))?[^:]*: (.*)", error.message, re.DOTALL)
    name, number = (found[1], int(found[2] or 0)) if found else ("", 0)
    if name == "annexes":
        return Trouble(why_of(_WHY_ANNEX, error.message) or "annex", number=number)
    if name not in FIELDS:
        return Trouble("fields")
    said = error.message.partition(": ")[2] if error.message.startswith("line") else error.message
    plain = "people" if name in COLUMNS else _PLAIN.get(name, "line")
    return Trouble(why_of(_WHY_FIELD, said) or plain, name, number)


def place_of(trouble: JusteraError, manuscript: Manuscript) -> Piece | None:
    """The paragraph that keeps the draft from being minutes; None: the fields."""
    found = re.match(r"line (\d+):", trouble.message)
    at = int(found[1]) if found else 0
    line = manuscript.fields.count("\n") + 5  # between two lines ---, and an empty one
    if at < line:
        return None
    for piece in manuscript.pieces:
        line += piece.text.count("\n") + 2
        if at < line:
            return piece
    return manuscript.pieces[-1]
