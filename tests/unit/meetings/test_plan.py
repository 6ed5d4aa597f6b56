"""A plan of a year: what it comes to, what is in its way, and what is wrong with it."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.holidays import holiday
from services.meetings.meeting.meeting import Mode, Occasion, Reserved
from services.meetings.plan.changes import least_moved
from services.meetings.plan.clashes import Engagement, days_of, days_off, engagements, people_elsewhere
from services.meetings.plan.plan import meetings_of
from services.meetings.plan.yaml_file import read_plan
from services.meetings.register.register import Problems
from shared.errors import InvalidInput
from tests.support.parts import REPOSITORY

GUIDE = (REPOSITORY / "docs" / "plan.md").read_text(encoding="utf-8")
[PLAN] = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)


def wrong(text: str) -> list[str]:
    problems = Problems()
    meetings_of(read_plan(text, problems), problems)
    return [str(one) for one in problems.found]


def test_the_year_comes_out_on_its_days() -> None:
    problems = Problems()
    found = meetings_of(read_plan(PLAN, problems), problems)
    assert problems.found == []
    days = {body: [f"{one.day.day}/{one.day.month}" for one in meetings] for body, meetings in found.items()}
    assert days == {
        "styrelsen": ["24/2", "31/3", "27/4", "1/6", "1/6", "22/9", "27/10", "24/11", "22/12"],
        "au": ["17/2", "24/3", "12/4", "26/5", "15/9", "20/10", "17/11", "15/12"],
        "forbundsmote": ["27/4"],
    }
    board = found["styrelsen"]
    assert [one.occasion for one in board].count(Occasion.TRAINING) == 1
    assert [one.mode for one in board if one.mode is not Mode.DIGITAL] == [Mode.PHYSICAL] * 4
    assert board[0].reserved is not None
    assert board[2].reserved is None
    assert len({one.slot for one in board}) == 9


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("date: 2023-02-24", "date: 2023-02-23"), "styrelsen, meetings, number 1: date: 2023-02-23 is a Thursday"),
        (("date: 2023-02-24", "date: 2024-02-23"), "number 1: date: 2024-02-23 is not in 2023"),
        (("date: 2023-02-24", "date: 2023-02-30"), "number 1: date: '2023-02-30' is no date"),
        (("date: 2023-10-27", "date: 2023-09-22"), "2023-09-22 is there twice"),
        (("time: 09:00-12:00", "time: 12:00-09:00"), "time: ends before it starts"),
        (("time: 09:00-12:00", "time: from nine"), "time: must be hours"),
        (("time: 09:00-12:00", "time: 09:00-25:00"), "time: must be hours"),
        (("weekday: fredag", "weekday: fridag"), "weekday: 'fridag' is none"),
        (("occasion: congress", "occasion: party"), "occasion: 'party' is unknown"),
        (("mode: digital     #", "mode: phone #"), "mode: 'phone' is unknown"),
        (("follows: styrelsen", "follows: nobody"), "bodies, au: follows: the plan has no body nobody"),
        (
            ("2023-06-01: 2023-05-26", "2023-06-02: 2023-05-26"),
            "bodies, au: except: styrelsen does not meet on 2023-06-02",
        ),
        (("follows: styrelsen", "follows: au"), "bodies, au: follows: goes round in a circle"),
        (("days_before: 7", "days_before: some"), "days_before: must be a whole number"),
        (("    title: Förbundsmöte\n", ""), "number 1: title: is missing"),
        (("    title: Förbundsmöte\n", "    title: [Förbundsmöte]\n"), "number 1: title: must be text"),
        (("follows: styrelsen", "follows: [styrelsen]"), "bodies, au: follows: must be text"),
        (("  forbundsmote:", "  Förbundsmöte:"), "no key"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(change: tuple[str, str], problem: str) -> None:
    text = PLAN.replace(*change)
    assert text != PLAN
    assert any(problem in one for one in wrong(text)), wrong(text)


@pytest.mark.parametrize("text", ["", "- a", "{plan: a, year: 2023}", "{plan: a, year: x, bodies: {}}", "{", "a: b"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_plan(text, Problems())


@given(st.text(alphabet=st.sampled_from("abc:{}[]-,\n plnyeros20231\"'åÅ\0"), max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    problems = Problems()
    with suppress(InvalidInput):
        meetings_of(read_plan(text, problems), problems)


def test_days_off_and_the_days_before_them() -> None:
    days = [
        date(2023, 1, 5),
        date(2023, 1, 6),
        date(2023, 6, 5),
        date(2023, 6, 23),
        date(2023, 2, 25),
        date(2023, 2, 24),
        date(2022, 4, 30),
    ]
    assert [(one.kind, one.date.day) for one in days_off("Styrelsen", days)] == [
        ("eve", 5),
        ("holiday", 6),
        ("eve", 5),
        ("holiday", 23),
        ("weekend", 25),
        ("weekend", 30),
        ("eve", 30),
    ]


def test_holidays_come_on_their_days() -> None:
    """Of 2023 and 2024 as the calendar has them; Easter at its earliest and latest."""
    days = [
        "2023-04-07",
        "2023-04-10",
        "2023-05-18",
        "2023-06-23",
        "2023-11-04",
        "2024-03-29",
        "2024-05-09",
        "2024-11-02",
    ]
    assert all(holiday(date.fromisoformat(day)) for day in days)
    assert holiday(date(2008, 3, 23)) == holiday(date(2038, 4, 25)) == "Easter Sunday"
    assert holiday(date(2024, 6, 21)) == "Midsummer Eve"
    assert [holiday(date(2023, 2, day)) for day in (24, 25, 26)] == ["", "", ""]


def test_people_who_would_be_in_two_places() -> None:
    def at(body: str, start: int, end: int, people: dict[str, str], planned: bool, reserved: Reserved | None = None):  # type: ignore[no-untyped-def]
        day = datetime(2023, 4, 27)
        return engagements(body, "Möte", day.replace(hour=start), day.replace(hour=end), reserved, people, planned)

    maja, both = {"maja": "Maja Lind"}, {"maja": "Maja Lind", "olof": "Olof Berg"}
    board, after = at("Styrelsen", 9, 12, both, True), at("Nätverket", 12, 13, both, True)
    assert people_elsewhere([*board, *after]) == []
    [clash] = people_elsewhere([*board, *at("AU", 11, 13, maja, False)])
    assert (clash.body, clash.people, clash.what) == ("Styrelsen", ["Maja Lind"], "AU: Möte, 11:00-13:00")
    assert people_elsewhere([*at("A", 9, 12, maja, False), *at("B", 9, 12, maja, False)]) == []
    assert people_elsewhere([*board, *at("AU", 9, 12, {"sven": "Sven Dahl"}, True)]) == []
    kept = Reserved(starts=datetime(2023, 4, 27, 13).time(), ends=datetime(2023, 4, 27, 16).time(), what="Rådet")
    [reserved] = people_elsewhere([*at("Styrelsen", 9, 12, both, True, kept), *at("AU", 14, 15, maja, True)])
    assert "Rådet" in reserved.what or reserved.body == "Styrelsen"


def test_who_is_at_a_meeting_of_two_days_or_in_another_time_zone_is_in_two_places_too() -> None:
    maja, day = {"maja": "Maja Lind"}, datetime(2023, 4, 27)

    def held(body: str, starts: datetime, ends: datetime, zone: str = "Europe/Stockholm") -> list[Engagement]:
        return engagements(body, "Möte", starts, ends, None, maja, body == "Styrelsen", zone)

    congress = held("Förbundsmötet", day.replace(hour=13), day.replace(day=28, hour=15))
    [clash] = people_elsewhere(
        [*held("Styrelsen", day.replace(day=28, hour=9), day.replace(day=28, hour=12)), *congress]
    )
    assert (clash.body, clash.date, clash.people) == ("Styrelsen", date(2023, 4, 28), ["Maja Lind"])
    assert clash.what == "Förbundsmötet: Möte, 2023-04-27 13:00-2023-04-28 15:00"
    ours = held("Styrelsen", day.replace(hour=9), day.replace(hour=10))
    [clash] = people_elsewhere([*ours, *held("Norden", day.replace(hour=10), day.replace(hour=11), "Europe/Helsinki")])
    assert clash.what == "Norden: Möte, 09:00-10:00"
    assert (
        people_elsewhere([*ours, *held("Norden", day.replace(hour=9), day.replace(hour=10), "Europe/Helsinki")]) == []
    )
    assert days_of(datetime(2023, 4, 30, 20), datetime(2023, 5, 1, 12)) == [date(2023, 4, 30), date(2023, 5, 1)]
    assert days_of(datetime(2023, 4, 30, 20), datetime(2023, 5, 1)) == [date(2023, 4, 30)]
    assert len(days_of(datetime(2023, 4, 30), datetime(2199, 5, 1))) == 31


def test_one_may_follow_a_body_that_follows_another_wherever_it_stands_in_the_file() -> None:
    problems = Problems()
    same = "title: Möte, time: 09:00-10:00, mode: digital"
    text = (
        "{plan: chain, year: 2023, bodies: {"
        f"presidiet: {{{same}, follows: au, days_before: 1}}, "
        f"au: {{{same}, follows: styrelsen, days_before: 7}}, "
        f"styrelsen: {{{same}, meetings: [{{date: 2023-03-10}}]}}}}}}"
    )
    found = meetings_of(read_plan(text, problems), problems)
    assert not problems.found
    assert [one.day.isoformat() for one in found["presidiet"]] == ["2023-03-02"]


def test_a_body_that_says_nothing_of_its_meetings_is_told_so() -> None:
    """Else it would be taken to have none, and nothing would come of the plan."""
    empty = "{{plan: p, year: 2027, bodies: {{styrelsen: {{title: Möte, time: 09:00-10:00, mode: digital{0}}}}}}}"
    for said in ("", ", meetings: "):
        assert "bodies, styrelsen: has neither meetings nor follows" in wrong(empty.format(said))[0]
    assert wrong(empty.format(", meetings: []")) == []


def test_who_would_follow_into_the_year_before_is_told_the_way_out() -> None:
    text = PLAN.replace("date: 2023-02-24", "{date: 2023-01-05, weekday: any}")
    [said] = wrong(text)
    assert said.startswith("bodies, au: days_before: the meeting before that of 2023-01-05 would be on 2022-12-29")
    assert "`2023-01-05: none` under except" in said
    assert wrong(text.replace("    except:\n", "    except:\n      2023-01-05: none\n")) == []


def test_hours_that_are_kept_free_are_told_once_however_many_meetings_keep_them() -> None:
    """Two meetings of one day have the body's reserved hours, and one of them stands in these itself."""
    kept = Reserved(starts=time(13), ends=time(16), what="Rådet")
    people = {"maja": "Maja Lind", "olof": "Olof Berg"}
    day = datetime(2027, 6, 1)

    def of_the_board(start: int, end: int) -> list[Engagement]:
        return engagements("Styrelsen", "Möte", day.replace(hour=start), day.replace(hour=end), kept, people, True)

    other = engagements("AU", "Möte", day.replace(hour=8), day.replace(hour=9), kept, {"maja": "Maja Lind"}, True)
    assert people_elsewhere([*of_the_board(9, 12), *of_the_board(10, 12)[1:], *other]) == []
    [clash] = people_elsewhere([*of_the_board(9, 12), *of_the_board(14, 17)])
    assert (clash.people, clash.date) == (["Maja Lind", "Olof Berg"], day.date())
    assert [one.kind for one in days_off("Styrelsen", [date(2023, 6, 23), date(2023, 6, 23)])] == ["holiday"]


def days(*numbers: int) -> list[datetime]:
    return [datetime(2027, 1, 1) + timedelta(days=number) for number in numbers]


@pytest.mark.parametrize(
    ("olds", "news", "pairs"),
    [
        (days(10, 40, 70), days(12, 41, 71), [(0, 0), (1, 1), (2, 2)]),
        (days(10, 40, 70), days(41, 71), [(1, 0), (2, 1)]),
        (days(10, 40), days(9, 25, 41), [(0, 0), (1, 2)]),
        (days(10, 40), [], []),
    ],
)
def test_of_meetings_without_a_key_those_are_the_same_that_moved_least(
    olds: list[datetime], news: list[datetime], pairs: list[tuple[int, int]]
) -> None:
    assert least_moved(olds, news) == pairs


@given(st.lists(st.integers(0, 60), max_size=5), st.lists(st.integers(0, 60), max_size=5))
def test_no_other_order_moves_them_less(olds: list[int], news: list[int]) -> None:
    olds, news = sorted(olds), sorted(news)
    few, many = sorted((olds, news), key=len)

    def moved(pairs: Iterable[tuple[int, int]]) -> int:
        return sum(abs(one - other) for one, other in pairs)

    found = least_moved(days(*olds), days(*news))
    assert found == sorted(found)
    assert len(found) == len({new for _, new in found}) == len(few)
    least = min(moved(zip(few, some, strict=True)) for some in combinations(many, len(few)))
    assert moved((olds[old], news[new]) for old, new in found) == least
