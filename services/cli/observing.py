"""Looking at a running system: `justera history`, `justera doctor`."""

import json
import time
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.cli.client import Client, NotJustera, ServerSaidNo
from services.cli.options import DEFAULT_DATA, DataOption, JsonOption
from services.cli.output import print_table
from shared.errors import Unavailable
from shared.names import SERVICES, Role


class ReportLanguage(StrEnum):
    SV = "sv"
    EN = "en"


def add_to(app: typer.Typer) -> None:
    app.command()(history)
    app.command()(doctor)


def history(
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its transaction id.")],
    data: DataOption = DEFAULT_DATA,
    language: Annotated[ReportLanguage | None, typer.Option(help="The agreement's own when left out.")] = None,
) -> None:
    """The audit report of an agreement as text, as of now: also what came after its completion."""
    client = Client(Role.AUDITOR, data)
    report = client.text(
        "signing", f"/agreements/{quote(agreement, safe='')}/report", language=language.value if language else None
    )
    typer.echo(report, nl=False)


def doctor(data: DataOption = DEFAULT_DATA, as_json: JsonOption = False) -> None:
    """Is everything well? What is reachable, how far consumers are behind, what waits, what failed.

    Exit status 1 when something needs a person.
    """
    client = Client(Role.OPERATOR, data, seconds=10)
    states = [_examine(client, service) for service in SERVICES]
    if as_json:
        typer.echo(json.dumps(states, ensure_ascii=False, indent=2))
    else:
        print_table(
            ("service", "state", "schema", "lag", "unpublished", "oldest (s)", "dead letters", "in hand"),
            [_row(state) for state in states],
        )
        for advice in _advice(states):
            typer.echo(advice)
    if any(state["trouble"] for state in states):
        raise typer.Exit(1)


def _examine(client: Client, service: str) -> dict[str, Any]:
    """A check that fails is a result, not an end; without a token that is taken there is nothing to check."""
    began = time.monotonic()
    try:
        state: dict[str, Any] = client.get(service, "/operations/state")
        if service == "archive":
            for kind in ("failed", "refused"):
                state[kind] = len(client.get(service, "/protocols", state=kind, limit=100)["protocols"])
    except (ServerSaidNo, NotJustera, Unavailable) as error:
        return {"service": service, "reachable": False, "trouble": [error.message], "hint": error.hint}
    return {**state, "reachable": True, "seconds": round(time.monotonic() - began, 3), "trouble": _trouble(state)}


def _trouble(state: dict[str, Any]) -> list[str]:
    service = state["service"]
    found = []
    if not state["schema_current"]:
        found.append(f"{service}: the database is not at this version's schema; run: justera migrate")
    if any(behind is None for behind in state["lag"].values()):
        found.append(f"{service}: its consumers have not joined Kafka; is Kafka reachable from it?")
    if state["oldest_unpublished"] > 30:
        found.append(f"{service}: events wait unpublished for {state['oldest_unpublished']:.0f} s; is Kafka reachable?")
    if state["dead_letters"]:
        found.append(f"{service}: {state['dead_letters']} dead letters; see: justera dead-letters list")
    if state.get("failed"):
        found.append(
            f"{service}: {state['failed']} agreements could not be archived; GET /protocols?state=failed says why"
        )
    if state.get("refused"):
        found.append(
            f"{service}: {state['refused']} agreements are not sealed: their history is not what the journal "
            "has; GET /protocols?state=refused says which entry"
        )
    return found


def _row(state: dict[str, Any]) -> tuple[str, ...]:
    if not state["reachable"]:
        return (state["service"], "unreachable", *("-",) * 6)
    lag = [behind for behind in state["lag"].values() if behind is not None]
    return (
        state["service"],
        "trouble" if state["trouble"] else "well",
        "current" if state["schema_current"] else "old",
        str(sum(lag)) if len(lag) == len(state["lag"]) else "not joined",
        str(state["unpublished"]),
        f"{state['oldest_unpublished']:.1f}",
        str(state["dead_letters"]),
        str(state["pending"]),
    )


def _advice(states: list[dict[str, Any]]) -> list[str]:
    """What is wrong, then what to do where nothing could be asked: once, however many services it is about."""
    troubles = [trouble for state in states for trouble in state["trouble"]]
    return troubles + list(dict.fromkeys(state["hint"] for state in states if state.get("hint")))
