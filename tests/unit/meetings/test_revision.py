"""A new version of minutes: when there may be one, and that it keeps its numbers."""

from dataclasses import replace

import pytest

from services.meetings.minutes.revision import Version, kept_numbers, next_after, next_version, require_unlockable
from shared.errors import NotFound, Refused

ENDED = Version(number=1, agreement_id="a", year=2026, first=28, last=36, ended="declined")


def test_the_first_draft_is_version_one_and_the_next_follows_an_end() -> None:
    assert next_version(None) == 1
    assert next_version(ENDED) == 2


def test_what_may_still_be_signed_or_is_signed_has_no_next_version() -> None:
    with pytest.raises(Refused, match="drafted already"):
        next_version(Version(1, "a", 2026, 28, 36, None))
    with pytest.raises(Refused, match="still being unlocked"):
        next_version(Version(1, "a", 2026, 28, 36, None, unlocked=True))


@pytest.mark.parametrize(("wanted", "next_in_year"), [(None, 37), (28, 37), (None, 50)])
def test_the_same_paragraphs_keep_their_numbers(wanted: int | None, next_in_year: int) -> None:
    assert kept_numbers(ENDED, year=2026, wanted=wanted, count=9, next_in_year=next_in_year) == 28


@pytest.mark.parametrize(
    ("before", "last", "next_in_year", "following"),
    [
        (None, 36, None, 37),
        (None, 36, 28, 37),
        (ENDED, 38, 37, 39),
        (ENDED, 34, 37, 35),  # nobody has 35 and 36, and the next minutes begin there: no gap
        (ENDED, 36, 50, 50),  # later minutes have 37 to 49
    ],
)
def test_where_a_bodys_numbers_go_on(
    before: Version | None, last: int, next_in_year: int | None, following: int
) -> None:
    assert next_after(before, last, next_in_year) == following


@pytest.mark.parametrize("count", [1, 8, 10])
def test_others_fit_only_while_nothing_goes_on_from_there(count: int) -> None:
    assert kept_numbers(ENDED, year=2026, wanted=None, count=count, next_in_year=37) == 28
    with pytest.raises(Refused, match=f"later minutes go on from there: {count} paragraphs do not fit"):
        kept_numbers(ENDED, year=2026, wanted=None, count=count, next_in_year=40)


def test_what_can_be_unlocked_is_what_may_still_be_signed() -> None:
    out = Version(1, "a", 2026, 28, 36, None)
    assert require_unlockable(out) is out
    with pytest.raises(NotFound, match="no minutes"):
        require_unlockable(None)
    for version, why in (
        (replace(out, signed=True), "they stand"),
        (ENDED, "ended already"),
        (replace(out, unlocked=True), "being unlocked"),
    ):
        with pytest.raises(Refused, match=why):
            require_unlockable(version)


def test_another_beginning_or_year_is_refused() -> None:
    with pytest.raises(Refused, match="begins at § 28"):
        kept_numbers(ENDED, year=2026, wanted=37, count=9, next_in_year=37)
    with pytest.raises(Refused, match="of 2026, but this one is of 2027"):
        kept_numbers(ENDED, year=2027, wanted=None, count=9, next_in_year=None)
