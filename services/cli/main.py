"""`justera`: the command. Each group of commands is a module; this one puts them together.

A command imports what it drives when it runs: `justera --help` should not wait for a web framework, a renderer and a
signer, nor a container without the embedded servers fail for want of them.
"""

from importlib.metadata import version
from typing import Annotated

import typer

from services.cli import (
    entering,
    journal,
    letters,
    mails,
    maintaining,
    observing,
    organising,
    planning,
    reading,
    registering,
    replaying,
    revoking,
    running,
    striking,
    verifying,
)
from services.cli.errors import one_line_errors
from shared.collector import leave_loading_alone

_HELP = (
    "New here? `justera demo` shows a board's year and a signing in a minute; `justera up` starts the system on this "
    "machine, with a page where you can click through it in a browser."
)
_EPILOG = (
    "Commands that look at a running system speak to JUSTERA_URL (by default the one that `justera up` starts "
    "here) with JUSTERA_TOKEN (by default that of ./justera-data). "
    "Exit status: 0 done, 1 it said no, 2 wrong command line; `verify` has more."
)

app = typer.Typer(
    name="justera",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"justera {version('justera')}")
        raise typer.Exit


@app.callback(help=_HELP, epilog=_EPILOG)
def options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Only options that stand before a command; what they do is in their callbacks."""


running.add_to(app)
replaying.add_to(app)
journal.add_to(app)
mails.add_to(app)
observing.add_to(app)
registering.add_to(app)
revoking.add_to(app)
planning.add_to(app)
reading.add_to(app)
striking.add_to(app)
entering.add_to(app)
app.add_typer(letters.app, name="dead-letters")
app.add_typer(organising.app, name="organisation")
verifying.add_to(app)
maintaining.add_to(app)


def main() -> None:
    """The entry point: errors become one line and an exit status."""
    leave_loading_alone()
    with one_line_errors():
        app()
