"""`justera revoke-link`: what is asked of signing, and what is said afterwards."""

import json

import pytest

from tests.unit.cli.conftest import Answer, Justera, answering

EMAIL = "olof.berg@bjorka.example"


def agreement(*, signed: bool) -> str:
    secretary = {"signed": True, "requests": [{"email": "maja.lind@norrdalen.example"}]}
    return json.dumps({"places": [secretary, {"signed": signed, "requests": [{"email": EMAIL}]}]})


@pytest.mark.parametrize(
    ("signed", "told"),
    [(False, "a new one is mailed"), (True, "nobody is mailed a new one, since the place is signed")],
)
def test_links_are_ended_and_what_follows_is_told(
    signed: bool, told: str, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    answer = Answer(body=agreement(signed=signed))
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("revoke-link", "A" * 44, EMAIL.upper())
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"the links mailed to {EMAIL.upper()} have ended; {told}\n"
    assert answer.asked == [f"POST /signing/agreements/{'A' * 44}/revoke-link"]


def test_a_refusal_is_one_line(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with answering(Answer(409, body=json.dumps({"detail": "no link was mailed to them yet"}))) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("revoke-link", "A" * 44, EMAIL)
    assert outcome.status == 1
    assert "no link was mailed to them yet" in outcome.err
