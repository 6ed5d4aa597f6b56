"""Deadlines of minutes by law, and what may be done with what is on the notice board."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.body.body import (
    Body,
    BodyDetails,
    BodyKind,
    BodyRules,
    DeadlineProfile,
    clean_details,
)
from services.meetings.holidays import holiday
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus
from services.meetings.publication import deadlines
from services.meetings.publication import publication as rules
from services.meetings.publication.publication import Posted, Publication, Status, Warned
from shared.errors import InvalidInput, Refused
from shared.events import BlobRef
from shared.rendering.public import Mask

MUNICIPALITY = BodyRules(deadline_profile=DeadlineProfile.MUNICIPALITY)
DAYS = st.dates(date(1990, 1, 1), date(2150, 12, 31))
FILE = BlobRef(sha256="0" * 64, size=1, media_type="application/pdf")
MADE = Posted(
    title="Protokoll",
    language="sv",
    minutes_version=1,
    first_paragraph=28,
    last_paragraph=30,
    pdf=FILE,
    html=FILE,
    document=FILE,
)
MASKS = (Mask(kind="name", text="Olof Berg"),)
SIGNED = datetime(2022, 9, 26, 8, tzinfo=UTC)


def body(given_rules: BodyRules = MUNICIPALITY, body_id: str = "b") -> Body:
    details = BodyDetails(name="Nämnden", kind=BodyKind.BOARD, rules=given_rules)
    return Body(id=body_id, key="namnden", version=1, details=details)


def meeting(days_later: int = 0) -> Meeting:
    later = timedelta(days=days_later)
    details = MeetingDetails(
        body="Nämnden",
        title="Nämnden",
        place="Björka",
        starts=datetime(2022, 9, 23, 13) + later,
        ends=datetime(2022, 9, 23, 15) + later,
    )
    return Meeting(id="m", body_id="b", version=1, status=MeetingStatus.SCHEDULED, details=details)


def begun(given_rules: BodyRules = MUNICIPALITY) -> Publication:
    return rules.begin("p", meeting(), body(given_rules))


def signed(given_rules: BodyRules = MUNICIPALITY) -> Publication:
    return rules.adjusted(begun(given_rules), body(given_rules), SIGNED)


def posted(given_rules: BodyRules = MUNICIPALITY, at: datetime = SIGNED) -> Publication:
    return rules.post(signed(given_rules), body(given_rules), MADE, MASKS, at)[0]


@pytest.mark.parametrize(
    ("held_on", "adjust", "adjusted_on", "announce", "posted_on", "appeal"),
    [
        ("2022-09-23", "2022-10-07", "2022-09-26", "2022-09-28", "2022-09-27", "2022-10-18"),
        # The fourteenth day is Christmas Eve, a Saturday: the 25th and 26th are holidays.
        ("2022-12-10", "2022-12-27", "2022-12-22", "2022-12-27", "2022-12-05", "2022-12-27"),
        # Good Friday to Easter Monday; Midsummer's Eve.
        ("2023-03-24", "2023-04-11", "2023-04-05", "2023-04-11", "2023-06-02", "2023-06-26"),
    ],
)
def test_a_municipalitys_deadlines_end_as_the_law_has_it(
    held_on: str, adjust: str, adjusted_on: str, announce: str, posted_on: str, appeal: str
) -> None:
    assert deadlines.adjust_by(MUNICIPALITY, date.fromisoformat(held_on)) == date.fromisoformat(adjust)
    assert deadlines.post_by(MUNICIPALITY, date.fromisoformat(adjusted_on)) == date.fromisoformat(announce)
    standing = deadlines.posting(MUNICIPALITY, date.fromisoformat(posted_on))
    assert standing.appeal_until == date.fromisoformat(appeal)
    assert standing.remove_on == date.fromisoformat(appeal) + timedelta(days=1), "not before the time has ended"


@given(DAYS)
def test_a_period_of_the_law_is_never_shorter_and_ends_on_a_weekday(day: date) -> None:
    for found, least in (
        (deadlines.adjust_by(MUNICIPALITY, day), 14),
        (deadlines.post_by(MUNICIPALITY, day), 2),
        (deadlines.posting(MUNICIPALITY, day).appeal_until, 21),
    ):
        assert found is not None
        assert day + timedelta(days=least) <= found <= day + timedelta(days=least + 6)
        assert found.weekday() < 5
        assert not holiday(found)
        between = [day + timedelta(days=least + more) for more in range((found - day).days - least)]
        assert all(one.weekday() >= 5 or holiday(one) for one in between), "and on the first such day"


def test_an_association_has_no_deadline_that_nobody_said() -> None:
    found = posted(BodyRules())
    assert (found.adjust_by, found.post_by, found.appeal_until, found.remove_on) == (None, None, None, None)
    assert found.next_moment() is None


STATUTES = BodyRules(adjust_days=21, post_days=7, posted_days=14)


def test_an_associations_deadlines_are_those_of_its_statutes() -> None:
    found = posted(STATUTES)
    assert (found.adjust_by, found.post_by) == (date(2022, 10, 14), date(2022, 10, 3))
    assert (found.appeal_until, found.remove_on) == (None, date(2022, 10, 10))
    saturday = BodyRules(post_days=0, posted_days=1)
    on = datetime(2022, 10, 1, 8, tzinfo=UTC)
    late = rules.adjusted(begun(saturday), body(saturday), on)
    assert late.post_by == date(2022, 10, 1), "no law moves the day"


def test_a_bodys_meetings_follow_it_for_another_name_or_another_day_to_sign_until_alone() -> None:
    before = BodyDetails(name="Styrelsen", kind=BodyKind.BOARD, rules=BodyRules(adjust_days=14))

    def ruled(**changed: object) -> BodyDetails:
        return before.model_copy(update={"rules": before.rules.model_copy(update=changed)})

    for other in (
        before.model_copy(update={"name": "Nämnden"}),
        ruled(adjust_days=15),
        ruled(deadline_profile=DeadlineProfile.MUNICIPALITY),
    ):
        assert deadlines.is_watched_otherwise(other, before)
    assert not deadlines.is_watched_otherwise(ruled(notice_days=9, quorum=3, public=True), before)


def test_they_are_told_as_a_municipalitys_are() -> None:
    assert told_until(begun(STATUTES), 40) == [("2022-10-11", Warned.ADJUST_NEAR), ("2022-10-15", Warned.ADJUST_MISSED)]
    assert told_until(signed(STATUTES), 40) == [("2022-10-02", Warned.POST_NEAR), ("2022-10-04", Warned.POST_MISSED)]


@pytest.mark.parametrize("name", ["adjust_days", "post_days", "posted_days"])
def test_a_municipalitys_deadlines_are_the_laws_alone(name: str) -> None:
    own = MUNICIPALITY.model_copy(update={name: 30})
    with pytest.raises(InvalidInput, match=f"^{name}: is the law's"):
        clean_details(BodyDetails(name="Nämnden", kind=BodyKind.BOARD, rules=own))


OPEN = BodyRules(posted_days=14, public_archive=True)


def archived() -> Publication:
    passed, _, fact = rules.pass_time(posted(OPEN), body(OPEN), SIGNED + timedelta(days=14))
    assert fact is not None
    assert fact.is_readable
    return passed


def test_what_was_posted_is_archived_when_its_time_is_over_if_its_body_says_so() -> None:
    assert archived().status is Status.ARCHIVED
    assert archived().next_moment() is None
    closed = BodyRules(posted_days=14)
    gone, _, fact = rules.pass_time(posted(closed), body(closed), SIGNED + timedelta(days=14))
    assert (gone.status, fact is not None and fact.is_readable) == (Status.REMOVED, False)


def test_what_is_taken_down_for_a_reason_is_archived_nowhere() -> None:
    early, fact = rules.remove(posted(OPEN), body(OPEN), "Fel protokoll.", SIGNED)
    assert (early.status, fact.is_readable) == (Status.REMOVED, False)
    by_hand = OPEN.model_copy(update={"posted_days": None})
    kept, fact = rules.remove(posted(by_hand), body(by_hand), None, SIGNED)
    assert (kept.status, fact.is_readable) == (Status.ARCHIVED, True)
    with pytest.raises(InvalidInput, match="reason"):
        rules.remove(archived(), body(OPEN), " ", SIGNED)
    out, fact = rules.remove(archived(), body(OPEN), "Namnet på ett barn.", SIGNED)
    assert (out.status, fact.is_readable, out.removal_reason) == (Status.REMOVED, False, "Namnet på ett barn.")


def test_what_is_corrected_in_the_archive_stays_there() -> None:
    corrected, fact = rules.post(archived(), body(OPEN), MADE, (), SIGNED + timedelta(days=90))
    assert (corrected.status, corrected.edition, corrected.posted_on) == (Status.ARCHIVED, 2, archived().posted_on)
    assert (fact.in_archive, fact.edition) == (True, 2)
    assert corrected.is_corrected


def told_until(publication: Publication, days: int) -> list[tuple[str, Warned]]:
    """What is told when each moment is looked at twice, as by a timer that fires again."""
    told = []
    for hour in range(days * 24):
        now = datetime(2022, 9, 23, tzinfo=UTC) + timedelta(hours=hour)
        for _ in range(2):
            publication, warned, _ = rules.pass_time(publication, body(), now)
            if warned is not None:
                told.append((publication.day(now).isoformat(), warned))
    return told


def test_each_deadline_is_told_in_time_and_once_when_it_is_missed() -> None:
    assert told_until(begun(), 40) == [("2022-10-04", Warned.ADJUST_NEAR), ("2022-10-08", Warned.ADJUST_MISSED)]
    assert told_until(signed(), 40) == [("2022-09-27", Warned.POST_NEAR), ("2022-09-29", Warned.POST_MISSED)]
    assert told_until(posted(), 10) == []


def test_who_looks_late_is_told_the_worst_only() -> None:
    later, warned, _ = rules.pass_time(begun(), body(), datetime(2022, 11, 1, tzinfo=UTC))
    assert warned is Warned.ADJUST_MISSED
    assert later.next_moment() is None


@given(st.integers(0, 60 * 24), st.sampled_from([begun(), signed(), posted()]))
def test_what_is_to_happen_happens_at_the_moment_that_a_timer_is_set_to(hours: int, publication: Publication) -> None:
    now = SIGNED + timedelta(hours=hours)
    moment = publication.next_moment()
    passed, warned, removed = rules.pass_time(publication, body(), now)
    assert (warned is not None or removed is not None) == (moment is not None and moment <= now)
    following = passed.next_moment()
    assert following is None or following > now, "a timer does not fire for nothing"


def test_it_is_taken_down_when_the_time_to_appeal_is_over_and_not_before() -> None:
    publication = posted()
    assert publication.remove_on == date(2022, 10, 18)
    before = datetime(2022, 10, 17, 21, 59, tzinfo=UTC)  # 23:59 in Sweden
    assert rules.pass_time(publication, body(), before)[0].status is Status.POSTED
    removed, _, fact = rules.pass_time(publication, body(), before + timedelta(minutes=1))
    assert removed.status is Status.REMOVED
    assert fact is not None
    assert fact.by == "timer"


def test_only_signed_minutes_are_posted() -> None:
    with pytest.raises(Refused, match="not signed"):
        rules.post(begun(), body(), MADE, (), SIGNED)


def test_a_correction_is_the_next_edition_and_stands_no_longer() -> None:
    first = posted()
    second, fact = rules.post(first, body(), MADE, (), SIGNED + timedelta(days=5))
    assert (second.edition, fact.edition, fact.masks) == (2, 2, 0)
    assert (first.is_corrected, second.is_corrected) == (False, True)
    assert (second.posted_on, second.remove_on, second.appeal_until) == (
        first.posted_on,
        first.remove_on,
        first.appeal_until,
    )


def test_taken_down_early_needs_a_reason_and_posted_anew_the_time_begins_anew() -> None:
    first = posted()
    with pytest.raises(InvalidInput, match="reason"):
        rules.remove(first, body(), " ", SIGNED + timedelta(days=1))
    removed, fact = rules.remove(first, body(), "Fel protokoll.", SIGNED + timedelta(days=1))
    assert (removed.removal_reason, fact.by) == ("Fel protokoll.", "person")
    assert "Fel" not in fact.to_json(), "why is kept here"
    with pytest.raises(Refused, match="not on the notice board"):
        rules.remove(removed, body(), "igen", SIGNED)
    again, _ = rules.post(removed, body(), MADE, MASKS, SIGNED + timedelta(days=2))
    assert (again.edition, again.posted_on, again.removal_reason) == (2, date(2022, 9, 28), None)
    assert again.appeal_until == date(2022, 10, 19)
    assert not again.is_corrected, "it may be the same"


def test_an_associations_posting_can_be_taken_down_at_any_time() -> None:
    assert rules.remove(posted(BodyRules()), body(BodyRules()), None, SIGNED)[0].status is Status.REMOVED


def test_signed_once_is_signed_on_that_day() -> None:
    assert rules.adjusted(signed(), body(), SIGNED + timedelta(days=3)).adjusted_on == date(2022, 9, 26)


HELD = datetime(2022, 9, 23, 13, tzinfo=UTC)


def missed() -> Publication:
    """Of which all has been told."""
    found = rules.pass_time(begun(), body(), datetime(2022, 11, 1, tzinfo=UTC))[0]
    assert found.told == (Warned.ADJUST_NEAR, Warned.ADJUST_MISSED)
    return found


def follow(publication: Publication, days_later: int, of: Body, now: datetime = HELD) -> Publication:
    return rules.followed(publication, meeting(days_later), of, None, now, is_new=False)


def test_of_a_meeting_that_was_moved_after_a_warning_is_told_anew() -> None:
    moved = follow(missed(), 60, body())
    assert (moved.held_on, moved.adjust_by, moved.told) == (date(2022, 11, 22), date(2022, 12, 6), ())
    assert moved.next_moment() is not None
    same = follow(missed(), 0, body())
    assert same == missed(), "of the same deadline nobody is told twice"


def test_a_meeting_of_another_body_has_that_ones_deadline() -> None:
    other = follow(missed(), 0, body(BodyRules(), "other"))
    assert (other.body_id, other.adjust_by, other.told, other.next_moment()) == ("other", None, (), None)
    back = follow(other, 0, body())
    assert (back.body_id, back.adjust_by) == ("b", date(2022, 10, 7))
    assert back.next_moment() is not None


def test_what_is_signed_follows_no_more() -> None:
    assert follow(signed(), 60, body(BodyRules(), "other")) == signed()


@pytest.mark.parametrize(
    ("signed_at", "now", "told"),
    [
        (None, HELD, ()),
        (None, datetime(2022, 10, 5, tzinfo=UTC), ()),  # near: there is time yet
        (None, datetime(2022, 10, 7, 21, 59, tzinfo=UTC), ()),
        (None, datetime(2022, 10, 7, 22, tzinfo=UTC), (Warned.ADJUST_NEAR, Warned.ADJUST_MISSED)),
        (SIGNED, datetime(2022, 9, 28, tzinfo=UTC), ()),
        (SIGNED, datetime(2022, 11, 1, tzinfo=UTC), (Warned.POST_NEAR, Warned.POST_MISSED)),
    ],
)
def test_of_a_deadline_that_is_past_when_it_begins_nobody_is_told(
    signed_at: datetime | None, now: datetime, told: tuple[Warned, ...]
) -> None:
    found = rules.followed(begun(), meeting(), body(), signed_at, now, is_new=True)
    assert found.told == told
    assert (found.adjusted_on is not None) == (signed_at is not None)
    assert (found.next_moment() is None) == bool(told)


def test_who_moves_a_meeting_to_long_ago_is_not_warned_of_it() -> None:
    found = follow(begun(), -60, body())
    assert found.told == (Warned.ADJUST_NEAR, Warned.ADJUST_MISSED)


def test_what_an_archive_goes_back_too_little_for_is_not_kept() -> None:
    """Posted years after its meeting."""
    short = OPEN.model_copy(update={"archive_years": 1})
    late = SIGNED + timedelta(days=800)
    assert rules.pass_time(posted(short), body(short), late)[0].status is Status.REMOVED
    assert rules.pass_time(posted(OPEN), body(OPEN), late)[0].status is Status.ARCHIVED
