"""Commands for those who run the system: schemas, republishing, tokens, and the generated contracts."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.cli.client import Client
from services.cli.options import DEFAULT_DATA, DataOption, time_option
from services.cli.output import write_text
from services.cli.running import ServiceName
from services.cli.shapes import Outcome
from shared import invalid
from shared.errors import InvalidInput, JusteraError
from shared.names import SERVICES, Role

OutOption = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to a file instead of stdout.")]


def add_to(app: typer.Typer) -> None:
    app.command()(migrate)
    app.command()(republish)
    app.command()(token)
    app.command()(asyncapi)
    app.command()(openapi)


def migrate(
    service: Annotated[ServiceName | None, typer.Argument(help="One of the four; all of them when left out.")] = None,
    topics: Annotated[
        bool | None,
        typer.Option(
            "--topics/--no-topics", help="Only the topics, no database; or only the databases.", show_default=False
        ),
    ] = None,
) -> None:
    """Bring the databases to this version's schema and create missing topics. Safe to run again, and by several.

    Reads JUSTERA_DATABASE_URL and JUSTERA_KAFKA. `justera up` needs none of this: it does so at every start.
    """
    if topics and service:
        raise typer.BadParameter("topics belong to all services: leave out SERVICE", param_hint="'--topics'")
    asyncio.run(_migrate([] if topics else [service.value] if service else list(SERVICES), topics is not False))


def republish(
    since: Annotated[
        datetime, time_option("A time, e.g. 2026-09-01 or 2026-09-01T08:00Z (UTC when no zone is given).")
    ],
    service: Annotated[ServiceName | None, typer.Option(help="One of the four; all of them when left out.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only events of this topic, e.g. signing.agreement.")] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Publish events again from the outboxes, e.g. into a topic that was lost and made anew.

    Consumers drop what they have handled already. After a topic was deleted and created, they begin at its start.
    """
    client = Client(Role.OPERATOR, data)
    for name in [service.value] if service else SERVICES:
        outcome = client.post(name, "/operations/republish", Outcome, {"since": since.isoformat(), "topic": topic})
        typer.echo(f"{name}: {outcome['count']} events are published again")


def token(
    role: Annotated[Role, typer.Option(help="What it may do.")],
    name: Annotated[str, typer.Option(help="A label, e.g. who has it. Logs show it.")] = "unnamed",
    organisation: Annotated[str, typer.Option(help="Whose data it reaches.")] = "default",
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Days until it expires; without, it does not.")
    ] = None,
    email: Annotated[
        str | None,
        typer.Option(help="Make no token, but an account for who logs in at the provider with this address."),
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Print the token that `justera up` on this machine takes, and no more.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Make an API token. It is shown once; only its hash goes into the token file (JUSTERA_TOKENS_FILE).

    With --email, make an account: its person logs in by OpenID Connect (JUSTERA_OIDC_ISSUER), and there is no token.

    `justera up` makes its own tokens, one a role: --local prints that of --role, for curl and scripts.
    """
    from pydantic import ValidationError

    from services.embedded.home import Home
    from shared.auth import TokenRecord, new_token, token_hash

    if local:
        typer.echo(Home(data).secrets().token(role))
        return
    made = new_token()
    expires = datetime.now(UTC).timestamp() + days * 86_400 if days else None
    try:
        record = TokenRecord(
            name=name, role=role, organisation=organisation, sha256=token_hash(made), expires=expires, email=email
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidInput(f"--{first['loc'][0]}: {invalid.what(first)}") from error
    if not email:
        typer.echo(f"token (give it to its holder; it is not stored):\n  {made}\n")
    typer.echo("record (add it to the list in the token file):")
    typer.echo("  " + json.dumps(record.model_dump(mode="json", exclude_none=True), ensure_ascii=False))


def asyncapi(out: OutOption = None) -> None:
    """Print the AsyncAPI 3 document of all events, as kept in docs/asyncapi.json."""
    from shared.events.asyncapi import asyncapi_json

    _write(asyncapi_json(), out)


def openapi(
    service: Annotated[ServiceName, typer.Argument(help="Which of the four.")],
    out: OutOption = None,
) -> None:
    """Print the OpenAPI document of a service's HTTP API, as kept in docs/openapi/."""
    _write(openapi_json(service.value), out)


def openapi_json(service: str) -> str:
    """Generated from the routes; nothing is connected to."""
    from services.embedded.contract import documented_service

    document = documented_service(service).app.openapi()
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


async def _migrate(services: list[str], topics: bool) -> None:
    from services.embedded.single import kafka_settings
    from shared.messaging.broker import ensure_topics
    from shared.settings import load_settings

    settings = load_settings()
    for name in services:
        await _migrate_database(name, settings.database_url_of(name))
        typer.echo(f"{name}: schema is current")
    if topics:
        await ensure_topics(kafka_settings(settings, "justera-migrate"))
        typer.echo("topics are there")


async def _migrate_database(service: str, url: str) -> None:
    """Raises BadConfiguration or Unavailable for a database that does not let us in."""
    from shared.database import Database
    from shared.database_refusals import refusal_of
    from shared.migrations import migrate as migrate_database

    database = Database(url, command_seconds=None)
    try:
        await migrate_database(database.engine, service)
    except JusteraError:
        raise
    except Exception as error:
        if refusal := refusal_of(error, service, database.engine.url):
            raise refusal from error
        raise
    finally:
        await database.close()


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_text(out, text)
