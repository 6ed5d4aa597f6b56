"""The tag of a member's calendar: another one just when something else is said, and found without saying it."""

from datetime import UTC, datetime, timedelta

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.body.body import Body, BodyDetails, BodyKind, BodyRules
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus, Mode
from services.meetings.member.feed import feed, is_known, is_of, tag_of
from services.meetings.member.member import OwnMeeting, OwnMeetings, Part
from services.meetings.reply.reply import Answer, Reply
from shared.readable import Language

NAME = "Förbundet Norrdalen"
STAMP = datetime(2022, 9, 26, 8, 40, tzinfo=UTC)
JOIN = "https://mote.norrdalen.example/styrelsen"
STARTS = datetime(2022, 11, 25, 13)

details = st.builds(
    MeetingDetails,
    body=st.sampled_from(["Styrelsen", "AU"]),
    title=st.sampled_from(["Styrelsen", "Möte"]),
    place=st.sampled_from(["Forsby", "Digitalt", "Online"]),
    starts=st.sampled_from([STARTS, STARTS - timedelta(hours=1)]),
    ends=st.just(STARTS + timedelta(hours=2)),
    timezone=st.sampled_from(["Europe/Stockholm", "Etc/UTC"]),
    mode=st.sampled_from([None, Mode.PHYSICAL, Mode.DIGITAL]),
)
meetings = st.builds(
    Meeting,
    id=st.sampled_from(["a", "b"]),
    version=st.integers(1, 2),
    status=st.sampled_from(MeetingStatus),
    details=details,
    body_id=st.sampled_from([None, "board"]),
    reason=st.sampled_from([None, "Krock"]),
)
replies = st.builds(Reply, person_id=st.just("p"), role=st.just("member"), answer=st.sampled_from([None, *Answer]))
boards = st.builds(
    BodyRules, join_link=st.sampled_from([None, JOIN, f"{JOIN}/2"]), language=st.sampled_from(["sv", "en"])
).map(
    lambda rules: Body(
        id="board", key="board", version=1, details=BodyDetails(name="Styrelsen", kind=BodyKind.BOARD, rules=rules)
    )
)
theirs = st.builds(OwnMeeting, meetings, st.none() | boards, st.sampled_from(Part), replies)


def said(found: OwnMeetings, name: str, pages: str = "", language: Language = "sv") -> list[str]:
    return [line for line in feed(found, name, STAMP, pages, language).splitlines() if not line.startswith("DTSTAMP")]


@given(
    one=st.lists(theirs, max_size=2),
    other=st.lists(theirs, max_size=2),
    name=st.sampled_from([NAME, "Forsby"]),
    language=st.sampled_from(["sv", "en"]),
)
def test_the_tag_is_another_one_just_when_something_else_is_said(
    one: list[OwnMeeting], other: list[OwnMeeting], name: str, language: Language
) -> None:
    pair = [(OwnMeetings(one, []), NAME, "", "sv"), (OwnMeetings(other, []), name, "", language)]
    tags, texts = [tag_of(*each) for each in pair], [said(*each) for each in pair]
    assert (tags[0] == tags[1]) is (texts[0] == texts[1])


def test_an_online_meeting_without_a_place_is_where_its_reader_says_so() -> None:
    hours = {"starts": STARTS, "ends": STARTS + timedelta(hours=2)}
    online = MeetingDetails(body="AU", title="AU", place="Digitalt", mode=Mode.DIGITAL, **hours)
    one = Meeting(id="a", version=1, status=MeetingStatus.SCHEDULED, details=online)
    found = OwnMeetings([OwnMeeting(one, None, Part.ASKED)], [])
    assert "LOCATION:Digitalt" in said(found, NAME)
    assert "LOCATION:Online" in said(found, NAME, language="en")
    assert tag_of(found, NAME) != tag_of(found, NAME, language="en")


@given(st.lists(theirs, max_size=3, unique_by=lambda own: (own.meeting.details.starts, own.meeting.id)))
def test_that_a_meeting_is_over_is_no_news(there: list[OwnMeeting]) -> None:
    assert tag_of(OwnMeetings(there, []), NAME) == tag_of(OwnMeetings([], list(reversed(there))), NAME)


def test_it_says_how_to_join_and_where_their_page_is_to_who_is_asked_alone() -> None:
    pages = "https://justera.norrdalen.example/meetings/member/p/meetings/"
    rules = BodyRules(join_link=JOIN, language="sv")
    body = Body(id="board", key="board", version=1, details=BodyDetails(name="Board", kind=BodyKind.BOARD, rules=rules))
    hours = {"starts": STARTS, "ends": STARTS + timedelta(hours=2)}
    online = MeetingDetails(body="Board", title="Board", place="Online", mode=Mode.DIGITAL, **hours)
    one = Meeting(id="a", version=1, status=MeetingStatus.SCHEDULED, details=online)

    def event(part: Part, meeting: Meeting = one) -> icalendar.Component:
        text = feed(OwnMeetings([OwnMeeting(meeting, body, part)], []), NAME, STAMP, pages, "en")
        [found] = icalendar.Calendar.from_ical(text).walk("VEVENT")
        return found

    asked = event(Part.ASKED)
    assert (str(asked["CONFERENCE"]), str(asked["DESCRIPTION"]), str(asked["URL"])) == (
        JOIN,
        f"Join: {JOIN}",
        f"{pages}a",
    )
    assert asked["CONFERENCE"].params["VALUE"] == "URI"
    on_site = one.model_copy(update={"details": online.model_copy(update={"mode": Mode.PHYSICAL})})
    for other in (
        event(Part.SUBSTITUTE),
        event(Part.ASKED, one.model_copy(update={"status": MeetingStatus.CANCELLED})),
        event(Part.ASKED, on_site),
    ):
        assert ("CONFERENCE" in other, "DESCRIPTION" in other, str(other["URL"])) == (False, False, f"{pages}a")


def test_other_pages_are_news() -> None:
    found = OwnMeetings([], [])
    assert tag_of(found, NAME, "https://a.example/") != tag_of(found, NAME, "https://b.example/")


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ('W/"a"', True),
        ('"a"', True),
        ('"b", W/"a"', True),
        ("*", True),
        ('W/"ab"', False),
        ("a", False),
        ("", False),
    ],
)
def test_a_program_that_names_the_tag_knows_it(asked: str, known: bool) -> None:
    assert is_known('W/"a"', asked) is known


@pytest.mark.parametrize(
    ("since", "asked", "known"),
    [
        (STAMP, "Mon, 26 Sep 2022 08:40:00 GMT", True),
        (STAMP, "Mon, 26 Sep 2022 08:39:59 GMT", False),
        (STAMP, "Mon, 26 Sep 2022 08:40:01 GMT", False),
        (STAMP, "yesterday", False),
        (STAMP, "", False),
        (None, "Mon, 26 Sep 2022 08:40:00 GMT", False),
    ],
)
def test_a_program_that_names_the_second_that_it_was_told_knows_it(
    since: datetime | None, asked: str, known: bool
) -> None:
    assert is_of(since, asked) is known
