"""The papers of a meeting as plain data: what our own pages say, and which files are bound in behind them.

Everything is text, never markup. A file stands with its item, with the first page that it has in the whole, or
with why it is only listed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared import readable
from shared.rendering.bound import BoundFile
from shared.rendering.minutes import Language
from shared.rendering.typesetting import Job

TEMPLATE = 2
"""Rises when our own pages look otherwise: papers are made anew then."""
_FOLDER = "papers"

Why = Literal["type", "damaged", "encrypted", "pages", "layers", "form", "size", "heavy", "full"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True)


class PapersFile(_Data):
    """A file of an item. `number`: `3.1`; `size`: `bytes` as they are shown.

    `pages`: of one that is bound in; `why`: of another.
    """

    number: str
    title: str
    name: str
    size: str
    bytes: int = 0
    sha256: str
    media_type: str
    late: bool = False
    confidential: bool = False
    pages: int | None = None
    why: Why | None = None


class PapersItem(_Data):
    """An item of the agenda. `came`: lines on where it was before."""

    number: int
    title: str
    kind: str
    presenter: str = ""
    minutes: int | None = None
    came: tuple[str, ...] = ()
    background: tuple[str, ...] = ()
    proposal: tuple[str, ...] = ()
    files: tuple[PapersFile, ...] = ()

    @property
    def has_pages(self) -> bool:
        """Or stands in the agenda alone."""
        return bool(self.background or self.proposal or self.files)


class PapersDocument(_Data):
    """`starts`, `ends`: local and naive. `for_members`: with what is confidential."""

    template: int = TEMPLATE
    language: Language = "sv"
    organisation: str
    body: str
    title: str
    place: str
    starts: datetime
    ends: datetime
    for_members: bool = False
    items: tuple[PapersItem, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.title} {self.starts:%Y-%m-%d}"


def papers_job(document: PapersDocument, *, at: datetime) -> Job:
    """Our own pages, whose numbers leave room for those that are bound in. `at` (aware): the PDF's creation time."""
    data = document.model_dump(mode="json") | {
        "name": document.name,
        "day": readable.weekday(document.starts, document.language),
        "hours": [f"{document.starts:%H:%M}", f"{document.ends:%H:%M}"],
        "items": [_item(item) for item in document.items],
    }
    return Job(_FOLDER, data, at)


def bound_files(document: PapersDocument) -> list[tuple[BoundFile, PapersFile]]:
    """Those that are bound in, in their order; section 0 is the agenda."""
    mark = {"sv": "Bilaga {}", "en": "Attachment {}"}[document.language]
    sections = [item for item in document.items if item.has_pages]
    return [
        (
            BoundFile(section, f"{file.number} {file.title}", mark.format(file.number), file.media_type, _link(file)),
            file,
        )
        for section, item in enumerate(sections, start=1)
        for file in item.files
        if file.pages
    ]


def _item(item: PapersItem) -> Mapping[str, object]:
    files = [file.model_dump(mode="json") | {"link": _link(file)} for file in item.files]
    return item.model_dump(mode="json") | {"has_pages": item.has_pages, "files": files}


def _link(file: PapersFile) -> str:
    return f"bound:{file.number}"
