"""The demo: the bundled scenario, from a year's plan to the archive, told in its sentences with the events of each."""

import sys
from collections import Counter
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.text import Text

from services.archive.commands import ArchiveCommands
from services.embedded.replay import Outcome, Replay, replaying
from services.embedded.scenario import Step, load_scenario

SCENARIO = Path(__file__).parent / "demo_data" / "scenario.yaml"


async def run_demo(out: Path, console: Console) -> None:
    """Run the demo, write its files to `out`, and say what to try next. Raises Unavailable, RefusedScenario."""
    scenario = load_scenario(SCENARIO)
    async with AsyncExitStack() as stack:
        with console.status("Starting a database, a broker and the four services on temporary data…"):
            replay = await stack.enter_async_context(replaying(scenario))
        outcome = await replay.run(_Narrator(console, replay).tell)
    _close(console, outcome, outcome.write(out))


class _Narrator:
    """Tells each step that says something, and after each the events that the journal has gained."""

    def __init__(self, console: Console, replay: Replay) -> None:
        self._console = console
        self._archive: ArchiveCommands = replay.system.services["archive"].commands
        self._organisation = replay.system.settings.organisation
        self._cursor: str | None = None
        self._day: date | None = None

    async def tell(self, step: Step) -> None:
        if step.say:
            if step.at.date() != self._day:
                self._day = step.at.date()
                _say(self._console, Text(f"{self._day}", style="dim"))
            _say(self._console, Text(f"{step.at:%H:%M:%S}  ", style="dim") + Text(step.say, style="bold"))
        page = await self._archive.events(self._organisation, after=self._cursor, limit=200)
        self._cursor = page.next
        alike = Counter((event.name, event.topic) for event in page.events)
        for (name, topic), number in alike.items():
            times = f" × {number}" if number > 1 else ""
            _say(self._console, Text(f"            → {name:<22} {topic}{times}", style="cyan"))


def _close(console: Console, outcome: Outcome, files: list[Path]) -> None:
    console.print()
    console.rule("The final audit report")
    _say(console, Text(outcome.text))
    console.rule("What it made")
    told = {
        "report.txt": "the report above",
        "history.json": "the history, each entry chained to the one before",
        "year.txt": "the year's meetings, each event of theirs, and who was mailed what",
        "protocol.pdf": "the final copy: signed minutes and report, sealed (with a test certificate)",
    }
    for file in files:
        _say(console, Text(f"  {file!s:<28} ") + Text(told[file.name], style="dim"))
    sealed = next((file for file in files if file.suffix == ".pdf"), files[0])
    command = sys.argv[0]
    _say(console, Text("\nTry next:"))
    for arguments, why in (
        (f"verify {sealed}", "is the final copy whole? by whom, and when?"),
        ("up", "the same by clicking: an association in mid-year, with pages for all of this"),
        ("replay SCENARIO.yaml --out DIR", "a story of your own, as docs/scenarios.md writes them"),
        ("--help", "everything else"),
    ):
        _say(console, Text(f"  {command} {arguments:<36} ") + Text(why, style="dim"))


def _say(console: Console, text: Text) -> None:
    """One line, however long: wrapping is the terminal's."""
    console.print(text, soft_wrap=True)
