"""What became of mails: `justera mails`."""

import json
from collections.abc import Iterator
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any

import typer

from services.cli.client import Client
from services.cli.options import DEFAULT_DATA, DataOption, JsonOption, TailOption
from services.cli.shapes import MailPage
from shared.names import Role
from shared.plain_text import printable, quoted

_MOST = 200  # mails that one request asks for

Mail = dict[str, Any]


class MailStatus(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    BOUNCED = "bounced"
    WITHDRAWN = "withdrawn"


def add_to(app: typer.Typer) -> None:
    app.command()(mails)


def mails(
    data: DataOption = DEFAULT_DATA,
    agreement: Annotated[str | None, typer.Option(help="Only about this agreement.")] = None,
    meeting: Annotated[str | None, typer.Option(help="Only about this meeting, by its id.")] = None,
    status: Annotated[
        MailStatus | None, typer.Option(help="Only those that wait, were taken by a mail server, came back, or ended.")
    ] = None,
    tail: TailOption = None,
    as_json: JsonOption = False,
) -> None:
    """Mails and what became of them, in the order in which they were asked for: one line a mail.

    Time (UTC) of what became of it last, its status and code, what it is for and to whom, the agreement (or the
    meeting, or the body whose plan it is about), its id, and what a mail server said last. It prints addresses.
    """
    client = Client(Role.OPERATOR, data)
    query = {"agreement_id": agreement, "meeting_id": meeting, "status": status.value if status else None}
    for mail in _last(client, query, tail) if tail else _all(client, query):
        typer.echo(json.dumps(mail, ensure_ascii=False) if as_json else line(mail))


def line(mail: Mail) -> str:
    """A mail for people. What a mail server said is quoted."""
    moment = (mail["bounced_at"] or mail["sent_at"] or mail["created_at"])[:19].replace("T", " ")
    said = mail["last_diagnostic"]
    columns = [
        f"{moment}  {mail['status']:<9}  {mail['last_status'] or '-':<6} {mail['purpose']:<17}",
        mail["recipient"],
        _about(mail),
        mail["id"],
    ]
    return printable("  ".join(columns)) + (f"  {quoted(said)}" if said else "")


def _about(mail: Mail) -> str:
    named = (f"{kind} {mail[f'{kind}_id']}" for kind in ("meeting", "poll", "body") if mail.get(f"{kind}_id"))
    return next(named, mail["agreement_id"] or "-")


def _all(client: Client, query: dict[str, str | None]) -> Iterator[Mail]:
    cursor: str | None = None
    while True:
        page = client.get("notifications", "/deliveries", MailPage, after=cursor, limit=_MOST, **query)
        yield from page["deliveries"]
        cursor = page.get("next")
        if cursor is None:
            return


def _last(client: Client, query: dict[str, str | None], most: int) -> Iterator[Mail]:
    pages: list[list[Mail]] = []
    before: str | None = "end"
    while before and most > 0:
        page = client.get("notifications", "/deliveries", MailPage, before=before, limit=min(_MOST, most), **query)
        pages.append(page["deliveries"])
        most -= len(page["deliveries"])
        before = page.get("previous")
    return chain.from_iterable(reversed(pages))
