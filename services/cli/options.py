"""Options that several commands share, each said once."""

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    Path,
    typer.Option("--data", metavar="DIR", envvar="JUSTERA_DATA", help="The data folder of `justera up`."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines: JSON instead of text.")]
DEFAULT_DATA = Path("justera-data")
