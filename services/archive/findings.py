"""What a verification says: three answers, each with a word of its own.

Integrity, identity and time are asked apart, since a file may answer one and not the others: whoever makes a
certificate writes any name in it, and whoever makes a time-stamp authority any time. So a name or a time that the file
alone says is `claimed`; `proven` needs what the asker brought along, and is never said of a broken file.
"""

from dataclasses import dataclass, field
from enum import StrEnum

WHOLE, BROKEN, UNIDENTIFIED, UNTIMED = 0, 1, 3, 4  # exit statuses; 2 is a wrong command line


class Word(StrEnum):
    """`whole` and `broken` are integrity's, the others identity's and time's. `none`: the file says nothing of it."""

    WHOLE = "whole"
    BROKEN = "broken"
    PROVEN = "proven"
    CLAIMED = "claimed"
    REFUTED = "refuted"
    NONE = "none"


@dataclass
class Answer:
    """A word, one line that says of what, and lines of what was seen. Foreign text in them is quoted and escaped."""

    word: Word
    text: str
    remarks: list[str] = field(default_factory=list)


@dataclass
class Findings:
    integrity: Answer
    identity: Answer
    time: Answer

    @property
    def broken(self) -> str | None:
        """The first thing that does not hold, or None: then the file is whole."""
        return self.integrity.text if self.integrity.word is Word.BROKEN else None

    @property
    def status(self) -> int:
        """The exit status: the first of the three questions that is not answered well, or 0."""
        if self.integrity.word is not Word.WHOLE:
            return BROKEN
        if self.identity.word is not Word.PROVEN:
            return UNIDENTIFIED
        return WHOLE if self.time.word is Word.PROVEN else UNTIMED
