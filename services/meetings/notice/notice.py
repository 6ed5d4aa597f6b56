"""The rules of notices (kallelse): until when one has to go out. Pure."""

from datetime import date, timedelta

from services.meetings.holidays import holiday

_FIRST_OF_WEEKEND = 5  # Saturday


def latest_day(meets: date, days: int) -> date:
    """The last day on which the notice of a meeting on `meets` goes out in time: `days` before it at the latest.

    Statutes and Kommunallagen (2017:725) 5 kap. 15 § reckon in days. Where that day is a weekend or a holiday, when
    nobody is in the office, it is the workday before.
    """
    day = meets - timedelta(days=days)
    while day.weekday() >= _FIRST_OF_WEEKEND or holiday(day):
        day -= timedelta(days=1)
    return day
