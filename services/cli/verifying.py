"""`justera verify`: is this file whole, and is it what it says?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.errors import InvalidInput

if TYPE_CHECKING:
    from services.archive.verification import Findings

LARGEST = 64 * 1024 * 1024


def add_to(app: typer.Typer) -> None:
    app.command()(verify)


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A history.json, or a final copy (PDF).")],
    trust: Annotated[
        list[Path] | None, typer.Option("--trust", metavar="PEM", help="A CA certificate to trust; may be repeated.")
    ] = None,
    require_trust: Annotated[
        bool, typer.Option("--require-trust", help="Fail also when the seal's certificate is not trusted.")
    ] = False,
) -> None:
    """Check a history.json (its hash chain) or a final PDF (its seal, its attachments, the history inside).

    Integrity decides the exit status: 0 when all is whole, 1 with the first broken thing, also for a damaged file.
    Whether the seal's certificate is trusted is printed, and counts only with --require-trust.
    """
    from services.archive.verification import load_roots, verify_final, verify_history

    roots = load_roots(trust or [])
    data = _read(file)
    findings = verify_final(data, roots, require_trust=require_trust) if _is_pdf(file, data) else verify_history(data)
    _print(findings)
    if findings.broken is not None:
        typer.echo(f"{file.name}: {findings.broken}", err=True)
        raise typer.Exit(1)


def _is_pdf(file: Path, data: bytes) -> bool:
    """By its head (ISO 32000-2, 7.5.2), or, when that is damaged, by its name."""
    return b"%PDF-" in data[:1024] or file.suffix.lower() == ".pdf"


def _print(findings: "Findings") -> None:
    marks = {True: "ok     ", False: "BROKEN ", None: "       "}
    for ok, text in findings.items:
        typer.echo(f"{marks[ok]}{text}")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except OSError as error:
        raise InvalidInput(f"{file}: cannot be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise InvalidInput(f"{file}: larger than {LARGEST // 1024 // 1024} MiB")
    return data
