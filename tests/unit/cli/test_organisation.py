"""`justera organisation`: what is asked of meetings, and what is said afterwards."""

import json
from pathlib import Path

import pytest

from shared.names import SERVICES
from tests.unit.cli.conftest import Answer, Justera, answering, one_line

OTHER = {
    "id": "norrdalen",
    "version": 3,
    "standing": "suspended",
    "reason": "avtalet är uppsagt",
    "details": {"name": "Norrdalen", "language": "sv"},
}
LISTED = {"own": {"id": "default", "name": "Justera"}, "organisations": [OTHER]}


@pytest.fixture(autouse=True)
def _token(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")


def test_all_are_listed(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(Answer(body=json.dumps(LISTED))) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("organisation", "list")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[1:] == [
        "default\tJustera\t\tthe installation's own\t",
        "norrdalen\tNorrdalen\tsv\tsuspended\tavtalet är uppsagt",
    ]


def test_sizes_are_those_of_all_services_together(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    held = json.dumps([{"organisation": "norrdalen", "rows": 5}, {"organisation": "only-tokens", "rows": 1}])
    with answering(Answer(body=held, first=[json.dumps(LISTED)])) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("organisation", "list", "--sizes")
    assert (outcome.status, outcome.err) == (0, "")
    assert [line.split("\t")[0::5] for line in outcome.out.splitlines()] == [
        ["id", "rows"],
        ["default", "0"],
        ["norrdalen", "20"],
        ["only-tokens", "4"],
    ]


@pytest.mark.parametrize(
    ("arguments", "asked", "sent"),
    [
        (
            ("add", "norrdalen", "--name", "Norrdalen"),
            "POST /meetings/organisations",
            {"id": "norrdalen", "details": {"name": "Norrdalen", "language": "sv"}},
        ),
        (
            ("add", "norrdalen", "--name", "Norrdalen", "--mail-from", "protokoll@norrdalen.example"),
            "POST /meetings/organisations",
            {
                "id": "norrdalen",
                "details": {"name": "Norrdalen", "language": "sv", "mail_from": "protokoll@norrdalen.example"},
            },
        ),
        (
            ("suspend", "norrdalen", "--yes", "--reason", "uppsagt"),
            "POST /meetings/organisations/norrdalen/suspend",
            {"reason": "uppsagt"},
        ),
        (("resume", "norrdalen"), "POST /meetings/organisations/norrdalen/resume", None),
        (("resume", "../x"), "POST /meetings/organisations/..%2Fx/resume", None),
    ],
)
def test_a_step_is_asked_for(
    arguments: tuple[str, ...], asked: str, sent: object, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer(body=json.dumps(OTHER))
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("organisation", *arguments)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith(arguments[1])
    assert answer.asked == [asked]
    assert [json.loads(one) if one else None for one in answer.sent] == [sent]


def test_a_change_keeps_what_is_not_named(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer(body=json.dumps(OTHER), first=[json.dumps(LISTED)])
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("organisation", "change", "norrdalen", "--language", "en")
    assert (outcome.status, outcome.out) == (0, "done\n")
    assert answer.asked == ["GET /meetings/organisations", "PUT /meetings/organisations/norrdalen?version=3"]
    assert json.loads(answer.sent[0]) == {"name": "Norrdalen", "language": "en"}


def test_closing_is_asked_about_first(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer(body=json.dumps(OTHER))
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        assert justera("organisation", "suspend", "norrdalen").status == 1
    assert answer.asked == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("change", "nobody", "--name", "X"), "there is no organisation 'nobody' in the register"),
        (("add", "norrdalen", "--name", "X", "--language", "fi"), "--language: 'fi' is neither sv nor en"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    arguments: tuple[str, ...], said: str, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(Answer(body=json.dumps(LISTED))) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        assert said in one_line(justera("organisation", *arguments))


def test_an_erasure_is_told_of_service_by_service_and_what_remains(
    justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    erased = OTHER | {"erased_at": "2022-09-26T08:41:44Z"}
    done = {
        "organisation": "norrdalen",
        "ended_at": "2022-09-26T08:42:00Z",
        "rows": {"person": 3, "body": 1},
        "late": 2,
    }
    answer = Answer(body=json.dumps([done]), first=[json.dumps(erased)])
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("organisation", "erase", "norrdalen", "--confirm", "norrdalen")
    assert (outcome.status, outcome.err) == (0, "")
    assert answer.asked[0] == "POST /meetings/organisations/norrdalen/erase"
    assert sorted(answer.asked[1:]) == sorted(f"GET /{service}/operations/erasures" for service in SERVICES)
    assert "archive: 4 rows and documents erased, 2 late events dropped" in outcome.out
    assert "Kafka" in outcome.out
    assert "backups" in outcome.out


def test_an_export_needs_no_running_service_but_its_database(
    justera: Justera, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JUSTERA_DATABASE_URL", "postgresql+asyncpg://justera@127.0.0.1:1/justera_{service}")
    target = tmp_path / "package.zip"
    told = one_line(justera("organisation", "export", "norrdalen", "--to", str(target)))
    assert "the database of meetings" in told
    assert not target.exists()
