"""Days and sizes as people read them."""

from datetime import date, datetime

import pytest

from shared.readable import Language, day, moment, place, size, span, weekday

STARTS = datetime(2022, 11, 25, 13)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("sv", ("25 november 2022", "fredag 25 november 2022", "fredag 25 november 2022 kl. 13:00")),
        ("en", ("25 November 2022", "Friday 25 November 2022", "Friday 25 November 2022 13:00")),
    ],
)
def test_a_day_has_its_month_in_words(language: Language, said: tuple[str, ...]) -> None:
    assert (day(STARTS, language), weekday(STARTS, language), moment(STARTS, language)) == said
    assert day(date(2023, 5, 1), "sv") == "1 maj 2023"


def test_what_ends_on_another_day_has_both() -> None:
    assert span(STARTS, STARTS.replace(hour=15, minute=30), "sv") == "fredag 25 november 2022 kl. 13:00–15:30"
    other = span(STARTS, datetime(2022, 11, 26, 1), "en")
    assert other == "Friday 25 November 2022 13:00 – Saturday 26 November 2022 01:00"


@pytest.mark.parametrize(
    ("octets", "swedish", "english"),
    [
        (0, "0 B", "0 B"),
        (999, "999 B", "999 B"),
        (1000, "1 kB", "1 kB"),
        (174_600, "175 kB", "175 kB"),
        (999_499, "999 kB", "999 kB"),
        (999_500, "1,0 MB", "1.0 MB"),
        (26_214_400, "26,2 MB", "26.2 MB"),
    ],
)
def test_a_size_has_the_decimal_mark_of_the_language_and_stays_on_one_line(
    octets: int, swedish: str, english: str
) -> None:
    assert size(octets, "sv") == swedish.replace(" ", "\N{NO-BREAK SPACE}")
    assert size(octets, "en") == english.replace(" ", "\N{NO-BREAK SPACE}")


@pytest.mark.parametrize(
    ("named", "mode", "shown"),
    [
        ("Digitalt", "digital", "Online"),
        ("Online", "digital", "Online"),
        ("Teams", "digital", "Teams"),
        ("Digitalt", "hybrid", "Digitalt"),
        ("Forsby", None, "Forsby"),
    ],
)
def test_an_online_meeting_that_is_nowhere_else_is_so_in_the_readers_language(
    named: str, mode: str | None, shown: str
) -> None:
    assert place(named, mode, "en") == shown
