"""Each refusal of a sitting that has a code has words for it, in each language; and no code is without a refusal."""

import re
from pathlib import Path

import pytest
import yaml

import services.meetings.sitting as room
from services.meetings import pages

_CODE = re.compile(r'says\("sitting\.(\w+)"')
_OF_PAGES = {"form", "other"}


def codes() -> set[str]:
    sources = [*Path(room.__path__[0]).glob("*.py"), Path(pages.__path__[0]) / "sittings.py"]
    return {code for source in sources for code in _CODE.findall(source.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("language", ["sv", "en"])
def test_each_code_has_words_and_each_word_a_code(language: str) -> None:
    texts = yaml.safe_load((Path(pages.__path__[0]) / "texts" / f"{language}.yaml").read_text(encoding="utf-8"))
    assert set(texts["sitting"]["refused"]) - _OF_PAGES == codes()
