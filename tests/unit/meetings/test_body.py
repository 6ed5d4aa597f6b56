"""A body and who sits in it."""

from datetime import date

import pytest

from services.meetings.body import body as rules
from services.meetings.body import membership as seats
from services.meetings.body.body import Body, BodyDetails, BodyKind, BodyRules, StandingItem
from services.meetings.body.membership import Basis, MemberRole, Membership, Seat
from shared.errors import InvalidInput, Refused

DETAILS = BodyDetails(
    name="Styrelsen",
    kind=BodyKind.BOARD,
    rules=BodyRules(
        standing_items=(StandingItem(title="Val av justerare"),), join_link="https://mote.norrdalen.example/1"
    ),
)


def board() -> Body:
    return rules.register("b1", "styrelsen", DETAILS)[0]


def sitting(*seated: Seat) -> list[Membership]:
    return [Membership(id=f"m{number}", body_id="b1", seat=seat) for number, seat in enumerate(seated)]


def member(person: str, role: MemberRole = MemberRole.MEMBER, **term: object) -> Seat:
    return Seat(person_id=person, role=role, **term)  # type: ignore[arg-type]


def test_a_body_is_told_without_what_its_online_meetings_are_joined_by() -> None:
    body, fact = rules.register("b1", "styrelsen", DETAILS)
    assert (body.version, body.key, fact.name, fact.kind) == (1, "styrelsen", "Styrelsen", "board")
    assert fact.rules.standing_items[0].title == "Val av justerare"
    assert "mote.norrdalen.example" not in fact.to_json()


def test_a_change_of_nothing_is_no_fact() -> None:
    assert rules.change(board(), DETAILS) == (board(), None)
    changed, fact = rules.change(board(), DETAILS.model_copy(update={"name": " Styrelsen i Norrdalen "}))
    assert (changed.version, changed.details.name) == (2, "Styrelsen i Norrdalen")
    assert fact is not None


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (DETAILS.model_copy(update={"name": "  "}), "name: is empty"),
        (DETAILS.model_copy(update={"rules": BodyRules(timezone="Mars/Olympus")}), "timezone"),
        (DETAILS.model_copy(update={"rules": BodyRules(join_link="http://mote.example")}), "join_link"),
        (DETAILS.model_copy(update={"rules": BodyRules(join_link="https://[")}), "join_link"),
        (DETAILS.model_copy(update={"rules": BodyRules(join_link="javascript:alert(1)")}), "join_link"),
        (DETAILS.model_copy(update={"rules": BodyRules(standing_items=(StandingItem(title="\0"),))}), "standing_items"),
    ],
)
def test_malformed_details_are_refused(details: BodyDetails, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        rules.register("b1", "styrelsen", details)


@pytest.mark.parametrize("key", ["", "Styrelsen", "-a", "a b", "å", "x" * 64, "a/b"])
def test_a_key_is_short_and_plain(key: str) -> None:
    with pytest.raises(InvalidInput, match="key"):
        rules.register("b1", key, DETAILS)


def test_a_closed_body_takes_nothing_more() -> None:
    closed, fact = rules.close(board(), date(2023, 6, 1))
    assert (closed.closed, fact.on) == (date(2023, 6, 1), "2023-06-01")
    with pytest.raises(Refused, match="Styrelsen was closed on 2023-06-01"):
        seats.begin(closed, [], "m1", member("p1"))
    with pytest.raises(Refused, match="was closed"):
        rules.change(closed, DETAILS.model_copy(update={"name": "Nämnden"}))


@pytest.mark.parametrize("name", ["public", "public_archive"])
def test_of_a_closed_body_it_still_changes_what_anyone_may_read(name: str) -> None:
    shown = DETAILS.model_copy(update={"rules": DETAILS.rules.model_copy(update={name: True})})
    closed, _ = rules.close(rules.register("b1", "styrelsen", shown)[0], date(2023, 6, 1))
    hidden, fact = rules.change(closed, DETAILS)
    assert fact is not None
    assert (getattr(fact.rules, name), getattr(hidden.details.rules, name), hidden.closed) == (
        False,
        False,
        closed.closed,
    )
    with pytest.raises(Refused, match="was closed"):
        rules.change(closed, DETAILS.model_copy(update={"rules": DETAILS.rules.model_copy(update={"quorum": 2})}))


def test_a_membership_carries_what_it_rests_on() -> None:
    basis = Basis(body=" Styrelsen ", year=2022, paragraph=33)
    body, membership, fact = seats.begin(board(), [], "m1", member("p1", begins=date(2022, 9, 23), basis=basis))
    assert (body.version, membership.body_id) == (2, "b1")
    assert (fact.begins, fact.ends) == ("2022-09-23", None)
    assert fact.basis is not None
    assert (fact.basis.body, fact.basis.paragraph) == ("Styrelsen", 33)


def test_a_term_s_last_day_is_of_the_term() -> None:
    term = member("p1", begins=date(2023, 1, 1), ends=date(2026, 12, 31))
    assert [term.stands_on(day) for day in (date(2022, 12, 31), date(2023, 1, 1), date(2026, 12, 31))] == [
        False,
        True,
        True,
    ]
    assert not term.stands_on(date(2027, 1, 1))
    assert term.meets(member("p1", begins=date(2026, 12, 31)))
    assert not term.meets(member("p1", begins=date(2027, 1, 1)))


@pytest.mark.parametrize(
    ("there", "wanted", "message"),
    [
        (member("p1", MemberRole.CHAIR), member("p2", MemberRole.CHAIR), "role: the body has a chair now"),
        (
            member("p1", MemberRole.CHAIR, begins=date(2023, 1, 1), ends=date(2023, 12, 31)),
            member("p2", MemberRole.CHAIR, begins=date(2023, 12, 31)),
            "chair from 2023-01-01 to 2023-12-31",
        ),
        (member("p1"), member("p1", MemberRole.SUBSTITUTE), "person_id: the person is member of the body"),
        (member("p1", MemberRole.SECRETARY), member("p1", MemberRole.SECRETARY), "person_id"),
        (
            member("p1", MemberRole.SUBSTITUTE, order=1),
            member("p2", MemberRole.SUBSTITUTE, order=1),
            "order: another substitute has number 1",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(there: Seat, wanted: Seat, message: str) -> None:
    with pytest.raises(Refused, match=message):
        seats.begin(board(), sitting(there), "m9", wanted)


def test_what_fits_together() -> None:
    there = sitting(
        member("p1", MemberRole.CHAIR, ends=date(2022, 12, 31)), member("p2", MemberRole.SUBSTITUTE, order=1)
    )
    _, chair, _ = seats.begin(board(), there, "m8", member("p3", MemberRole.CHAIR, begins=date(2023, 1, 1)))
    assert chair.seat.role is MemberRole.CHAIR
    _, second, _ = seats.begin(board(), there, "m9", member("p4", MemberRole.SUBSTITUTE))
    assert second.seat.order == 2
    _, secretary, _ = seats.begin(board(), there, "m7", member("p1", MemberRole.SECRETARY))
    assert secretary.seat.role is MemberRole.SECRETARY


@pytest.mark.parametrize(
    ("seat", "message"),
    [
        (member("p1", begins=date(2023, 1, 2), ends=date(2023, 1, 1)), "ends: is before begins"),
        (member("p1", order=1), "order: only substitutes"),
        (member("p1", basis=Basis(body="\0", year=2022, paragraph=33)), "basis.body"),
    ],
)
def test_a_malformed_seat_is_refused(seat: Seat, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        seats.begin(board(), [], "m1", seat)


def test_a_change_keeps_the_person_and_is_checked_against_the_others() -> None:
    there = sitting(member("p1", MemberRole.CHAIR), member("p2"))
    _, _, nothing = seats.change(board(), there, there[1], member("p2"))
    assert nothing is None
    with pytest.raises(Refused, match="has a chair"):
        seats.change(board(), there, there[1], member("p2", MemberRole.CHAIR))
    with pytest.raises(InvalidInput, match="keeps its person"):
        seats.change(board(), there, there[1], member("p3"))
    body, changed, fact = seats.change(board(), there, there[1], member("p2", MemberRole.FIRST_VICE_CHAIR))
    assert fact is not None
    assert (body.version, changed.id, fact.role) == (2, "m1", "first_vice_chair")


def test_a_place_ends_once_and_one_that_had_not_begun_never_stood() -> None:
    [held, coming] = sitting(member("p1"), member("p2", begins=date(2023, 1, 1)))
    body, ended, fact = seats.end(board(), held, date(2022, 12, 31))
    assert ended is not None
    assert fact is not None
    assert (body.version, ended.seat.ends, fact.ends) == (2, date(2022, 12, 31), "2022-12-31")
    assert seats.end(board(), ended, date(2023, 1, 1)) == (board(), ended, None)
    _, gone, told = seats.end(board(), coming, date(2022, 12, 31))
    assert gone is None
    assert told is not None


def test_who_sits_and_how_many_must_be_there() -> None:
    there = sitting(
        member("p5", MemberRole.SUBSTITUTE, order=2),
        member("p4", MemberRole.SUBSTITUTE, order=1),
        member("p2"),
        member("p3", ends=date(2022, 12, 31)),
        member("p1", MemberRole.CHAIR),
        member("p6", MemberRole.SECRETARY),
    )
    day = date(2023, 2, 24)
    assert [one.seat.person_id for one in seats.standing(there, day)] == ["p1", "p2", "p4", "p5", "p6"]
    assert seats.quorum(BodyRules(), there, day) == 2
    assert seats.quorum(BodyRules(), there, date(2022, 12, 1)) == 2
    assert seats.quorum(BodyRules(), [], day) == 1
    assert seats.quorum(BodyRules(quorum=8), there, day) == 8
