"""What a set of minutes says, as plain data: the render input that travels by reference beside its PDF.

Everything here is text, never markup: a `*` or `#` in a heading is printed as that character. Readers ignore fields
that they do not know, so that a newer producer may add some.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.events.base import BlobRef

Language = Literal["sv", "en"]

CURRENT_TEMPLATE = 4
"""The newest folder of `shared/rendering/templates`; documents remember the one they were first rendered by.

What minutes were signed in is never changed: a new look is a new folder (`tests/unit/rendering/test_templates.py`).
"""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Run(_Data):
    """A stretch of text in one style."""

    text: str
    bold: bool = False
    italic: bool = False


class Subheading(_Data):
    kind: Literal["subheading"] = "subheading"
    text: str


class Text(_Data):
    kind: Literal["text"] = "text"
    runs: tuple[Run, ...]


class BulletList(_Data):
    kind: Literal["bullets"] = "bullets"
    items: tuple[tuple[Run, ...], ...]


class OrderedList(_Data):
    kind: Literal["ordered"] = "ordered"
    start: int = 1
    items: tuple[tuple[Run, ...], ...]


Cell = tuple[Run, ...]
Align = Literal["left", "center", "right"]


class Table(_Data):
    """Every row has as many cells as the header, and `align` as many words. Since template 2."""

    kind: Literal["table"] = "table"
    header: tuple[Cell, ...]
    align: tuple[Align, ...]
    rows: tuple[tuple[Cell, ...], ...]


Block = Annotated[Subheading | Text | BulletList | OrderedList | Table, Field(discriminator="kind")]


class Attached(_Data):
    """An attachment that a paragraph names; its blocks print it. `annex`: the number of the annex that it is."""

    title: str
    annex: int | None = None


class Annex(_Data):
    """A file that belongs to the minutes, by its number in them (Bilaga 1). `bound`: it lies in the PDF.

    `content` is the file by reference, so that what is signed holds its SHA-256; `paragraphs`: those that name it.
    """

    number: int
    title: str
    file_name: str
    content: BlobRef
    bound: bool = False
    paragraphs: tuple[int, ...] = ()


class Paragraph(_Data):
    """One numbered decision or item (§ 28); the number runs through the body's calendar year."""

    number: int
    heading: str
    blocks: tuple[Block, ...] = ()
    attachments: tuple[Attached, ...] = ()


class Attendee(_Data):
    """Someone who was present, or absent. Officials have no party; guests often neither party nor municipality.

    `serves_for`: the member in whose place a substitute sat. `paragraphs`: the first and last of each stretch that
    they were there for; empty is all. Both since template 3.
    """

    name: str
    party: str = ""
    municipality: str = ""
    role: str = ""
    serves_for: str = ""
    paragraphs: tuple[tuple[int, int], ...] = ()

    def was_at(self, number: int) -> bool:
        return not self.paragraphs or any(first <= number <= last for first, last in self.paragraphs)


class SignaturePlace(_Data):
    """A line on the first page that waits for a signature.

    `role` is "secretary", "chair", "adjuster" or another word of the caller's; `label` is what the page prints before
    `name`, who is expected to sign (an alternate may sign instead). `name` is empty when nobody was named.
    """

    role: str
    label: str
    name: str = ""


LogoType = Literal["png", "svg"]


class Logo(_Data):
    """A picture that was found fit (`services.meetings.letterhead.logo`). `alt`: what it shows."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64")

    type: LogoType
    content: bytes
    alt: str


class Letterhead(_Data):
    """An association's own look. `colour`: of headings, `#1f3a5f`, or empty; `foot`: a line or two, or empty."""

    colour: str = ""
    foot: str = ""
    logo: Logo | None = None


class MinutesDocument(_Data):
    """Numbered minutes, ready to render. `starts` and `ends` are local and naive; `timezone` is their IANA zone.

    `others`: officials and guests, with their title as role. `reference`: the diarienummer. Both, and `absent`,
    `letterhead` and `annexes`, are printed since template 3.
    """

    template_version: int = CURRENT_TEMPLATE
    language: Language = "sv"
    title: str
    body: str
    place: str
    starts: datetime
    ends: datetime
    timezone: str = "Europe/Stockholm"
    present: tuple[Attendee, ...] = ()
    secretary: str
    chair: str = ""
    adjusters: tuple[str, ...] = ()
    places: tuple[SignaturePlace, ...] = ()
    paragraphs: tuple[Paragraph, ...]
    absent: tuple[Attendee, ...] = ()
    others: tuple[Attendee, ...] = ()
    reference: str = ""
    letterhead: Letterhead | None = None
    annexes: tuple[Annex, ...] = ()

    @property
    def name(self) -> str:
        """The document's name everywhere a person meets it: the title and the meeting's date."""
        return f"{self.title} {self.starts:%Y-%m-%d}"


class Stamp(_Data):
    """A signature that was given: by whom (perhaps an alternate), in which role, and when (UTC)."""

    role: str
    name: str
    at: datetime


INITIALLING_ROLES = ("chair", "adjuster")
"""Whose initials stand at the foot of every page but the first."""

_LABELS: dict[Language, dict[str, str]] = {
    "sv": {"secretary": "Sekreterare", "chair": "Ordförande", "adjuster": "Justerande"},
    "en": {"secretary": "Secretary", "chair": "Chair", "adjuster": "Adjuster"},
}


def place_label(role: str, language: Language) -> str:
    """The printed label of a role; a role that we have no word for is its own label."""
    return _LABELS[language].get(role, role[:1].upper() + role[1:])


def standard_places(
    language: Language, secretary: str, chair: str, adjusters: Sequence[str]
) -> tuple[SignaturePlace, ...]:
    """Secretary, chair and each adjuster, in signing order. A board without a named adjuster has one unnamed place."""
    roles = [("secretary", secretary), ("chair", chair), *(("adjuster", name) for name in adjusters or ("",))]
    return tuple(SignaturePlace(role=role, label=place_label(role, language), name=name) for role, name in roles)


def pair_stamps(
    places: Sequence[SignaturePlace], stamps: Sequence[Stamp], language: Language
) -> tuple[tuple[SignaturePlace, Stamp | None], ...]:
    """Each place with its stamp: of the same role, the expected name before others, then in signing order.

    A stamp of a role that has no place gets one of its own at the end: a signature is never left out.
    """
    waiting = list(stamps)
    paired: list[Stamp | None] = [None] * len(places)
    for wants_name in (True, False):
        for index, place in enumerate(places):
            if paired[index] is None:
                paired[index] = _take(waiting, place, wants_name)
    extra = [(SignaturePlace(role=s.role, label=place_label(s.role, language), name=s.name), s) for s in waiting]
    return (*zip(places, paired, strict=True), *extra)


def _take(waiting: list[Stamp], place: SignaturePlace, wants_name: bool) -> Stamp | None:
    for stamp in waiting:
        if stamp.role == place.role and (stamp.name == place.name or not wants_name):
            waiting.remove(stamp)
            return stamp
    return None


def initials(name: str) -> str:
    """The first letters of the first and last word: "OB" for "Olof Berg"; one letter for a single name."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0].upper() for word in (words[:1] + words[1:][-1:]))


def initials_of(stamps: Sequence[Stamp]) -> Iterator[str]:
    """The initials of those who initial every page, in the order of `INITIALLING_ROLES`."""
    for role in INITIALLING_ROLES:
        yield from (initials(stamp.name) for stamp in stamps if stamp.role == role)
