"""`justera register`: bodies, people, and who sits in what, from one file."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import Client
from services.cli.options import DEFAULT_DATA, DataOption, JsonOption
from services.cli.shapes import CheckedRegister
from shared.errors import InvalidInput
from shared.names import Role
from shared.plain_text import printable

LARGEST = 1_048_576  # bytes
_MARKS = {"registered": "+", "begun": "+", "changed": "~", "ended": "-"}


def add_to(app: typer.Typer) -> None:
    app.command()(register)


def register(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The register: YAML, or a table in CSV (docs/register.md).")
    ],
    check: Annotated[bool, typer.Option("--check", help="Only show what it would change, and what is wrong.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Bring bodies, people, and who sits in what to what FILE says. Shows first what that changes, and asks.

    What the file does not name stays as it is; a body with members names them all. Applied again, it changes nothing.
    With anything wrong in it, nothing is changed: each fault is told in a line, and the exit status is 1.
    """
    client = Client(Role.SECRETARY, data)
    sent = {"text": read_file(file), "format": "csv" if file.suffix.lower() == ".csv" else "yaml"}
    found = client.post("meetings", "/register/check", CheckedRegister, sent)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    for problem in found["problems"]:
        typer.echo(printable(f"{file.name}: {problem['where']}: {problem['what']}"), err=True)
    if found["problems"]:
        raise typer.Exit(1)
    if not as_json:
        for change in found["changes"]:
            typer.echo(printable(told(change)))
    if not found["changes"]:
        typer.echo("nothing to change", err=as_json)
        return
    if check:
        return
    if not yes and not typer.confirm(f"Change this ({len(found['changes'])})?", err=True):
        raise typer.Exit(1)
    client.post("meetings", "/register", dict, {**sent, "version": found["version"]})
    typer.echo("done", err=as_json)


def told(change: dict[str, Any]) -> str:
    """A change in a line: `+ Styrelsen: Maja Lind, chair, begins 2023-01-01`."""
    what, _, happened = change["kind"].partition("-")
    mark = _MARKS[happened]
    fields = [_field(one, happened) for one in change["fields"] if one["field"] not in ("name", "role") or mark == "~"]
    if what == "membership":
        subject = f"{change['body']}: {change['person']}, {str(change['role']).replace('_', ' ')}"
    else:
        subject = f"{what} {change['key']}: {change[what]}"
    return ", ".join((f"{mark} {subject}", *fields))


def _field(change: dict[str, Any], happened: str) -> str:
    if happened == "changed":
        return f"{change['field']} {change['before'] or '-'} -> {change['after'] or '-'}"
    return f"{change['field']} {change['after'] or '-'}"


def read_file(file: Path) -> str:
    """UTF-8; a table also as Windows writes it (CP1252). Raises InvalidInput."""
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except OSError as error:
        raise InvalidInput(f"{file}: cannot be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise InvalidInput(f"{file}: larger than {LARGEST // 1024} KiB")
    if data.startswith(b"PK\x03\x04"):
        raise InvalidInput(f"{file}: is a workbook of Excel or another archive", hint="save it as CSV")
    encodings = ("utf-8-sig", "cp1252") if file.suffix.lower() == ".csv" else ("utf-8-sig",)
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInput(f"{file}: is not UTF-8 text", hint="save it as UTF-8")
