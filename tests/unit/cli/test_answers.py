"""What answers is not Justera, or takes no such token: one line says so, and what to do."""

import json
from pathlib import Path

import pytest

from services.embedded.home import Home
from tests.unit.cli.conftest import Answer, Justera, answering, one_line

COMMANDS = (
    ("history", "A" * 44),
    ("events",),
    ("mails",),
    ("dead-letters", "list"),
    ("republish", "--since", "2026-09-01"),
    ("revoke-link", "A" * 44, "olof.berg@bjorka.example"),
    ("login",),
)
REDIRECT = Answer(308, location="https://login.example/")
LOGIN_PAGE = Answer(content_type="text/html; charset=utf-8", body="<html>Please log in</html>")
REFUSAL = Answer(401, body=json.dumps({"detail": "the token is unknown", "hint": "ask your operator"}))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_redirect_is_told(command: tuple[str, ...], justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with answering(REDIRECT) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        line = one_line(justera(*command))
    assert "redirects to https://login.example/" in line
    assert "JUSTERA_URL" in line


@pytest.mark.parametrize("command", COMMANDS)
def test_a_login_page_is_not_justera(
    command: tuple[str, ...], justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with answering(LOGIN_PAGE) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        line = one_line(justera(*command))
    assert "is not Justera (HTTP status 200, text/html)" in line


@pytest.mark.parametrize("answer", [REDIRECT, LOGIN_PAGE])
def test_doctor_tells_what_answers_and_once_what_to_do(
    answer: Answer, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("doctor")
    assert (outcome.status, outcome.err) == (1, "")
    assert outcome.out.count("name the address of Justera itself in JUSTERA_URL") == 1


def test_doctor_says_once_what_to_do_when_nothing_answers(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    monkeypatch.setenv("JUSTERA_URL", "http://127.0.0.1:1")
    outcome = justera("doctor")
    assert outcome.status == 1
    assert outcome.out.count("does not answer") == 4
    assert outcome.out.count("start it with `justera up`") == 1


@pytest.mark.parametrize("token", ["abc…", "abc\n", "a b", "\x1b"])
@pytest.mark.parametrize("command", [*COMMANDS, ("doctor",)])
def test_a_token_that_is_none(
    command: tuple[str, ...], token: str, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", token)
    line = one_line(justera(*command))
    assert "JUSTERA_TOKEN is no token: it has " in line
    assert "abc" not in line


@pytest.mark.parametrize("command", ["doctor", "events"])
def test_a_token_that_is_refused_is_told_once(command: str, justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with answering(REFUSAL) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        line = one_line(justera(command))
    assert "the token is unknown (ask your operator)" in line


def test_a_token_that_one_service_alone_refuses_names_it(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with answering(REFUSAL) as url:
        monkeypatch.setenv("JUSTERA_MEETINGS_URL", url)
        assert one_line(justera("doctor")).startswith("error: meetings: ")


@pytest.mark.parametrize("command", ["doctor", "events"])
def test_no_data_folder_is_told_once(command: str, justera: Justera) -> None:
    line = one_line(justera(command))
    assert "justera-data is no data folder" in line
    assert "--data" in line


@pytest.mark.parametrize("command", ["doctor", "events", "up"])
def test_a_data_folder_that_is_a_file(command: str, justera: Justera, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert f"{file} is no folder" in one_line(justera(command, "--data", str(file)))


def test_damaged_secrets_are_told_as_such(justera: Justera, tmp_path: Path) -> None:
    Home(tmp_path / "data").prepare()
    (tmp_path / "data" / "secrets.json").write_text("{")
    assert "secrets.json is damaged" in one_line(justera("events", "--data", str(tmp_path / "data")))


def test_a_dead_letter_that_is_not_there_is_not_asked_about(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    absent = Answer(404, body=json.dumps({"detail": "there is no dead letter 12"}))
    with answering(absent) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        line = one_line(justera("dead-letters", "drop", "signing:12"))
    assert "there is no dead letter 12" in line
    assert absent.asked == ["GET /signing/operations/dead-letters/12"]


OTHER_SHAPES = (
    None,
    7,
    "well",
    [],
    [1],
    [{}],
    {},
    {"count": [], "url": 5},
    {"events": 1, "deliveries": 1, "problems": 1, "changes": 1},
    {"events": [1], "deliveries": [None], "next": None},
    {"events": [{}], "deliveries": [{}], "next": "1", "url": None},
    {"events": [], "deliveries": {}, "next": 5},
    {"version": 1, "problems": [], "changes": [{"kind": "membership", "fields": []}]},
    {"service": "signing", "schema_current": True, "lag": {"signing": "none"}, "dead_letters": [], "pending": {}},
)


_ASKING = (*COMMANDS[1:], ("events", "--tail", "5"), ("mails", "--tail", "5"), ("register",))


# An empty list is a list of no dead letters.
@pytest.mark.parametrize(
    ("command", "other"),
    [(command, other) for command in _ASKING for other in OTHER_SHAPES if (command[0], other) != ("dead-letters", [])],
    ids=json.dumps,
)
def test_json_of_another_shape_is_not_justera(
    command: tuple[str, ...], other: object, justera: Justera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    if command == ("register",):
        (tmp_path / "register.yaml").write_text("people: []")
        command = ("register", "register.yaml")
    with answering(Answer(body=json.dumps(other))) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        line = one_line(justera(*command))
    assert "is not Justera (HTTP status 200, application/json)" in line


@pytest.mark.parametrize("other", OTHER_SHAPES, ids=json.dumps)
def test_doctor_tells_of_json_of_another_shape(
    other: object, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with answering(Answer(body=json.dumps(other))) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("doctor")
    assert (outcome.status, outcome.err) == (1, "")
    assert outcome.out.count("is not Justera") == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
@pytest.mark.parametrize(
    "other", [*OTHER_SHAPES, {"detail": {"a": [1]}, "hint": None}, {"detail": None}], ids=json.dumps
)
def test_a_refusal_of_another_shape_is_one_line(
    status: int, other: object, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with answering(Answer(status, body=json.dumps(other))) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        one_line(justera("events"))
