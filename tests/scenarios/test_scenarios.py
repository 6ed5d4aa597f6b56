"""Scenario files with their whole expected report, replayed by the command as a user does.

Each folder holds a `scenario.yaml` and the `report.txt` that must come of it, to the letter.
"""

import json
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
    *("corrected_address_en", "corrected_address_sv", "late_bounce", "new_version_sv"),
    *("seed_history_en", "seed_history_sv"),
}
SECONDS = 90
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
    expected = (HERE / name / "report.txt").read_text(encoding="utf-8")
    assert (folder / "out" / "report.txt").read_text(encoding="utf-8") == expected
    assert done.stdout == expected
    history = (folder / "out" / "history.json").read_bytes()
    verify_chain(history)
    assert (folder / "out" / "protocol.pdf").exists() is (name in COMPLETED)


def expect_quiet(folder: Path) -> None:
    (folder / "protocol.pdf").write_bytes(b"from an earlier run")
    done = replay(HERE / "cancelled" / "scenario.yaml", folder, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (folder / "protocol.pdf").exists()


def expect_refusal(steps: list[str], line: str, folder: Path) -> None:
    text = HEAD.format(minutes=json.dumps(str(HERE / "minutes.md")))
    text += "".join(f"  - {{at: 2022-09-26T09:00:00Z, {step}}}\n" for step in steps)
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    done = replay(folder / "scenario.yaml", folder / "out", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line + "\n")
    assert not (folder / "out").exists()


HEAD = """language: sv
timezone: Europe/Stockholm
minutes: {minutes}
sender: {{name: Karin Ek, email: karin.ek@norrdalen.example}}
signers:
  - {{role: secretary, name: Maja Lind, email: maja.lind@norrdalen.example}}
  - {{role: chair, email: olof.berg@bjorka.example}}
steps:
  - {{at: 2022-09-26T08:00:00Z, create: {{ip: 192.0.2.12}}}}
"""
SENT = [
    "send: {}",
    "deliver: {to: maja.lind@norrdalen.example}",
]
SIGNED_FIRST = [
    *SENT,
    "sign: {email: maja.lind@norrdalen.example, ip: 198.51.100.7}",
    "deliver: {to: olof.berg@bjorka.example}",
]
NAMED = [*SIGNED_FIRST, "enter_name: {email: olof.berg@bjorka.example, name: Olof Berg, ip: 203.0.113.66}"]
SIGN_SECOND = "sign: {email: olof.berg@bjorka.example, ip: 203.0.113.66}"


REFUSED: list[tuple[list[str], str]] = [
    (
        [*SENT, SIGN_SECOND],
        "step 4 (sign olof.berg@bjorka.example): it is not their turn: maja.lind@norrdalen.example has not signed",
    ),
    (
        [*SENT, "deliver: {to: olof.berg@bjorka.example}"],
        "step 4 (deliver olof.berg@bjorka.example): no mail is waiting for olof.berg@bjorka.example",
    ),
    (
        [*SIGNED_FIRST, "sign: {email: maja.lind@norrdalen.example, ip: 198.51.100.7}"],
        "step 6 (sign maja.lind@norrdalen.example): their place is signed already by maja.lind@norrdalen.example",
    ),
    ([*SIGNED_FIRST, SIGN_SECOND], "step 6 (sign olof.berg@bjorka.example): they have not stated a name"),
    (
        [
            *SENT,
            "decline: {email: maja.lind@norrdalen.example, reason: nej, ip: 198.51.100.7}",
            "view: {email: maja.lind@norrdalen.example, ip: 198.51.100.7}",
        ],
        "step 5 (view maja.lind@norrdalen.example): the agreement is declined",
    ),
    (
        [*NAMED, SIGN_SECOND, "view: {email: olof.berg@bjorka.example, ip: 203.0.113.66}"],
        "step 8 (view olof.berg@bjorka.example): the agreement is completed",
    ),
    (
        ["send: {}", "bounce: {to: maja.lind@norrdalen.example, status: 5.1.1}"],
        "step 3 (bounce maja.lind@norrdalen.example): no request was delivered to maja.lind@norrdalen.example",
    ),
    (
        ["sign: {email: maja.lind@norrdalen.example, ip: 198.51.100.7}"],
        "step 2 (sign maja.lind@norrdalen.example): the document has not been sent off yet",
    ),
    (
        [*SENT, f"new_version: {{minutes: {json.dumps(str(HERE / 'minutes.md'))}, ip: 192.0.2.12}}"],
        f"step 4 (new_version {HERE / 'minutes.md'}): minutes of this meeting have been drafted already",
    ),
    (["create: {ip: 192.0.2.12}"], "step 2 (create): the document has been created already"),
]

Expectation = Callable[[Path], None]
EXPECTATIONS: dict[str, Expectation] = {
    **{name: partial(expect_report, name) for name in SCENARIOS},
    "quiet": expect_quiet,
    **{line: partial(expect_refusal, steps, line) for steps, line in REFUSED},
}


@pytest.fixture(scope="module")
def replays(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """All replays of this run, some at a time; the tests wait for theirs."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    named = [item.callspec.params["replayed"] for item in items if item.function is test_a_replay_is_as_expected]
    pool = ThreadPoolExecutor(AT_ONCE)
    yield {name: pool.submit(EXPECTATIONS[name], tmp_path_factory.mktemp("replay")) for name in named}
    pool.shutdown(cancel_futures=True)


def test_every_folder_is_tested() -> None:
    assert SCENARIOS
    assert set(SCENARIOS) > COMPLETED


@pytest.mark.parametrize("replayed", EXPECTATIONS)
def test_a_replay_is_as_expected(replayed: str, replays: dict[str, Future[None]]) -> None:
    """The report to the letter; or the one line that refuses a step, and nothing written."""
    replays[replayed].result()


def test_a_wrong_command_line_is_status_2(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from services.cli.main import main; main()", "replay", "--colour"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 2
