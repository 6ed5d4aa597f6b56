"""What commands leave behind: tables for people, tab-separated lines for a pipe, files; and a clean end."""

import asyncio
import signal
import tempfile
import textwrap
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.errors import InvalidInput
from shared.plain_text import printable

Result = TypeVar("Result")


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in a terminal; without one, a line a row with tabs between. Respects NO_COLOR."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        for row in (headings, *rows):
            print("\t".join(" ".join(cell.split()) for cell in row))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold", vertical="bottom")  # a value is never cut
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table, soft_wrap=False)


def print_paragraph(text: str) -> None:
    """Between words to a terminal's width, with what follows the first line indented; without one, a line."""
    console = Console(highlight=False)
    line = printable(text)
    if console.is_terminal:
        line = textwrap.fill(line, console.width, subsequent_indent="  ", break_on_hyphens=False)
    print(line)


def require_folder(folder: Path) -> None:
    """That results can be written to `folder`: tried before a long run. Leaves nothing. Raises InvalidInput."""
    with results_written(folder):
        missing = [path for path in (folder, *folder.absolute().parents) if not path.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        finally:
            _take_away(missing)


@contextmanager
def results_written(folder: Path) -> Iterator[None]:
    """Around what makes `folder` and writes to it. Raises InvalidInput."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        where = f" ({error.filename})" if isinstance(error.filename, str) and error.filename != str(folder) else ""
        raise InvalidInput(
            f"{folder} cannot be a folder for the results: {reason}{where}", hint="name another with --out"
        ) from error


def _take_away(made: Sequence[Path]) -> None:
    """Folders that are empty, the innermost first."""
    for folder in made:
        with suppress(OSError):
            folder.rmdir()


def write_text(file: Path, text: str) -> None:
    """Raises InvalidInput."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}") from error


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end. SIGTERM (of `timeout`, CI, systemd) ends it as Ctrl-C does: with everything cleaned up."""

    async def stoppable() -> Result:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(stoppable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
