"""`justera dead-letters`: messages that a service could not handle, and what to do about them."""

import json
from typing import Annotated, Any

import typer

from services.cli.client import Client
from services.cli.options import DEFAULT_DATA, DataOption, JsonOption
from services.cli.output import print_table
from services.cli.shapes import DeadLetter, Outcome
from shared.errors import InvalidInput
from shared.names import SERVICES, Role

app = typer.Typer(
    help="Messages that a service could not handle, and those of the same key that wait behind them.\n\n"
    "Mend the cause first (`show` says what it is), then `retry`: what waits is handled in order. `drop` gives one "
    "message up for good, and lets the others go on. A letter is named SERVICE:NUMBER, e.g. signing:12.",
    no_args_is_help=True,
)
Letter = Annotated[str, typer.Argument(metavar="SERVICE:NUMBER", help="As `list` names it.")]


@app.command("list")
def list_letters(data: DataOption = DEFAULT_DATA, as_json: JsonOption = False) -> None:
    """What waits in all four services, oldest first."""
    client = Client(Role.OPERATOR, data)
    found = [
        {"name": f"{service}:{letter['id']}", **letter}
        for service in SERVICES
        for letter in client.get(service, "/operations/dead-letters", list[DeadLetter], limit=500)
    ]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    if not found:
        typer.echo("no dead letters")
        return
    print_table(
        ("letter", "since (UTC)", "topic", "key", "event", "reason"),
        [
            (
                letter["name"],
                letter["created_at"][:19].replace("T", " "),
                letter["topic"],
                letter["key"],
                (letter["event_type"] or "unreadable").removeprefix("se.justera."),
                letter["reason"] or "waits behind the one before",
            )
            for letter in found
        ],
    )


@app.command()
def show(letter: Letter, data: DataOption = DEFAULT_DATA) -> None:
    """One message whole: where it came from, why it failed, its attributes and its body. Holds personal data."""
    service, number = _parts(letter)
    found: dict[str, Any] = Client(Role.OPERATOR, data).get(service, f"/operations/dead-letters/{number}", DeadLetter)
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


@app.command()
def retry(letter: Letter, data: DataOption = DEFAULT_DATA) -> None:
    """Handle what waits at the message's key, in order, until one fails again."""
    service, number = _parts(letter)
    outcome = Client(Role.OPERATOR, data).post(service, f"/operations/dead-letters/{number}/retry", Outcome)
    if outcome["count"] == 0:
        typer.echo("it failed again; `justera dead-letters show` says why", err=True)
        raise typer.Exit(1)
    typer.echo(f"handled: {outcome['count']}")


@app.command()
def drop(
    letter: Letter,
    data: DataOption = DEFAULT_DATA,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give one message up for good, and handle what waited behind it."""
    service, number = _parts(letter)
    client = Client(Role.OPERATOR, data)
    if not yes:
        # Refuses when there is none: nothing to ask about.
        client.get(service, f"/operations/dead-letters/{number}", DeadLetter)
        if not typer.confirm(f"Give up {letter} for good?"):
            raise typer.Exit(1)
    outcome = client.post(service, f"/operations/dead-letters/{number}/drop", Outcome)
    typer.echo(f"dropped; handled behind it: {outcome['count']}")


def _parts(letter: str) -> tuple[str, int]:
    service, _, number = letter.partition(":")
    if service not in SERVICES or not (number.isascii() and number.isdigit() and len(number) < 19):
        raise InvalidInput(f"{letter!r} names no dead letter", hint="write SERVICE:NUMBER, e.g. signing:12")
    return service, int(number)
