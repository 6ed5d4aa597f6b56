from datetime import UTC, datetime

import pytest

from shared.rendering.minutes import Language
from shared.rendering.report_times import stamp_time

MORNING = datetime(2022, 9, 26, 8, 58, 35, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timezone", "language", "text"),
    [
        ("Europe/Stockholm", "sv", "26 sep 2022 10:58 GMT+2"),
        ("Europe/Stockholm", "en", "26 Sep 2022 10:58 GMT+2"),
        ("Asia/Kolkata", "en", "26 Sep 2022 14:28 GMT+5:30"),
        ("America/St_Johns", "en", "26 Sep 2022 06:28 GMT-2:30"),
        ("UTC", "sv", "26 sep 2022 08:58 GMT"),
    ],
)
def test_a_stamp_shows_local_time_and_its_offset(timezone: str, language: Language, text: str) -> None:
    assert stamp_time(MORNING, timezone, language) == text


def test_the_offset_is_the_one_that_held_then() -> None:
    winter = datetime(2022, 1, 3, 12, 0, tzinfo=UTC)
    assert stamp_time(winter, "Europe/Stockholm", "sv") == "3 jan 2022 13:00 GMT+1"


def test_a_stamp_may_fall_on_the_next_local_day() -> None:
    late = datetime(2022, 9, 26, 22, 4, 49, tzinfo=UTC)
    assert stamp_time(late, "Europe/Stockholm", "sv") == "27 sep 2022 00:04 GMT+2"


@pytest.mark.parametrize(("month", "name"), [(5, "maj"), (10, "okt"), (12, "dec")])
def test_swedish_months_have_swedish_names(month: int, name: str) -> None:
    assert f" {name} " in stamp_time(datetime(2022, month, 2, tzinfo=UTC), "UTC", "sv")


def test_a_naive_moment_cannot_be_placed() -> None:
    with pytest.raises(ValueError, match="time zone"):
        stamp_time(datetime(2022, 9, 26, 8, 58), "UTC", "sv")
