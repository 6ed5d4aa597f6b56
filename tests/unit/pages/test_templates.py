"""The pages' templates are well-formed: one that nobody opens while testing would fail for the first who does."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment

ROOT = Path(__file__).parents[3]
SHARED = ROOT / "shared" / "web" / "templates"
TEMPLATES = sorted({*ROOT.glob("services/**/templates/**/*.html"), *ROOT.glob("shared/**/templates/**/*.html")})
_TYPED = re.compile(r"ui\.field|parts\.input|<textarea|<input (?![^>]*type=\"(?:hidden|file|checkbox|radio)\")")
_LAYOUT = re.compile(r'(?:\{#.*?#\}\s*)?\{% extends "([^"]+)" %\}', re.DOTALL)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_can_be_read(path: Path) -> None:
    Environment(autoescape=True).parse(path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_typed_is_kept_on_every_page_with_a_form(path: Path) -> None:
    """By a layout that has the script; but for a page where nothing else than a secret is typed."""
    text = path.read_text()
    is_a_page = _LAYOUT.match(text) and path.name != "login.html"
    if not is_a_page or 'method="post"' not in text or not _TYPED.search(text):
        return
    while "web/drafts.html" not in text and (layout := _LAYOUT.match(text)):
        [file] = (one for one in (path.parents[1] / layout[1], SHARED / layout[1]) if one.exists())
        text = file.read_text()
    assert "web/drafts.html" in text
