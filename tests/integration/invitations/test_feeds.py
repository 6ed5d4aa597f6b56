"""Three others read a member's calendar: `icalendar`, `vobject`, and ical4j, which knows what RFC 5545 wants."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject

from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus
from services.meetings.member.feed import feed
from services.meetings.member.member import OwnMeeting, OwnMeetings, Part
from services.meetings.reply.reply import Answer, Reply
from services.notifications.invitation.invitation import calendar
from shared.calendars import meeting_uid
from tests.integration.invitations.judges import ical4j_says
from tests.integration.invitations.test_judges import INVITATION

STAMP = datetime(2022, 11, 18, 7, 0, 0, 5, tzinfo=UTC)
NAME = 'Förbundet "Norrdalen"; styrelse, nätverk'


def own(number: int, zone: str = "Europe/Stockholm", *, part: Part = Part.ASKED, **changed: Any) -> OwnMeeting:
    details = MeetingDetails(
        body="Styrelsen",
        title="Styrelsen sammanträder; §§ 37-45, " + "lång rubrik med åäö " * 8,
        place='Björka kommunhus, rum "Älven"\\B',
        starts=datetime(2022, 11, number, 13),
        ends=datetime(2022, 11, number, 15, 30),
        timezone=zone,
    )
    fields = {"id": f"01a2235c-37b5-7303-9bfc-e1d05ccd59{number:02}", "version": 3, "status": MeetingStatus.SCHEDULED}
    reply = Reply(person_id="p1", role="member", answer=changed.pop("answer", None))
    return OwnMeeting(Meeting(details=details, **fields | changed), None, part, reply)


COMING = [
    own(1),
    own(2, status=MeetingStatus.CANCELLED),
    own(3, part=Part.SUBSTITUTE),
    own(4, answer=Answer.ABSENT),
    own(5, "Etc/UTC"),
    own(6, "America/New_York"),
]
CASES = {
    "all": OwnMeetings(COMING, [own(10)]),
    "one": OwnMeetings(COMING[:1], []),
    "utc": OwnMeetings([own(5, "Etc/UTC")], []),
}


@pytest.mark.parametrize("name", CASES)
def test_two_read_what_was_said(name: str) -> None:
    said = [*CASES[name].past, *CASES[name].coming]
    text = feed(CASES[name], NAME, STAMP)
    read = icalendar.Calendar.from_ical(text)
    assert "METHOD" not in read
    assert str(read["X-WR-CALNAME"]) == NAME
    events = {str(event["UID"]): event for event in read.walk("VEVENT")}
    other: Any = vobject.readOne(text)
    others = {event.uid.value: event for event in other.vevent_list}
    assert set(events) == set(others) == {meeting_uid(one.meeting.id) for one in said}
    for one in said:
        details, event = one.meeting.details, events[meeting_uid(one.meeting.id)]
        assert event.decoded("DTSTART") == details.starts.replace(tzinfo=ZoneInfo(details.timezone))
        assert str(event["LOCATION"]) == details.place
        heard = others[meeting_uid(one.meeting.id)]
        assert heard.dtend.value.astimezone(UTC) == details.ends.replace(tzinfo=ZoneInfo(details.timezone)).astimezone(
            UTC
        )
        assert heard.summary.value == f"{details.title} (Styrelsen)"
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75  # RFC 5545 section 3.1


def test_what_takes_no_time_takes_none() -> None:
    read = icalendar.Calendar.from_ical(feed(CASES["all"], NAME, STAMP))
    shown = {int(str(event["UID"])[-2:]): (str(event["STATUS"]), str(event["TRANSP"])) for event in read.walk("VEVENT")}
    assert shown[1] == ("CONFIRMED", "OPAQUE")
    assert shown[2] == ("CANCELLED", "TRANSPARENT")
    assert shown[3] == ("TENTATIVE", "TRANSPARENT")
    assert shown[4] == ("CONFIRMED", "TRANSPARENT")


def test_a_meeting_is_known_by_what_its_invitation_knows_it_by() -> None:
    invitation = icalendar.Calendar.from_ical(calendar(INVITATION)).walk("VEVENT")[0]
    [event] = icalendar.Calendar.from_ical(feed(CASES["one"], NAME, STAMP)).walk("VEVENT")
    assert event["UID"] == COMING[0].meeting.id
    assert set(event) <= set(invitation)


def test_ical4j_finds_nothing_against_them(tmp_path: Path) -> None:
    texts = {name: feed(found, NAME, STAMP) for name, found in CASES.items()}
    texts["broken"] = texts["one"].replace("DTSTAMP", "X-DTSTAMP")
    said = ical4j_says(texts, tmp_path)
    assert {name for name in texts if said[name] != "ok"} == {"broken"}, said
