"""A task's life: who is reminded when, once each, and never after it is done."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.body.membership import MemberRole, Membership, Seat
from services.meetings.task import task as rules
from services.meetings.task.task import Reminder, Task, TaskDetails
from shared.errors import InvalidInput, Refused
from shared.events.notices import AskedMember

ZONE = ZoneInfo("Europe/Stockholm")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = date(2026, 3, 20)


def seat(person: str, role: MemberRole = MemberRole.MEMBER, **term: Any) -> Membership:
    return Membership(id=person, body_id="b", seat=Seat(person_id=person, role=role, **term))


THERE = [seat("maja"), seat("olof", MemberRole.CHAIR), seat("gone", ends=date(2026, 3, 1))]


def details(**given: Any) -> TaskDetails:
    usual: dict[str, Any] = {"what": "ta fram ett förslag", "owner_id": "maja", "due": DUE}
    return TaskDetails(**usual | given)


def wanted(**given: Any) -> Task:
    return Task(
        id="t",
        version=0,
        meeting_id="m",
        paragraph=32,
        heading="Ramverk",
        held_on=date(2026, 2, 27),
        body_id="b",
        body="Styrelsen",
        timezone="Europe/Stockholm",
        details=details(**given),
        given_at=NOW,
    )


def task(now: datetime = NOW, **given: Any) -> Task:
    return rules.give(wanted(**given), THERE, now)[0]


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE)


def test_what_is_given_is_told() -> None:
    given, fact = rules.give(wanted(back_on="next"), THERE, NOW)
    assert (given.version, given.next_moment()) == (1, at(DUE - timedelta(days=7), 7))
    assert (fact.what, fact.owner_id, fact.due, fact.back_on) == ("ta fram ett förslag", "maja", "2026-03-20", "next")
    assert (fact.paragraph, fact.held_on, fact.body) == (32, "2026-02-27", "Styrelsen")


@pytest.mark.parametrize(
    ("given_details", "field"),
    [
        ({"due": date(2026, 3, 1)}, "due"),
        ({"owner_id": None}, "owner"),
        ({"owner_role": MemberRole.CHAIR}, "owner"),
        ({"owner_id": "gone"}, "owner"),
        ({"owner_id": "stranger"}, "owner"),
        ({"what": " "}, "what"),
        ({"what": "a\u202eb"}, "what"),
        ({"what": "x" * 301}, "what"),
        ({"due": date(9000, 1, 1)}, "due"),
    ],
)
def test_what_cannot_be_given_is_told_with_its_field(given_details: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^{field}\b"):
        task(**given_details)


def test_a_week_before_and_on_the_day_once_each() -> None:
    one = task()
    same, told = rules.remind(one, at(DUE - timedelta(days=7), 6, 59))
    assert (same, told) == (one, None)
    one, told = rules.remind(one, at(DUE - timedelta(days=7), 7))
    assert told is Reminder.WEEK
    assert rules.remind(one, at(DUE - timedelta(days=7), 7))[1] is None
    one, told = rules.remind(one, at(DUE, 7))
    assert told is Reminder.DAY
    assert one.next_moment() is None
    assert rules.remind(one, at(DUE + timedelta(days=300), 7)) == (one, None)


def test_after_a_standstill_only_the_last_one_is_told() -> None:
    one, told = rules.remind(task(), at(DUE, 12))
    assert told is Reminder.DAY
    assert rules.remind(one, at(DUE, 12))[1] is None


def test_what_is_given_within_the_week_is_told_on_its_day_alone() -> None:
    one = task(due=NOW.date() + timedelta(days=3))
    assert one.next_moment() == at(NOW.date() + timedelta(days=3), 7)
    assert rules.remind(task(due=NOW.date()), NOW)[1] is Reminder.DAY, "today, after seven: at once"


def test_another_day_is_told_anew_and_another_text_is_not() -> None:
    one, _ = rules.remind(task(), at(DUE - timedelta(days=7), 8))
    other, fact = rules.change(one, details(what="något annat"), THERE, at(DUE - timedelta(days=6), 8))
    assert fact is not None
    assert other.reminded == (Reminder.WEEK,)
    later, _ = rules.change(other, details(due=date(2026, 5, 1)), THERE, at(DUE, 8))
    assert later.reminded == ()
    assert rules.change(later, later.details, THERE, NOW) == (later, None), "nothing changes"


def test_what_is_late_can_be_corrected_without_another_day() -> None:
    changed, _ = rules.change(task(), details(owner_id="olof"), THERE, at(DUE + timedelta(days=2), 8))
    assert changed.details.owner_id == "olof"
    with pytest.raises(InvalidInput, match=r"^due\b"):
        rules.change(task(), details(due=DUE + timedelta(days=1)), THERE, at(DUE + timedelta(days=2), 8))


def test_what_is_done_stays_done() -> None:
    done, fact = rules.finish(task(), " Klart. ", NOW)
    assert (fact.note, done.note, done.next_moment()) == ("Klart.", "Klart.", None)
    for again in (
        lambda: rules.finish(done, None, NOW),
        lambda: rules.change(done, details(what="mer"), THERE, NOW),
        lambda: rules.came_back(done, "i"),
    ):
        with pytest.raises(Refused):
            again()


def test_it_comes_back_at_a_meeting_or_on_a_day_to_come() -> None:
    assert rules.came_back(task(back_on="next"), "i").item_id == "i"
    day = DUE + timedelta(days=60)
    waiting = task(back_day=day)
    assert rules.waits_for_meeting(waiting)
    found, fact = rules.finds_meeting(waiting, "next")
    assert (found.details.back_on, found.details.back_day) == ("next", None)
    assert (fact.back_on, fact.back_day, found.version) == ("next", None, waiting.version + 1)
    assert not rules.waits_for_meeting(found)
    assert not rules.waits_for_meeting(rules.finish(waiting, None, NOW)[0])
    for wrong in ({"back_on": "next", "back_day": day}, {"back_day": NOW.date()}, {"back_day": date(9999, 1, 1)}):
        with pytest.raises(InvalidInput, match=r"^back_day: "):
            task(**wrong)
    # A day that stays may be over.
    later = at(day + timedelta(days=1), 8)
    assert rules.change(waiting, waiting.details.model_copy(update={"what": "mer"}), THERE, later)[0].version == 2


def test_of_a_role_whoever_has_it_that_day_does_it() -> None:
    there = [
        seat("olof", MemberRole.CHAIR, ends=date(2026, 3, 10)),
        seat("eva", MemberRole.CHAIR, begins=date(2026, 3, 11)),
    ]
    of_chair = details(owner_id=None, owner_role=MemberRole.CHAIR)
    assert rules.owners(of_chair, there, date(2026, 3, 10)) == ["olof"]
    assert rules.owners(of_chair, there, date(2026, 3, 11)) == ["eva"]
    assert rules.owners(of_chair, [], date(2026, 3, 11)) == []
    assert rules.owners(details(), there, date(2026, 3, 11)) == ["maja"]


def test_a_decision_suggests_what_it_asks_for() -> None:
    decision = "Styrelsen beslutar att\n– ge förbundsdirektören uppdraget att ta fram ett förslag\n– lägga till"
    assert rules.suggested(decision) == "ge förbundsdirektören uppdraget att ta fram ett förslag"
    assert rules.suggested("The board decides to instruct the director to report.").startswith("The board")
    assert rules.suggested("Styrelsen lägger rapporten till handlingarna.") == ""


STEPS = st.one_of(
    st.tuples(st.just("wait"), st.integers(0, 20 * 24)),
    st.tuples(st.just("change"), st.integers(-5, 40)),
    st.tuples(st.just("remind"), st.just(0)),
    st.tuples(st.just("finish"), st.just(0)),
)


@given(st.integers(0, 40), st.lists(STEPS, max_size=30))
def test_whatever_happens_nobody_is_reminded_twice_or_too_early_or_of_what_is_done(
    first: int, steps: list[tuple[str, int]]
) -> None:
    now = NOW
    one = task(now, due=now.date() + timedelta(days=first))
    told: set[Reminder] = set()
    for what, number in steps:
        if what == "wait":
            now += timedelta(hours=number)
        elif what == "change" and one.done_at is None:
            due = one.details.due + timedelta(days=number)
            if due != one.details.due and due >= now.astimezone(ZONE).date():
                one, _ = rules.change(one, details(due=due), THERE, now)
                told = set()
        elif what == "finish" and one.done_at is None:
            one, _ = rules.finish(one, None, now)
        elif what == "remind":
            before = one
            one, reminder = rules.remind(one, now)
            if reminder is not None:
                assert before.done_at is None
                assert reminder not in told
                assert Reminder.DAY not in told, "nothing comes after the day"
                assert before.moment(reminder) <= now
                told.add(reminder)
        moment = one.next_moment()
        assert moment is None or one.done_at is None


def test_only_who_was_reminded_is_told_that_it_is_withdrawn() -> None:
    maja = AskedMember(person_id="maja", email="maja.lind@norrdalen.example")
    nils = AskedMember(person_id="nils", email="nils.ek@norrdalen.example")
    given = task()
    assert rules.to_be_told(given, ["maja"]) == ()
    due, _ = rules.remind(given, at(DUE - timedelta(days=7), 8))
    assert rules.mailed(rules.mailed(due, [maja, nils]), [maja]).mailed == ("maja", "nils")
    # Another does it by now, and another day: who was mailed is told, and nobody else.
    handed_on = rules.mailed(due, [maja]).model_copy(update={"reminded": ()})
    assert rules.to_be_told(handed_on, ["nils"]) == ("maja",)
    assert rules.withdraw(handed_on, "Fel paragraf", NOW, [maja])[1].people == (maja,)
    # Reminded before it was kept whom that went to.
    assert rules.to_be_told(due, ["maja"]) == ["maja"]
    # Given within the week before its day: that reminder is passed over, and nobody got it.
    soon = task(due=(NOW + timedelta(days=2)).date())
    assert soon.reminded == (Reminder.WEEK,)
    assert rules.to_be_told(soon, ["maja"]) == ()


def test_who_has_a_role_is_asked_when_a_term_of_it_begins_or_is_over() -> None:
    today = NOW.date()
    there = [
        seat("olof", MemberRole.CHAIR, ends=date(2026, 3, 9)),
        seat("saga", MemberRole.CHAIR, begins=date(2026, 3, 12), ends=date.max),
        seat("maja", begins=date(2026, 3, 3)),
    ]
    of_role = task(owner_id=None, owner_role=MemberRole.CHAIR)
    assert rules.next_look(of_role, there, today) == at(date(2026, 3, 10), 7)
    assert rules.next_look(of_role, there, date(2026, 3, 10)) == at(date(2026, 3, 12), 7)
    assert rules.next_look(of_role, there, date(2026, 3, 12)) is None


def test_a_role_that_nobody_new_has_is_no_news() -> None:
    of_role = task(owner_id=None, owner_role=MemberRole.CHAIR)
    assert of_role.holders == ("olof",)
    assert rules.passes_on(of_role, ["olof"]) == ([], [])
    assert rules.passes_on(of_role, ["saga"]) == (["saga"], []), "Olof was told nothing of it, and is told nothing"
    vacant, fact = rules.passed_on(of_role, [], [], [])
    assert (vacant.holders, vacant.version, fact) == ((), of_role.version, None)
