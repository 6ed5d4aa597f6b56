"""Paragraph numbers: without gap or double."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.minutes.numbering import first_number
from shared.errors import Refused


def test_the_first_minutes_of_a_year_may_go_on_from_elsewhere() -> None:
    assert first_number(None, 28) == 28
    assert first_number(None, None) == 1


def test_later_minutes_continue() -> None:
    assert first_number(37, None) == 37
    assert first_number(37, 37) == 37


@pytest.mark.parametrize(("wanted", "trouble"), [(36, "taken already"), (38, "would leave a gap")])
def test_a_number_out_of_line_is_refused(wanted: int, trouble: str) -> None:
    with pytest.raises(Refused, match=trouble):
        first_number(37, wanted)


@given(st.lists(st.integers(1, 9), max_size=20))
def test_a_year_has_no_gap_and_no_double(lengths: list[int]) -> None:
    numbers: list[int] = []
    following: int | None = None
    for length in lengths:
        first = first_number(following, None)
        numbers += range(first, first + length)
        following = first + length
    assert numbers == list(range(1, len(numbers) + 1))
