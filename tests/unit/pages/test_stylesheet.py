"""In the dark a page differs by its colours alone: where things stand is tried in the light for both."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STYLESHEETS = [*(ROOT / "shared" / "web" / "static").glob("*.css")]
SCRIPTS_AND_PAGES = [
    path
    for folder in ("services", "shared")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".html", ".mjs", ".css"} and "vendor" not in path.parts and "rendering" not in path.parts
]
_DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{\s*:root \{([^{}]*)\}\s*\}")
_COLOUR = re.compile(r"(--[a-z-]+): #[0-9a-f]{6}")


def test_the_dark_scheme_sets_colours_that_the_light_one_sets_too() -> None:
    [stylesheet] = STYLESHEETS
    text = stylesheet.read_text(encoding="utf-8")
    [dark] = _DARK.findall(text)
    light = text[: text.index("@media")]
    declared = [one.strip() for one in dark.split(";") if one.strip()]
    assert [one for one in declared if not _COLOUR.fullmatch(one)] == []
    assert set(_COLOUR.findall(dark)) == set(_COLOUR.findall(light))


@pytest.mark.parametrize("path", SCRIPTS_AND_PAGES, ids=lambda path: path.name)
def test_nothing_else_asks_whether_it_is_dark(path: Path) -> None:
    text = _DARK.sub("", path.read_text(encoding="utf-8"))
    assert "prefers-color-scheme" not in text
    assert "light-dark(" not in text
