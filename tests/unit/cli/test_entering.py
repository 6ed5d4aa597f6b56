"""`justera enter-decisions`: what of the journal meetings is told, and what is said afterwards."""

import json
from typing import Any

import pytest

from services.cli.entering import _signed
from tests.unit.cli.conftest import Answer, Justera, answering

BLOB = {"sha256": "0" * 64, "size": 1, "media_type": "application/json"}


def event(**facts: Any) -> dict[str, Any]:
    usual = {
        "name": "AgreementCompleted",
        "subject": "A" * 44,
        "sequence": "9",
        "correlation_id": "m",
        "time": "2022-09-28T22:30:00Z",
        "recorded_at": "2022-09-28T22:30:01Z",
        "authentic": True,
        "data": {"render_input": BLOB},
    }
    return usual | facts


def test_a_journal_without_signed_agreements_is_told(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    answer = Answer(body=json.dumps({"events": [], "next": "0"}))
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("enter-decisions")
    assert (outcome.status, outcome.out) == (0, "the journal has no agreement that everyone signed\n")
    assert [asked.partition("?")[0] for asked in answer.asked] == ["GET /archive/events"]


def test_meetings_is_told_what_the_journal_has_of_it() -> None:
    told = {"agreement_id": "A" * 44, "signed_at": "2022-09-28T22:30:00Z"}
    assert _signed(event()) == told | {"render_input": BLOB}
    assert _signed(event(data=None)) == told, "erased: meetings may have kept it"


def test_each_page_is_told_once_and_what_nobody_signed_for_us_is_left(
    justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    pages = [
        {"events": [event(), event(subject="B" * 44), event(authentic=False)], "next": "7"},
        {"agreements": [{"outcome": "entered"}, {"outcome": "unreadable"}]},
        {"events": [event(authentic=False)], "next": "8"},
        {"events": [], "next": "8"},
    ]
    answer = Answer(first=[json.dumps(page) for page in pages])
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("enter-decisions", "--after", "3")
    assert outcome.status == 0
    assert outcome.out == (
        "1 entered: their paragraphs can be searched in a moment\n"
        "1 not entered, since nothing is left of what they were set from\n"
    )
    assert "2 agreements looked at; go on with --after 7" in outcome.err
    asked = [line.partition("?")[0] for line in answer.asked]
    events = "GET /archive/events"
    assert asked == [events, "POST /meetings/decisions/signed", events, events]
    assert "after=3" in answer.asked[0]
    assert "after=7" in answer.asked[2]
