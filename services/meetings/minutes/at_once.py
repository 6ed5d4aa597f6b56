"""Omedelbar justering: a paragraph that is approved on its own, before the rest of its minutes. Pure.

It is an agreement of its own, under the number that it has among the paragraphs of its meeting; with it the meeting
holds the numbers of all of them, so that nobody's minutes come between. The minutes as a whole keep them, say the
paragraph as it was approved, and when and by whom that was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.meetings.minutes.revision import Version
from shared.errors import Refused, says
from shared.readable import day
from shared.rendering.minutes import Language, MinutesDocument, Paragraph, Run, Text

_SAID: dict[Language, str] = {
    "sv": "Paragrafen justerades omedelbart {day} av {names}.",
    "en": "The paragraph was approved at once on {day} by {names}.",
}
_AND: dict[Language, str] = {"sv": "och", "en": "and"}


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A paragraph that was put forward on its own. `version`: below 0, the latest of the meeting the lowest.

    `first`, `last`: the numbers that its meeting holds; `ended`: how its agreement ended, if not by all signatures.
    `piece`, `heading`: which of the draft it was.
    """

    version: int
    agreement_id: str
    document_name: str
    paragraph: int
    year: int
    first: int
    last: int
    drafted_at: datetime
    ended: str | None = None
    signed_at: datetime | None = None
    unlocked: bool = False
    piece: str | None = None
    heading: str | None = None

    def is_before(self, paragraph: int, piece: str | None, heading: str | None) -> bool:
        """Whether an agreement about that paragraph comes in its place. Under one number may come what is another
        paragraph, once the draft's order was changed; of what was put forward before its piece was kept, the number
        tells."""
        is_same = self.piece is None or self.piece == piece or self.heading == heading
        return self.paragraph == paragraph and is_same

    @property
    def stands(self) -> bool:
        """Also while signing has not answered that it is unlocked: its last signature may have been quicker."""
        return self.ended is None


@dataclass(frozen=True, slots=True)
class Approved:
    """One that stands, with its own document. `signed_by`: the names of those who signed it, in the order in which they
    did: of a place whose alternate signed, the alternate's."""

    adjusted: Adjusted
    own: MinutesDocument
    signed_by: tuple[str, ...] = ()


def of_row(row: Any) -> Adjusted:
    """A row of `MINUTES` of a version below 0."""
    return Adjusted(
        version=row.version,
        agreement_id=row.agreement_id,
        document_name=row.document_name,
        paragraph=row.first_paragraph,
        year=row.year,
        first=row.reserved_first,
        last=row.reserved_last,
        drafted_at=row.drafted_at,
        ended=row.ended,
        signed_at=row.signed_at,
        unlocked=row.unlocked_at is not None,
        piece=row.piece,
        heading=row.heading,
    )


def held(before: Version | None, adjusted: Sequence[Adjusted]) -> Version | None:
    """What the meeting's numbers follow: the minutes before, or a later paragraph of theirs alone with what is held for
    the rest. `adjusted`: the latest first."""
    if not adjusted:
        return before
    one = adjusted[0]
    if before is not None and (before.drafted_at is None or before.drafted_at > one.drafted_at):
        return before
    return Version(0, one.agreement_id, one.year, one.first, one.last, "held", drafted_at=one.drafted_at)


def next_version(adjusted: Sequence[Adjusted], paragraph: int, stands: Version | None) -> int:
    """Below 0. `stands`: minutes of the whole meeting. Raises Refused."""
    if stands is not None and stands.ended is None:
        raise Refused(
            "the minutes of the whole meeting have been put forward already",
            hint="the paragraph is approved with them; unlock them first if it has to be before",
            says=says("whole_before"),
        )
    if any(one.stands and one.paragraph == paragraph for one in adjusted):
        raise approved_before(paragraph)
    return min((one.version for one in adjusted), default=0) - 1


def before_it(
    adjusted: Sequence[Adjusted], paragraph: int, piece: str | None, heading: str | None
) -> tuple[int, str | None]:
    """The version that an agreement about the paragraph is, from 1, and the agreement that it replaces. `adjusted`:
    those before it, the latest first."""
    before = [one.agreement_id for one in adjusted if one.is_before(paragraph, piece, heading)]
    return len(before) + 1, before[0] if before else None


def approved_before(paragraph: int) -> Refused:
    return Refused(
        f"§ {paragraph} is approved at once already",
        hint="look at its document; unlock that if it is wrong, and wait a moment",
        says=says("at_once_before"),
    )


def alone(document: MinutesDocument, number: int) -> MinutesDocument:
    """Of the numbered minutes of a meeting, the one paragraph: with who was there for it, and the annexes it names."""
    there = tuple(one for one in document.present if one.was_at(number))
    away = tuple(one for one in document.present if not one.was_at(number))
    annexes = tuple(one for one in document.annexes if number in one.paragraphs)
    return document.model_copy(
        update={
            "title": f"{document.title} § {number}",
            "paragraphs": tuple(one for one in document.paragraphs if one.number == number),
            "present": tuple(one.model_copy(update={"paragraphs": ()}) for one in there),
            "absent": (
                *document.absent,
                *(one.model_copy(update={"paragraphs": (), "serves_for": ""}) for one in away if not one.serves_for),
            ),
            "others": tuple(one.model_copy(update={"paragraphs": ()}) for one in document.others if one.was_at(number)),
            "annexes": tuple(one.model_copy(update={"paragraphs": (number,)}) for one in annexes),
        }
    )


def with_adjusted(document: MinutesDocument, approved: Sequence[Approved]) -> MinutesDocument:
    """The whole minutes, where each paragraph that was approved on its own says so. Raises Refused."""
    by_number = {one.adjusted.paragraph: one for one in approved}
    for one in (each.adjusted for each in approved):
        if one.signed_at is None:
            raise Refused(
                f"§ {one.paragraph} is out to be approved at once, before the rest",
                hint="wait until everyone has signed it, or unlock it",
                says=says("at_once_waits", number=one.paragraph),
            )
    found = {one.number: one for one in document.paragraphs}
    made = []
    for number, there in by_number.items():
        [approved_one] = there.own.paragraphs
        if number not in found or not _is_same(found[number], approved_one):
            raise Refused(
                f"§ {number} {approved_one.heading} was approved at once, and must stand there as it was",
                hint="give the paragraph its text and its place back",
                says=says("at_once_differs", number=number, heading=approved_one.heading),
            )
    for paragraph in document.paragraphs:
        if paragraph.number in by_number:
            told = _told(document, by_number[paragraph.number])
            paragraph = paragraph.model_copy(update={"blocks": (told, *paragraph.blocks)})
        made.append(paragraph)
    return document.model_copy(update={"paragraphs": tuple(made)})


def _is_same(one: Paragraph, other: Paragraph) -> bool:
    return (one.heading, one.blocks, one.attachments) == (other.heading, other.blocks, other.attachments)


def _told(document: MinutesDocument, one: Approved) -> Text:
    language = document.language
    at = (one.adjusted.signed_at or one.own.ends).astimezone(ZoneInfo(document.timezone)).date()
    names = list(one.signed_by) or [place.name or place.label for place in one.own.places]
    listed = f" {_AND[language]} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return Text(runs=(Run(text=_SAID[language].format(day=day(at, language), names=listed), italic=True),))
