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
    *("corrected_address_en", "corrected_address_sv", "late_bounce", "new_version_sv"),
    *("seed_history_en", "seed_history_sv"),
}
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


def expect_year_refused(steps: list[str], line: str, folder: Path) -> None:
    text = "language: sv\ntimezone: Europe/Stockholm\nsteps:\n"
    text += "".join(f"  - {{at: 2023-01-09T09:00:00Z, {step}}}\n" for step in [REGISTERED, *steps])
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    done = replay(folder / "scenario.yaml", folder / "out")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", _with_line(line, first=4) + "\n")
    assert not (folder / "out").exists()


def _with_line(message: str, *, first: int) -> str:
    """`step N (what): why` with the line of its step, of which each here has one. `first`: that of the first step."""
    number = int(message.split()[1])
    return message.replace("): ", f"), line {first + number - 1}: ", 1)


def expect_refusal(steps: list[str], line: str, folder: Path) -> None:
    text = HEAD.format(minutes=json.dumps(str(HERE / "minutes.md")))
    text += "".join(f"  - {{at: 2022-09-26T09:00:00Z, {step}}}\n" for step in steps)
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    done = replay(folder / "scenario.yaml", folder / "out", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", _with_line(line, first=9) + "\n")
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
        "step 3 (bounce maja.lind@norrdalen.example): no request or notice reached maja.lind@norrdalen.example",
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

REGISTERED = (
    "register: {people: {olof: {name: Olof Berg, email: olof.berg@bjorka.example}}, bodies: {"
    "board: {name: Styrelsen, kind: board, members: [{person: olof, role: chair}]},"
    "au: {name: AU, kind: committee, members: [{person: olof, role: chair}]}}}"
)
MET = "title: Möte, place: Forsby, starts: 2023-02-24T09:00, ends: 2023-02-24T12:00"
REFUSED_OF_A_YEAR: list[tuple[list[str], str]] = [
    (
        [f"schedule_meeting: {{body: board, {MET}}}", f"schedule_meeting: {{body: au, {MET}}}"],
        "step 3 (schedule_meeting au): there are clashes (1): 2023-02-24 Styrelsen: Möte, 09:00-12:00: Olof Berg",
    ),
    (
        ["cancel_meeting: {meeting: board 2023-02-24, reason: Few}"],
        "step 2 (cancel_meeting board 2023-02-24): there is no meeting board 2023-02-24",
    ),
    (
        [f"schedule_meeting: {{body: board, {MET}}}", "move_items: {meeting: board 2023-02-24, items: [Budget]}"],
        "step 3 (move_items board 2023-02-24): items: there is no item 'Budget'",
    ),
    (
        ["plan: {plan: '2023', year: '2023', bodies: {ghosts: {meetings: []}}}"],
        "step 2 (plan): bodies, ghosts: there is no body ghosts (name bodies by their keys, as the register does)",
    ),
    (
        [f"schedule_meeting: {{body: board, {MET}}}", "reply: {meeting: board 2023-02-24, person: x, answer: absent}"],
        "step 3 (reply x): x is not asked to board 2023-02-24",
    ),
    (
        [
            f"schedule_meeting: {{body: board, {MET}}}",
            "strike: {meeting: board 2023-02-24, to: board 2023-02-24, reason: Few}",
        ],
        "step 3 (strike board 2023-02-24): to_meeting_id: is the meeting that is struck",
    ),
    (["deliver_all: {}"], "step 2 (deliver_all): no mail is waiting"),
]

Expectation = Callable[[Path], None]
EXPECTATIONS: dict[str, Expectation] = {
    **{name: partial(expect_report, name) for name in SCENARIOS},
    "quiet": expect_quiet,
    **{line: partial(expect_refusal, steps, line) for steps, line in REFUSED},
    **{line: partial(expect_year_refused, steps, line) for steps, line in REFUSED_OF_A_YEAR},
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


@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize("name", EXPECTATIONS)
def test_a_replay_is_as_expected(name: str, replayed: Callable[[str], None]) -> None:
    """The report to the letter; or the one line that refuses a step, and nothing written."""
    replayed(name)


def test_a_wrong_command_line_is_status_2(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from services.cli.main import main; main()", "replay", "--colour"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 2
