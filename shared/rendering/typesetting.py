"""typst, set up once: our fonts, our templates, no file of the machine's, no network.

It is loaded when something is set: most services have that done by a press, in another process.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

from shared.logging import get_logger
from shared.plain_text import without_shapeless
from shared.rendering.coverage import FALLBACK_FONTS, FONT_FOLDER, map_texts, printable, surely_printable

if TYPE_CHECKING:
    import typst

log = get_logger(__name__)

_TEMPLATES = Path(__file__).parent / "templates"
_MARKED, _NO_SUSPECTS = b"/MarkInfo<</Marked true", b"/Suspects false"
_aging = Lock()  # a compiler serves one thread at a time


@dataclass(frozen=True)
class Attachment:
    """A file inside a PDF. `relationship` is PDF's (ISO 32000-2, § 7.11.3); `name` is a plain file name."""

    name: str
    content: bytes
    mime_type: str
    description: str
    relationship: Literal["source", "data", "supplement"]


def has_template(folder: str) -> bool:
    return (_TEMPLATES / folder / "main.typ").is_file()


@dataclass(frozen=True)
class Job:
    """What is to be set: the template's folder, JSON-like data, the creation time (aware; to the second), files."""

    folder: str
    data: Mapping[str, Any]
    at: datetime
    attachments: tuple[Attachment, ...] = ()


def typeset(job: Job, *, ways: slice = slice(None)) -> bytes:
    """A tagged PDF/A-3a + PDF/UA-1.

    No text in it makes this fail: what cannot be set as it is, is set with less and less of what it holds. `ways`
    leaves some of these tries out. Raises typst.TypstError for a faulty template, or what the last way raised.
    """
    listed = [
        {
            "name": file.name,
            "mime-type": file.mime_type,
            "description": file.description,
            "relationship": file.relationship,
        }
        for file in job.attachments
    ]
    if job.at.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be placed")
    timestamp = int(job.at.timestamp())
    with _root(job.folder, job.attachments) as root:
        return _set(
            root,
            job.data,
            {"attachments": listed},
            _WAYS[ways],
            pdf_standards=["a-3a", "ua-1"],
            timestamp=timestamp,
        )


def typeset_appearance(folder: str, data: Mapping[str, Any]) -> bytes:
    """A PDF of one untagged page, to be drawn inside another document (an annotation's appearance)."""
    return _set(_TEMPLATES / folder, data, {}, _WAYS, pdf_tags=False, timestamp=0)


def picture(job: Job, *, first: int, most: int, ppi: float) -> list[bytes]:
    """Pages of a document as PNG, from the one at `first` (0 is the first page), `most` of them at the most.

    Set once, each character as it was written: it may be refused, as `typeset` by `AS_IT_IS`. `ppi`: pixels per inch.
    """
    data = {**printable(job.data), "attachments": []}
    with _root(job.folder, ()) as root:
        pages = _compiled(root, data, format="png", ppi=ppi)
    made = pages if isinstance(pages, list) else [pages]
    return made[first : first + most] or made[-1:]


_Way = Callable[[Mapping[str, Any]], Mapping[str, Any]]

# What people wrote since texts have one rule is set as it is. The others are for what was taken in before and must come
# out as it was signed, so their order stays: a name with an invisible end; an emoji of several parts, which no font
# shapes; and in the end only letters that stand for themselves.
_WAYS: Sequence[_Way] = (
    printable,
    lambda data: printable(map_texts(data, without_shapeless)),
    lambda data: printable(data, body_font_only=True),
    lambda data: map_texts(data, surely_printable),
)


AS_IT_IS = slice(1)
AT_ANY_RATE = slice(-1, None)


def _set(root: Path, data: Mapping[str, Any], others: Mapping[str, Any], ways: Sequence[_Way], **options: Any) -> bytes:
    """`others` is not text of people. The last way's failure is the template's."""
    for way in ways[:-1]:
        try:
            return _typst(root, {**way(data), **others}, **options)
        except BaseException as error:
            if not is_refusal(error):
                raise
            log.warning("typesetting.refused", error=type(error).__name__)
    return _typst(root, {**ways[-1](data), **others}, **options)


def is_refusal(error: BaseException) -> bool:
    """typst's own error, or a panic of it: pyo3 raises those as a class that it does not export."""
    import typst

    return isinstance(error, typst.TypstError) or type(error).__name__ == "PanicException"


@contextmanager
def _root(folder: str, attachments: Sequence[Attachment]) -> Iterator[Path]:
    """What typst may read: a folder that holds the template and the attachments, and nothing else."""
    if not attachments:
        yield _TEMPLATES / folder
        return
    with tempfile.TemporaryDirectory(prefix="justera-render-") as scratch:
        root = Path(scratch)
        for name, content in _template_files(folder):
            (root / name).write_bytes(content)
        for file in attachments:
            (root / file.name).write_bytes(file.content)
        yield root


@cache
def _template_files(folder: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((path.name, path.read_bytes()) for path in (_TEMPLATES / folder).iterdir())


def _typst(root: Path, data: Mapping[str, Any], **options: Any) -> bytes:
    return _without_the_usual(_compiled(root, data, **options))


def _compiled(root: Path, data: Mapping[str, Any], **options: Any) -> Any:
    """Bytes; of pictures, a list of them when there are several pages."""
    import typst

    try:
        return typst.compile(
            str(root / "main.typ"),
            root=str(root),
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps({**data, "fallback-fonts": FALLBACK_FONTS})},
            **options,
        )
    finally:
        _forget_documents()


def _without_the_usual(pdf: bytes) -> bytes:
    """`Suspects` that is false may as well be absent (ISO 32000-1, table 321), and poppler takes it for an error.

    As many spaces stand in its place, so that every other byte stays where the cross-references say it is.
    """
    begin = pdf.rfind(_MARKED + _NO_SUSPECTS)
    if begin < 0:
        return pdf
    begin += len(_MARKED)
    return pdf[:begin] + b" " * len(_NO_SUSPECTS) + pdf[begin + len(_NO_SUSPECTS) :]


def _forget_documents() -> None:
    """Each compilation ages what typst remembers, and what ten have not used is dropped: 2 to 4 MB a document.

    Some empty ones, a fraction of a millisecond each, age it faster; what all documents share stays.
    """
    with _aging:
        for _ in range(4):
            _empty_page().compile(format="svg")


@cache
def _empty_page() -> "typst.Compiler":
    import typst

    root = _TEMPLATES / "empty"
    return typst.Compiler(str(root / "main.typ"), root=str(root), font_paths=_fonts(), ignore_system_fonts=True)


@cache
def _fonts() -> "typst.Fonts":
    """Our fonts and those in typst, never the machine's: the same bytes everywhere."""
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[str(FONT_FOLDER)])
