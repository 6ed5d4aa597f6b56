"""docs/threats.md: every threat has a letter, an answer, and tests that exist."""

import ast
import re
from functools import cache

import pytest

from tests.unit.deploy.manifests import ROOT

_MODEL = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
DOORS = ("Browser", "Mail in", "Kafka", "Databases", "Blob store", "Data folder", "Verifier")


def _section(door: str) -> str:
    return _MODEL.partition(f"\n## {door}\n")[2].partition("\n## ")[0]


def _rows(door: str) -> list[list[str]]:
    lines = [line for line in _section(door).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


ROWS = [pytest.param(row, id=f"{door}-{n}") for door in DOORS for n, row in enumerate(_rows(door), 1)]


@cache
def _tests_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


@pytest.mark.parametrize("row", ROWS)
def test_a_threat_has_its_letters_its_answer_and_tests_that_exist(row: list[str]) -> None:
    letters, threat, answer, tests = row
    assert re.fullmatch("[STRIDE](, [STRIDE])*", letters)
    assert threat
    assert answer
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", tests)
    assert named, "no test is named"
    assert [name for file, name in named if name not in _tests_in(file)] == []


@pytest.mark.parametrize("door", DOORS)
def test_each_door_has_threats(door: str) -> None:
    assert _rows(door)


def test_no_door_is_left_out() -> None:
    assert tuple(re.findall(r"(?m)^## (.+)$", _MODEL)) == DOORS
