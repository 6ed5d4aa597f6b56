"""docs/drills.md names every drill, and a name chooses one."""

import re

import pytest

from tests.unit.deploy.manifests import ROOT

_GUIDE = (ROOT / "docs" / "drills.md").read_text(encoding="utf-8")
_TESTS = [
    name
    for file in sorted((ROOT / "tests" / "drills").glob("test_*.py"))
    for name in re.findall(r"^async def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
]
_NAMED = [name for row in re.findall(r"^\| (`.+?) \|", _GUIDE, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]


def test_each_drill_is_named_and_no_other() -> None:
    assert sorted(f"test_{name}" for name in _NAMED) == sorted(_TESTS)


def test_make_chooses_by_the_tests_name() -> None:
    assert "-k test_$(DRILL)" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", _NAMED)
def test_a_name_chooses_one_drill(name: str) -> None:
    """`-k` takes every test whose name holds the text."""
    assert [test for test in _TESTS if f"test_{name}" in test] == [f"test_{name}"]
