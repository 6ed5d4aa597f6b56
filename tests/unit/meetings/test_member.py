"""A member's own page: how long it opens, and whose meetings stand on it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.meetings.body.body import Body, BodyDetails, BodyKind, BodyRules
from services.meetings.body.membership import MemberRole, Membership, Seat
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus, Mode
from services.meetings.member.member import OwnMeeting, Part, opens, own_meetings
from services.meetings.person.person import Person, PersonDetails
from services.meetings.reply.reply import Answer, Reply
from shared.events import Person as Invited
from shared.links import LINKS_OPEN

LINK = "https://mote.norrdalen.example/styrelsen"
BOARD = Body(
    id="b1",
    key="styrelsen",
    version=1,
    details=BodyDetails(name="Styrelsen", kind=BodyKind.BOARD, rules=BodyRules(join_link=LINK)),
)
MAJA = Person(id="p1", key="maja", version=1, details=PersonDetails(name="Maja Lind", email="Maja@norrdalen.example"))
NOW = datetime(2022, 9, 26, 8, 40, tzinfo=UTC)


def seat(role: MemberRole = MemberRole.MEMBER, body_id: str = "b1", **term: date) -> Membership:
    return Membership(id="m1", body_id=body_id, seat=Seat(person_id="p1", role=role, **term))


def meeting(
    day: str, body: str = "Styrelsen", *, body_id: str | None = "b1", cancelled: bool = False, **details: object
) -> Meeting:
    status = MeetingStatus.CANCELLED if cancelled else MeetingStatus.SCHEDULED
    known = {"title": body, "place": "Digitalt", "starts": f"{day}T13:00", "ends": f"{day}T15:00", **details}
    return Meeting(
        id=day,
        body_id=body_id,
        version=1,
        status=status,
        details=MeetingDetails.model_validate({"body": body, **known}),
    )


def test_a_link_opens_while_someone_sits_and_for_a_while_after() -> None:
    last = date(2022, 6, 30)
    assert opens([seat(ends=last)], last + LINKS_OPEN)
    assert not opens([seat(ends=last)], last + LINKS_OPEN + timedelta(days=1))
    assert opens([seat(ends=last), seat(begins=date(2099, 1, 1))], date(2022, 12, 31))
    assert opens([seat(ends=date.max)], last)
    assert not opens([], last)


def test_meetings_of_ones_bodies_are_ones_own_by_the_day_that_they_are_on() -> None:
    held = [seat(begins=date(2022, 10, 1), ends=date(2022, 12, 31))]
    days = ["2022-09-30", "2022-10-01", "2022-12-31", "2023-01-01"]
    found = own_meetings(MAJA, held, [BOARD], [meeting(day) for day in days], {}, NOW)
    assert [own.meeting.id for own in found.coming] == ["2022-10-01", "2022-12-31"]
    others = [meeting("2022-11-01", body_id=None), meeting("2022-11-01", body="Som den hette då")]
    assert [own.meeting for own in own_meetings(MAJA, held, [BOARD], others, {}, NOW).coming] == others[1:]


def test_whoever_was_asked_by_address_has_the_meeting_too() -> None:
    asked = meeting("2022-11-01", participants=[Invited(email="maja@NORRDALEN.example")])
    assert [own.part for own in own_meetings(MAJA, [], [], [asked], {}, NOW).coming] == [Part.GUEST]
    assert own_meetings(MAJA, [], [], [meeting("2022-11-01")], {}, NOW).coming == []


@pytest.mark.parametrize(
    "reply",
    [
        None,
        Reply(person_id="p1", role=MemberRole.MEMBER),
        Reply(person_id="p1", role=MemberRole.MEMBER, asked=False),
        Reply(person_id="p1", role=MemberRole.SUBSTITUTE, instead_of="p2", answer=Answer.COMING),
    ],
)
def test_who_left_the_body_has_its_meetings_no_more_whoever_asked_them_before(reply: Reply | None) -> None:
    asked = meeting("2022-11-01", participants=[Invited(email="maja@norrdalen.example")])
    replies = {asked.id: reply} if reply else {}
    role = reply.role if reply else MemberRole.MEMBER
    left = [seat(role, ends=date(2022, 10, 31))]
    assert own_meetings(MAJA, left, [BOARD], [asked], replies, NOW).coming == []
    assert own_meetings(MAJA, [seat(role, ends=date(2022, 11, 1))], [BOARD], [asked], replies, NOW).coming
    elsewhere = [seat(body_id="b2", ends=date(2022, 10, 31))]
    assert own_meetings(MAJA, elsewhere, [BOARD], [asked], replies, NOW).coming, "they were asked as a guest"
    later = [seat(begins=date(2023, 1, 1))]
    assert own_meetings(MAJA, later, [BOARD], [asked], replies, NOW).coming, "they were asked before they sat there"


def test_a_member_who_becomes_a_substitute_waits_though_they_were_asked() -> None:
    one = meeting("2022-11-01")
    replies = {one.id: Reply(person_id="p1", role=MemberRole.MEMBER, answer=Answer.COMING)}
    held = [seat(ends=date(2022, 10, 31)), seat(MemberRole.SUBSTITUTE, begins=date(2022, 11, 1))]
    [own] = own_meetings(MAJA, held, [BOARD], [one], replies, NOW).coming
    assert own.part is Part.SUBSTITUTE


def test_a_substitute_waits_to_be_called() -> None:
    [own] = own_meetings(MAJA, [seat(MemberRole.SUBSTITUTE)], [BOARD], [meeting("2022-11-01")], {}, NOW).coming
    assert own.part is Part.SUBSTITUTE


def test_a_substitute_who_is_called_is_asked_until_called_off() -> None:
    one, held = meeting("2022-11-01"), [seat(MemberRole.SUBSTITUTE)]
    for asked, part in ((True, Part.ASKED), (False, Part.SUBSTITUTE)):
        reply = Reply(person_id="p1", role=MemberRole.SUBSTITUTE, asked=asked, answer=Answer.COMING)
        [own] = own_meetings(MAJA, held, [BOARD], [one], {one.id: reply}, NOW).coming
        assert (own.part, own.answer) == (part, Answer.COMING)
    called_off = Reply(person_id="p1", role=MemberRole.MEMBER, asked=False)
    [own] = own_meetings(MAJA, [seat()], [BOARD], [one], {one.id: called_off}, NOW).coming
    assert own.part is Part.GUEST


def test_what_goes_on_is_to_come_and_what_was_stands_latest_first() -> None:
    now = datetime(2022, 9, 26, 12, 30, tzinfo=UTC)  # half past two in Stockholm
    days = ["2022-05-05", "2022-09-23", "2022-09-26", "2022-11-25"]
    found = own_meetings(MAJA, [seat()], [BOARD], [meeting(day) for day in reversed(days)], {}, now)
    assert [own.meeting.id for own in found.coming] == days[2:]
    assert [own.meeting.id for own in found.past] == ["2022-09-23", "2022-05-05"]


@pytest.mark.parametrize(
    ("mode", "cancelled", "link"),
    [(Mode.DIGITAL, False, LINK), (Mode.HYBRID, False, LINK), (Mode.PHYSICAL, False, ""), (Mode.DIGITAL, True, "")],
)
def test_a_meeting_is_joined_where_it_can_be(mode: Mode, cancelled: bool, link: str) -> None:
    one = meeting("2022-11-01", mode=mode, cancelled=cancelled)
    assert OwnMeeting(one, BOARD, Part.ASKED).join_link == link
    assert OwnMeeting(one, None, Part.ASKED).join_link == ""


@pytest.mark.parametrize(
    ("reply", "waits"),
    [
        (None, False),
        (Reply(person_id="p1", role=MemberRole.MEMBER), True),
        (Reply(person_id="p1", role=MemberRole.MEMBER, answer=Answer.TENTATIVE), False),
        (Reply(person_id="p1", role=MemberRole.MEMBER, asked=False), False),
    ],
)
def test_an_answer_is_waited_for_from_who_was_told_of_the_meeting(reply: Reply | None, waits: bool) -> None:
    replies = {"2022-11-25": reply} if reply else {}
    [own] = own_meetings(MAJA, [seat()], [BOARD], [meeting("2022-11-25")], replies, NOW).coming
    assert own.waits_for_answer is waits
