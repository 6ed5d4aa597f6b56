"""A notice's life: what may be told when, that its sequence rises with each fact, and what it says has changed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.meetings.body.membership import MemberRole
from services.meetings.meeting import meeting as meetings
from services.meetings.meeting.meeting import MeetingDetails
from services.meetings.notice import notice as rules
from services.meetings.notice.notice import Change, Draft, Notice, Recipient, Stage
from shared.errors import InvalidInput, Refused
from shared.events import BlobRef, NoticeIssued, NoticeWithdrawn
from shared.events.notices import AgendaLine

NOW = datetime(2022, 11, 1, 8, tzinfo=UTC)
STARTS = datetime(2022, 11, 25, 13)
DETAILS = MeetingDetails(
    body="Styrelsen", title="Styrelsen", place="Forsby", starts=STARTS, ends=STARTS + timedelta(hours=2)
)
MEETING, _ = meetings.schedule("m", DETAILS)
MAJA = Recipient(person_id="maja", name="Maja Lind", email="maja@norrdalen.example", language="sv", role="chair")
NILS = Recipient(person_id="nils", name="Nils Ek", email=None, language="sv", role=MemberRole.MEMBER)
PAPERS = BlobRef(sha256="0" * 64, size=1)
DRAFT = Draft(
    meeting=MEETING,
    body_id="b",
    body="Styrelsen",
    agenda=(AgendaLine(title="Ekonomi"),),
    papers=None,
    recipients=(MAJA, NILS),
)


def changed(draft: Draft, **details: object) -> Draft:
    meeting, _ = meetings.change(draft.meeting, draft.meeting.details.model_copy(update=details))
    return draft.model_copy(update={"meeting": meeting})


def test_the_date_is_told_without_the_agenda_and_the_notice_with_it() -> None:
    draft = DRAFT.model_copy(update={"papers": PAPERS})
    dated, date_fact = rules.send_preliminary(Notice(), draft, "Boka  \n\n dagen\n", NOW)
    assert (date_fact.agenda, date_fact.papers, date_fact.note) == ((), None, "Boka\n\n dagen")
    assert [one.person_id for one in date_fact.people] == ["maja"], "whom no mail reaches is in no fact"
    assert rules.changed(dated, draft.model_copy(update={"agenda": ()})) == (), "nobody was told of an agenda"
    issued, fact = rules.issue(dated, draft, None, NOW)
    assert (fact.kind, len(fact.agenda), fact.papers) == ("notice", 1, PAPERS)
    assert (issued.stage, issued.sequence, issued.issued_at, issued.time_since) == (Stage.ISSUED, 2, NOW, 1)
    assert rules.changed(issued, draft.model_copy(update={"agenda": ()})) == (Change.AGENDA,)


def test_an_updated_notice_says_what_changed_and_what_it_was_before() -> None:
    issued, _ = rules.issue(Notice(), DRAFT, None, NOW)
    moved = changed(DRAFT, starts=STARTS - timedelta(hours=1), place="Sandvik").model_copy(
        update={"papers": PAPERS, "recipients": (MAJA,)}
    )
    updated, fact = rules.update(issued, moved, None, NOW)
    assert fact.changes == ("time", "place", "papers", "people")
    assert (fact.before_starts, fact.before_place) == ("2022-11-25T13:00", "Forsby")
    assert (updated.time_since, updated.issued_at) == (2, NOW)
    later, fact = rules.update(updated, moved, "En hälsning", NOW)
    assert (fact.changes, fact.before_starts, later.time_since, later.sequence) == ((), None, 2, 3)


def test_it_is_late_on_its_latest_day_unless_somebody_has_seen_it() -> None:
    latest = date(2022, 11, 18)
    assert rules.is_late(MEETING, Notice(), 5, latest)
    assert not rules.is_late(MEETING, Notice(), 5, latest - timedelta(days=1))
    assert not rules.is_late(MEETING, rules.approve(Notice(), DRAFT, None, NOW), 5, latest)
    assert not rules.is_late(MEETING, rules.issue(Notice(), DRAFT, None, NOW)[0], 5, latest)
    assert rules.due_moment(MEETING, 5) == datetime(2022, 11, 18, 7, tzinfo=UTC)


LAST = datetime(2022, 11, 18, 22, 59, 59, 999999, tzinfo=UTC)  # of its latest day, in Stockholm


def test_a_file_comes_in_time_until_the_notice_goes_out_or_its_last_day_ends() -> None:
    assert rules.closes_at(MEETING, Notice(), 5) == LAST
    assert rules.closes_at(MEETING, Notice(), None) is None
    dated, _ = rules.send_preliminary(Notice(), DRAFT, None, NOW)
    assert rules.closes_at(MEETING, dated, 5) == LAST, "the date alone is no notice"
    issued, _ = rules.issue(dated, DRAFT, None, NOW)
    assert rules.closes_at(MEETING, issued, 5) == rules.closes_at(MEETING, issued, None) == NOW
    tardy, _ = rules.issue(Notice(), DRAFT, None, LAST + timedelta(hours=9))
    assert rules.closes_at(MEETING, tardy, 5) == LAST, "it should have gone out"
    assert rules.closes_at(MEETING, rules.withdraw(issued, DRAFT, "Krock")[0], 5) == NOW


def test_another_day_has_a_notice_of_its_own_and_another_hour_has_not() -> None:
    issued, _ = rules.issue(Notice(), DRAFT, None, NOW)
    longer = changed(DRAFT, ends=STARTS + timedelta(hours=3))
    told, _ = rules.update(issued, longer, None, NOW + timedelta(days=1))
    assert rules.closes_at(longer.meeting, told, 5) == NOW
    moved = changed(longer, starts=STARTS + timedelta(days=14), ends=STARTS + timedelta(days=14, hours=3))
    assert rules.closes_at(moved.meeting, told, 5) == LAST + timedelta(days=14), "of that day nobody was told yet"
    retold, _ = rules.update(told, moved, None, NOW + timedelta(days=2))
    assert rules.closes_at(moved.meeting, retold, 5) == NOW + timedelta(days=2)
    again, _ = rules.update(retold, moved, "En hälsning", NOW + timedelta(days=3))
    assert rules.closes_at(moved.meeting, again, 5) == NOW + timedelta(days=2)


@pytest.mark.parametrize(
    ("today", "wanted"),
    [(date(2022, 11, 1), date(2022, 11, 23)), (date(2022, 11, 22), date(2022, 11, 23)), (date(2022, 11, 23), None)],
)
def test_an_answer_is_wanted_some_days_before_while_there_is_time(today: date, wanted: date | None) -> None:
    assert rules.answer_by(STARTS.date(), today) == wanted


def test_nothing_goes_out_that_reaches_nobody_or_is_too_late() -> None:
    with pytest.raises(Refused, match="has an address"):
        rules.issue(Notice(), DRAFT.model_copy(update={"recipients": (NILS,)}), None, NOW)
    with pytest.raises(Refused, match="has begun"):
        rules.issue(Notice(), DRAFT, None, datetime(2022, 11, 25, 12, tzinfo=UTC))
    with pytest.raises(InvalidInput, match="note"):
        rules.issue(Notice(), DRAFT, "x" * 4001, NOW)
    with pytest.raises(InvalidInput, match="note"):
        rules.approve(Notice(), DRAFT, "a\n\u202e", NOW)


class Life(RuleBasedStateMachine):
    """A secretary and the clock do what they like, in any order."""

    @initialize()
    def begin(self) -> None:
        self.notice, self.draft = Notice(), DRAFT
        self.facts: list[NoticeIssued | NoticeWithdrawn] = []

    @rule(hour=st.integers(8, 11), place=st.sampled_from(["Forsby", "Sandvik"]), items=st.integers(0, 2))
    def change(self, hour: int, place: str, items: int) -> None:
        if self.notice.stage is not Stage.WITHDRAWN:
            self.draft = changed(self.draft, starts=STARTS.replace(hour=hour), place=place).model_copy(
                update={"agenda": tuple(AgendaLine(title=f"Ärende {number}") for number in range(items))}
            )

    @rule(what=st.sampled_from(["send_preliminary", "issue", "update", "approve"]), note=st.sampled_from([None, "Hej"]))
    def act(self, what: str, note: str | None) -> None:
        before, stage = self.notice, self.notice.stage
        differs = bool(rules.changed(before, self.draft))
        allowed = {
            "send_preliminary": stage is Stage.NONE,
            "issue": stage in (Stage.NONE, Stage.PRELIMINARY),
            "update": before.is_told and (differs or note is not None),
            "approve": stage in (Stage.NONE, Stage.PRELIMINARY),
        }[what]
        try:
            if what == "approve":
                self.notice = rules.approve(before, self.draft, note, NOW)
            else:
                self.notice, fact = getattr(rules, what)(before, self.draft, note, NOW)
                self.facts.append(fact)
                assert rules.changed(self.notice, self.draft) == ()
        except Refused:
            assert not allowed
        else:
            assert allowed

    @rule()
    def a_substitute_is_called_and_released(self) -> None:
        if self.notice.stage is Stage.ISSUED:
            self.notice, called = rules.call(self.notice, self.draft, [MAJA], NOW)
            self.notice, released = rules.release(self.notice, self.draft, [MAJA])
            self.facts += [called, released]

    @rule()
    def cancel(self) -> None:
        if self.notice.is_told:
            cancelled, _ = meetings.cancel(self.draft.meeting, "Krock")
            self.draft = self.draft.model_copy(update={"meeting": cancelled})
            self.notice, fact = rules.withdraw(self.notice, self.draft, "Krock")
            self.facts.append(fact)

    @invariant()
    def the_sequence_rises_by_one_with_each_fact(self) -> None:
        assert [fact.sequence for fact in self.facts] == list(range(1, len(self.facts) + 1))
        assert self.notice.sequence == len(self.facts)

    @invariant()
    def the_time_holds_since_the_first_fact_that_said_it(self) -> None:
        said = [fact for fact in self.facts if isinstance(fact, NoticeIssued) and fact.kind != "substitute"]
        if said:
            same = [fact.starts == said[-1].starts for fact in said]
            first = len(same) - next((at for at, one in enumerate(reversed(same)) if not one), len(same))
            assert self.notice.time_since == said[first].sequence

    @invariant()
    def no_notice_lets_a_file_come_later_than_its_last_day_does(self) -> None:
        assert (rules.closes_at(self.draft.meeting, self.notice, 5) or LAST) <= LAST

    @invariant()
    def what_is_withdrawn_waits_for_nothing(self) -> None:
        assert not (self.notice.stage is Stage.WITHDRAWN and self.notice.waits)
        assert not (self.notice.stage is Stage.ISSUED and self.notice.waits)


TestLife = Life.TestCase
