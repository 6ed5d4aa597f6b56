"""`justera register`: shown before it is changed, and never half."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Answer, Justera, answering, one_line

CHANGES = [
    {
        "kind": "membership-begun",
        "key": None,
        "body": "Styrelsen",
        "person": "Maja Lind",
        "role": "first_vice_chair",
        "fields": [
            {"field": "role", "before": None, "after": "first_vice_chair"},
            {"field": "begins", "before": None, "after": "2023-01-01"},
        ],
    },
    {
        "kind": "person-changed",
        "key": "maja-lind",
        "body": None,
        "person": "Maja Lind",
        "role": None,
        "fields": [{"field": "party", "before": "S", "after": None}],
    },
]
SHOWN = "+ Styrelsen: Maja Lind, first vice chair, from 2023-01-01\n~ person maja-lind: Maja Lind, party S -> -\n"


def checked(changes: object = (), problems: object = ()) -> str:
    return json.dumps({"version": 3, "changes": changes, "problems": problems})


@pytest.fixture
def file(justera: Justera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    (tmp_path / "register.csv").write_bytes("Namn\nÅsa Ek\n".encode("cp1252"))
    return "register.csv"


@pytest.mark.parametrize(
    ("options", "asked", "said"), [(("--check",), 1, ""), (("--yes",), 2, "done\n")], ids=["check", "yes"]
)
def test_what_it_changes_is_shown(
    options: tuple[str, ...], asked: int, said: str, file: str, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer(body='{"changes": []}', first=[checked(CHANGES)])
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("register", file, *options)
    assert (outcome.status, outcome.out, outcome.err) == (0, SHOWN + said, "")
    assert answer.asked == ["POST /meetings/register/check", "POST /meetings/register"][:asked]


def test_nothing_is_asked_of_who_has_no_terminal_but_yes(
    file: str, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer(body=checked(CHANGES))
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        assert justera("register", file).status == 1
    assert answer.asked == ["POST /meetings/register/check"]


def test_what_is_wrong_is_told_line_by_line(file: str, justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [{"where": "line 2", "what": "name: is\u202e empty"}, {"where": "line 3", "what": "role: is missing"}]
    with answering(Answer(body=checked(problems=problems))) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("register", file, "--yes")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == "register.csv: line 2: name: is\\u202e empty\nregister.csv: line 3: role: is missing\n"


def test_for_machines(file: str, justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(Answer(body=checked(CHANGES))) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("register", file, "--json", "--check")
    assert json.loads(outcome.out)["changes"] == CHANGES


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [("gone.yaml", None, "cannot be read"), ("a.yaml", b"\xff", "not UTF-8"), ("a.csv", b"\x81", "not UTF-8")],
)
def test_a_file_that_cannot_be_read(
    name: str, data: bytes | None, said: str, file: str, justera: Justera, tmp_path: Path
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    assert said in one_line(justera("register", name))


@pytest.mark.parametrize(
    ("name", "data", "form"),
    [
        ("register.txt", "Namn\tE-post\nÅsa Ek\tasa.ek@bjorka.example\n".encode("utf-16"), "csv"),
        ("register.csv", "Namn;E-post\nÅsa Ek;\n".encode("cp1252"), "csv"),
        ("register.txt", b"people:\n  a: {name: Asa Ek}\n", "yaml"),
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(
    name: str, data: bytes, form: str, file: str, justera: Justera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(data)
    answer = Answer(body=checked())
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        assert justera("register", name).out == "nothing to change\n"
    [sent] = map(json.loads, answer.sent)
    assert sent["format"] == form
    assert "sa Ek" in sent["text"]


def test_fields_are_called_as_in_the_file(file: str, justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    known = json.loads(checked(CHANGES)) | {"written": {"party": "Parti", "from": "Från"}}
    with answering(Answer(body=json.dumps(known))) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        shown = justera("register", file, "--check").out
    assert shown == SHOWN.replace("party", "Parti").replace("from", "Från")


@pytest.mark.parametrize(("command", "name"), [("register", "register.csv"), ("plan", "plan.yaml")])
def test_what_is_no_such_file_at_all_is_told_with_its_name_and_what_to_do(
    command: str, name: str, file: str, justera: Justera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text("x")
    with answering(Answer(status=422, body='{"detail": "year: is missing"}')) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera(command, name)
    assert (outcome.status, outcome.err) == (
        1,
        f"error: {name}: year: is missing (correct the file, and try again)\n",
    )


def test_a_workbook_is_told_from_a_table(file: str, justera: Justera, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(b"PK\x03\x04\x14\0")
    outcome = justera("register", file)
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert "is a workbook of Excel or another archive (save it as CSV, or as text, and give that)" in outcome.err
