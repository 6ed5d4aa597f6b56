"""Options that several commands share, each said once."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

DataOption = Annotated[
    Path,
    typer.Option("--data", metavar="DIR", envvar="JUSTERA_DATA", help="The data folder of `justera up`."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines: JSON instead of text.")]
TailOption = Annotated[int | None, typer.Option("--tail", "-n", min=1, metavar="N", help="Only the last N.")]
DEFAULT_DATA = Path("justera-data")


def time_option(what: str) -> Any:
    """An option that takes a time; a datetime with a zone comes in. `what` is its help."""
    return typer.Option(parser=_moment, metavar="TIME", help=what)


def _moment(text: str) -> datetime:
    """A time of the command line, UTC when no zone is given. Raises BadParameter."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r} is no time; write e.g. 2026-09-01 or 2026-09-01T08:00Z") from error
