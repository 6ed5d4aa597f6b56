"""Until when minutes are signed, posted, appealed against, taken down, kept in public: by law, or a body's rules. Pure.

A municipality, by kommunallagen (2017:725): minutes are adjusted within fourteen days of the meeting (5 kap. 69 §, of
boards 6 kap. 35 §); that they are is announced on the notice board on the second day after it at the latest (8 kap.
12 §); the announcement stays until the time to appeal has ended (8 kap. 12 §), three weeks from the day on which it was
posted (13 kap. 5 §).

How days are counted, by lagen (1930:173) om beräkning av lagstadgad tid: weeks end on the day of the same name (1 §);
a period that ends on a Saturday, a Sunday, a public holiday, or on Midsummer's, Christmas or New Year's Eve ends on the
next weekday that is none of these (2 §).

An association's statutes say, if anything, what its bodies are configured with (`adjust_days`, `post_days`,
`posted_days`): plain days, of which the last one may be any day of the week.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from services.meetings.body.body import BodyDetails, BodyRules, DeadlineProfile
from services.meetings.holidays import holiday

_ADJUST = timedelta(days=14)
_ANNOUNCE = timedelta(days=2)
_APPEAL = timedelta(weeks=3)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Posting:
    """`appeal_until`: the last day to appeal. `remove_on`: the first day on which it is no longer posted. None: nothing
    says so."""

    appeal_until: date | None
    remove_on: date | None


def adjust_by(rules: BodyRules, held_on: date) -> date | None:
    """The last day for all to sign; None when nothing says so."""
    if rules.deadline_profile is DeadlineProfile.MUNICIPALITY:
        return next_weekday(held_on + _ADJUST)
    return _later(held_on, rules.adjust_days)


def is_watched_otherwise(details: BodyDetails, before: BodyDetails) -> bool:
    """Whether other meetings may be the body's, by its name, or all are to sign until another day."""
    rules, ruled = details.rules, before.rules
    return (details.name, rules.deadline_profile, rules.adjust_days) != (
        before.name,
        ruled.deadline_profile,
        ruled.adjust_days,
    )


def post_by(rules: BodyRules, adjusted_on: date) -> date | None:
    """The last day for minutes that all have signed to be posted; None when nothing says so."""
    if rules.deadline_profile is DeadlineProfile.MUNICIPALITY:
        return next_weekday(adjusted_on + _ANNOUNCE)
    return _later(adjusted_on, rules.post_days)


def posting(rules: BodyRules, posted_on: date) -> Posting:
    """How long what is posted on a day stands there."""
    if rules.deadline_profile is DeadlineProfile.MUNICIPALITY:
        until = next_weekday(posted_on + _APPEAL)
        return Posting(appeal_until=until, remove_on=until + timedelta(days=1))
    return Posting(appeal_until=None, remove_on=_later(posted_on, rules.posted_days))


def archived_since(rules: BodyRules, today: date) -> date | None:
    """The first day of meetings whose minutes the public archive has today, the first of a year; None where the body
    keeps none."""
    if not rules.public_archive:
        return None
    if rules.archive_years is None:
        return date.min
    return date(today.year - rules.archive_years, 1, 1)


def archived_until(rules: BodyRules, held_on: date) -> date | None:
    """The last day on which the public archive has the minutes of a meeting; None for good, and where there is none."""
    if not rules.public_archive or rules.archive_years is None:
        return None
    return date(held_on.year + rules.archive_years, 12, 31)


def _later(day: date, days: int | None) -> date | None:
    return None if days is None else day + timedelta(days=days)


def next_weekday(day: date) -> date:
    """The day itself, when the law's periods may end on it; else the next on which they may."""
    while day.weekday() >= _SATURDAY or holiday(day):
        day += timedelta(days=1)
    return day
