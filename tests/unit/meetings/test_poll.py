"""Date polls: which days are proposed, what is asked and answered, which day is best, and that a poll ends once."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.meetings.body.body import Body, BodyDetails, BodyKind
from services.meetings.holidays import holiday
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus
from services.meetings.notice.notice import latest_day
from services.meetings.person.person import Person, PersonDetails
from services.meetings.poll import poll as rules
from services.meetings.poll.poll import Bounced, Can, Poll, PollAnswer, PollStatus, Room, TimeAsked, standings
from services.meetings.poll.proposals import Busy, Habit, habit, proposals
from shared.errors import InvalidInput, Refused
from shared.events import DatePollOpened

NOW = datetime(2022, 9, 26, 8, 40, tzinfo=UTC)
BOARD = Body(id="b1", key="styrelsen", version=1, details=BodyDetails(name="Styrelsen", kind=BodyKind.BOARD))
PEOPLE = [
    Person(id=f"p{n}", key=f"p{n}", version=1, details=PersonDetails(name=f"Person {n}", email=f"p{n}@bjorka.example"))
    for n in range(1, 5)
]
MEETING = Meeting(
    id="m1",
    body_id="b1",
    version=1,
    status=MeetingStatus.SCHEDULED,
    details=MeetingDetails(
        body="Styrelsen",
        title="Styrelsen sammanträder",
        place="Digitalt",
        starts=datetime(2022, 10, 28, 13),
        ends=datetime(2022, 10, 28, 15),
    ),
)


def at(day: str, hour: int = 13, length: int = 2) -> TimeAsked:
    starts = datetime.fromisoformat(day) + timedelta(hours=hour)
    return TimeAsked(starts=starts, ends=starts + timedelta(hours=length))


TIMES = [at("2022-11-25"), at("2022-11-11"), at("2022-12-02")]


def opened(meeting: Meeting = MEETING, **changed: Any) -> tuple[Poll, DatePollOpened]:
    given = {"times": TIMES, "answer_by": date(2022, 10, 14), "note": None, "people": PEOPLE} | changed
    asked = [found for one in given["people"] if (found := one.asked()) is not None]
    return rules.open_poll("q1", meeting, BOARD, asked=asked, now=NOW, **given)


def test_a_poll_asks_each_about_its_times_in_order_once() -> None:
    poll, fact = opened(times=[*TIMES, TIMES[0]], note=" Vi krockar. ")
    assert [one.starts.date().isoformat() for one in poll.times] == ["2022-11-11", "2022-11-25", "2022-12-02"]
    assert (fact.times[0].key, fact.times[0].starts) == ("20221111T1300-20221111T1500", "2022-11-11T13:00")
    assert (fact.poll_id, fact.body_id, fact.note, fact.answer_by) == ("q1", "b1", "Vi krockar.", "2022-10-14")
    assert [one.person_id for one in fact.people] == list(poll.people) == ["p1", "p2", "p3", "p4"]
    assert TimeAsked.of(poll.times[0].key) == poll.times[0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"times": []}, "times: choose at least one"),
        ({"times": [at("2022-09-20")]}, "times: one of them is over"),
        ({"times": [at("2022-11-11", length=0)]}, "times: a time ends after it starts"),
        ({"times": [at("2022-11-11", length=24 * 8)]}, "times: a time ends after it starts"),
        ({"times": [at("2022-11-11", hour) for hour in range(21)]}, "times: ask about 20 at most"),
        ({"times": [TimeAsked(starts=NOW, ends=NOW)]}, "times: give local time"),
        ({"times": [at("2023-03-26", 2)]}, "times: 02:00 does not exist on 2023-03-26"),
        ({"times": [at("2023-03-26", 1, length=1)]}, "times: 02:00 does not exist on 2023-03-26"),
        ({"answer_by": date(2022, 9, 25)}, "answer_by"),
        ({"answer_by": date(2022, 11, 11)}, "times: 2022-11-11 is not after 2022-11-11"),
        ({"answer_by": date(2022, 12, 3)}, "times: 2022-11-11 is not after 2022-12-03"),
        ({"answer_by": date(2022, 11, 4)}, "times: the notice of 2022-11-11 would have to go out by 2022-11-0"),
        ({"note": "x" * 2001}, "reason"),
        ({"note": "a\u202eb"}, "reason"),
    ],
)
def test_a_poll_that_cannot_be_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        opened(**changed)


def test_a_late_notice_may_be_meant_but_no_day_before_the_answers() -> None:
    poll, _ = opened(answer_by=date(2022, 11, 8), late_notice=True)
    assert poll.times[0].starts.date() == date(2022, 11, 11)
    with pytest.raises(InvalidInput, match="is not after"):
        opened(answer_by=date(2022, 11, 11), late_notice=True)


@given(st.dates(date(2022, 1, 1), date(2030, 1, 1)), st.integers(0, 90))
def test_the_earliest_day_is_the_first_one_whose_notice_can_wait_for_the_answers(answers: date, days: int) -> None:
    found = rules.earliest_day(answers, days)
    assert answers < latest_day(found, days)
    before = [found - timedelta(days=number) for number in range(1, 30)]
    assert all(rules.room(day, answers, days) is not Room.ENOUGH for day in before)


@pytest.mark.parametrize(
    ("day", "answers", "days", "found"),
    [
        ("2022-10-14", "2022-10-14", 0, Room.BEFORE_ANSWERS),
        ("2022-10-17", "2022-10-14", 0, Room.ENOUGH),
        ("2022-10-16", "2022-10-14", 0, Room.LATE_NOTICE),  # a Sunday: its notice goes out on the Friday
        ("2023-01-09", "2023-01-04", 3, Room.ENOUGH),  # by the 5th: the 6th is Epiphany
        ("2023-01-09", "2023-01-05", 3, Room.LATE_NOTICE),
    ],
)
def test_room_for_the_notice_is_reckoned_as_notices_are(day: str, answers: str, days: int, found: Room) -> None:
    assert rules.room(date.fromisoformat(day), date.fromisoformat(answers), days) is found


def test_whom_no_mail_reached_is_told_once_to_others() -> None:
    poll, _ = opened()
    office = [found for one in PEOPLE[:2] if (found := one.asked()) is not None]
    bounced = Bounced("P1@bjorka.example", "5.1.1", "550 no such user")
    told = rules.not_reached(poll, MEETING, BOARD, PEOPLE[0], bounced, office)
    assert told is not None
    unreached, fact = told
    assert (unreached.version, unreached.unreached) == (2, {"p1": "550 no such user"})
    assert (fact.person_id, fact.status, [one.person_id for one in fact.people]) == ("p1", "5.1.1", ["p2"])
    assert rules.not_reached(unreached, MEETING, BOARD, PEOPLE[0], bounced, office) is None
    assert rules.not_reached(poll, MEETING, BOARD, PEOPLE[1], bounced, office) is None, "another address"
    stranger = PEOPLE[0].model_copy(update={"id": "stranger"})
    assert rules.not_reached(poll, MEETING, BOARD, stranger, bounced, office) is None


def test_nobody_is_asked_about_a_meeting_that_was_or_will_not_be() -> None:
    held = MEETING.model_copy(update={"details": MEETING.details.model_copy(update={"ends": datetime(2022, 9, 26)})})
    for meeting in (held, MEETING.model_copy(update={"status": MeetingStatus.CANCELLED})):
        with pytest.raises(Refused):
            opened(meeting)
    with pytest.raises(Refused, match="nobody to ask"):
        opened(people=[])


def test_two_who_answer_for_one_person_are_told_apart_by_what_they_saw() -> None:
    poll, _ = opened()
    key = poll.times[0].key
    first = rules.answer(poll, "p1", {key: Can.NO}, "Sent tåg", NOW)
    second = rules.answer(poll, "p1", {key: Can.YES}, None, NOW + timedelta(minutes=1))
    assert rules.answer_instead(None, first, rules.mark_of(None)) is first
    assert rules.answer_instead(first, second, rules.mark_of(first)) is second
    assert rules.answer_instead(first, second, None) is second
    again = first.model_copy(update={"answered_at": second.answered_at})
    assert rules.answer_instead(first, again, rules.mark_of(None)) is first
    with pytest.raises(Refused, match="answered meanwhile"):
        rules.answer_instead(first, second, rules.mark_of(None))
    with pytest.raises(Refused, match="answered meanwhile"):
        rules.answer_instead(again, second, rules.mark_of(first))


def test_answers_are_of_those_who_are_asked_about_times_that_are_asked_about() -> None:
    poll, _ = opened()
    key = poll.times[0].key
    said = rules.answer(poll, "p1", {key: Can.NO}, " Sent tåg ", NOW)
    assert (said.person_id, said.times, said.comment) == ("p1", {key: Can.NO}, "Sent tåg")
    with pytest.raises(Refused):
        rules.answer(poll, "stranger", {key: Can.YES}, None, NOW)
    with pytest.raises(InvalidInput):
        rules.answer(poll, "p1", {"20990101T1300-20990101T1500": Can.YES}, None, NOW)
    with pytest.raises(InvalidInput):
        rules.answer(poll, "p1", {}, None, NOW)
    with pytest.raises(Refused, match="over"):
        rules.answer(poll, "p1", {key: Can.YES}, None, datetime(2022, 12, 2, 12, tzinfo=UTC))  # 13:00 in Stockholm


def answers_of(said: dict[str, dict[str, Can]]) -> list[PollAnswer]:
    return [PollAnswer(person_id=person, times=times, answered_at=NOW) for person, times in said.items()]


def test_the_best_time_is_the_one_that_most_can() -> None:
    poll, _ = opened()
    first, second, third = (one.key for one in poll.times)
    said = {
        "p1": {first: Can.YES, second: Can.IF_NEED_BE, third: Can.NO},
        "p2": {first: Can.NO, second: Can.YES, third: Can.YES},
        "p3": {second: Can.YES, third: Can.IF_NEED_BE},
    }
    found = standings(poll, answers_of(said), ["p1", "p2", "p3"], 2)
    assert [one.time.key for one in found] == [second, third, first]
    best, _, worst = found
    assert (best.yes, best.if_need_be, best.no, best.unsaid) == (("p2", "p3"), ("p1",), (), ("p4",))
    assert (best.has_quorum, worst.has_quorum) == (True, False)
    assert standings(poll, [], [], 1)[0].time.key == first  # nobody said anything: the earliest


def test_no_time_is_chosen_that_is_over() -> None:
    poll, _ = opened()
    one_in_the_afternoon = datetime(2022, 11, 11, 12, tzinfo=UTC)
    with pytest.raises(Refused, match="over"):
        rules.choose(poll, MEETING, BOARD, poll.times[0].key, one_in_the_afternoon)
    assert rules.choose(poll, MEETING, BOARD, poll.times[1].key, one_in_the_afternoon)[0].chosen == poll.times[1].key


class PollLife(RuleBasedStateMachine):
    """Whatever is asked of it, and in whatever order, a poll ends once, and takes no answer after that."""

    @initialize()
    def begin(self) -> None:
        self.poll, _ = opened()
        self.ends = 0

    @rule(person=st.sampled_from(["p1", "p2", "stranger"]), can=st.sampled_from(Can))
    def answer(self, person: str, can: Can) -> None:
        takes = self.poll.status is PollStatus.OPEN and person in self.poll.people
        try:
            rules.answer(self.poll, person, {self.poll.times[0].key: can}, None, NOW)
        except Refused:
            assert not takes
        else:
            assert takes

    @rule(number=st.integers(0, 2))
    def choose(self, number: int) -> None:
        self._end(lambda: rules.choose(self.poll, MEETING, BOARD, self.poll.times[number].key, NOW))

    @rule()
    def call_off(self) -> None:
        asked = [found for one in PEOPLE if (found := one.asked()) is not None]
        self._end(lambda: rules.call_off(self.poll, MEETING, BOARD, "Det löste sig.", asked))

    def _end(self, ask: Any) -> None:
        before = self.poll
        try:
            self.poll, fact = ask()
        except Refused:
            assert before.status is not PollStatus.OPEN
            return
        self.ends += 1
        assert self.poll.version == before.version + 1
        assert (fact.chosen is None) == (self.poll.status is PollStatus.CALLED_OFF) == bool(fact.people)

    @invariant()
    def ends_once(self) -> None:
        assert getattr(self, "ends", 0) <= 1


TestPollLife = PollLife.TestCase

FRIDAYS = Habit(frozenset({4}), time(13), timedelta(hours=2))
IDS = [one.id for one in PEOPLE]


def test_a_body_that_meets_on_fridays_is_proposed_fridays_at_its_hour() -> None:
    others = [datetime(2022, 9, day, 13) for day in (2, 9, 16, 23)] + [datetime(2022, 8, 24, 9)]
    usually = habit(datetime(2022, 10, 27, 10), datetime(2022, 10, 27, 12, 30), others)
    assert usually == Habit(frozenset({4}), time(13), timedelta(hours=2, minutes=30))
    assert habit(datetime(2022, 10, 27, 10), datetime(2022, 10, 27, 12), []).starts == time(10)
    found = proposals(IDS, FRIDAYS, [], [], date(2022, 10, 31), date(2022, 11, 30))
    assert [(one.starts.day, one.usual) for one in found[:3]] == [(11, True), (18, True), (25, True)]
    assert not found[3].usual  # 4 November is the day before All Saints'


def test_who_is_elsewhere_or_said_no_is_away() -> None:
    friday = datetime(2022, 11, 25)
    busy = [
        Busy("p1", friday.replace(hour=14), friday.replace(hour=16), "Arbetsutskottet 14:00-16:00"),
        Busy("p2", friday.replace(hour=8), friday.replace(hour=13), "Nätverket 08:00-13:00"),  # ends in time
        Busy("p3", friday.replace(hour=13), friday.replace(hour=15), ""),
        Busy("stranger", friday.replace(hour=13), friday.replace(hour=15), ""),
    ]
    [found] = proposals(IDS, FRIDAYS, busy, [], friday.date(), friday.date())
    assert found.away == {"p1": "Arbetsutskottet 14:00-16:00", "p3": ""}
    both = proposals(IDS, FRIDAYS, busy, [], date(2022, 11, 23), friday.date())
    assert [one.starts.day for one in both][-1] == 25  # others have nobody away, though not on a Friday
    everyone = [Busy(one, friday, friday + timedelta(days=1), "Förbundsmötet") for one in IDS]
    assert proposals(IDS, FRIDAYS, everyone, [], friday.date(), friday.date()) == []


@given(st.dates(date(2022, 1, 1), date(2026, 1, 1)), st.integers(0, 60))
def test_no_day_off_and_no_day_on_which_the_body_meets_is_proposed(first: date, days: int) -> None:
    taken = {first + timedelta(days=3)}
    last = first + timedelta(days=days)
    for one in proposals(IDS, FRIDAYS, [], taken, first, last, most=100):
        day = one.starts.date()
        assert first <= day <= last
        assert day.weekday() < 5
        assert not holiday(day)
        assert not holiday(day + timedelta(days=1))
        assert day not in taken
