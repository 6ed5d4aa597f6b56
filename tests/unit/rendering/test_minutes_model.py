import json
from datetime import UTC, datetime

import pytest

from shared.rendering.minutes import (
    MinutesDocument,
    SignaturePlace,
    Stamp,
    initials,
    initials_of,
    pair_stamps,
    standard_places,
)

PLACES = standard_places("sv", "Maja Lind", "Olof Berg", ["Sven Dahl"])
NOW = datetime(2022, 9, 26, 9, 0, tzinfo=UTC)


def stamp(role: str, name: str) -> Stamp:
    return Stamp(role=role, name=name, at=NOW)


def test_the_places_stand_in_signing_order_with_their_labels() -> None:
    assert [(place.label, place.name) for place in PLACES] == [
        ("Sekreterare", "Maja Lind"),
        ("Ordförande", "Olof Berg"),
        ("Justerande", "Sven Dahl"),
    ]


def test_an_alternate_signs_in_the_place_of_the_one_who_was_asked() -> None:
    paired = pair_stamps(PLACES, [stamp("adjuster", "Eva Alm")], "sv")
    assert [given.name if given else None for _, given in paired] == [None, None, "Eva Alm"]


def test_two_of_a_role_find_the_place_with_their_name_whatever_the_order() -> None:
    places = standard_places("sv", "Maja Lind", "Olof Berg", ["Sven Dahl", "Eva Alm"])
    paired = pair_stamps(places, [stamp("adjuster", "Eva Alm"), stamp("adjuster", "Sven Dahl")], "sv")
    assert [given.name for _, given in paired if given] == ["Sven Dahl", "Eva Alm"]


def test_a_signature_without_a_place_gets_its_own() -> None:
    paired = pair_stamps(PLACES, [stamp("auditor", "Eva Alm")], "sv")
    assert paired[-1] == (
        SignaturePlace(role="auditor", label="Auditor", name="Eva Alm"),
        stamp("auditor", "Eva Alm"),
    )


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Olof Berg", "OB"), ("Anna-Karin Ågren Ö", "AÖ"), ("Åsa", "Å"), ("sven  dahl", "SD"), ("(–)", ""), ("", "")],
)
def test_initials_are_those_of_the_first_and_last_word(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_chair_and_adjuster_initial_but_not_the_secretary() -> None:
    stamps = [stamp("secretary", "Maja Lind"), stamp("adjuster", "Sven Dahl"), stamp("chair", "Olof Berg")]
    assert list(initials_of(stamps)) == ["OB", "SD"]


def test_a_reader_ignores_what_a_newer_writer_added() -> None:
    document = MinutesDocument(
        title="Protokoll",
        body="Styrelsen",
        place="Björkå",
        starts=datetime(2022, 9, 23, 13),
        ends=datetime(2022, 9, 23, 15),
        secretary="Maja Lind",
        paragraphs=(),
    )
    newer = json.loads(document.model_dump_json()) | {"weather": "rain"}
    assert MinutesDocument.model_validate_json(json.dumps(newer)) == document
    assert document.name == "Protokoll 2022-09-23"
