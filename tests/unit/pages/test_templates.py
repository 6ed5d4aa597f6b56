"""The pages' templates are well-formed: one that nobody opens while testing would fail for the first who does."""

from pathlib import Path

import pytest
from jinja2 import Environment

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted({*ROOT.glob("services/**/templates/**/*.html"), *ROOT.glob("shared/**/templates/**/*.html")})


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_can_be_read(path: Path) -> None:
    Environment(autoescape=True).parse(path.read_text())
