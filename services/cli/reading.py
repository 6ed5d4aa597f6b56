"""`justera read-word`: minutes that were written in Word, as the Markdown that Justera drafts."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.errors import InvalidInput
from shared.plain_text import printable

if TYPE_CHECKING:
    from services.meetings.minutes.word import FromWord


def add_to(app: typer.Typer) -> None:
    app.command("read-word")(read_word)


def read_word(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A Word document (.docx) of minutes.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the Markdown there, and not over a file.")
    ] = None,
) -> None:
    """Print FILE as a file of minutes (docs/minutes.md), and on standard error what of it could not be kept.

    Nothing is sent anywhere. Fields that the document does not have are `…`, to be filled in.
    """
    found = asyncio.run(_read(_content(file)))
    if out is None:
        typer.echo(found.markdown, nl=False)
    else:
        try:
            with out.open("x", encoding="utf-8") as opened:
                opened.write(found.markdown)
        except OSError as error:
            raise InvalidInput(f"{out}: cannot be written: {error.strerror}", hint="name another file") from error
    for one in found.not_kept:
        typer.echo(printable(f"not kept: {one}"), err=True)


async def _read(content: bytes) -> "FromWord":
    from services.meetings.minutes.word import Known
    from services.meetings.minutes.word_reading import read_apart, word_reader

    reader = word_reader()
    try:
        return await read_apart(reader, content, Known("…", "…", "…", None, None))
    finally:
        await reader.stop()


def _content(file: Path) -> bytes:
    """Somewhat more than may be read, so that the reader says so. Raises InvalidInput."""
    from services.meetings.minutes.word_package import MAX_WORD

    try:
        with file.open("rb") as opened:
            return opened.read(MAX_WORD + 1024**2)
    except OSError as error:
        raise InvalidInput(f"{file}: cannot be read: {error.strerror}") from error
