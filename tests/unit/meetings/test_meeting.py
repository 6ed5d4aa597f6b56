"""The life of a meeting."""

from datetime import datetime

import pytest

from services.meetings.meeting import meeting as rules
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus
from shared.errors import InvalidInput, Refused
from shared.events import Person

DETAILS = MeetingDetails(
    body="Styrelsen",
    title="Styrelsen sammanträder",
    place="Digitalt",
    starts=datetime(2022, 9, 23, 13),
    ends=datetime(2022, 9, 23, 15),
    participants=(Person(email="olof.berg@bjorka.example", name="Olof Berg"),),
)


def scheduled() -> Meeting:
    return rules.schedule("m1", DETAILS)[0]


def test_scheduling_tells_the_whole_meeting() -> None:
    meeting, fact = rules.schedule("m1", DETAILS)
    assert (meeting.version, meeting.status) == (1, MeetingStatus.SCHEDULED)
    assert (fact.starts, fact.ends, fact.timezone) == ("2022-09-23T13:00", "2022-09-23T15:00", "Europe/Stockholm")
    assert fact.participants == DETAILS.participants


def test_one_that_is_struck_names_the_meeting_that_takes_its_items() -> None:
    struck, fact = rules.cancel(scheduled(), "Krock", for_meeting="m2")
    assert (struck.status, struck.taken_over_by, fact.reason) == (MeetingStatus.CANCELLED, "m2", "Krock")
    assert rules.cancel(scheduled(), "Krock")[0].taken_over_by is None


def test_a_change_of_nothing_is_no_fact() -> None:
    meeting, fact = rules.change(scheduled(), DETAILS)
    assert (meeting.version, fact) == (1, None)


def test_a_change_carries_the_new_state() -> None:
    meeting, fact = rules.change(scheduled(), DETAILS.model_copy(update={"place": "Forsby"}))
    assert (meeting.version, meeting.details.place) == (2, "Forsby")
    assert fact is not None
    assert fact.place == "Forsby"


def test_a_cancelled_meeting_stays_cancelled() -> None:
    cancelled, fact = rules.cancel(scheduled(), "  Förhinder\n")
    assert fact.reason == "Förhinder"
    with pytest.raises(Refused, match="the meeting is cancelled"):
        rules.cancel(cancelled, "igen")
    with pytest.raises(Refused, match="the meeting is cancelled"):
        rules.change(cancelled, DETAILS)
    with pytest.raises(Refused, match="the meeting is cancelled"):
        rules.require_minutes_fit(cancelled, "Styrelsen")


def test_minutes_are_of_the_same_body_however_it_is_written() -> None:
    rules.require_minutes_fit(scheduled(), " STYRELSEN ")
    with pytest.raises(Refused, match="the minutes are of Arbetsutskottet"):
        rules.require_minutes_fit(scheduled(), "Arbetsutskottet")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ends": datetime(2022, 9, 23, 12)}, "ends: is before starts"),
        ({"starts": datetime(1, 1, 1)}, "starts: the year 1 is"),
        ({"ends": datetime(9999, 12, 31, 23, 59)}, "ends: the year 9999 is"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": "a\0b"}, "timezone"),
        ({"place": ""}, "place"),
        ({"title": "a\u202eb"}, "title"),
        ({"participants": (Person(email="no address"),)}, "no e-mail address"),
    ],
)
def test_malformed_details_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        rules.schedule("m1", DETAILS.model_copy(update=change))
