"""Which months there are to be, and which ids are theirs."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from services.archive.journal_months import IN_A_MONTH, beginning, first_id, following, month_of, wanted

moments = st.datetimes(datetime(2020, 1, 1), datetime(8000, 1, 1), timezones=st.just(UTC))


@given(moment=moments)
def test_a_month_holds_its_moments_and_the_next_begins_where_it_ends(moment: datetime) -> None:
    month = month_of(moment)
    assert beginning(month) <= moment < beginning(following(month))
    assert following(month) == month_of(beginning(month) + timedelta(days=31))


@given(moment=moments)
def test_ids_are_in_the_order_of_months_and_exact_in_a_browser(moment: datetime) -> None:
    running, *ahead = wanted(moment)
    assert running == month_of(moment)
    assert ahead == [following(running), following(following(running))]
    assert first_id(running) + IN_A_MONTH <= first_id(ahead[0]) < 2**53


def test_a_month_is_utcs() -> None:
    assert month_of(datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))) == 202612
