"""A person, and the keys that registers use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.keys import clean_key, free_key, key_from
from services.meetings.person import person as rules
from services.meetings.person.person import PersonDetails
from services.meetings.person.store import sort_key
from shared.errors import InvalidInput

MAJA = PersonDetails(name="Maja Lind", email="maja.lind@norrdalen.example", party="S", municipality="Forsby")


def test_a_person_is_told_whole() -> None:
    person, fact = rules.register("p1", "maja-lind", MAJA)
    assert (person.version, fact.person_id, fact.name, fact.party) == (1, "p1", "Maja Lind", "S")
    assert rules.change(person, MAJA) == (person, None)
    changed, told = rules.change(person, MAJA.model_copy(update={"name": " Maja Ek", "email": ""}))
    assert told is not None
    assert (changed.version, told.name, told.email) == (2, "Maja Ek", None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": " "}, "name: the name is empty"),
        ({"email": "maja"}, "email: 'maja' is no e-mail address"),
        ({"party": "\0"}, "party"),
        ({"municipality": "x" * 301}, "municipality"),
    ],
)
def test_malformed_details_are_refused(change: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        rules.register("p1", "maja-lind", MAJA.model_copy(update=change))


@pytest.mark.parametrize(
    ("name", "key"),
    [("Maja Lind", "maja-lind"), ("Åsa Öberg", "asa-oberg"), ("Förbundsmöte 2023!", "forbundsmote-2023"), ("李", "x")],
)
def test_a_name_makes_a_key(name: str, key: str) -> None:
    assert key_from(name) == key
    assert free_key(name, {key, f"{key}-2"}) == f"{key}-3"


@given(st.text())
def test_any_name_makes_a_key(name: str) -> None:
    taken = {key_from(name)}
    assert clean_key(free_key(name, taken)) not in taken


def test_lists_go_by_the_last_word_in_the_swedish_alphabet() -> None:
    names = ["Örjan Ek", "Bo Öberg", "Maja Åberg", "Ann Ärlig", "Zoë Zetterberg", "Al", "Anna Éden"]
    in_bytes = sorted(names, key=lambda name: sort_key(name).encode())
    assert in_bytes == ["Al", "Anna Éden", "Örjan Ek", "Zoë Zetterberg", "Maja Åberg", "Ann Ärlig", "Bo Öberg"]
