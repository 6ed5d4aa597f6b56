"""`justera organisation`: which associations an installation serves."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from services.cli.client import Client
from services.cli.options import DEFAULT_DATA, DataOption, JsonOption
from services.cli.output import print_table
from services.cli.shapes import ListedOrganisations, OneErasure, OneHolding, OneOrganisation
from shared.errors import InvalidInput, NotFound
from shared.names import SERVICES, Role
from shared.plain_text import printable

if TYPE_CHECKING:
    from services.embedded.exporting import Exported

_LOOK_SECONDS = 1.0
_REMAINS = (
    "What is left, and what to do: events in Kafka until the topics' retention is over; backups of databases and of "
    "documents, and old versions of these in a bucket, until yours is; logs, which hold ids; its records in the token "
    "file: take them out; packages that were exported. docs/operations.md says more."
)

app = typer.Typer(
    help="The organisations (associations) that this installation serves, beside its own.\n\n"
    "`add` one, then make tokens for its people: `justera token --organisation ID …`. `suspend` closes its pages, API "
    "and links, and lets its mails and deadlines wait; `resume` lets all of it go on. Nothing is lost by either. "
    "`export` makes a package of all that is its own; `erase` ends a suspended one for good. The "
    "installation's own organisation is what its settings say, and is never suspended.\n\n"
    "Needs a token of an operator of the installation's own organisation.",
    no_args_is_help=True,
)
MAIL_FROM = "The address that its mails are from; empty: the installation's."
BOUNCE_DOMAIN = "The domain of its mails' return paths; empty: the installation's."
Id = Annotated[str, typer.Argument(metavar="ID", help="Its short name: a-z, 0-9 and hyphens.")]


@app.command("list")
def list_organisations(
    sizes: Annotated[
        bool, typer.Option("--sizes", help="How many rows each has, too: the services count them.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """All of them, by their short names, the installation's own first."""
    found = _all(data)
    rows_of = _sizes(data) if sizes else None
    if rows_of is not None:
        found["rows"] = rows_of
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    own = found["own"]
    rows: list[tuple[str, ...]] = [(own["id"], own["name"], "", "the installation's own", "")]
    for one in found["organisations"]:
        details = one["details"]
        standing = f"erased {one['erased_at'][:10]}" if one.get("erased_at") else one["standing"]
        rows.append((one["id"], details["name"], details["language"], standing, one["reason"]))
    if rows_of is not None:
        # Of one that only has tokens, too, which nobody added.
        rows += [
            (one, "", "", "not in the register", "") for one in sorted(rows_of) if one not in {row[0] for row in rows}
        ]
        rows = [(*row, str(rows_of.get(row[0], 0))) for row in rows]
    headings = ("id", "name", "language", "standing", "why", *(("rows",) if sizes else ()))
    print_table(headings, [tuple(map(printable, row)) for row in rows])


@app.command()
def add(
    organisation: Id,
    name: Annotated[str, typer.Option(help="As people write it.")],
    language: Annotated[str, typer.Option(help="sv or en: where a reader has chosen none.")] = "sv",
    mail_from: Annotated[str, typer.Option(help=MAIL_FROM)] = "",
    bounce_domain: Annotated[str, typer.Option(help=BOUNCE_DOMAIN)] = "",
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Serve one more organisation. Its short name is part of every key and link, and can never be changed."""
    mails = {"mail_from": mail_from, "bounce_domain": bounce_domain}
    own = {field: value for field, value in mails.items() if value}
    details = {"name": name, "language": _language(language), **own}
    new = {"id": organisation, "details": details}
    Client(Role.OPERATOR, data).post("meetings", "/organisations", OneOrganisation, new)
    typer.echo(f"{organisation} is served; `justera token --organisation {organisation} …` makes tokens for its people")


@app.command()
def change(
    organisation: Id,
    name: Annotated[str | None, typer.Option(help="As people write it.", show_default=False)] = None,
    language: Annotated[str | None, typer.Option(help="sv or en.", show_default=False)] = None,
    mail_from: Annotated[str | None, typer.Option(help=MAIL_FROM, show_default=False)] = None,
    bounce_domain: Annotated[str | None, typer.Option(help=BOUNCE_DOMAIN, show_default=False)] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Change what is said of it; what is not named stays."""
    found = next((one for one in _all(data)["organisations"] if one["id"] == organisation), None)
    if found is None:
        raise NotFound(f"there is no organisation {organisation[:80]!r} in the register", hint="add it first")
    given = {
        "name": name,
        "language": None if language is None else _language(language),
        "mail_from": mail_from,
        "bounce_domain": bounce_domain,
    }
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


@app.command()
def export(
    organisation: Id,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER|FILE.zip", help="What is to be made.")],
    data: DataOption = DEFAULT_DATA,
) -> None:
    """All of one organisation as a package: its rows of all services, its documents, checksums. Changes nothing.

    Reads JUSTERA_DATABASE_URL and JUSTERA_BLOBS, as services do, or goes to the `justera up` of --data. Each database
    is read as it was at one moment; suspend the organisation first, and nothing is on its way between them. Exit status
    1 when a document is missing or altered.
    """
    from services.cli.output import run

    done = run(_export(organisation, to, data))
    typer.echo(f"{to}: {done.rows} rows and {done.blobs} documents of {printable(organisation)}")
    for what, hashes in (("missing in the store", done.missing), ("not what they were", done.altered)):
        if hashes:
            typer.echo(f"{len(hashes)} documents are {what}: {', '.join(one[:12] for one in hashes[:5])} …", err=True)
    if done.missing or done.altered:
        raise typer.Exit(1)


@app.command()
def erase(
    organisation: Id,
    confirm: Annotated[str, typer.Option("--confirm", metavar="ID", help="Its short name once more.")],
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Until every service is done; it goes on without, too.")
    ] = True,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Erase everything of a suspended organisation, in every service, for good. Export it first.

    Its short name stays, with when and how many rows, and is never used again. Run again, it tells the services again,
    and goes on where it was.
    """
    client = Client(Role.OPERATOR, data)
    erased = client.post("meetings", f"{_path(organisation)}/erase", OneOrganisation, {"confirm": confirm})
    typer.echo(f"{printable(organisation)} is erased by each service as soon as it hears of it")
    if wait:
        _wait_for_erasure(client, erased["id"])
    typer.echo(_REMAINS)


def _wait_for_erasure(client: Client, organisation: str) -> None:
    """Tells of each service when it is done."""
    waiting = list(SERVICES)
    while waiting:
        for service in tuple(waiting):
            found = client.get(service, "/operations/erasures", list[OneErasure])
            done = next((one for one in found if one["organisation"] == organisation and one["ended_at"]), None)
            if done is not None:
                waiting.remove(service)
                late = f", {done['late']} late events dropped" if done["late"] else ""
                typer.echo(f"{service}: {sum(done['rows'].values())} rows and documents erased{late}")
        if waiting:
            time.sleep(_LOOK_SECONDS)


async def _export(organisation: str, to: Path, data: Path) -> "Exported":
    """With a progress bar when a person watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from services.embedded.exporting import export as export_to
    from services.embedded.exporting import settings_of

    settings, console = settings_of(data), Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("counting", total=None)

        def observe(what: str, more: int, total: int) -> None:
            progress.update(task, advance=more, total=total, description=what)

        return await export_to(settings, organisation, to, observe)


def _all(data: Any) -> Any:
    return Client(Role.OPERATOR, data).get("meetings", "/organisations", ListedOrganisations)


def _sizes(data: Any) -> dict[str, int]:
    """Rows of all services together, by organisation."""
    client, found = Client(Role.OPERATOR, data), Counter[str]()
    for service in SERVICES:
        for one in client.get(service, "/operations/holdings", list[OneHolding]):
            found[one["organisation"]] += one["rows"]
    return dict(found)


def _path(organisation: str) -> str:
    return f"/organisations/{quote(organisation, safe='')}"


def _language(given: str) -> str:
    """Raises InvalidInput."""
    if given not in ("sv", "en"):
        raise InvalidInput(f"--language: {given[:40]!r} is neither sv nor en")
    return given
