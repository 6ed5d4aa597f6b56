"""One word for one thing (docs/words.md): no text of a page or a mail has a word that the table takes away."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from services.meetings.minutes.phrases import ENGLISH
from shared.web import Catalogue
from tests.unit.pages.test_texts import PACKAGES

_ROOT = Path(__file__).parents[3]
_MAILS = _ROOT / "services" / "notifications" / "letter" / "templates"
_TAG = re.compile(r"{%.*?%}|{{.*?}}|\{\w*\}")


def _rows() -> list[list[str]]:
    lines = (_ROOT / "docs" / "words.md").read_text(encoding="utf-8").splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return table[2:]


def _taken_away() -> list[str]:
    return [word.strip() for row in _rows() for word in row[3].split(",")]


def _texts() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        catalogue = Catalogue("shared.web", package)
        for language in ("sv", "en"):
            for key, text in catalogue.keys(language).items():
                yield f"{package} {language} {key}", text
    mails = sorted(_MAILS.rglob("*.txt"))
    assert len(mails) > 100, "they lie where they are looked for"
    for path in mails:
        yield str(path.relative_to(_MAILS)), path.read_text(encoding="utf-8")


@pytest.mark.parametrize("word", _taken_away())
def test_no_text_has_a_word_that_another_stands_for(word: str) -> None:
    pattern = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.IGNORECASE)
    found = [where for where, text in _texts() if pattern.search(_TAG.sub(" ", text))]
    assert not found, f"{word!r} stands in {found}: docs/words.md has the word for it"


def test_english_has_one_apostrophe() -> None:
    """The typographic one, as the quotation marks are: on pages, in mails, in what minutes are drafted of."""
    english = [(where, text) for where, text in _texts() if " en " in where or where.startswith("en/")]
    english += [(name, text) for name, text in asdict(ENGLISH).items() if isinstance(text, str)]
    assert sum("’" in text for _, text in english) > 50, "of each kind there are some"
    straight = re.compile(r"\w'|'\w")
    assert [where for where, text in english if straight.search(_TAG.sub(" ", text))] == []


def test_the_table_says_a_word_for_each_language() -> None:
    assert all(len(row) == 4 and all(row) for row in _rows())
    assert len(_taken_away()) > 20
