"""Who is asked to a meeting, and what becomes of their answers."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.meetings.body.membership import MemberRole, Membership, Seat
from services.meetings.meeting import meeting as meetings
from services.meetings.meeting.meeting import MeetingDetails
from services.meetings.reply.reply import Answer, Reply, Via, answer, asked_of, seated
from shared.errors import InvalidInput, Refused

NOW = datetime(2022, 11, 14, 8, tzinfo=UTC)
MEETING, _ = meetings.schedule(
    "m",
    MeetingDetails(
        body="Styrelsen",
        title="Styrelsen",
        place="Forsby",
        starts=datetime(2022, 11, 25, 13),
        ends=datetime(2022, 11, 25, 15),
    ),
)
ASKED = Reply(person_id="maja", role=MemberRole.MEMBER)


def sits(person: str, role: MemberRole, **term: date) -> Membership:
    return Membership(id=f"{person}-{role}", body_id="b", seat=Seat(person_id=person, role=role, **term))


def test_who_sits_on_the_day_is_asked_once_and_substitutes_are_not() -> None:
    memberships = [
        sits("sara", MemberRole.SECRETARY),
        sits("olof", MemberRole.CHAIR),
        sits("sara", MemberRole.MEMBER),
        sits("anna", MemberRole.SUBSTITUTE),
        sits("nils", MemberRole.MEMBER, ends=date(2022, 11, 24)),
    ]
    assert seated(memberships, date(2022, 11, 25)) == {"olof": MemberRole.CHAIR, "sara": MemberRole.MEMBER}


def test_what_is_known_goes_before_what_the_register_says() -> None:
    """But who sits in the body by now is asked as what they are there."""
    known = [
        ASKED.model_copy(update={"answer": Answer.ABSENT}),
        Reply(person_id="nils", role=MemberRole.SUBSTITUTE, asked=False),
        Reply(person_id="per", role=MemberRole.SUBSTITUTE, instead_of="maja", answer=Answer.COMING),
        Reply(person_id="eva", role=MemberRole.MEMBER),
    ]
    seats = {"maja": MemberRole.MEMBER, "nils": MemberRole.MEMBER, "olof": MemberRole.CHAIR, "per": MemberRole.MEMBER}
    found = asked_of(known, seats)
    assert set(found) == {"maja", "nils", "olof", "per", "eva"}
    assert (found["maja"].answer, found["olof"].answer) == (Answer.ABSENT, None)
    assert (found["nils"].asked, found["nils"].role) == (True, MemberRole.MEMBER)
    assert (found["per"].role, found["per"].instead_of, found["per"].answer) == (MemberRole.MEMBER, None, Answer.COMING)


def test_an_answer_is_told_once_and_a_later_one_replaces_it() -> None:
    absent, fact = answer(MEETING, ASKED, Answer.ABSENT, Via.PAGE, " Bort\nrest ", NOW)
    assert fact is not None
    assert (fact.meeting_id, fact.person_id, fact.answer, fact.via) == ("m", "maja", "absent", "page")
    assert (fact.comment, absent.comment, absent.answered_at) == ("Bort rest", "Bort rest", NOW)
    assert answer(MEETING, absent, Answer.ABSENT, Via.CALENDAR, "Bort rest", NOW) == (absent, None)
    coming, told = answer(MEETING, absent, Answer.COMING, Via.CALENDAR, " ", NOW)
    assert told is not None
    assert (coming.answer, coming.comment, coming.via) == (Answer.COMING, None, Via.CALENDAR)


def test_a_calendars_answer_from_before_the_last_one_is_left() -> None:
    coming, _ = answer(MEETING, ASKED, Answer.COMING, Via.PAGE, None, NOW)
    with pytest.raises(Refused, match="has answered since"):
        answer(MEETING, coming, Answer.ABSENT, Via.CALENDAR, None, NOW - timedelta(seconds=1))
    absent, _ = answer(MEETING, coming, Answer.ABSENT, Via.CALENDAR, None, NOW)
    assert absent.answer is Answer.ABSENT


def test_nobody_answers_who_is_not_asked_or_when_there_is_nothing_to_come_to() -> None:
    cancelled, _ = meetings.cancel(MEETING, "Krock")
    with pytest.raises(Refused, match="cancelled"):
        answer(cancelled, ASKED, Answer.COMING, Via.PAGE, None, NOW)
    with pytest.raises(Refused, match="was held"):
        answer(MEETING, ASKED, Answer.COMING, Via.PAGE, None, datetime(2022, 11, 25, 14, tzinfo=UTC))
    with pytest.raises(Refused, match="not asked"):
        answer(MEETING, None, Answer.COMING, Via.PAGE, None, NOW)
    with pytest.raises(InvalidInput):
        answer(MEETING, ASKED, Answer.COMING, Via.PAGE, "\u202e", NOW)
