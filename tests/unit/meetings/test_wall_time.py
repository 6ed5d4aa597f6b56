"""Hours on the nights when clocks are put forward and back."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from services.meetings.meeting import meeting as rules
from services.meetings.meeting.meeting import Meeting, Reserved
from services.meetings.minutes.minutes import number_paragraphs, parse_minutes
from services.meetings.sitting.in_order import require_before_next, require_in_order
from services.meetings.sitting.steps import Closed, Decided, cleaned
from services.meetings.wall_time import comes_twice, is_skipped
from shared.errors import InvalidInput, Refused
from tests.unit.meetings.test_meeting import DETAILS
from tests.unit.meetings.test_minutes import BODY, FRONT
from tests.unit.meetings.test_sitting import Record

NIGHT = datetime(2027, 3, 28)


def test_an_hour_that_is_skipped_is_there_on_no_other_night_and_in_no_other_zone() -> None:
    skipped = [hour for hour in range(24) if is_skipped(NIGHT.replace(hour=hour, minute=15), "Europe/Stockholm")]
    assert skipped == [2]
    assert not is_skipped(datetime(2027, 3, 27, 2, 15), "Europe/Stockholm")
    assert not is_skipped(NIGHT.replace(hour=2, minute=15), "Asia/Tokyo")
    assert is_skipped(NIGHT.replace(hour=1, minute=15), "Europe/London")


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("starts", {"starts": NIGHT.replace(hour=2, minute=15), "ends": NIGHT.replace(hour=4)}),
        ("ends", {"starts": NIGHT.replace(hour=1), "ends": NIGHT.replace(hour=2, minute=15)}),
        (
            "reserved",
            {
                "starts": NIGHT.replace(hour=9),
                "ends": NIGHT.replace(hour=10),
                "reserved": Reserved(starts=time(2, 15), ends=time(4), what="Rådet"),
            },
        ),
    ],
)
def test_nobody_meets_in_an_hour_that_is_skipped(field: str, changed: dict[str, object]) -> None:
    details = DETAILS.model_copy(update=changed)
    said = f"{field}: 02:15 does not exist on 2027-03-28 in Europe/Stockholm"
    with pytest.raises(InvalidInput, match=said):
        rules.schedule("m1", details)
    with pytest.raises(InvalidInput, match=said):
        rules.change(rules.schedule("m1", DETAILS)[0], details)


def test_one_that_stands_there_already_may_be_called_otherwise_or_moved() -> None:
    before = DETAILS.model_copy(update={"starts": NIGHT.replace(hour=2, minute=15), "ends": NIGHT.replace(hour=4)})
    stands: Meeting = rules.schedule("m1", DETAILS)[0].model_copy(update={"details": before})
    assert rules.change(stands, before.model_copy(update={"title": "Nattmöte"}))[1]
    assert rules.change(stands, DETAILS)[1]


@pytest.mark.parametrize(("field", "hours"), [("starts", (2, 4)), ("ends", (1, 2))])
def test_minutes_tell_of_no_hour_that_is_skipped(field: str, hours: tuple[int, int]) -> None:
    draft = parse_minutes(FRONT + BODY)
    times = [NIGHT.replace(hour=hour, minute=15) for hour in hours]
    front = draft.front.model_copy(update=dict(zip(("starts", "ends"), times, strict=True)))
    moved = draft.model_copy(update={"front": front})
    with pytest.raises(InvalidInput, match=f"{field}: 02:15 does not exist on 2027-03-28 in Europe/Stockholm"):
        number_paragraphs(moved, 1)
    number_paragraphs(moved, 1, timezone="Asia/Tokyo")


def test_nothing_is_recorded_of_an_hour_that_is_skipped() -> None:
    step, now = Closed(at=NIGHT.replace(hour=2, minute=15)), NIGHT.replace(hour=3, minute=20)
    with pytest.raises(InvalidInput, match="at: 02:15 does not exist on 2027-03-28 in Europe/Stockholm"):
        cleaned(step, now, "Europe/Stockholm")
    assert cleaned(step, now, "Asia/Tokyo") == step


def test_an_hour_that_comes_twice_is_the_first_of_the_two() -> None:
    night = datetime(2027, 10, 31)
    details = DETAILS.model_copy(
        update={"starts": night.replace(hour=2, minute=15), "ends": night.replace(hour=2, minute=45)}
    )
    meeting, _ = rules.schedule("m1", details)
    first = datetime(2027, 10, 31, 0, 15, tzinfo=UTC)
    assert details.starts.replace(tzinfo=ZoneInfo("Europe/Stockholm")).astimezone(UTC) == first
    assert meeting.has_begun(first)
    assert not meeting.has_begun(first.replace(minute=14))
    assert meeting.is_over(first.replace(minute=45))


def test_an_hour_comes_twice_on_no_other_night_and_not_where_it_is_skipped() -> None:
    night, zone = datetime(2027, 10, 31), "Europe/Stockholm"
    assert [hour for hour in range(24) if comes_twice(night.replace(hour=hour, minute=15), zone)] == [2]
    assert not comes_twice(NIGHT.replace(hour=2, minute=15), zone)
    assert not comes_twice(night.replace(hour=2, minute=15), "Asia/Tokyo")


def test_two_steps_in_the_hour_that_comes_twice_are_in_either_order() -> None:
    night, zone = datetime(2027, 10, 31), "Europe/Stockholm"
    early, late = Decided(at=night.replace(hour=2, minute=10), text="Ja"), night.replace(hour=2, minute=50)
    behind = [(3, early)]
    require_before_next(behind, Closed(at=late), zone)
    with pytest.raises(Refused, match="at: 02:50 is after 02:10"):
        require_before_next(behind, Closed(at=late), "Asia/Tokyo")
    with pytest.raises(Refused, match="at: 03:10 is after 02:10"):
        require_before_next(behind, Closed(at=night.replace(hour=3, minute=10)), zone)
    state = Record().now.model_copy(update={"opened_at": late})
    require_in_order(state, early, zone)
    with pytest.raises(InvalidInput, match="at: 02:10 is before 02:50"):
        require_in_order(state, early, "Asia/Tokyo")
    with pytest.raises(InvalidInput, match="at: 01:50 is before 02:50"):
        require_in_order(state, Closed(at=night.replace(hour=1, minute=50)), zone)
