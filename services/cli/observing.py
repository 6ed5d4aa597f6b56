"""Looking at a running system: `justera history`, `justera doctor`."""

import json
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.cli.client import Client, NotJustera, ServerSaidNo
from services.cli.options import DEFAULT_DATA, DataOption, JsonOption
from services.cli.output import print_paragraph, print_table
from services.cli.shapes import AgreementPage, LateNotices, ProtocolPage, Seal, State
from shared.errors import Unavailable
from shared.names import SERVICES, Role

# Of the widest values everyday has, a table of these is 77 columns wide.
_HEADINGS = ("service", "state", "schema", "lag", "unpublished", "oldest\n(s)", "dead\nletters", "in\nhand")
_MOST = 100  # agreements that one request asks for
_SOON = 30  # days before its end that a seal's certificate wants to be renewed


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
        print_table(_HEADINGS, [_row(state) for state in states])
        for told in (*_advice(states), *_notes(states)):
            print_paragraph(told)
    if any(state["trouble"] for state in states):
        raise typer.Exit(1)


def _examine(client: Client, service: str) -> dict[str, Any]:
    """A check that fails is a result, not an end; without a token that is taken there is nothing to check."""
    began = time.monotonic()
    try:
        state: dict[str, Any] = client.get(service, "/operations/state", State)
        if service == "archive":
            for kind in ("failed", "refused"):
                state[kind] = _count(client, kind)
            state["seal"] = client.get(service, "/seal", Seal)
        if service == "signing":
            state["waiting_on_bounce"] = _waiting_on_bounce(client)
        if service == "meetings":
            state["late_notices"] = len(client.get("meetings", "/late-notices", LateNotices)["meetings"])
    except (ServerSaidNo, NotJustera, Unavailable) as error:
        return {"service": service, "reachable": False, "trouble": [error.message], "hint": error.hint}
    return {**state, "reachable": True, "seconds": round(time.monotonic() - began, 3), "trouble": _trouble(state)}


def _waiting_on_bounce(client: Client) -> int:
    count, cursor = 0, None
    while True:
        page = client.get("signing", "/agreements", AgreementPage, waits_on_bounce=True, cursor=cursor, limit=_MOST)
        count += len(page["agreements"])
        cursor = page.get("next")
        if cursor is None:
            return count


def _count(client: Client, kind: str) -> int:
    page = client.get("archive", "/protocols", ProtocolPage, state=kind, limit=100)
    return len(page["protocols"])


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
    if state.get("unread"):
        found.append(
            f"{service}: {state['unread']} replies to mails could not be read as delivery reports; "
            "GET /unmatched-reports?unread=true shows them"
        )
    if state.get("failed"):
        found.append(
            f"{service}: {state['failed']} agreements could not be archived; GET /protocols?state=failed says why"
        )
    if state.get("refused"):
        found.append(
            f"{service}: {state['refused']} agreements are not sealed: their history is not what the journal "
            "has; GET /protocols?state=refused says which entry"
        )
    if "seal" in state and (left := _days_left(state["seal"])) < _SOON:
        when = "ended" if left < 0 else "ends"
        found.append(f"{service}: the seal's certificate {when} on {state['seal']['ends'][:10]}: renew it")
    return found


def _notes(states: list[dict[str, Any]]) -> list[str]:
    """What an operator may want to know, and need do nothing about."""
    notes = []
    for state in states:
        if late := state.get("late_notices"):
            notes.append(
                f"{state['service']}: notices that should have gone out by now, and that nobody has approved: {late}. "
                "The meetings' pages say so; a list: GET /late-notices"
            )
        if waiting := state.get("waiting_on_bounce"):
            notes.append(
                f"{state['service']}: agreements that wait since a mail came back: {waiting}. Their senders can mend "
                "it on their pages; the mails: justera mails --status bounced"
            )
        if "seal" in state and (left := _days_left(state["seal"])) >= _SOON:
            kind = "test certificate" if state["seal"]["test"] else "certificate"
            notes.append(f"{state['service']}: the seal's {kind} ends on {state['seal']['ends'][:10]}, in {left} days")
    return notes


def _days_left(seal: dict[str, Any]) -> int:
    """Whole days, negative once it has ended."""
    return (datetime.fromisoformat(seal["ends"]) - datetime.now(UTC)).days


def _row(state: dict[str, Any]) -> tuple[str, ...]:
    if not state["reachable"]:
        return (state["service"], "unreachable", *("-",) * (len(_HEADINGS) - 2))
    lag = [behind for behind in state["lag"].values() if behind is not None]
    return (
        state["service"],
        "trouble" if state["trouble"] else "well",
        "current" if state["schema_current"] else "old",
        str(sum(lag)) if len(lag) == len(state["lag"]) else "away",
        str(state["unpublished"]),
        f"{state['oldest_unpublished']:.1f}",
        str(state["dead_letters"]),
        str(state["pending"]),
    )


def _advice(states: list[dict[str, Any]]) -> list[str]:
    """What is wrong, then what to do where nothing could be asked: once, however many services it is about."""
    troubles = [trouble for state in states for trouble in state["trouble"]]
    return troubles + list(dict.fromkeys(state["hint"] for state in states if state.get("hint")))
