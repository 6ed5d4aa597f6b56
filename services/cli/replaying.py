"""`justera replay` and `justera demo`: scenarios driven through the real services."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.output import require_folder, results_written, run
from shared.errors import JusteraError

if TYPE_CHECKING:
    from services.embedded.replay import Outcome


def add_to(app: typer.Typer) -> None:
    app.command()(demo)
    app.command()(replay)


def replay(
    scenario: Annotated[Path, typer.Argument(help="The scenario, a YAML file.", metavar="SCENARIO")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the results are written.")],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but a refusal.")] = False,
) -> None:
    """Replay a scenario: what people and mail servers did, and when, through the real services.

    Writes report.txt (the audit report), history.json (the chained entries) and, when the agreement was completed,
    protocol.pdf (the final copy) to DIR, and prints the report; of a board's year also year.txt: its meetings, events
    and mails. A step that the system does not allow, and a
    malformed scenario, are refused in one line, and nothing is written.
    """
    from services.embedded.scenario import RefusedScenario

    require_folder(out)
    with _logs_aside():
        try:
            outcome = run(_replay(scenario, quiet))
        except RefusedScenario as error:
            print(error.message, file=sys.stderr)
            raise SystemExit(1) from None
        with results_written(out):
            outcome.write(out)
    if not quiet:
        sys.stdout.write(outcome.text)


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the results are written.")] = Path(
        "justera-demo"
    ),
) -> None:
    """See a meeting from the year's plan to the archive in a minute: called, held, written down, signed, sealed.

    Runs the real services on temporary data, prints each step with the events that it led to, then the final audit
    report, and ends by itself. What it made lies in DIR.
    """
    from rich.console import Console

    from services.embedded.demo import run_demo

    require_folder(out)
    with _logs_aside():
        run(run_demo(out, Console(highlight=False)))


@contextmanager
def _logs_aside() -> Iterator[None]:
    """Logs go to a file, which is kept only when something goes wrong in an unforeseen way."""
    from shared.logging import configure_logging

    with tempfile.NamedTemporaryFile(prefix="justera-", suffix=".log", delete=False) as file:
        path = Path(file.name)
    configure_logging(level="WARNING", file=path)
    try:
        yield
    except (JusteraError, SystemExit, KeyboardInterrupt):
        path.unlink(missing_ok=True)
        raise
    except Exception as error:
        error.add_note(f"logs: {path}")
        raise
    path.unlink(missing_ok=True)


async def _replay(path: Path, quiet: bool) -> "Outcome":
    """With a progress bar when a person watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from services.embedded.replay import replaying
    from services.embedded.scenario import Step, load_scenario

    scenario = load_scenario(path)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    shown = not quiet and console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
        task = progress.add_task("starting", total=len(scenario.steps))

        async def observe(step: Step) -> None:
            progress.update(task, advance=1, description=step.kind)

        async with replaying(scenario) as driver:
            return await driver.run(observe)
