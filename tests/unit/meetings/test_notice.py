"""Until when the notice of a meeting goes out."""

from datetime import date, timedelta

import pytest

from services.meetings.holidays import holiday
from services.meetings.notice.notice import latest_day


@pytest.mark.parametrize(
    ("meets", "days", "latest"),
    [
        (date(2022, 9, 23), 5, date(2022, 9, 16)),  # Sunday the 18th: Friday before
        (date(2022, 11, 25), 7, date(2022, 11, 18)),
        (date(2022, 11, 25), 0, date(2022, 11, 25)),
        (date(2023, 4, 12), 5, date(2023, 4, 6)),  # Good Friday: Maundy Thursday
        (date(2023, 4, 14), 5, date(2023, 4, 6)),  # Easter Sunday, behind Saturday and Good Friday
        (date(2023, 6, 28), 5, date(2023, 6, 22)),  # Midsummer Eve
        (date(2023, 1, 11), 5, date(2023, 1, 5)),  # Epiphany, a Friday
        (date(2023, 1, 3), 3, date(2022, 12, 30)),  # New Year's Eve, a Saturday
    ],
)
def test_the_latest_day_is_a_workday_so_many_days_before(meets: date, days: int, latest: date) -> None:
    assert latest_day(meets, days) == latest


def test_it_is_never_later_than_the_rule_says_and_always_a_workday() -> None:
    for number in range(3 * 366):
        meets = date(2022, 1, 1) + timedelta(days=number)
        for days in (0, 5, 14, 30):
            latest = latest_day(meets, days)
            assert latest <= meets - timedelta(days=days)
            assert latest.weekday() < 5
            assert not holiday(latest)
