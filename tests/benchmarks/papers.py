"""The papers of a meeting: items with texts and files of so many pages, from what stands there to one PDF.

    outcome = await papers(items=20, pages=300)

As the service makes them: in the child process of a press that is running, from files as its blob store gives them.
"""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import pikepdf
from pikepdf import Dictionary, Name, Pdf

from shared.rendering.papers import PapersDocument, PapersFile, PapersItem, bound_files, papers_job
from shared.rendering.press import Press

_ROUNDS = 3
_AT = datetime(2022, 11, 1, tzinfo=UTC)
_TEXT = "Bakgrunden till ärendet är den som tidigare har redovisats, och den återges här i korthet. " * 6


@dataclass(frozen=True)
class Papers:
    """Seconds of the median round, and the PDF's bytes and pages."""

    seconds: float
    size: int
    pages: int


async def papers(*, items: int, pages: int) -> Papers:
    each = pages // items
    content = _file(each)
    with _running() as press:
        counted = await press.count_pages(content, "application/pdf")
        document = PapersDocument(
            organisation="Kommunalförbundet Norrdalen",
            body="Styrelsen",
            title="Styrelsen",
            place="Digitalt",
            starts=datetime(2022, 11, 25, 13),
            ends=datetime(2022, 11, 25, 15),
            items=tuple(_item(number, counted, content) for number in range(1, items + 1)),
        )
        took = []
        for _ in range(_ROUNDS):
            began = time.monotonic()
            own = await press.set(papers_job(document, at=_AT))
            files = [bound for bound, _ in bound_files(document)]
            made = await press.bind(own, files, [content] * len(files))
            took.append(time.monotonic() - began)
        await press.stop()
    return Papers(median(took), len(made), len(pikepdf.open(io.BytesIO(made)).pages))


@contextmanager
def _running() -> Iterator[Press]:
    press = Press()
    press.start()
    yield press


def _item(number: int, pages: int, content: bytes) -> PapersItem:
    file = PapersFile(
        number=f"{number}.1",
        title="Underlag",
        name="Underlag.pdf",
        size="1 MB",
        bytes=len(content),
        sha256="a" * 64,
        media_type="application/pdf",
        pages=pages,
    )
    return PapersItem(
        number=number,
        title=f"Ärende {number}, om något som tar sin tid att säga",
        kind="decision",
        presenter="Maja Lind",
        minutes=10,
        background=(_TEXT, _TEXT),
        proposal=("Styrelsen beslutar enligt förslaget.",),
        files=(file,),
    )


def _file(pages: int) -> bytes:
    """Pages of text, each with an image of its own as a scanner makes them."""
    pdf = Pdf.new()
    font = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    for number in range(pages):
        page = pdf.add_blank_page(page_size=(595, 842)).obj
        lines = "".join(f"1 0 0 1 60 {780 - 14 * line} Tm (Rad {line} av sida {number}) Tj " for line in range(50))
        page.Resources = Dictionary(Font=Dictionary(F=font))
        page.Contents = pdf.make_stream(f"BT /F 11 Tf {lines} ET".encode())
        image = pdf.make_stream(bytes((number * step) % 251 for step in range(60_000)))
        image.Type, image.Subtype, image.Width, image.Height = Name.XObject, Name.Image, 200, 100
        image.ColorSpace, image.BitsPerComponent = Name.DeviceRGB, 8
        page.Resources.XObject = Dictionary(Im=image)
    made = io.BytesIO()
    pdf.save(made)
    return made.getvalue()
