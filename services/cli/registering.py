"""`justera register`: bodies, people, and who sits in what, from one file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import Client, InputRefused
from services.cli.options import DEFAULT_DATA, DataOption, JsonOption
from services.cli.shapes import CheckedRegister
from shared.errors import InvalidInput
from shared.names import Role
from shared.plain_text import printable
from shared.text_file import looks_like_a_table, read_text

LARGEST = 1_048_576  # bytes
_TABLES = frozenset({".csv", ".tsv"})
_IN_FILES = {"begins": "from", "ends": "to"}
"""Fields of a change, as registers call them (docs/register.md)."""
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
    text = read_file(file)
    is_table = file.suffix.lower() in _TABLES or (file.suffix.lower() == ".txt" and looks_like_a_table(text))
    sent = {"text": text, "format": "csv" if is_table else "yaml"}
    found = checked(client, "/register/check", CheckedRegister, sent, file, as_json=as_json)
    if not as_json:
        for change in found["changes"]:
            typer.echo(printable(told(change, found.get("written", {}))))
    if not found["changes"]:
        typer.echo("nothing to change", err=as_json)
        return
    if check:
        return
    if not yes and not typer.confirm(f"Change this ({len(found['changes'])})?", err=True):
        raise typer.Exit(1)
    client.post("meetings", "/register", dict, {**sent, "version": found["version"]})
    typer.echo("done", err=as_json)


def checked(
    client: Client, path: str, model: Any, sent: dict[str, Any], file: Path, *, as_json: bool
) -> dict[str, Any]:
    """What the file would change; ends the command when something is wrong in it, each fault told in a line."""
    with about(file):
        found: dict[str, Any] = client.post("meetings", path, model, sent)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    for problem in found["problems"]:
        typer.echo(printable(f"{file.name}: {problem['where']}: {problem['what']}"), err=True)
    if found["problems"]:
        raise typer.Exit(1)
    return found


def told(change: dict[str, Any], written: dict[str, str]) -> str:
    """A change in a line: `+ Styrelsen: Maja Lind, chair, from 2023-01-01`. `written`: how the file calls fields."""
    what, _, happened = change["kind"].partition("-")
    mark = _MARKS[happened]
    fields = [
        _field(one, happened, written)
        for one in change["fields"]
        if one["field"] not in ("name", "role") or mark == "~"
    ]
    if what == "membership":
        subject = f"{change['body']}: {change['person']}, {str(change['role']).replace('_', ' ')}"
    else:
        subject = f"{what} {change['key']}: {change[what]}"
    return ", ".join((f"{mark} {subject}", *fields))


def _field(change: dict[str, Any], happened: str, written: dict[str, str]) -> str:
    name = _IN_FILES.get(change["field"], change["field"])
    name = written.get(name, name)
    if happened == "changed":
        return f"{name} {change['before'] or '-'} -> {change['after'] or '-'}"
    return f"{name} {change['after'] or '-'}"


def read_file(file: Path, largest: int = LARGEST) -> str:
    """UTF-8, or UTF-16 that says so; a table also as Windows writes it (CP1252). Raises InvalidInput."""
    try:
        with file.open("rb") as opened:
            data = opened.read(2 * largest + 1)
    except OSError as error:
        raise InvalidInput(f"{file}: cannot be read: {error.strerror}") from error
    if len(data) <= 2 * largest:  # in UTF-16, each letter has two octets
        text = read_text(data, str(file), table=file.suffix.lower() in _TABLES)
        if len(text.encode("utf-8", "surrogatepass")) <= largest:
            return text
    raise InvalidInput(f"{file}: larger than {largest // 1024} KiB", hint="make several files of it")


@contextmanager
def about(file: Path) -> Iterator[None]:
    """What is wrong with the whole of it is told with its name."""
    try:
        yield
    except InputRefused as error:
        _, _, said = error.message.partition(": ")
        raise InvalidInput(f"{file.name}: {said}", hint=error.hint or "correct the file, and try again") from error
