"""The demo, as a newcomer runs it: from the plan of a year to the notice board, and what it leaves."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.embedded.demo import SCENARIO
from services.embedded.scenario import load_scenario
from tests.scenarios.test_scenarios import SECONDS

STORY = ("PlanAdopted", "NoticeIssued", "SittingOpened", "ProtocolDrafted", "AgreementCompleted", "MinutesPosted")
MADE = {"report.txt", "history.json", "year.txt", "protocol.pdf"}


def test_it_begins_with_the_register_and_the_plan() -> None:
    first, second, third, *others = load_scenario(SCENARIO).steps
    assert (first.kind, second.kind, third.kind) == ("register", "plan", "deliver_all")
    assert all(one.say for one in (first, second, third))
    assert "notice" in {one.kind for one in others}


@pytest.mark.slow
def test_it_tells_the_whole_story_and_leaves_what_it_says(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from services.cli.main import main; main()", "demo", "--out", "made"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    told = list(dict.fromkeys(re.findall(r"→ (\w+)", done.stdout)))
    assert [one for one in told if one in STORY] == list(STORY)
    said = [step.say for step in load_scenario(SCENARIO).steps if step.say]
    assert [one for one in said if one not in done.stdout] == []
    assert {path.name for path in (tmp_path / "made").iterdir()} == MADE
