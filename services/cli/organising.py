"""`justera organisation`: which associations an installation serves."""

import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.cli.client import Client
from services.cli.options import DEFAULT_DATA, DataOption, JsonOption
from services.cli.output import print_table
from services.cli.shapes import ListedOrganisations, OneOrganisation
from shared.errors import InvalidInput, NotFound
from shared.names import Role
from shared.plain_text import printable

app = typer.Typer(
    help="The organisations (associations) that this installation serves, beside its own.\n\n"
    "`add` one, then make tokens for its people: `justera token --organisation ID …`. `suspend` closes its pages, API "
    "and links, and lets its mails and deadlines wait; `resume` lets all of it go on. Nothing is lost by either. The "
    "installation's own organisation is what its settings say, and is never suspended.\n\n"
    "Needs a token of an operator of the installation's own organisation.",
    no_args_is_help=True,
)
Id = Annotated[str, typer.Argument(metavar="ID", help="Its short name: a-z, 0-9 and hyphens.")]


@app.command("list")
def list_organisations(data: DataOption = DEFAULT_DATA, as_json: JsonOption = False) -> None:
    """All of them, by their short names, the installation's own first."""
    found = _all(data)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    own = found["own"]
    rows = [(own["id"], own["name"], "", "the installation's own", "")]
    for one in found["organisations"]:
        details = one["details"]
        rows.append((one["id"], details["name"], details["language"], one["standing"], one["reason"]))
    print_table(("id", "name", "language", "standing", "why"), [tuple(map(printable, row)) for row in rows])


@app.command()
def add(
    organisation: Id,
    name: Annotated[str, typer.Option(help="As people write it.")],
    language: Annotated[str, typer.Option(help="sv or en: where a reader has chosen none.")] = "sv",
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Serve one more organisation. Its short name is part of every key and link, and can never be changed."""
    details = {"name": name, "language": _language(language)}
    new = {"id": organisation, "details": details}
    Client(Role.OPERATOR, data).post("meetings", "/organisations", OneOrganisation, new)
    typer.echo(f"{organisation} is served; `justera token --organisation {organisation} …` makes tokens for its people")


@app.command()
def change(
    organisation: Id,
    name: Annotated[str | None, typer.Option(help="As people write it.", show_default=False)] = None,
    language: Annotated[str | None, typer.Option(help="sv or en.", show_default=False)] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Change what is said of it; what is not named stays."""
    found = next((one for one in _all(data)["organisations"] if one["id"] == organisation), None)
    if found is None:
        raise NotFound(f"there is no organisation {organisation[:80]!r} in the register", hint="add it first")
    given = {"name": name, "language": None if language is None else _language(language)}
    details = {**found["details"], **{field: value for field, value in given.items() if value is not None}}
    path = f"{_path(organisation)}?version={found['version']}"
    Client(Role.OPERATOR, data).put("meetings", path, OneOrganisation, details)
    typer.echo("done")


@app.command()
def suspend(
    organisation: Id,
    reason: Annotated[str, typer.Option(help="Why: for operators; also in the organisation's own journal.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Close its pages, API and links; its mails and deadlines wait. Felt by every process within some seconds."""
    if not yes and not typer.confirm(f"Close {printable(organisation)} to all of its people?", err=True):
        raise typer.Exit(1)
    Client(Role.OPERATOR, data).post("meetings", f"{_path(organisation)}/suspend", OneOrganisation, {"reason": reason})
    typer.echo(f"{printable(organisation)} is suspended; `justera organisation resume` lets it go on")


@app.command()
def resume(organisation: Id, data: DataOption = DEFAULT_DATA) -> None:
    """Let it go on: its pages and links open, waiting mails go out, deadlines that passed meanwhile take effect now."""
    Client(Role.OPERATOR, data).post("meetings", f"{_path(organisation)}/resume", OneOrganisation)
    typer.echo(f"{printable(organisation)} goes on")


def _all(data: Any) -> Any:
    return Client(Role.OPERATOR, data).get("meetings", "/organisations", ListedOrganisations)


def _path(organisation: str) -> str:
    return f"/organisations/{quote(organisation, safe='')}"


def _language(given: str) -> str:
    """Raises InvalidInput."""
    if given not in ("sv", "en"):
        raise InvalidInput(f"--language: {given[:40]!r} is neither sv nor en")
    return given
