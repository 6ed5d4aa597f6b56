"""Reading the journal: `justera events`."""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Annotated, Any

import typer

from services.cli.client import Client
from services.cli.event_words import words_of
from services.cli.options import DEFAULT_DATA, DataOption, JsonOption, TailOption, time_option
from services.cli.shapes import JournalPage
from shared.names import Role, subject_of_mail
from shared.plain_text import printable

_WAIT = 20  # seconds that one request waits for news
_MOST = 500  # events that one request asks for

Query = dict[str, str | None]
JournalEvent = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    app.command()(events)


def events(
    data: DataOption = DEFAULT_DATA,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Only new ones, as they come, until Ctrl-C; see --tail and --since.")
    ] = False,
    tail: TailOption = None,
    subject: Annotated[
        str | None,
        typer.Option(help="Only of this meeting, mail or agreement: of an agreement or a meeting, its mails' too."),
    ] = None,
    correlation: Annotated[str | None, typer.Option(help="Only of this chain (the meeting's id).")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Only these, e.g. BounceDetected.")] = None,
    since: Annotated[datetime | None, time_option("Only from this time on, e.g. 2026-09-01T08:00Z.")] = None,
    until: Annotated[datetime | None, time_option("Only before this time.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The journal of every event of every service, oldest first: one line an event.

    Time (UTC), type, what it is about, its place in that aggregate's life, and the chain it belongs to; of a mail
    also what it is for, to whom, of which agreement or meeting, and what a mail server or a calendar said. It prints
    addresses.

    Entries of an agreement's history that a mail made have the mail's line in their place.
    """
    client = Client(Role.OPERATOR, data, seconds=_WAIT + 15)
    query = {"about": subject, "correlation": correlation, "type": kind, **_times(since=since, until=until)}
    for event in _asked(client, query, follow=follow, tail=tail, from_now=follow and since is None):
        typer.echo(json.dumps(event, ensure_ascii=False) if as_json else line(event))


def line(event: JournalEvent) -> str:
    """An event for people. Whoever can write to Kafka chose its words: none upsets a terminal."""
    moment = (event["time"] or event["recorded_at"])[:19].replace("T", " ")
    name = event["name"] or "unreadable"
    columns = [
        f"{moment}  {name:<22} {event['subject'] or '-'}",
        f"#{event['sequence'] or '-'}",
        event["correlation_id"] or "-",
        *_mail(event["data"]),
        *words_of(name, event["data"]),
    ]
    return printable("  ".join(columns))


def _mail(body: Any) -> list[str]:
    """Whose mail it is, of which agreement, meeting or body, its code, and what a calendar program answered."""
    if not isinstance(body, dict) or "email_id" not in body:
        return []
    kind = subject_of_mail(str(body.get("purpose")))
    what = f"{'' if kind == 'agreement' else kind + ' '}{body.get('agreement_id')}"
    about = f"{body.get('purpose')} to {body.get('recipient')} of {what}"
    if "answer" in body:
        return [about, str(body["answer"])]
    permanent = body.get("permanent")
    lasting = "" if permanent is None else " permanent" if permanent else " temporary"
    return [about, f"{body['status']}{lasting}"] if "status" in body else [about]


def _asked(client: Client, query: Query, *, follow: bool, tail: int | None, from_now: bool) -> Iterator[JournalEvent]:
    cursor: str | None = None
    if tail is not None or from_now:
        last, cursor = _last(client, query, tail or 0)
        yield from last
        if not follow:
            return
    while True:
        wait = _WAIT if follow else None
        page = client.get("archive", "/events", JournalPage, after=cursor, limit=_MOST, wait=wait, **query)
        yield from page["events"]
        cursor = page["next"] or cursor
        if not page["events"] and not follow:
            return


def _last(client: Client, query: Query, most: int) -> tuple[Iterator[JournalEvent], str]:
    """The last ones, and the cursor of the end that they were read back from."""
    pages: list[list[JournalEvent]] = []
    found, end, before = 0, None, "end"
    while end is None or (before and found < most):
        limit = min(_MOST, max(1, most - found))
        page = client.get("archive", "/events", JournalPage, before=before, limit=limit, **query)
        end, before = end or page["next"], page.get("previous")
        pages.append(page["events"])
        found += len(page["events"])
    events = chain.from_iterable(reversed(pages))
    return (events if most else iter(())), end


def _times(**times: datetime | None) -> Query:
    return {name: moment.isoformat() if moment else None for name, moment in times.items()}
