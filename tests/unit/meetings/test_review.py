"""A review of minutes: who may say what of which version, and how it ends."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.meetings.minutes.revision import Version
from services.meetings.review import review as rules
from services.meetings.review.review import MOST_COMMENTS, WHOLE, Comment, Review, ReviewStatus
from shared.errors import InvalidInput, JusteraError, NotFound, Refused
from shared.events.notices import AskedMember

NOW = datetime(2026, 9, 28, 8, 0, tzinfo=UTC)
TODAY = NOW.date()
FIRST = Version(1, "a1", 2026, 28, 30, None)
SECOND = Version(2, "a2", 2026, 28, 30, None)
PEOPLE = ("olof", "sven")
HEADINGS = {28: "Delårsrapport", 29: "Val"}


def asked(*people: str) -> list[AskedMember]:
    return [AskedMember(person_id=one, email=f"{one}@norrdalen.example", name=one.title()) for one in people]


def opened(drafted: Version = FIRST, people: tuple[str, ...] = PEOPLE, answer_by: date = TODAY) -> Review:
    review, fact = rules.open_review(
        "r",
        "m",
        "b",
        drafted,
        "Protokoll",
        people=people,
        asked=asked(*people),
        answer_by=answer_by,
        note=" ",
        today=TODAY,
    )
    assert (fact.version, fact.before, fact.note, len(fact.people)) == (drafted.number, None, None, len(people))
    return review


def commented(review: Review, person: str = "olof", made: int = 0, **texts: str) -> tuple[Review, list[Comment]]:
    numbered = {int(name[1:]): text for name, text in texts.items()}
    changed, comments, fact = rules.comment(
        review,
        person,
        person.title(),
        numbered,
        HEADINGS,
        ids=(f"c{number}" for number in range(9)),
        made=made,
        told=asked("maja"),
        now=NOW,
    )
    assert fact.paragraphs == tuple(one.paragraph for one in comments if one.paragraph != WHOLE)
    return changed, comments


def agreed(review: Review, *people: str) -> Review:
    for one in people:
        review, _ = rules.agree(review, one, one.title(), review.minutes_version, asked("maja"))
    return review


def test_comments_stand_at_their_paragraphs_and_empty_ones_are_none() -> None:
    _, comments = commented(opened(), p0="Bra.", p29="  Fel namn. ", p28=" ")
    assert [(one.paragraph, one.heading, one.text, one.minutes_version) for one in comments] == [
        (WHOLE, "", "Bra.", 1),
        (29, "Val", "Fel namn.", 1),
    ]


def test_who_comments_no_longer_agrees_and_who_agreed_is_told_about_when_all_do() -> None:
    review, first = rules.agree(opened(), "olof", "Olof", 1, asked("maja"))
    assert first is not None
    assert (first.waiting_for, first.people) == (1, ())
    review, last = rules.agree(review, "sven", "Sven", 1, asked("maja"))
    assert last is not None
    assert (last.waiting_for, [one.person_id for one in last.people]) == (0, ["maja"])
    assert rules.agree(review, "sven", "Sven", 1, []) == (review, None)
    review, _ = commented(review, p28="Fel siffra.")
    assert review.waiting_for == ("olof",)


def test_a_later_version_is_agreed_to_anew() -> None:
    review, fact = rules.follow(agreed(opened(), *PEOPLE), SECOND, "Protokoll (version 2)", asked(*PEOPLE))
    assert review.waiting_for == PEOPLE
    assert (fact.version, fact.before, fact.agreement_id) == (2, 1, "a2")
    with pytest.raises(Refused, match="a later version"):
        rules.agree(review, "olof", "Olof", 1, [])
    with pytest.raises(Refused, match="not a later one"):
        rules.follow(review, SECOND, "Protokoll", [])


def test_it_is_sent_only_when_all_agree_to_what_can_be_signed() -> None:
    with pytest.raises(Refused, match="2 of those who were asked"):
        rules.send(opened(), FIRST)
    ready = agreed(opened(), *PEOPLE)
    for drafted, why in (
        (SECOND, "a later version"),
        (replace(FIRST, ended="cancelled"), "withdrawn"),
        (replace(FIRST, unlocked=True), "withdrawn"),
        (replace(FIRST, signed=True), "they stand"),
    ):
        with pytest.raises(Refused, match=why):
            rules.send(ready, drafted)
    sent, fact = rules.send(ready, FIRST)
    assert (sent.status, fact.outcome, fact.people) == (ReviewStatus.SENT, "sent", ())
    with pytest.raises(Refused, match="sent to be signed already"):
        rules.call_off(sent, "Fel", [])


def test_one_that_was_called_off_takes_nothing_more() -> None:
    review, fact = rules.call_off(opened(), " Skrivs om. ", asked(*PEOPLE))
    assert (fact.reason, len(fact.people)) == ("Skrivs om.", 2)
    for attempt in (
        lambda: commented(review, p28="x"),
        lambda: agreed(review, "olof"),
        lambda: rules.send(review, FIRST),
        lambda: rules.follow(review, SECOND, "P", []),
    ):
        with pytest.raises(Refused, match="called off"):
            attempt()


def test_what_cannot_be_opened_or_said_is_refused() -> None:
    with pytest.raises(Refused, match="withdrawn"):
        opened(replace(FIRST, ended="declined"))
    with pytest.raises(InvalidInput, match="at least one"):
        opened(people=())
    with pytest.raises(InvalidInput, match="20 at most"):
        opened(people=tuple(str(one) for one in range(21)))
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=400)):
        with pytest.raises(InvalidInput, match="answer_by"):
            opened(answer_by=day)
    with pytest.raises(InvalidInput, match="e-mail address"):
        rules.open_review(
            "r", "m", "b", FIRST, "P", people=PEOPLE, asked=asked("olof"), answer_by=TODAY, note=None, today=TODAY
        )
    with pytest.raises(NotFound, match="not asked"):
        commented(opened(), "eva", p28="x")
    with pytest.raises(InvalidInput, match="no such paragraph"):
        commented(opened(), p77="x")
    with pytest.raises(InvalidInput, match="at least one"):
        commented(opened(), p28=" ")
    with pytest.raises(Refused, match="300 comments"):
        commented(opened(), made=MOST_COMMENTS, p28="x")


def test_it_can_be_read_while_it_is_open_and_ninety_days_after_its_last_day() -> None:
    review, _ = rules.call_off(opened(), "Fel", [])
    assert opened().opens(TODAY + timedelta(days=900))
    assert review.opens(TODAY + timedelta(days=90))
    assert not review.opens(TODAY + timedelta(days=91))


def test_a_comment_is_answered_settled_and_taken_up_again() -> None:
    _, [said] = commented(opened(), p28="Fel siffra.")
    settled = rules.answer(said, " Rättat. ", settled=True, now=NOW)
    assert (settled.reply, settled.settled_at) == ("Rättat.", NOW)
    again = rules.answer(settled, "Rättat.", settled=False, now=NOW + timedelta(hours=1))
    assert (again.replied_at, again.settled_at) == (NOW, None)
    assert rules.answer(again, " ", settled=False, now=NOW).reply is None


class ReviewMachine(RuleBasedStateMachine):
    """Whatever is said in whatever order: it ends once, and only what all agreed to is sent."""

    @initialize()
    def begin(self) -> None:
        self.review, self.drafted, self.facts = opened(), FIRST, 1
        self.said: dict[str, int] = {}

    def _took(self, change: object) -> None:
        self.facts += 1
        assert isinstance(change, Review)
        self.review = change

    @rule(person=st.sampled_from([*PEOPLE, "eva"]), behind=st.booleans())
    def agree(self, person: str, behind: bool) -> None:
        seen = self.review.minutes_version - behind
        try:
            changed, fact = rules.agree(self.review, person, person, seen, [])
        except JusteraError:
            return
        assert not behind
        self.said[person] = self.review.minutes_version
        if fact is not None:
            self._took(changed)

    @rule(person=st.sampled_from([*PEOPLE, "eva"]), number=st.sampled_from([0, 28, 99]))
    def comment(self, person: str, number: int) -> None:
        try:
            changed, _ = commented(self.review, person, **{f"p{number}": "x"})
        except JusteraError:
            return
        self.said.pop(person, None)
        self._took(changed)

    @rule()
    def draft(self) -> None:
        self.drafted = replace(self.drafted, number=self.drafted.number + 1)
        try:
            self._took(rules.follow(self.review, self.drafted, "P", [])[0])
        except JusteraError:
            assert not self.review.is_open

    @rule(unlocked=st.booleans())
    def send(self, unlocked: bool) -> None:
        was_open = self.review.is_open
        try:
            changed, _ = rules.send(self.review, replace(self.drafted, unlocked=unlocked))
        except JusteraError:
            return
        assert was_open
        assert not unlocked
        assert all(self.said.get(one) == self.drafted.number for one in PEOPLE)
        self._took(changed)

    @rule()
    def call_off(self) -> None:
        was_open = self.review.is_open
        try:
            self._took(rules.call_off(self.review, "Fel", [])[0])
        except JusteraError:
            assert not was_open

    @invariant()
    def facts_are_counted_and_agreement_is_as_was_said(self) -> None:
        assert self.review.version == self.facts
        now = self.review.minutes_version
        assert {one for one in PEOPLE if self.said.get(one) == now} == set(PEOPLE) - set(self.review.waiting_for)


TestReviewMachine = ReviewMachine.TestCase
TestReviewMachine.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
