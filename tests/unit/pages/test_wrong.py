"""What is wrong with a file has words in both languages, with all that fills them in."""

import re
from pathlib import Path
from string import Formatter

from shared.web import Catalogue

ROOT = Path(__file__).parents[3]
SOURCES = [
    *(ROOT / "services" / "meetings").rglob("*.py"),
    *(ROOT / "shared").glob("*.py"),
    ROOT / "shared" / "web" / "forms.py",
]
_SAID = re.compile(r'\bsays\(\s*"([a-z_]+)"((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)')
_FILLS = re.compile(r"\b([a-z_]+)=")
_OF_FORWARD = "forward.why."
"""Why minutes cannot be put forward: said on that page alone, beside reasons that are its own."""
_OF_PLACES = {"line", "number", "field", "column"}


def _said() -> dict[str, set[str]]:
    """By key, what fills it in."""
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        for key, given in _SAID.findall(path.read_text(encoding="utf-8")):
            fills = set(_FILLS.findall(given))
            assert found.setdefault(key, fills) == fills, f"{path.name}: {key}"
    return found


def test_every_message_of_a_file_has_words_in_both_languages() -> None:
    texts = Catalogue("shared.web", "services.meetings.pages")
    said = _said()
    assert len(said) > 40
    for language in ("sv", "en"):
        known = {
            key.removeprefix("wrong."): {name for _, name, _, _ in Formatter().parse(text) if name is not None}
            for key, text in texts.keys(language).items()
            if key.startswith("wrong.")
        }
        of_forward = {
            key.removeprefix(_OF_FORWARD): {name for _, name, _, _ in Formatter().parse(text) if name is not None}
            for key, text in texts.keys(language).items()
            if key.startswith(_OF_FORWARD) and key.removeprefix(_OF_FORWARD) in said
        }
        assert (known | of_forward).keys() - _OF_PLACES == said.keys()
        told = [*known.items(), *of_forward.items()]
        missing = {key: fills - said[key] for key, fills in told if key not in _OF_PLACES}
        assert not any(missing.values()), missing
