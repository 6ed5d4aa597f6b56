"""`justera enter-decisions`: minutes that were signed before the decision register was kept come into it."""

from collections import Counter
from typing import Annotated, Any

import typer

from services.cli.client import Client
from services.cli.options import DEFAULT_DATA, DataOption
from services.cli.shapes import EnteredAgreements, JournalPage
from shared.names import Role

_MOST = 100  # agreements that one request tells of
_TOLD = {
    "entered": "entered: their paragraphs can be searched in a moment",
    "known": "known already",
    "unknown": "not minutes of this system, or ended unsigned",
    "unreadable": "not entered, since nothing is left of what they were set from",
}


def add_to(app: typer.Typer) -> None:
    app.command(name="enter-decisions")(enter_decisions)


def enter_decisions(
    after: Annotated[
        str, typer.Option(help="Go on behind this place of the journal, which a run that was broken off has told.")
    ] = "0",
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Enter minutes that everyone signed before this version in the decision register, as the journal has them.

    Can be broken off and run again: what is entered stays, and is entered once. Minutes signed since need no command.
    """
    client = Client(Role.OPERATOR, data)
    outcomes: Counter[str] = Counter()
    while True:
        page = client.get("archive", "/events", JournalPage, after=after, limit=_MOST, type="AgreementCompleted")
        if not page["events"]:
            break
        signed = [_signed(event) for event in page["events"] if event.get("authentic") and event["subject"]]
        if signed:
            answer = client.post("meetings", "/decisions/signed", EnteredAgreements, {"agreements": signed})
            outcomes.update(one["outcome"] for one in answer["agreements"])
        after = page["next"]
        typer.echo(f"{outcomes.total()} agreements looked at; go on with --after {after}", err=True)
    for outcome, told in _TOLD.items():
        if outcomes[outcome]:
            typer.echo(f"{outcomes[outcome]} {told}")
    if not outcomes:
        typer.echo("the journal has no agreement that everyone signed")


def _signed(event: dict[str, Any]) -> dict[str, Any]:
    """Of an event whose body was erased, what is left: meetings may have kept the rest."""
    body = event["data"] if isinstance(event["data"], dict) else {}
    given = {"agreement_id": event["subject"], "signed_at": event["time"] or event["recorded_at"]}
    return given | ({"render_input": body["render_input"]} if body.get("render_input") else {})
