"""The secretary's guide: both languages tell the same, each picture is there, is small, and is shown."""

import re

from tests.support.parts import REPOSITORY

DOCS = REPOSITORY / "docs"
LARGEST = 60_000  # bytes


def told(language: str) -> tuple[list[int], list[str]]:
    """The levels of its headings, and its pictures by name."""
    text = (DOCS / f"guide.{language}.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([a-z./-]+\.md)\)", text):
        assert (DOCS / target).exists(), target
    pictures = re.findall(rf"!\[[^\]]+\]\(images/guide-([a-z]+)\.{language}\.png\)", text)
    return [len(marks) for marks in re.findall(r"(?m)^(#+) ", text)], pictures


def test_both_languages_tell_the_same_with_the_same_pictures() -> None:
    assert told("sv") == told("en")


def test_every_picture_is_there_and_small_and_no_other() -> None:
    shown = {f"guide-{name}.{language}.png" for language in ("sv", "en") for name in told(language)[1]}
    assert {path.name for path in (DOCS / "images").glob("guide-*")} == shown
    assert all((DOCS / "images" / name).stat().st_size < LARGEST for name in shown)
