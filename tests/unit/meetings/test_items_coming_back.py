"""An item that was put off until a day: at which meeting it comes back, and when."""

from datetime import UTC, date, datetime

import pytest

from services.meetings.agenda.agenda import HowItLeft, Item, ItemDetails, comes_back, move
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus
from shared.errors import InvalidInput

NOW = datetime(2022, 9, 23, 14, tzinfo=UTC)
BACK = date(2022, 12, 16)


def meeting(day: date) -> Meeting:
    starts = datetime(day.year, day.month, day.day, 13)
    details = MeetingDetails(
        body="Styrelsen", title="Styrelsen", place="Forsby", starts=starts, ends=starts.replace(hour=15)
    )
    return Meeting(id=day.isoformat(), version=1, status=MeetingStatus.SCHEDULED, details=details)


ITEM = Item(
    id="i", version=1, body="Styrelsen", meeting_id="2022-09-23", details=ItemDetails(title="Budget"), standing=False
)


def waiting() -> Item:
    left = meeting(date(2022, 9, 23))
    moved, fact = move(ITEM, left, None, 0, how=HowItLeft.TABLED, reason=None, now=NOW, back_on=BACK)
    assert (moved.meeting_id, moved.back_on, fact.back_on) == (None, BACK, "2022-12-16")
    return moved


def test_it_comes_back_at_the_meeting_of_its_day_as_soon_as_that_is_known() -> None:
    item, there = waiting(), meeting(BACK)
    assert comes_back(item, [meeting(date(2022, 11, 25)), there], NOW.date()) is there
    back, fact = move(item, None, there, 0, how=HowItLeft.MOVED, reason=None, now=NOW)
    assert (back.meeting_id, back.back_on, back.stays[-1].to_meeting_id) == (there.id, None, there.id)
    assert (fact.how, fact.waited, fact.back_on) == ("tabled", True, None)
    assert comes_back(back, [there], NOW.date()) is None


def test_without_one_a_month_before_it_comes_back_at_the_first_after() -> None:
    item, later = waiting(), meeting(date(2023, 1, 20))
    assert comes_back(item, [meeting(date(2023, 2, 3)), later], date(2022, 11, 15)) is None
    assert comes_back(item, [meeting(date(2023, 2, 3)), later], date(2022, 11, 16)) is later
    assert comes_back(item, [], date(2023, 1, 1)) is None


@pytest.mark.parametrize("back_on", [date(2022, 9, 23), date(9999, 1, 1)])
def test_a_day_that_is_over_or_none_is_refused(back_on: date) -> None:
    with pytest.raises(InvalidInput, match="back_on"):
        move(ITEM, meeting(date(2022, 9, 23)), None, 0, how=HowItLeft.TABLED, reason=None, now=NOW, back_on=back_on)
