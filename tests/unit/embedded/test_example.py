"""The example of `up`: minutes in the language of the page that asked for them."""

import pytest

from services.embedded.example import _MINUTES
from services.meetings.minutes.minutes import parse_minutes
from shared.rendering.minutes import Language


@pytest.mark.parametrize(
    ("language", "body", "decision"), [("sv", "Styrelsen", "Beslut"), ("en", "The board", "Decision")]
)
def test_its_minutes_are_in_the_language_of_the_page(language: Language, body: str, decision: str) -> None:
    text = _MINUTES[language].read_text(encoding="utf-8")
    draft = parse_minutes(text)
    assert draft.front.body == body
    assert text.count(f"### {decision}") == 4


def test_both_say_the_same() -> None:
    """As many paragraphs, by the same people, at the same time."""
    swedish, english = (parse_minutes(_MINUTES[language].read_text(encoding="utf-8")) for language in ("sv", "en"))
    assert len(swedish.sections) == len(english.sections)
    assert [one.name for one in swedish.front.present] == [one.name for one in english.front.present]
    assert (swedish.front.starts, swedish.front.adjusters) == (english.front.starts, english.front.adjusters)
