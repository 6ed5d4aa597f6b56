"""`justera verify`: is this file whole, who sealed it, and when?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.errors import InvalidInput
from shared.plain_text import printable

if TYPE_CHECKING:
    from services.archive.findings import Findings

LARGEST = 64 * 1024 * 1024
_INDENT = " " * 20


def add_to(app: typer.Typer) -> None:
    app.command()(verify)


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A history.json, or a final copy (PDF).")],
    sealed_by: Annotated[
        str | None,
        typer.Option(
            "--sealed-by",
            metavar="WHO",
            help="Whose seal it should be: the SHA-256 of a certificate, or, under a root of --trust, parts of a "
            "subject, as in 'O=Norrdalens kommunalförbund'.",
        ),
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option("--trust", metavar="PEM", help="A CA certificate to trust for seals; may be repeated."),
    ] = None,
    trust_time: Annotated[
        list[Path] | None,
        typer.Option("--trust-time", metavar="PEM", help="One to trust for time stamps, no other; may be repeated."),
    ] = None,
    revoked: Annotated[
        list[Path] | None,
        typer.Option("--crl", metavar="CRL", help="A revocation list of such a CA; may be repeated. None is fetched."),
    ] = None,
    integrity_only: Annotated[
        bool, typer.Option("--integrity-only", help="Let the exit status say only whether the file is whole.")
    ] = False,
) -> None:
    """Is a history.json (its hash chain) or a final PDF (its seal, its attachments, its history) whole? By whom? When?

    Integrity is `whole` or `broken`. Identity and time are `proven` by what you bring along, `claimed` by the file
    alone, `refuted`, or `none`. Exit status: 0 whole, sealed by whom you named, at a proven time; 1 broken; 3 whole,
    but who sealed it is not proven; 4 whole and by whom you named, but when is not proven.
    """
    from services.archive.trust import Asked, Pin, load_crls, load_roots
    from services.archive.verification import verify_final, verify_history

    asked = Asked(
        sealed_by=None if sealed_by is None else Pin.of(sealed_by),
        roots=load_roots(trust or []),
        time_roots=load_roots(trust_time or []),
        crls=load_crls(revoked or []),
    )
    data = _read(file)
    findings = verify_final(data, asked) if _is_pdf(file, data) else verify_history(data)
    _print(findings)
    _end(file, findings, integrity_only)


def _is_pdf(file: Path, data: bytes) -> bool:
    """By its head (ISO 32000-2, 7.5.2), or, when that is damaged, by its name."""
    return b"%PDF-" in data[:1024] or file.suffix.lower() == ".pdf"


def _print(findings: "Findings") -> None:
    for question, answer in (
        ("integrity", findings.integrity),
        ("identity", findings.identity),
        ("time", findings.time),
    ):
        typer.echo(printable(f"{question:<10}{answer.word:<10}{answer.text}"))
        for remark in answer.remarks:
            typer.echo(printable(f"{_INDENT}{remark}"))


def _end(file: Path, findings: "Findings", integrity_only: bool) -> None:
    from services.archive.findings import BROKEN, UNIDENTIFIED, WHOLE

    status = findings.status
    if status == WHOLE or (integrity_only and status != BROKEN):
        return
    told = {
        BROKEN: findings.integrity.text,
        UNIDENTIFIED: f"who sealed it is not proven; identity: {findings.identity.word}",
    }.get(status, f"when it was sealed is not proven; time: {findings.time.word}")
    typer.echo(printable(f"{file.name}: {told}"), err=True)
    raise typer.Exit(status)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except OSError as error:
        raise InvalidInput(f"{file}: cannot be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise InvalidInput(f"{file}: larger than {LARGEST // 1024 // 1024} MiB")
    return data
