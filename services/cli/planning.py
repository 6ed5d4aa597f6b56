"""`justera plan`: a year of meetings from one file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import Client
from services.cli.options import DEFAULT_DATA, DataOption, JsonOption
from services.cli.registering import checked, read_file
from services.cli.shapes import CheckedPlan
from shared.names import Role
from shared.plain_text import printable

LARGEST = 262_144  # bytes
_MARKS = {"scheduled": "+", "changed": "~", "cancelled": "-"}


def add_to(app: typer.Typer) -> None:
    app.command()(plan)


def plan(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The plan, a YAML file (docs/plan.md).")],
    check: Annotated[
        bool, typer.Option("--check", help="Only show what it would change, and what is in its way.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, when there are no clashes.")] = False,
    despite: Annotated[bool, typer.Option("--despite-clashes", help="The clashes are meant.")] = False,
    tell: Annotated[
        bool, typer.Option("--mail/--no-mail", help="Mail the members their dates, or what changed.")
    ] = True,
    as_json: JsonOption = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Schedule a year's meetings as FILE says. Shows first what that changes and what is in its way, and asks.

    In the way are people who would have to be in two places, public holidays and the days before them. Applied again,
    it changes only what differs. With anything wrong in it nothing is changed, and the exit status is 1.
    """
    client = Client(Role.SECRETARY, data)
    sent = {"text": read_file(file, LARGEST)}
    found = checked(client, "/plans/check", CheckedPlan, sent, file, as_json=as_json)
    if not as_json:
        for line in (*map(told, found["changes"]), *map(clash_told, found["clashes"])):
            typer.echo(printable(line))
    if not found["changes"]:
        typer.echo("nothing to change", err=as_json)
        return
    if check:
        return
    _agree(found, yes=yes, despite=despite)
    client.post("meetings", "/plans", dict, {**sent, "digest": found["digest"], "despite_clashes": True, "tell": tell})
    typer.echo("done", err=as_json)


def _agree(found: dict[str, Any], *, yes: bool, despite: bool) -> None:
    """Ends the command when nobody does."""
    clashes = len(found["clashes"])
    if despite or (yes and not clashes):
        return
    asked = f"Change this ({len(found['changes'])})" + (f" despite {clashes} clashes?" if clashes else "?")
    if yes or not typer.confirm(asked, err=True):
        if yes:
            typer.echo(f"{clashes} clashes: say --despite-clashes when they are meant", err=True)
        raise typer.Exit(1)


def told(change: dict[str, Any]) -> str:
    """A change in a line: `+ 2023-02-24 09:00-12:00 Styrelsen: Styrelsen sammanträder`."""
    day, _, starts = change["starts"].partition("T")
    when = f"{day} {starts}-{change['ends'].partition('T')[2]}"
    fields = [f"{one['field']} {one['before'] or '-'} -> {one['after'] or '-'}" for one in change["fields"]]
    told = ", ".join((f"{_MARKS[change['kind']]} {when} {change['body']}: {change['title']}", *fields))
    by_order = " (by the order of the dates; if another one moved, give them keys)"
    return told + (by_order if change.get("by_order") else "")


def clash_told(clash: dict[str, Any]) -> str:
    """A clash in a line: `! 2023-04-27 Styrelsen: Förbundsmötet: Förbundsmöte, 13:00-15:00: Maja Lind, Olof Berg`."""
    people = f": {', '.join(clash['people'])}" if clash["people"] else ""
    return f"! {clash['date']} {clash['body']}: {clash['what']}{people}"
