"""`justera revoke-link`: what is asked of signing, and what is said afterwards."""

import json

import pytest

from tests.unit.cli.conftest import Answer, Justera, answering

EMAIL = "olof.berg@bjorka.example"


def agreement(*, signed: bool, status: str = "out", mailed: bool | None = None) -> str:
    """`mailed`: of who was mailed a new link after the end; None: nobody's ended."""
    secretary = {"signed": True, "requests": [{"email": "maja.lind@norrdalen.example"}]}
    places = [secretary, {"signed": signed, "requests": [{"email": EMAIL}]}]
    ended = [] if mailed is None else [{"email": EMAIL, "mailed": mailed}]
    return json.dumps({"status": status, "places": places, "ended_links": ended})


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


@pytest.mark.parametrize(
    ("arguments", "mailed", "told"),
    [
        ([EMAIL], False, f"the links mailed to {EMAIL} have ended; nobody is mailed a new one\n"),
        (
            [EMAIL, "--new-link"],
            True,
            f"the links mailed to {EMAIL} have ended; a new one to the sealed copy is mailed\n",
        ),
        (["--all"], False, "the links mailed to everyone have ended; nobody is mailed a new one\n"),
    ],
)
def test_after_the_end_a_new_one_is_mailed_only_when_asked_for(
    arguments: list[str], mailed: bool, told: str, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    answer = Answer(body=agreement(signed=True, status="completed", mailed=mailed))
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("revoke-link", "A" * 44, *arguments)
    assert (outcome.status, outcome.out) == (0, told)
    path = "revoke-links" if "--all" in arguments else "revoke-link"
    assert answer.asked == [f"POST /signing/agreements/{'A' * 44}/{path}"]


@pytest.mark.parametrize("arguments", [[], [EMAIL, "--all"]])
def test_one_address_or_all_are_named(arguments: list[str], justera: Justera) -> None:
    outcome = justera("revoke-link", "A" * 44, *arguments)
    assert outcome.status == 2
    assert "name one address, or --all" in outcome.err
