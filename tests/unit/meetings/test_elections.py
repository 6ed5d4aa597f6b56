"""Elections of minutes: read from a table, found in the register, and what they make of who sits there."""

from collections.abc import Iterator
from datetime import date
from itertools import count

import pytest

from services.meetings.body.body import Body, BodyDetails, BodyKind
from services.meetings.body.membership import Basis, MemberRole, Membership, Seat
from services.meetings.minutes.elections import Elected, Election, matched, seat_elected
from services.meetings.minutes.minutes import parse_minutes
from services.meetings.person.person import Person, PersonDetails
from shared.errors import InvalidInput, Refused
from shared.events import MembershipBegun, MembershipChanged, MembershipEnded
from tests.unit.meetings.test_minutes import BODY, FRONT

TABLE = """\
## Ledamot i styrgruppen för gränsprogrammet

### Beslut

Styrelsen beslutar att utse

| Vald till | Namn | Uppdrag | Till och med |
| --- | --- | --- | --- |
| Styrgruppen för gränsprogrammet | Sven Dahl | ordinarie ledamot | |
| *Styrgruppen för  gränsprogrammet* | Petra Holm | **ersättare** | 2027-12-31 |
"""
GROUP = "Styrgruppen för gränsprogrammet"
BASIS = Basis(body="Styrelsen", year=2022, paragraph=33)
SIGNED = date(2022, 9, 28)


def group(closed: date | None = None) -> Body:
    details = BodyDetails(name=GROUP, kind=BodyKind.STEERING_GROUP)
    return Body(id="b", key="styrgruppen", version=4, details=details, closed=closed)


def person(key: str, name: str) -> Person:
    return Person(id=f"id-{key}", key=key, version=1, details=PersonDetails(name=name))


SVEN, PETRA = person("sven-dahl", "Sven Dahl"), person("petra-holm", "Petra Holm")


def read(text: str) -> tuple[Election, ...]:
    return tuple(one for section in parse_minutes(FRONT + text).sections for one in section.elections)


def wanted(role: MemberRole = MemberRole.MEMBER, **more: object) -> Elected:
    given = {"order": None, "begins": None, "ends": None} | more
    return Elected(body_id="b", person_id=SVEN.id, role=role, basis=BASIS, **given)


def place(role: MemberRole, person_id: str = SVEN.id, **more: object) -> Membership:
    return Membership(id=f"{person_id}-{role}", body_id="b", seat=Seat(person_id=person_id, role=role, **more))


def ids() -> Iterator[str]:
    return (f"m{number}" for number in count(1))


def test_a_table_in_a_paragraph_says_who_is_elected_to_what() -> None:
    member, substitute = read(BODY + TABLE)
    lines = (FRONT + BODY + TABLE).splitlines()
    assert (member.body, member.person, member.role) == (GROUP, "Sven Dahl", MemberRole.MEMBER)
    assert "Sven Dahl" in lines[member.line - 1]
    assert (substitute.body, substitute.role, substitute.ends) == (GROUP, MemberRole.SUBSTITUTE, date(2027, 12, 31))
    assert "Petra Holm" in lines[substitute.line - 1]


def test_other_tables_are_tables_and_the_election_is_printed_as_one() -> None:
    kept = TABLE.replace("Vald till", "Grupp")
    assert read(kept) == ()
    printed = parse_minutes(FRONT + TABLE).sections[0].blocks[-1]
    assert printed.kind == "table"
    assert len(printed.rows) == 2


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("Till och med", "Kommentar", "'kommentar' is no column"),
        ("Uppdrag", "Namn", "'namn' is no column"),
        ("| Uppdrag | Till och med |", "| Till och med | Från |", "needs the columns"),
        ("ordinarie ledamot", "kassör", "role: 'kassör' is unknown"),
        ("2027-12-31", "2027", "ends: '2027' is no date"),
        ("Sven Dahl", " ", "Namn is missing"),
    ],
)
def test_what_is_wrong_in_it_is_told_with_its_line(before: str, after: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        read(TABLE.replace(before, after))
    number = int(refused.value.message.removeprefix("line ").partition(":")[0])
    assert (FRONT + TABLE).splitlines()[number - 1].startswith("|")


def test_a_term_that_begins_before_the_calendar_does_is_refused() -> None:
    with pytest.raises(InvalidInput, match="begins: the year 1 is"):
        read(TABLE.replace("Till och med", "Från").replace("2027-12-31", "0001-01-01"))


def test_bodies_and_people_are_found_as_the_register_has_them() -> None:
    declared = [(one, BASIS) for one in read(TABLE)]
    found = matched(declared, [group()], [SVEN, PETRA])
    assert [(one.person_id, one.role, one.basis.paragraph) for one in found] == [
        (SVEN.id, MemberRole.MEMBER, 33),
        (PETRA.id, MemberRole.SUBSTITUTE, 33),
    ]
    for bodies, people, said in (
        ([], [SVEN, PETRA], "line 22: the register has no body"),
        ([group(date(2022, 1, 1))], [SVEN, PETRA], "was closed on 2022-01-01"),
        ([group()], [SVEN], "line 23: nobody in the register is called 'Petra Holm'"),
    ):
        with pytest.raises(InvalidInput, match=said):
            matched(declared, bodies, people)


def test_one_of_two_with_a_name_is_named_with_the_key() -> None:
    other = person("sven-dahl-2", "Sven Dahl")
    with pytest.raises(InvalidInput, match="several people are called 'Sven Dahl'") as refused:
        matched([(read(TABLE)[0], BASIS)], [group()], [SVEN, other])
    assert "sven-dahl-2" in refused.value.hint
    (found,) = matched(
        [(read(TABLE.replace("Sven Dahl", "Sven Dahl (sven-dahl-2)"))[0], BASIS)], [group()], [SVEN, other]
    )
    assert found.person_id == other.id


def test_who_is_elected_sits_there_from_the_day_on_which_all_had_signed() -> None:
    seated = seat_elected(group(), [], wanted(), SIGNED, ids().__next__)
    (about, fact) = seated.facts[0]
    assert isinstance(fact, MembershipBegun)
    assert (fact.role, fact.begins, fact.basis.paragraph, about.version) == ("member", "2022-09-28", 33, 5)
    later = seat_elected(group(), [], wanted(begins=date(2023, 1, 1)), SIGNED, ids().__next__)
    assert later.membership.seat.begins == date(2023, 1, 1)


def test_another_role_ends_the_one_before_and_what_was_stays_true() -> None:
    there = [place(MemberRole.SUBSTITUTE, order=1, begins=date(2019, 1, 1))]
    seated = seat_elected(group(), there, wanted(), SIGNED, ids().__next__)
    assert [type(fact) for _, fact in seated.facts] == [MembershipEnded, MembershipBegun]
    assert [about.version for about, _ in seated.facts] == [5, 6]
    assert seated.saved[0].seat.ends == date(2022, 9, 27)
    to_come = [place(MemberRole.SUBSTITUTE, order=1, begins=date(2023, 1, 1))]
    assert seat_elected(group(), to_come, wanted(), SIGNED, ids().__next__).gone == [to_come[0].id]


def test_who_has_the_place_keeps_it_for_a_new_term() -> None:
    there = [place(MemberRole.MEMBER, begins=date(2019, 1, 1), ends=date(2022, 12, 31))]
    seated = seat_elected(group(), there, wanted(ends=date(2026, 12, 31)), SIGNED, ids().__next__)
    ((_, fact),) = seated.facts
    assert isinstance(fact, MembershipChanged)
    assert (fact.begins, fact.ends, fact.basis.paragraph) == ("2019-01-01", "2026-12-31", 33)
    again = seat_elected(seated.body, [seated.membership], wanted(ends=date(2026, 12, 31)), SIGNED, ids().__next__)
    assert again.facts == []


def test_what_does_not_fit_is_refused() -> None:
    chair = [place(MemberRole.CHAIR, PETRA.id)]
    with pytest.raises(Refused, match="role: the body has a chair"):
        seat_elected(group(), chair, wanted(MemberRole.CHAIR), SIGNED, ids().__next__)
    with pytest.raises(Refused, match="was closed"):
        seat_elected(group(date(2022, 9, 1)), [], wanted(), SIGNED, ids().__next__)
