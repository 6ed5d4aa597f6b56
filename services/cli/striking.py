"""`justera strike`: a meeting is called off, and another one takes its items."""

import json
import re
from datetime import date, datetime
from typing import Annotated, Any

import typer

from services.cli.client import Client
from services.cli.options import DEFAULT_DATA, DataOption, JsonOption
from services.cli.planning import clash_told
from services.cli.shapes import BodyList, MeetingPage, OneMeeting, StrikeOutlook
from shared.errors import InvalidInput, NotFound
from shared.names import Role
from shared.plain_text import printable

_BY_DAY = re.compile(r"(?P<body>[a-z0-9][a-z0-9.-]*):(?P<day>\d{4}-\d{2}-\d{2})")
_TIME = re.compile(r"\d{1,2}[.:]\d{2}")
_MOST_PAGES = 50
_MARKS = {"moved": ">", "taken_up": ">", "added": "+"}

MeetingArgument = Annotated[
    str, typer.Argument(metavar="MEETING", help="The meeting that is struck: its id, or BODY:DAY by the body's key.")
]


def add_to(app: typer.Typer) -> None:
    app.command()(strike)


def strike(
    meeting: MeetingArgument,
    to: Annotated[str, typer.Option("--to", metavar="MEETING", help="The meeting of its body that takes the items.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, as those who were asked to it read it.")],
    item: Annotated[
        list[str] | None,
        typer.Option(
            "--item",
            metavar="ID",
            help="Only this item goes along; again for more. Without it: all but untouched standing ones.",
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option("--add", metavar="TITLE", help="A new item of the other meeting, or several."),
    ] = None,
    ends: Annotated[str | None, typer.Option("--ends", metavar="HH:MM", help="When the other one ends now.")] = None,
    mode: Annotated[str | None, typer.Option("--mode", help="physical, digital or hybrid, from now on.")] = None,
    place: Annotated[str | None, typer.Option("--place", help="Where the other meeting is now.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="A few lines in the updated notice.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only show what would happen, and who would be told.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, when there are no clashes.")] = False,
    despite: Annotated[bool, typer.Option("--despite-clashes", help="The clashes are meant.")] = False,
    as_json: JsonOption = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Strike a meeting: it is called off, its items go to another one, and each who was asked to either is told once.

    Shows first exactly what will happen, and asks; then all of it is done in one go, or nothing. For example

        justera strike styrelsen:2022-10-28 --to styrelsen:2022-11-25 --reason "Krockar med förbundsmötet"
        --ends 15:30 --mode digital --place Digitalt --add "Uppföljning av stadgefrågan"
    """
    client = Client(Role.SECRETARY, data)
    struck, other = _meeting(client, meeting), _meeting(client, to)
    sent: dict[str, Any] = {"to_meeting_id": other, "reason": reason, "mode": mode, "place": place, "note": note}
    sent["add"] = [{"title": title, "kind": "discussion"} for title in add or ()]
    sent["items"] = item or None
    if ends is not None:
        sent["ends"] = _ends(client, other, ends)
    found = client.post("meetings", f"/meetings/{struck}/strike/check", StrikeOutlook, sent)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for line in told(found):
            typer.echo(printable(line))
    if check:
        return
    _agree(found, yes=yes, despite=despite)
    client.post("meetings", f"/meetings/{struck}/strike", dict, {**sent, "digest": found["digest"]})
    typer.echo("done", err=as_json)


def told(found: dict[str, Any]) -> list[str]:
    """What will happen, a line each: `- 2022-10-28 Styrelsen: struck`, `> Strategi`, `@ maja.lind@…: changed`."""
    lines = [f"- {_day(found['meeting'])}: struck"]
    lines += [f"{_MARKS[one['how']]} {one['title']}: {one['how'].replace('_', ' ')}" for one in found["items"]]
    lines += [f"= {title}: stays" for title in found["stays"]]
    changes = [f"{one['field']} {one['before'] or '-'} -> {one['after'] or '-'}" for one in found["changes"]]
    lines.append(", ".join((f"~ {_day(found['to'])}", *changes)))
    lines += [clash_told(one) for one in found["clashes"]]
    lines += [f"@ {one['email']}: {one['news']}" for one in found["told"]]
    return lines


def _agree(found: dict[str, Any], *, yes: bool, despite: bool) -> None:
    """Ends the command when nobody does."""
    clashes = len(found["clashes"])
    if yes and clashes and not despite:
        typer.echo(f"{clashes} clashes: say --despite-clashes when they are meant", err=True)
        raise typer.Exit(1)
    if not yes and not despite and not typer.confirm(f"Do this, and mail {len(found['told'])}?", err=True):
        raise typer.Exit(1)


def _meeting(client: Client, named: str) -> str:
    """Its id. Raises InvalidInput, NotFound."""
    found = _BY_DAY.fullmatch(named)
    if found is None:
        return named
    bodies = client.get("meetings", "/bodies", BodyList)["bodies"]
    body = next((one["id"] for one in bodies if one["key"] == found["body"]), None)
    if body is None:
        raise NotFound(f"there is no body {found['body']}", hint="name it by its key, as the register does")
    on_day = [one for one in _meetings_until(client, found["day"]) if _is_on(one, body, found["day"])]
    if len(on_day) != 1:
        many = ", ".join(one["id"] for one in on_day)
        raise NotFound(
            f"{found['body']} has {len(on_day)} meetings on {found['day']}",
            hint=f"name one by its id: {many}" if many else "look at the days: `GET /meetings`",
        )
    return str(on_day[0]["id"])


def _is_on(meeting: dict[str, Any], body_id: str, day: str) -> bool:
    starts = str(meeting["details"]["starts"])
    return meeting["body_id"] == body_id and starts.startswith(day) and meeting["status"] != "cancelled"


def _meetings_until(client: Client, day: str) -> list[dict[str, Any]]:
    """The latest first, down to the day. Raises InvalidInput for what is no day."""
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise InvalidInput(f"{day} is no day such as 2022-10-28") from error
    found: list[dict[str, Any]] = []
    after = None
    for _ in range(_MOST_PAGES):
        page = client.get("meetings", "/meetings", MeetingPage, limit=200, after=after)
        found += page["meetings"]
        after = page.get("next")
        if after is None or str(found[-1]["details"]["starts"]) < day:
            break
    return found


def _ends(client: Client, meeting_id: str, ends: str) -> str:
    """On the day on which it ends now. Raises InvalidInput."""
    if _TIME.fullmatch(ends) is None:
        raise InvalidInput(f"--ends: {ends[:20]!r} is no time such as 15:30")
    details = client.get("meetings", f"/meetings/{meeting_id}", OneMeeting)["details"]
    hours, minutes = ends.replace(".", ":").split(":")
    try:
        at = datetime.fromisoformat(str(details["ends"])).replace(hour=int(hours), minute=int(minutes))
    except ValueError as error:
        raise InvalidInput(f"--ends: {ends[:20]!r} is no time such as 15:30") from error
    return at.isoformat(timespec="minutes")


def _day(meeting: dict[str, Any]) -> str:
    details = meeting["details"]
    return f"{str(details['starts']).partition('T')[0]} {details['body']}"
