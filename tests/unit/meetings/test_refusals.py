"""Whoever is refused is told what to do instead: no 409 of meetings without its hint."""

import ast
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parents[3] / "services" / "meetings").rglob("*.py"))


def without_a_hint(source: str) -> list[str]:
    """What `Refused` is made with, where it says nothing of what to do."""
    return [
        ast.unparse(call)
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Refused"
        and not any(one.arg == "hint" for one in call.keywords)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_refusal_says_what_to_do(path: Path) -> None:
    assert without_a_hint(path.read_text(encoding="utf-8")) == []


def test_one_without_would_be_found() -> None:
    assert without_a_hint("raise Refused('no')") == ["Refused('no')"]
