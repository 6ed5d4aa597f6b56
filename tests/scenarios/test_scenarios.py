"""Scenario files with their whole expected report, replayed by the command as a user does.

Each folder holds a `scenario.yaml` and what must come of it, to the letter: `report.txt`, `year.txt`, or both.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from shared.history import verify_chain

HERE = Path(__file__).parent
SCENARIOS = sorted(path.parent.name for path in HERE.glob("*/scenario.yaml"))
COMPLETED = {
    "a_boards_year",
    "approved_at_once",
    "from_plan_to_notice_board",
    *("corrected_address_en", "corrected_address_sv", "late_bounce", "new_version_sv"),
    *("seed_history_en", "seed_history_sv"),
}
# One of each kind with every `make test`; the others differ from these in a step or the language: `make test-slow`.
ALWAYS = {"a_struck_meeting", "declined", "from_plan_to_notice_board", "refused", "seed_history_sv"}
SECONDS = 300  # the longest takes some 30 on an idle machine; what hangs ends here
AT_ONCE = 2  # a replay starts a whole system and waits a good part of its time

Done = subprocess.CompletedProcess[str]


def replay(scenario: Path, out: Path, *options: str) -> Done:
    command = [sys.executable, "-c", "from services.cli.main import main; main()", "replay", str(scenario)]
    return subprocess.run(
        [*command, "--out", str(out), *options], capture_output=True, text=True, timeout=SECONDS, check=False
    )


def expect_report(name: str, folder: Path) -> None:
    done = replay(HERE / name / "scenario.yaml", folder / "out")
    assert (done.returncode, done.stderr) == (0, "")
    made = {path.name: path for path in (folder / "out").iterdir()}
    golden = {path.name: path.read_text(encoding="utf-8") for path in (HERE / name).glob("*.txt")}
    for file, expected in golden.items():
        assert made[file].read_text(encoding="utf-8") == expected
    assert done.stdout == golden.get("report.txt", golden.get("year.txt"))
    assert made.keys() - {"history.json", "protocol.pdf"} == golden.keys()
    assert ("history.json" in made) is ("report.txt" in made)
    if "history.json" in made:
        verify_chain(made["history.json"].read_bytes())
    assert ("protocol.pdf" in made) is (name in COMPLETED)


def expect_quiet(folder: Path) -> None:
    (folder / "protocol.pdf").write_bytes(b"from an earlier run")
    done = replay(HERE / "cancelled" / "scenario.yaml", folder, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (folder / "protocol.pdf").exists()


def expect_refusal(folder: Path) -> None:
    """Of all that `test_refused_steps` tries, one as the command tells it."""
    head = f"""language: sv
timezone: Europe/Stockholm
minutes: {json.dumps(str(HERE / "minutes.md"))}
sender: {{name: Karin Ek, email: karin.ek@norrdalen.example}}
signers: [{{role: secretary, name: Maja Lind, email: maja.lind@norrdalen.example}}]
steps:
"""
    steps = ["create: {ip: 192.0.2.12}", "sign: {email: maja.lind@norrdalen.example, ip: 198.51.100.7}"]
    text = head + "".join(f"  - {{at: 2022-09-26T09:00:00Z, {step}}}\n" for step in steps)
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    done = replay(folder / "scenario.yaml", folder / "out", "--quiet")
    line = "step 2 (sign maja.lind@norrdalen.example), line 8: the document has not been sent off yet\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)
    assert not (folder / "out").exists()


Expectation = Callable[[Path], None]
EXPECTATIONS: dict[str, Expectation] = {
    **{name: partial(expect_report, name) for name in SCENARIOS},
    "quiet": expect_quiet,
    "refused": expect_refusal,
}


@pytest.fixture(scope="module")
def replayed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], None]]:
    """Returns when the replay of that name was as expected.

    Some go on at a time. Among tests that run side by side that is so already, and which of them are this process's is
    known to nobody beforehand: each is replayed when its test begins.
    """

    def start(name: str) -> Future[None]:
        return pool.submit(EXPECTATIONS[name], tmp_path_factory.mktemp("replay"))

    items = [item for item in request.session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    named = [item.callspec.params["name"] for item in items if item.function is test_a_replay_is_as_expected]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = {} if "PYTEST_XDIST_WORKER" in os.environ else {name: start(name) for name in named}
        yield lambda name: (started.get(name) or start(name)).result()
        pool.shutdown(cancel_futures=True)


def test_every_folder_is_tested() -> None:
    assert SCENARIOS
    assert set(SCENARIOS) > COMPLETED
    assert EXPECTATIONS.keys() > ALWAYS


@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize(
    "name", [name if name in ALWAYS else pytest.param(name, marks=pytest.mark.slow) for name in EXPECTATIONS]
)
def test_a_replay_is_as_expected(name: str, replayed: Callable[[str], None]) -> None:
    """The report to the letter; or the one line that refuses a step, and nothing written."""
    replayed(name)


def test_a_wrong_command_line_is_status_2(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from services.cli.main import main; main()", "replay", "--colour"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 2
