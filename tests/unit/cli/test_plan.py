"""`justera plan`: shown with what is in its way before anything is changed."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Answer, Justera, answering

CHANGE = {
    "kind": "changed",
    "body": "Styrelsen",
    "title": "Möte",
    "starts": "2023-10-20T09:00",
    "ends": "2023-10-20T12:00",
    "fields": [{"field": "starts", "before": "2023-10-27T09:00", "after": "2023-10-20T09:00"}],
}
CLASH = {
    "kind": "people",
    "body": "Styrelsen",
    "date": "2023-10-20",
    "what": "AU: Möte, 09:00-10:00",
    "people": ["Bo Ek"],
}
SHOWN = (
    "~ 2023-10-20 09:00-12:00 Styrelsen: Möte, starts 2023-10-27T09:00 -> 2023-10-20T09:00\n"
    "! 2023-10-20 Styrelsen: AU: Möte, 09:00-10:00: Bo Ek\n"
)


def checked(clashes: object = (), problems: object = ()) -> str:
    return json.dumps({"digest": "d", "changes": [CHANGE], "clashes": clashes, "problems": problems})


@pytest.mark.parametrize(
    ("options", "clashes", "status", "asked"),
    [
        (("--check",), [CLASH], 0, 1),
        (("--yes",), [], 0, 2),
        (("--yes",), [CLASH], 1, 1),
        (("--despite-clashes",), [CLASH], 0, 2),
        ((), [], 1, 1),
    ],
)
def test_nothing_is_changed_that_nobody_agreed_to(
    options: tuple[str, ...],
    clashes: list[object],
    status: int,
    asked: int,
    justera: Justera,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "plan.yaml").write_text("plan: a")
    answer = Answer(body="{}", first=[checked(clashes)])
    with answering(answer) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        monkeypatch.setenv("JUSTERA_TOKEN", "x")
        outcome = justera("plan", "plan.yaml", *options)
    assert outcome.status == status
    assert answer.asked == ["POST /meetings/plans/check", "POST /meetings/plans"][:asked]
    if clashes:
        assert outcome.out.startswith(SHOWN)


def test_what_is_wrong_is_told_line_by_line(justera: Justera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan.yaml").write_text("plan: a")
    with answering(Answer(body=checked(problems=[{"where": "bodies, au", "what": "x"}]))) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        monkeypatch.setenv("JUSTERA_TOKEN", "x")
        outcome = justera("plan", "plan.yaml", "--despite-clashes")
    assert (outcome.status, outcome.out, outcome.err) == (1, "", "plan.yaml: bodies, au: x\n")
