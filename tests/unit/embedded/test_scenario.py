"""Scenario files: a malformed one is refused in one line that says where."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.embedded.scenario import RefusedScenario, Scenario, load_scenario
from services.embedded.sitting_steps import Record
from services.embedded.year_steps import Attach, Plan, Register
from services.meetings.sitting.steps import VoteTaken

MINUTES = """---
title: Protokoll styrelsen
body: Styrelsen
place: Digitalt
starts: 2022-09-23T13:00
ends: 2022-09-23T15:00
present: [{name: Olof Berg, role: ordförande}]
secretary: Maja Lind
adjuster: Sven Dahl
---
## Ledningens information
Text.
"""
SCENARIO = """language: sv
timezone: Europe/Stockholm
minutes: minutes.md
sender: {name: Karin Ek, email: karin.ek@norrdalen.example}
signers:
  - {role: secretary, name: Maja Lind, email: maja.lind@norrdalen.example}
  - {role: chair, email: olof.berg@bjorka.example}
steps:
  - {at: 2022-09-26T08:41:44Z, create: {ip: 192.0.2.1}}
  - {at: 2022-09-26T08:48:42Z, send: {}}
  - {at: 2022-09-26T08:48:43Z, deliver: {to: maja.lind@norrdalen.example}}
"""


def load(folder: Path, text: str, minutes: str = MINUTES) -> Scenario:
    (folder / "minutes.md").write_text(minutes, encoding="utf-8")
    path = folder / "scenario.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return load_scenario(path)


def refusal(folder: Path, text: str, minutes: str = MINUTES) -> str:
    """Without the line, which a step's refusal must have."""
    with pytest.raises(RefusedScenario) as caught:
        load(folder, text, minutes)
    message = caught.value.message
    assert "\n" not in message
    told = re.sub(r"^(step \d+(?: \(.*?\))?), line \d+: ", r"\1: ", message)
    assert (told == message) is message.startswith("scenario:")
    return told


def step(text: str) -> str:
    return f"{SCENARIO}  - {text}\n"


def test_a_scenario_is_read(tmp_path: Path) -> None:
    scenario = load(tmp_path, SCENARIO)
    assert [one.kind for one in scenario.steps] == ["create", "send", "deliver"]
    assert scenario.steps[2].label == "step 3 (deliver maja.lind@norrdalen.example)"
    assert scenario.steps[0].at.isoformat() == "2022-09-26T08:41:44+00:00"


def test_a_step_may_say_what_it_is(tmp_path: Path) -> None:
    scenario = load(tmp_path, step('{at: 2022-09-26T09:00:00Z, say: "She waits", remind: {}}'))
    assert [one.say for one in scenario.steps] == ["", "", "", "She waits"]
    assert refusal(tmp_path, step("{at: 2022-09-26T09:00:00Z, say: [], remind: {}}")) == (
        "step 4 (remind): say needs a text"
    )


def test_minutes_may_lie_outside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.md").write_text(MINUTES, encoding="utf-8")
    inner = tmp_path / "inner"
    inner.mkdir()
    signing = load(inner, SCENARIO.replace("minutes.md", "../elsewhere.md")).signing
    assert signing is not None
    assert signing.minutes.draft.front.body == "Styrelsen"


def test_the_minutes_of_a_new_version_are_read_with_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "corrected.md").write_text(MINUTES.replace("Text.", "Other text."), encoding="utf-8")
    scenario = load(tmp_path, step("{at: 2022-09-27T09:00:00Z, new_version: {minutes: corrected.md, ip: 192.0.2.1}}"))
    assert list(scenario.corrected) == ["corrected.md"]
    assert "Other text." in scenario.corrected["corrected.md"].text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{minutes: nowhere.md, ip: 192.0.2.1}", "step 4 (new_version nowhere.md): nowhere.md: cannot be read"),
        ("{minutes: scenario.yaml, ip: 192.0.2.1}", "step 4 (new_version scenario.yaml): scenario.yaml: line 1"),
        ("{ip: 192.0.2.1}", "step 4 (new_version): minutes is missing"),
        (
            "{minutes: minutes.md, transaction_id: short, ip: 192.0.2.1}",
            "step 4 (new_version minutes.md): transaction_id: needs 44",
        ),
    ],
)
def test_a_new_version_that_cannot_be_read_is_refused_before_anything_runs(
    tmp_path: Path, arguments: str, message: str
) -> None:
    assert refusal(tmp_path, step(f"{{at: 2022-09-27T09:00:00Z, new_version: {arguments}}}")).startswith(message)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{at: 2022-09-26T09:00:00Z, teleport: {}}", "step 4 (teleport): unknown step"),
        ("{at: 2022-09-26T09:00:00Z, view: {email: a@b.example}}", "step 4 (view a@b.example): ip is missing"),
        (
            "{at: 2022-09-26T09:00:00Z, view: {email: a@b.example, ip: 1.2.3}}",
            "step 4 (view a@b.example): '1.2.3' is no IP address",
        ),
        ("{at: 2022-09-26T08:00:00Z, send: {}}", "step 4 (send): its time is before that of step 3"),
        ("{at: yesterday, send: {}}", "step 4 (send): at: yesterday"),
        ("{send: {}}", "step 4 (send): at is missing"),
        ("{at: 2022-09-26T09:00:00Z}", "step 4: needs `at` and one action"),
        ("{at: 2022-09-26T09:00:00Z, send: {}, create: {}}", "step 4: needs `at` and one action"),
        ("just text", "step 4: needs `at` and one action"),
        ("{at: 2022-09-26T09:00:00Z, send: {colour: red}}", "step 4 (send): unknown field colour"),
        ("{at: 2022-09-26T09:00:00Z, bounce: {to: a@b.example, status: ok}}", "step 4 (bounce a@b.example): status ok"),
        ("{at: 2022-09-26T09:00:00Z, bounce: {to: a@b.example, status: 2.0.0}}", "step 4 (bounce a@b.example): status"),
        (
            '{at: 2022-09-26T09:00:00Z, enter_name: {email: a@b.example, name: "a\\u202eb", ip: 192.0.2.1}}',
            "step 4 (enter_name a@b.example): the name",
        ),
        (
            '{at: 2022-09-26T09:00:00Z, enter_name: {email: a@b.example, name: "a\\ab", ip: 192.0.2.1}}',
            "step 4 (enter_name a@b.example): the name",
        ),
    ],
)
def test_a_malformed_step_is_named(tmp_path: Path, line: str, message: str) -> None:
    assert refusal(tmp_path, step(line)).startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("language: sv", "language: de", "scenario: language: 'de' is neither sv nor en"),
        ("timezone: Europe/Stockholm", "timezone: Mars/Olympus", "scenario: timezone"),
        ("minutes: minutes.md", "minutes: nowhere.md", "scenario: nowhere.md: cannot be read"),
        ("name: Karin Ek, ", "", "scenario: sender: name is missing"),
        ("steps:", "step:", "scenario: unknown field step"),
        (
            "olof.berg@bjorka.example",
            "MAJA.lind@norrdalen.example",
            "scenario: signers: MAJA.lind@norrdalen.example (that is maja.lind@norrdalen.example) is named twice",
        ),
        ("language: sv", "language: [", "scenario: line"),
        ("language: sv", "language: sv\nlanguage: sv", "scenario: line 2: 'language' is there twice, first in line 1"),
        ("language: sv", "language: sv\ntransaction_id: short", "scenario: transaction_id: needs 44"),
    ],
)
def test_what_is_no_step_is_named_too(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert refusal(tmp_path, SCENARIO.replace(old, new, 1)).startswith(message)


def test_malformed_minutes_are_named_with_their_file(tmp_path: Path) -> None:
    message = refusal(tmp_path, SCENARIO, MINUTES.replace("body: Styrelsen\n", ""))
    assert message.startswith("scenario: minutes.md: ")
    assert "body" in message


def test_a_step_is_refused_with_the_line_that_it_begins_in(tmp_path: Path) -> None:
    lines = ["  # why this is done", "  - at: 2022-09-26T09:00:00Z", "    view: {email: a@b.example, ip: no}"]
    text = SCENARIO + "\n".join(lines) + "\n"
    with pytest.raises(RefusedScenario, match=r"^step 4 \(view a@b\.example\), line 13: 'no' is no IP address"):
        load(tmp_path, text)


def test_aliases_are_refused(tmp_path: Path) -> None:
    bomb = SCENARIO.replace("language: sv", "a: &a [x, x]\nb: [*a, *a]\nlanguage: sv")
    assert "aliases" in refusal(tmp_path, bomb)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(max_size=200),
        st.tuples(st.integers(0, len(SCENARIO)), st.text(max_size=8)).map(
            lambda cut: SCENARIO[: cut[0]] + cut[1] + SCENARIO[cut[0] :]
        ),
        st.integers(0, len(SCENARIO)).map(lambda cut: SCENARIO[:cut]),
    )
)
def test_whatever_the_file_holds_it_is_read_or_refused_in_one_line(tmp_path: Path, text: str) -> None:
    message = ""
    try:
        load(tmp_path, text)
    except RefusedScenario as error:
        message = error.message
    assert "\n" not in message


@pytest.mark.parametrize("text", ["", "\n", "# to be written\n", "[]"])
def test_an_empty_file_is_called_empty(text: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text).startswith("scenario: scenario.yaml is empty; ")


YEAR = """language: sv
timezone: Europe/Stockholm
steps:
  - {at: 2022-11-25T08:00:00Z, plan: {plan: 2023, year: 2023, bodies: {au: {follows: board}}}}
"""


def year(step: str) -> str:
    return f"{YEAR}  - {{at: 2022-11-25T09:00:00Z, {step}}}\n"


def test_a_year_that_signs_nothing_needs_no_minutes(tmp_path: Path) -> None:
    scenario = load(tmp_path, YEAR)
    assert (scenario.signing, scenario.language, scenario.timezone) == (None, "sv", "Europe/Stockholm")
    [step] = scenario.steps
    assert isinstance(step.given, Plan)
    assert "follows: board" in step.given.text
    assert (step.given.mail, step.given.despite_clashes, step.label) == (True, False, "step 1 (plan)")


def test_a_register_is_read_from_its_file_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("Namn;E-post\n", encoding="utf-8")
    step = load(tmp_path, year("register: {file: r.csv}")).steps[1]
    assert step.label == "step 2 (register r.csv)"
    assert step.given == Register(text="Namn;E-post\n", form="csv")


def test_what_is_recorded_is_read_by_its_own_name(tmp_path: Path) -> None:
    about = "meeting: au 2023-02-17, do: vote_taken, yes: 1, no: 2"
    step = load(tmp_path, year(f"record: {{{about}, ballots: {{a: 'yes', b: abstain}}}}")).steps[1]
    assert isinstance(step.given, Record)
    assert isinstance(step.given.said, VoteTaken)
    assert (step.label, step.given.said.yes) == ("step 2 (record vote_taken)", 1)
    assert [(one.person_id, one.choice) for one in step.given.said.ballots] == [("a", "yes"), ("b", "abstain")]


def test_minutes_of_a_year_may_be_what_is_written_for_a_meeting(tmp_path: Path) -> None:
    head = SCENARIO.partition("steps:")[0].replace("minutes: minutes.md\n", "")
    text = head + "steps:\n" + YEAR.partition("steps:\n")[2]
    create = "  - {at: 2022-11-26T08:00:00Z, create: {ip: 192.0.2.1, meeting: board 2023-02-24}}\n"
    scenario = load(
        tmp_path,
        text + create + create.replace("create: {", "new_version: {").replace(", meeting: board 2023-02-24", ""),
    )
    assert scenario.signing is not None
    assert (scenario.signing.minutes, scenario.corrected) == (None, {})
    assert refusal(tmp_path, text + create.replace(", meeting: board 2023-02-24", "")) == (
        "step 2 (create): meeting is missing, since the scenario names no minutes"
    )


def test_a_file_is_read_with_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7")
    about = "meeting: au 2023-02-17, item: A"
    [read, typed] = [
        load(tmp_path, year(f"attach: {{{about}, {given}}}")).steps[1].given
        for given in ("file: b.pdf", "name: b.txt, text: Så, confidential: 'yes'")
    ]
    assert isinstance(read, Attach)
    assert isinstance(typed, Attach)
    assert (read.name, read.content, read.confidential) == ("b.pdf", b"%PDF-1.7", False)
    assert (typed.name, typed.content, typed.confidential) == ("b.txt", "Så".encode(), True)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("register: {file: nowhere.yaml}", "step 2 (register nowhere.yaml): nowhere.yaml: cannot be read"),
        ("register: {file: scenario.yaml, people: {}}", "step 2 (register scenario.yaml): unknown field people"),
        ("register: {}", "step 2 (register): needs a file, or people and bodies"),
        ("plan: {file: scenario.yaml, mail: maybe}", "step 2 (plan scenario.yaml): mail: is yes or no"),
        ("plan: {colour: red}", "step 2 (plan): unknown field colour"),
        ("schedule_meeting: {body: au}", "step 2 (schedule_meeting au): title is missing"),
        (
            "change_meeting: {meeting: au 2023-02-17, starts: soon}",
            "step 2 (change_meeting au 2023-02-17): starts: is no local time like 2023-10-27T09:00",
        ),
        (
            "cancel_meeting: {meeting: au friday, reason: x}",
            "step 2 (cancel_meeting au friday): meeting: is no meeting like styrelsen 2023-10-27",
        ),
        ("add_items: {meeting: au 2023-02-17, items: []}", "step 2 (add_items au 2023-02-17): items: needs a list"),
        (
            "add_items: {meeting: au 2023-02-17, items: [A, {title: B, kind: joke}]}",
            "step 2 (add_items au 2023-02-17): items, 2, kind: 'joke' is unknown; known are information",
        ),
        ("move_items: {items: [A], how: lost}", "step 2 (move_items): how: 'lost' is unknown"),
        ("deliver_all: {to: a@b.example}", "step 2 (deliver_all): unknown field to"),
        ("timers: {until: 2023-02-17}", "step 2 (timers): unknown field until"),
        ("notice: {meeting: au 2023-02-17, what: later}", "step 2 (notice au 2023-02-17): what: 'later' is unknown"),
        (
            "reply: {meeting: au 2023-02-17, person: a, answer: coming, via: phone}",
            "step 2 (reply a): via: 'phone' is unknown",
        ),
        (
            "calendar_reply: {meeting: au 2023-02-17, person: a, answer: accepted}",
            "step 2 (calendar_reply a): answer: 'accepted' is unknown; known are coming, absent, tentative",
        ),
        (
            "calendar_reply: {meeting: au 2023-02-17, person: a, answer: coming, from: nobody}",
            "step 2 (calendar_reply a): 'nobody' is no e-mail address",
        ),
        (
            "calendar_reply: {meeting: au 2023-02-17, person: a, answer: coming, sender: a@b.example}",
            "step 2 (calendar_reply a): unknown field sender; known are meeting, person, answer, comment, from",
        ),
        (
            "open_poll: {meeting: au 2023-02-17, times: [], answer_by: 2023-02-01}",
            "step 2 (open_poll au 2023-02-17): times: needs a list with at least one",
        ),
        (
            "open_poll: {meeting: au 2023-02-17, times: [{starts: 2023-02-16T09:00}], answer_by: 2023-02-01}",
            "step 2 (open_poll au 2023-02-17): times, 1, ends is missing",
        ),
        (
            "open_poll: {meeting: au 2023-02-17, answer_by: soon, times: [{starts: 2023-02-16, ends: 2023-02-17}]}",
            "step 2 (open_poll au 2023-02-17): answer_by: is no day like 2023-10-27",
        ),
        (
            "answer_poll: {meeting: au 2023-02-17, person: a, times: {friday: can}}",
            "step 2 (answer_poll a): times, friday: is no local time like 2023-10-27T09:00",
        ),
        (
            "answer_poll: {meeting: au 2023-02-17, person: a, times: {2023-02-16T09:00: perhaps}}",
            "step 2 (answer_poll a): times, 2023-02-16T09:00: 'perhaps' is unknown; known are can, if_need_be, cannot",
        ),
        ("choose_date: {meeting: au 2023-02-17}", "step 2 (choose_date au 2023-02-17): starts is missing"),
        ("call_off_poll: {meeting: au 2023-02-17}", "step 2 (call_off_poll au 2023-02-17): reason is missing"),
        ("attach: {meeting: au 2023-02-17, item: A}", "step 2 (attach A): needs a file, or name and text"),
        ("attach: {meeting: au 2023-02-17, item: A, name: a.txt}", "step 2 (attach A): text is missing"),
        (
            "attach: {meeting: au 2023-02-17, item: A, file: scenario.yaml, name: a.txt, text: b}",
            "step 2 (attach A): needs a file, or name and text, and not both",
        ),
        (
            "attach: {meeting: au 2023-02-17, item: A, file: nowhere.pdf}",
            "step 2 (attach A): nowhere.pdf: cannot be read",
        ),
        ("attach: {meeting: au 2023-02-17, item: A, file: .}", "step 2 (attach A): "),
        ("attach: {meeting: au 2023-02-17, item: A, content: x}", "step 2 (attach A): unknown field content"),
        (
            "replace_file: {meeting: au 2023-02-17, item: A, name: a.txt, text: b}",
            "step 2 (replace_file A): title is missing",
        ),
        ("publish_papers: {meeting: au}", "step 2 (publish_papers au): meeting: is no meeting like"),
        ("propose_item: {meeting: au 2023-02-17, person: a}", "step 2 (propose_item a): title is missing"),
        ("take_proposal: {meeting: au 2023-02-17}", "step 2 (take_proposal au 2023-02-17): title is missing"),
        (
            "decline_proposal: {meeting: au 2023-02-17, title: A}",
            "step 2 (decline_proposal au 2023-02-17): reason is missing",
        ),
        ("open_sitting: {meeting: au}", "step 2 (open_sitting au): meeting: is no meeting like"),
        ("record: {meeting: au 2023-02-17}", "step 2 (record): do is missing"),
        ("record: {meeting: au 2023-02-17, do: dance}", "step 2 (record dance): do: dance is nothing to record; known"),
        ("record: {meeting: au 2023-02-17, do: opened}", "step 2 (record opened): do: opened is nothing to record"),
        ("record: {do: arrived, person: a}", "step 2 (record arrived): meeting is missing"),
        ("record: {meeting: au 2023-02-17, do: arrived}", "step 2 (record arrived): person is missing"),
        (
            "record: {meeting: au 2023-02-17, do: arrived, person_id: a}",
            "step 2 (record arrived): unknown field person_id; known are meeting, do, corrects",
        ),
        (
            "record: {meeting: au 2023-02-17, do: item_begun, item: A, title: B}",
            "step 2 (record item_begun): unknown field title",
        ),
        (
            "record: {meeting: au 2023-02-17, do: arrived, person: a, at: soon}",
            "step 2 (record arrived): at: is no local time like",
        ),
        (
            "record: {meeting: au 2023-02-17, do: vote_taken, yes: 1, no: 2, ballots: {a: maybe}}",
            "step 2 (record vote_taken): ballots, 1, choice: 'maybe' is unknown; known are yes, no, abstain",
        ),
        (
            "edit_minutes: {meeting: au 2023-02-17, paragraph: A}",
            "step 2 (edit_minutes A): text is missing",
        ),
        (
            "edit_fields: {meeting: au 2023-02-17, body: B}",
            "step 2 (edit_fields au 2023-02-17): unknown field body",
        ),
        (
            "open_review: {meeting: au 2023-02-17, people: [], answer_by: 2023-02-20}",
            "step 2 (open_review au 2023-02-17): people: needs a list with at least one",
        ),
        (
            "unlock: {meeting: au 2023-02-17, reason: x, ip: here}",
            "step 2 (unlock au 2023-02-17): 'here' is no IP address",
        ),
        (
            "give_task: {meeting: au 2023-02-17, paragraph: A, what: B, due: soon}",
            "step 2 (give_task B): due: is no day like 2023-10-27",
        ),
        ("create: {ip: 192.0.2.1}", "scenario: sender is missing"),
        ("create: {ip: 192.0.2.1, meeting: au}", "scenario: sender is missing"),
    ],
)
def test_a_step_of_the_year_that_is_malformed_is_refused(tmp_path: Path, step: str, message: str) -> None:
    assert refusal(tmp_path, year(step)).startswith(message)


def test_minutes_may_be_of_a_meeting_that_is_there(tmp_path: Path) -> None:
    text = SCENARIO.replace("create: {ip: 192.0.2.1}", "create: {ip: 192.0.2.1, meeting: board 2022-09-23T13:00}")
    assert load(tmp_path, text).steps[0].arguments["meeting"] == "board 2022-09-23T13:00"
    assert refusal(tmp_path, text.replace("board 2022", "2022")) == (
        "step 1 (create): meeting: 2022-09-23T13:00 is no meeting like styrelsen 2023-10-27"
    )
