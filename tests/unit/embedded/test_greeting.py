"""The association that greets newcomers: whole and free of clashes on whatever day it is made; and what is next."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.embedded.ahead import ahead
from services.embedded.example_days import days_of
from services.embedded.greeting import StoryClock, story
from services.embedded.greeting_minutes import minutes_text
from services.meetings.meeting import meeting as rules
from services.meetings.meeting.meeting import Meeting, MeetingDetails, WhichBody
from services.meetings.minutes.minutes import parse_minutes
from services.meetings.plan.clashes import days_off
from services.meetings.plan.plan import meetings_of
from services.meetings.plan.yaml_file import read_plan
from services.meetings.register.register import Problems
from services.meetings.register.yaml_file import read_yaml
from shared.rendering.minutes import Language

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("month", range(1, 13))
def test_its_files_are_whole_on_whatever_day(language: Language, month: int) -> None:
    for year in (2026, 2027, 2028):
        today = date(year, month, 15)
        told = story(today, language)
        problems = Problems()
        register = read_yaml(told.register, problems)
        board = []
        for plan in told.plans.values():
            found = meetings_of(read_plan(plan, problems), problems)
            assert found.keys() < {body.key for body in register.bodies}
            for body, meetings in found.items():
                assert days_off(body, [one.day for one in meetings]) == []
            board += [one.day for one in found[next(iter(found))]]
        assert problems.found == []
        assert min(board) < today < max(board)
        assert all(email.endswith(".example") for email in _emails(told.register))


@pytest.mark.parametrize("language", ["sv", "en"])
def test_its_minutes_are_whole_and_name_people_of_its_register(language: Language) -> None:
    meeting = _meeting("held", -30)
    draft = parse_minutes(minutes_text(meeting, language))
    assert (draft.front.body, draft.front.starts, draft.front.ends) == (
        meeting.details.body,
        meeting.details.starts,
        meeting.details.ends,
    )
    register = story(NOW.date(), language).register
    named = [*draft.front.present, *draft.front.absent, *draft.front.others]
    assert [one.name for one in named if one.name not in register] == []


def test_the_days_are_the_same_weekday_all_year() -> None:
    days = days_of(2026)
    assert days["last_friday_11"] == "2026-11-27"
    assert days["last_friday_12"] != "2026-12-25"
    assert {date.fromisoformat(day).weekday() for name, day in days.items() if "friday" in name} == {4}


def test_the_clock_tells_the_past_and_never_the_future() -> None:
    clock = StoryClock()
    with clock.at(NOW - timedelta(days=4000)):
        assert clock.now() == NOW - timedelta(days=4000)
    with clock.at(datetime.now(UTC) + timedelta(days=1)):
        assert clock.now() <= datetime.now(UTC)
    assert datetime.now(UTC) - clock.now() < timedelta(minutes=1)


def test_what_is_next_is_said_with_the_day_of_its_notice() -> None:
    held, written, old = _meeting("held", -3), _meeting("written", -10), _meeting("old", -90)
    soon, later = _meeting("soon", 3), _meeting("later", 30)
    called_off, _ = rules.cancel(_meeting("off", 2), "Few")
    missing = {"late": date(2026, 6, 9), "later": date(2026, 7, 3)}
    there = [later, soon, _meeting("late", 4), held, written, old, called_off]
    found = ahead(there, True, missing, {"written"}, 2, NOW)
    assert [(one.meeting.id, one.notice_by, one.late) for one in found.coming] == [
        ("soon", None, False),
        ("late", date(2026, 6, 9), True),
        ("later", date(2026, 7, 3), False),
    ]
    assert [one.id for one in found.unwritten] == ["held"]
    assert (found.bodies, found.planned, found.waiting) == (True, True, 2)
    assert found.proposed == ()
    proposed = ahead(there, True, missing, set(), 0, NOW, {"later": 2, "soon": 1, "held": 3, "off": 1}).proposed
    assert [(one.id, number) for one, number in proposed] == [("soon", 1), ("later", 2)]
    of = WhichBody(None, "Styrelsen")
    assert ahead(there, True, missing, set(), 1, NOW, waiting_of=[of]).waiting_at == soon
    assert ahead(there, True, missing, set(), 1, NOW, waiting_of=[WhichBody(None, "AU")]).waiting_at is None
    nothing = ahead([], False, {}, set(), 0, NOW)
    assert (nothing.bodies, nothing.planned, nothing.coming, nothing.unwritten) == (False, False, (), ())


def _meeting(meeting_id: str, days: int) -> Meeting:
    starts = NOW.replace(tzinfo=None) + timedelta(days=days)
    details = MeetingDetails(
        body="Styrelsen", title="Möte", place="Forsby", starts=starts, ends=starts + timedelta(hours=1)
    )
    return rules.schedule(meeting_id, details)[0]


def _emails(register: str) -> list[str]:
    return [word.strip(",}") for word in register.split() if "@" in word]
