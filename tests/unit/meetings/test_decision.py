"""What of minutes stands in the decision register, and how finds are shown."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.decision.decision import (
    FOUND,
    FOUND_END,
    MOST_TEXT,
    Wanted,
    cleaned,
    entries_of,
    fits,
    pieces,
)
from services.meetings.decision.store import _matching
from services.meetings.minutes.minutes import number_paragraphs, parse_minutes
from shared.errors import InvalidInput
from shared.rendering.minutes import MinutesDocument

MINUTES = """---
title: Protokoll styrelsen
body: Styrelsen
place: Digitalt
starts: 2022-09-23T13:00
ends: 2022-09-23T15:00
present: [{name: Olof Berg, role: ordförande}, {name: Maja Lind, municipality: Björka}]
absent: [{name: Sven Dahl, party: C}]
others: [{name: Petra Holm, title: ekonom, items: 2}]
secretary: Maja Lind
adjuster: Sven Dahl
---
## Budget
### Bakgrund
Medlemmarna har lämnat **synpunkter**.
### Beslut
Styrelsen beslutar att
- fastställa *budgeten*
- ge förbundsdirektören uppdraget
### Bilaga
| Post | Kronor |
| --- | --- |
| Resor | 100 |
## Information
1. Ett
2. Två
"""


def document(text: str = MINUTES, first: int = 28) -> MinutesDocument:
    return number_paragraphs(parse_minutes(text), first)


def test_what_was_decided_stands_apart_from_its_background() -> None:
    budget, information = entries_of(document())
    assert (budget.paragraph, budget.heading) == (28, "Budget")
    assert budget.decision.splitlines() == [
        "Styrelsen beslutar att",
        "– fastställa budgeten",
        "– ge förbundsdirektören uppdraget",
    ]
    assert budget.background.splitlines() == [
        "Bakgrund",
        "Medlemmarna har lämnat synpunkter.",
        "Bilaga",
        "Post, Kronor",
        "Resor, 100",
    ]
    assert (information.paragraph, information.decision, information.background) == (29, "", "1. Ett\n2. Två")


def test_everyone_of_the_front_matter_is_named_once() -> None:
    assert entries_of(document())[0].people == ("Olof Berg", "Maja Lind", "Sven Dahl", "Petra Holm")


@pytest.mark.parametrize("word", ["Beslut", "beslut:", "Decision", "DECISIONS"])
def test_a_decision_stands_below_its_word_in_either_language(word: str) -> None:
    text = MINUTES.replace("### Beslut", f"### {word}")
    assert entries_of(document(text))[0].decision.startswith("Styrelsen beslutar")


def test_a_text_without_end_is_cut() -> None:
    long = entries_of(document(MINUTES + "ord " * MOST_TEXT))[1].background
    assert len(long) == MOST_TEXT
    assert long.endswith("…")


def test_only_what_minutes_were_set_from_fits_them() -> None:
    assert fits(document(), year=2022, first=28, last=29)
    assert not fits(document(), year=2022, first=28, last=30)
    assert not fits(document(), year=2023, first=28, last=29)
    assert not fits(document(first=29), year=2022, first=28, last=29)


@given(st.lists(st.tuples(st.text(alphabet="ab <&\n", min_size=1), st.booleans())))
def test_what_was_found_is_told_from_the_rest_and_nothing_is_lost(parts: list[tuple[str, bool]]) -> None:
    marked = "".join(f"{FOUND}{text}{FOUND_END}" if found else text for text, found in parts)
    shown = pieces(marked)
    assert "".join(piece.text for piece in shown) == "".join(text for text, _ in parts)
    assert "".join(piece.text for piece in shown if piece.found) == "".join(text for text, found in parts if found)


def test_a_span_that_ends_before_it_begins_and_odd_characters_are_told_at_their_field() -> None:
    with pytest.raises(InvalidInput, match=r"^until: is before since"):
        cleaned(Wanted(since=date(2022, 2, 1), until=date(2022, 1, 1)))
    with pytest.raises(InvalidInput, match=r"^words: "):
        cleaned(Wanted(words="bud\0get"))
    assert cleaned(Wanted(words="  budget ", person=" ")) == Wanted(words="budget")


def test_words_are_made_a_query_once_and_not_for_each_row() -> None:
    """Sessions plan without knowing values: a function of them beside a column is computed again for each row."""
    statement = str(_matching("norrdalen", Wanted(words="budget", person="Olof Berg")))
    assert statement.count("@@ (SELECT ") == statement.count("@@") == 3
