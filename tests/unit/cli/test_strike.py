"""`justera strike`: meetings named by body and day, what will happen shown before anything does."""

import json

import pytest

from tests.unit.cli.conftest import Answer, Justera, answering

OCTOBER, NOVEMBER = (
    {
        "id": key,
        "body_id": "b",
        "status": "scheduled",
        "details": {"body": "Styrelsen", "starts": f"{day}T09:00:00", "ends": f"{day}T12:00:00"},
    }
    for key, day in (("m10", "2022-10-28"), ("m11", "2022-11-25"))
)
BODIES = json.dumps({"bodies": [{"id": "b", "key": "styrelsen"}]})
MEETINGS = json.dumps({"meetings": [NOVEMBER, OCTOBER], "next": None})
CLASH = {"kind": "people", "body": "Styrelsen", "date": "2022-11-25", "what": "AU: Möte", "people": ["Bo Ek"]}
FOUND = {
    "digest": "d",
    "meeting": OCTOBER,
    "to": NOVEMBER,
    "items": [{"title": "Strategi", "how": "moved"}, {"title": "Uppföljning", "how": "added"}],
    "stays": ["Ekonomi"],
    "changes": [{"field": "ends", "before": "2022-11-25T12:00", "after": "2022-11-25T12:30"}],
    "clashes": [],
    "told": [{"news": "struck", "email": "maja@b.example"}, {"news": "changed", "email": "maja@b.example"}],
}
SHOWN = """\
- 2022-10-28 Styrelsen: struck
> Strategi: moved
+ Uppföljning: added
= Ekonomi: stays
~ 2022-11-25 Styrelsen, ends 2022-11-25T12:00 -> 2022-11-25T12:30
@ maja@b.example: struck
@ maja@b.example: changed
"""
NAMED = [BODIES, MEETINGS] * 2
CALL = ("strike", "styrelsen:2022-10-28", "--to", "styrelsen:2022-11-25", "--reason", "Krock")


@pytest.mark.parametrize(
    ("options", "clashes", "status", "done"),
    [
        (("--check",), [], 0, False),
        (("--yes",), [], 0, True),
        (("--yes",), [CLASH], 1, False),
        (("--despite-clashes",), [CLASH], 0, True),
        ((), [], 1, False),
    ],
)
def test_nothing_happens_that_nobody_agreed_to(
    options: tuple[str, ...],
    clashes: list[object],
    status: int,
    done: bool,
    justera: Justera,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = json.dumps(FOUND | {"clashes": clashes})
    answer = Answer(body="{}", first=[*NAMED, found])
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        monkeypatch.setenv("JUSTERA_TOKEN", "x")
        outcome = justera(*CALL, *options)
    assert outcome.status == status
    asked = [one for one in answer.asked if one.startswith("POST")]
    assert asked == ["POST /meetings/meetings/m10/strike/check", "POST /meetings/meetings/m10/strike"][: 1 + done]
    if not clashes:
        assert outcome.out.startswith(SHOWN)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("au:2022-10-28", "there is no body au"),
        ("styrelsen:2022-10-29", "styrelsen has 0 meetings on 2022-10-29"),
        ("styrelsen:2022-13-45", "2022-13-45 is no day"),
    ],
)
def test_a_meeting_that_is_not_there_is_told(
    named: str, said: str, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(Answer(body="{}", first=[*NAMED])) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        monkeypatch.setenv("JUSTERA_TOKEN", "x")
        outcome = justera("strike", named, "--to", "m11", "--reason", "Krock")
    assert outcome.status == 1
    assert said in outcome.err
