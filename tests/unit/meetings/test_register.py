"""A register applied: what it comes to beside what was known."""

from datetime import date

import pytest

from services.meetings.body.membership import MemberRole
from services.meetings.register.changes import Outcome
from services.meetings.register.register import Problems
from services.meetings.register.yaml_file import read_yaml
from tests.unit.meetings.registers import NOW, REGISTER, TABLE, House, kinds


def test_a_register_makes_all_it_names_and_says_so() -> None:
    house = House()
    outcome = house.bring(REGISTER)
    assert kinds(outcome.changes) == [
        *["person-registered"] * 4,
        "body-registered",
        *["membership-begun"] * 4,
        "body-registered",
        "membership-begun",
    ]
    board = next(body for body in house.bodies.values() if body.key == "styrelsen")
    assert (board.version, board.details.rules.quorum) == (5, 2)
    assert [item.kind for item in board.details.rules.standing_items] == ["information", "decision"]
    assert house.term("Olof Berg") == (MemberRole.CHAIR, date(2019, 1, 1), date(2022, 12, 31))
    assert house.term("Sven Dahl") == (MemberRole.MEMBER, None, None)
    [substitute] = [one for one in house.memberships.values() if one.seat.role is MemberRole.SUBSTITUTE]
    assert substitute.seat.order == 1
    sequences = [body.version for body, _ in outcome.body_facts if body.key == "styrelsen"]
    assert sequences == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("text", "table"), [(REGISTER, False), (TABLE, True)])
def test_applied_again_it_changes_nothing(text: str, table: bool) -> None:
    house = House()
    house.bring(text, table=table)
    for now in (NOW, NOW.replace(year=2024)):
        again = house.bring(text, table=table, now=now)
        assert again == Outcome()


def test_a_change_is_only_what_differs() -> None:
    house = House()
    house.bring(REGISTER)
    changed = (
        REGISTER.replace("quorum: 2", "quorum: 3")
        .replace("name: Ida Strand", "name: Ida Ek")
        .replace("- {person: sven-dahl, role: ledamot}", "- {person: sven-dahl, role: 1:e vice ordförande}")
        .replace("      - {person: maja-lind, role: sekreterare}\n", "")
    )
    outcome = house.bring(changed)
    assert [(one.kind, one.person or one.body, [f.field for f in one.fields]) for one in outcome.changes] == [
        ("person-changed", "Ida Ek", ["name"]),
        ("body-changed", "Styrelsen", ["quorum"]),
        ("membership-ended", "Sven Dahl", ["ends"]),
        ("membership-ended", "Maja Lind", ["ends"]),
        ("membership-begun", "Sven Dahl", ["role", "begins"]),
    ]
    today = date(2022, 11, 28)
    terms = {(one.seat.role, one.seat.begins, one.seat.ends) for one in house.memberships.values()}
    assert (MemberRole.MEMBER, None, date(2022, 11, 27)) in terms
    assert (MemberRole.FIRST_VICE_CHAIR, today, None) in terms
    assert (MemberRole.SECRETARY, None, date(2022, 11, 27)) in terms


def test_an_election_follows_a_term_that_ends_and_what_came_today_by_mistake_never_was() -> None:
    house = House()
    house.bring(REGISTER)
    elected = REGISTER.replace(
        "      - {person: sven-dahl, role: ledamot}",
        "      - {person: sven-dahl, role: ledamot, to: 2022-12-31}\n"
        "      - {person: sven-dahl, role: ordförande, from: 2023-01-01, to: 2026-12-31}",
    )
    assert kinds(house.bring(elected).changes) == ["membership-changed", "membership-begun"]
    mistaken = house.bring(REGISTER)
    assert kinds(mistaken.changes) == ["membership-ended", "membership-changed"]
    assert len(mistaken.gone) == 1
    assert house.bring(REGISTER) == Outcome()


def test_what_is_not_named_stays() -> None:
    house = House()
    house.bring(REGISTER)
    assert house.bring("people: {sven-dahl: {name: Sven Dahl, email: sven.dahl@forsby.example, party: C}}") == Outcome()
    assert house.bring("bodies: {au: {members: [{person: olof-berg, role: chair}]}}") == Outcome()
    assert kinds(house.bring("bodies: {au: {members: []}}").changes) == ["membership-ended"]
    assert house.term("Olof Berg", "au")[2] == date(2022, 11, 27)


def test_a_table_finds_people_by_address_and_bodies_by_name() -> None:
    house = House()
    house.bring(REGISTER)
    table = "name,email,party,municipality,body,role,from\nOlof Berg,OLOF.BERG@bjorka.example,S,Björka,au,chair,\n"
    outcome = house.bring(table, table=True)
    assert kinds(outcome.changes) == ["person-changed"]  # the address is written otherwise
    fresh = House()
    fresh.bring(TABLE, table=True)
    assert {one.key for one in fresh.people.values()} == {"olof-berg", "ida-strand", "bo-ek"}
    assert {one.key for one in fresh.bodies.values()} == {"styrelsen", "arbetsutskottet"}


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("Olof Berg;olof@ny.example;Styrelsen;ordförande", "olof-berg"),
        ("olof berg;olof@ny.example;AU;ordförande", "olof-berg"),
        ("Ida Strand;ida@ny.example;styrelsen;ersättare", "ida-strand"),  # she has no address
        ("Olof Berg;olof@ny.example;;", "olof-berg"),
    ],
)
def test_who_has_another_address_now_is_not_made_a_second_person_unasked(line: str, known: str) -> None:
    house = House()
    house.bring(REGISTER)
    [told] = house.wrong(f"Namn;E-post;Organ;Roll\n{line}\n", table=True)
    assert told.startswith("line 2: email: ")
    assert f"({known}), who has another address, or none (write {known} in the column key" in told
    if ";;" in line:
        return
    with_key = house.bring(f"Namn;E-post;Organ;Roll;Nyckel\n{line};{known}\n", table=True)
    assert "person-changed" in kinds(with_key.changes)
    assert "person-registered" not in kinds(with_key.changes)


def test_a_namesake_elsewhere_or_with_a_key_is_somebody_else() -> None:
    house = House()
    house.bring(REGISTER)
    elsewhere = house.bring(
        "Namn;E-post;Organ;Typ;Roll\nSven Dahl;sven@ny.example;Nätverket;nätverk;ledamot\n", table=True
    )
    assert "person-registered" in kinds(elsewhere.changes)
    text = (
        "Namn;E-post;Organ;Roll;Nyckel\n"
        "Olof Berg;olof@ny.example;AU;ledamot;olof-b\nOlof Berg;olof.berg@bjorka.example;AU;ordförande;\n"
    )
    assert "person-registered" in kinds(house.bring(text, table=True).changes)


@pytest.mark.parametrize(
    ("said", "public", "archive"),
    [
        ("", False, False),
        ("public: yes", True, False),
        ("offentligt: ja", True, False),
        ("offentligt: Nej", False, False),
        ("public_archive: ja", False, True),
        ("offentligt arkiv: Ja", False, True),
    ],
)
def test_a_body_is_public_when_the_file_says_so(said: str, public: bool, archive: bool) -> None:
    problems = Problems()
    read = read_yaml(f"bodies:\n  s:\n    name: Styrelsen\n    kind: board\n    {said}\n", problems)
    assert not problems.found
    details = read.bodies[0].details
    assert details is not None
    assert (details.rules.public, details.rules.public_archive) == (public, archive)


def test_a_register_hides_the_archive_of_a_body_that_is_closed() -> None:
    house = House()
    said = "bodies: {au: {name: Arbetsutskottet, kind: committee, public_archive: %s}}"
    house.bring(said % "yes")
    [closed] = house.bodies.values()
    house.bodies[closed.id] = closed.model_copy(update={"closed": date(2022, 1, 1)})
    assert kinds(house.bring(said % "no").changes) == ["body-changed"]
    assert house.wrong("bodies: {au: {name: Nämnden, kind: committee}}")
