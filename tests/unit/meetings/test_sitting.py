"""What happens while a body meets: who decides, what may follow, and how mistakes are corrected."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.meetings.body.body import ItemKind, Substitution
from services.meetings.body.membership import MEMBERS, MemberRole
from services.meetings.sitting import steps
from services.meetings.sitting.evolving import evolve
from services.meetings.sitting.facts import fact_of
from services.meetings.sitting.history import Entry, appended, around, effective, replay
from services.meetings.sitting.sitting import Sitting, SittingStatus
from services.meetings.sitting.steps import Ballot, Choice, How, RollEntry, cleaned
from shared.errors import InvalidInput, JusteraError, NotFound, Refused

OPENED, ZONE = datetime(2022, 9, 23, 13), "Europe/Stockholm"
ROLL = (
    RollEntry(person_id="olof", name="Olof Berg", role=MemberRole.CHAIR, party="S"),
    RollEntry(person_id="eva", name="Eva Lund", role=MemberRole.FIRST_VICE_CHAIR, party="C"),
    RollEntry(person_id="maja", name="Maja Lind", role=MemberRole.MEMBER, party="S"),
    RollEntry(person_id="nils", name="Nils Ek", role=MemberRole.MEMBER, party="C"),
    RollEntry(person_id="anna", name="Anna Dal", role=MemberRole.SUBSTITUTE, party="S"),
    RollEntry(person_id="per", name="Per Ros", role=MemberRole.SUBSTITUTE, party="C"),
    RollEntry(person_id="sara", name="Sara Falk", role=MemberRole.SECRETARY),
)
ALL = tuple(one.person_id for one in ROLL)


class Record:
    """A sitting as it is recorded: a step each minute."""

    def __init__(self, *present: str, rule: Substitution = Substitution.IN_ORDER, adjusters: int = 1) -> None:
        self.entries: list[Entry] = []
        self.state: Sitting | None = None
        self(steps.Opened(roll=ROLL, rule=rule, quorum=3, adjusters=adjusters))
        self(steps.RollCalled(present=present or ALL))

    def entry(self, step: Any, **more: Any) -> Entry:
        number = len(self.entries) + 1
        at = step.at or OPENED + timedelta(minutes=number - 1)
        return Entry(number=number, key=str(number), step=step.model_copy(update={"at": at}), **more)

    def __call__(self, step: Any, **more: Any) -> Sitting:
        entry = self.entry(step, **more)
        self.state = appended(self.entries, self.state, [entry])
        self.entries.append(entry)
        return self.state

    @property
    def now(self) -> Sitting:
        assert self.state is not None
        return self.state

    def item(self, item_id: str = "i", kind: ItemKind = ItemKind.DECISION) -> None:
        self(steps.ItemBegun(item_id=item_id, title="Delårsrapport", kind=kind))

    def proposals(self) -> None:
        self(steps.ProposalMade(text="Godkänna rapporten"))
        self(steps.ProposalMade(text="Avslå", person_id="nils"))


def serving(state: Sitting) -> dict[str, str | None]:
    return {one.person_id: one.instead_of for one in state.deciding}


def ballots(**said: str) -> tuple[Ballot, ...]:
    return tuple(Ballot(person_id=who, choice=Choice(choice)) for who, choice in said.items())


def test_substitutes_take_the_places_of_who_is_away_in_order_and_give_them_back() -> None:
    record = Record("olof", "eva", "maja", "per")
    assert serving(record.now) == {"olof": None, "eva": None, "maja": None, "per": "nils"}
    # Anna is before Per in the order, but who serves goes on.
    assert serving(record(steps.Arrived(person_id="anna")))["per"] == "nils"
    assert serving(record(steps.Departed(person_id="maja")))["anna"] == "maja"
    back = record(steps.Arrived(person_id="nils"))
    assert serving(back) == {"olof": None, "eva": None, "nils": None, "anna": "maja"}


def test_the_members_party_goes_first_where_the_bodys_rule_says_so() -> None:
    of_party = Record("olof", "eva", "maja", "anna", "per", rule=Substitution.SAME_PARTY)
    assert serving(of_party.now)["per"] == "nils"
    nobody = Record("olof", "eva", "maja", "anna", "per", rule=Substitution.NONE)
    assert serving(nobody.now) == {"olof": None, "eva": None, "maja": None}


def test_a_substitute_who_stands_down_lets_the_next_one_serve() -> None:
    record = Record("olof", "eva", "maja", "anna", "per")
    assert serving(record.now)["anna"] == "nils"
    assert "anna" not in serving(record(steps.StoodDown(person_id="anna")))
    assert serving(record.now)["per"] == "nils"


def test_arrivals_and_departures_are_known_to_the_minute_and_the_item() -> None:
    record = Record("olof", "eva", "maja")
    record.item()
    record(steps.Arrived(person_id="nils", at=OPENED + timedelta(minutes=5)))
    record(steps.Departed(person_id="maja", at=OPENED + timedelta(minutes=9)))
    [came] = record.now.attendee("nils").movements
    assert (came.at, came.item_id, came.came) == (OPENED + timedelta(minutes=5), "i", True)
    assert [one.came for one in record.now.attendee("maja").movements] == [True, False]
    with pytest.raises(Refused, match="Nils Ek is there already"):
        record(steps.Arrived(person_id="nils"))
    with pytest.raises(InvalidInput, match="before Maja Lind left, 13:09"):
        record(steps.Arrived(person_id="maja", at=OPENED + timedelta(minutes=8)))
    with pytest.raises(InvalidInput, match="before the sitting was opened, 13:00"):
        record(steps.Departed(person_id="olof", at=OPENED - timedelta(minutes=1)))


def test_who_has_a_conflict_of_interest_is_apart_for_that_item_only() -> None:
    record = Record()
    record.item()
    apart = record(steps.ConflictDeclared(person_id="olof", why="Ordförande i bolaget"))
    assert serving(apart) == {"anna": "olof", "eva": None, "maja": None, "nils": None}
    assert apart.presiding == "eva"
    with pytest.raises(Refused, match="Olof Berg has a conflict of interest"):
        record(steps.SpeakerListed(person_id="olof"))
    record(steps.ProposalMade(text="Ja"))
    record(steps.ProposalMade(text="Nej"))
    with pytest.raises(Refused, match="Olof Berg has a conflict of interest, and no part in the item"):
        record(steps.VoteTaken(yes=1, no=2, ballots=ballots(olof="yes", eva="yes", maja="yes", nils="no")))
    after = record(steps.ItemEnded())
    assert serving(after) == {"olof": None, "eva": None, "maja": None, "nils": None}
    assert after.presiding == "olof"


def test_a_decision_needs_a_quorum_and_information_none() -> None:
    record = Record("olof", "eva")
    record.item()
    assert not record.now.has_quorum
    with pytest.raises(Refused, match="there is no quorum: 2 of the 3 needed decide"):
        record(steps.Decided(text="Styrelsen beslutar att avslå"))
    record(steps.Arrived(person_id="per"))
    decided = record(steps.Decided(text="Styrelsen beslutar att avslå")).item("i").decision
    assert decided is not None
    assert [(one.person_id, one.instead_of) for one in decided.deciding][-1] == ("per", "maja")


def test_a_vote_is_taken_of_all_who_decide_each_once() -> None:
    record = Record()
    record.item()
    record.proposals()
    record(steps.ProposalsOrdered(order=(2, 1)))
    with pytest.raises(InvalidInput, match="Nils Ek is missing"):
        record(steps.VoteTaken(yes=1, no=2, ballots=ballots(olof="yes", eva="yes", maja="no")))
    twice = (*ballots(olof="yes", eva="yes", maja="no", nils="no"), *ballots(maja="yes"))
    with pytest.raises(InvalidInput, match="Maja Lind votes twice"):
        record(steps.VoteTaken(yes=1, no=2, ballots=twice))
    with pytest.raises(Refused, match="Anna Dal serves in nobody's place, and cannot vote"):
        record(steps.VoteTaken(yes=1, no=2, ballots=ballots(olof="yes", eva="yes", maja="no", anna="no")))
    voted = record(steps.VoteTaken(yes=1, no=2, ballots=ballots(olof="yes", eva="yes", maja="no", nils="abstain")))
    [vote] = voted.item("i").votes
    assert (vote.result, vote.by, vote.count(Choice.ABSTAIN)) == (1, "votes", 1)
    with pytest.raises(Refused, match="the vote did not go so"):
        record(steps.Decided(text="Avslå", proposal=2, how=How.VOTE))
    with pytest.raises(Refused, match="the item was voted on"):
        record(steps.Decided(text="Godkänna", proposal=1))
    assert record(steps.Decided(text="Godkänna", proposal=1, how=How.VOTE)).item("i").decision


def test_who_has_left_cannot_vote() -> None:
    record = Record()
    record.item()
    record.proposals()
    record(steps.Departed(person_id="maja"))
    with pytest.raises(Refused, match="Maja Lind has left, and cannot vote"):
        record(steps.VoteTaken(yes=1, no=2, ballots=ballots(olof="yes", eva="yes", maja="no", nils="no")))


def test_a_tie_is_the_chairs_to_decide_and_the_lots_in_an_election() -> None:
    tied = ballots(olof="no", eva="yes", maja="yes", nils="no")
    record = Record()
    record.item()
    record.proposals()
    with pytest.raises(InvalidInput, match="lot: decides elections only"):
        record(steps.VoteTaken(yes=1, no=2, ballots=tied, lot="yes"))
    [vote] = record(steps.VoteTaken(yes=1, no=2, ballots=tied)).item("i").votes
    assert (vote.result, vote.by) == (2, "casting")  # as Olof voted, who presides
    again = Record()
    again.item()
    again.proposals()
    abstained = ballots(olof="abstain", eva="yes", maja="abstain", nils="no")
    with pytest.raises(InvalidInput, match="say how Olof Berg decides it"):
        again(steps.VoteTaken(yes=1, no=2, ballots=abstained))
    assert again(steps.VoteTaken(yes=1, no=2, ballots=abstained, casting="yes")).item("i").votes[0].result == 1
    election = Record()
    election.item(kind=ItemKind.ELECTION)
    election.proposals()
    with pytest.raises(InvalidInput, match="decides the tie of an election"):
        election(steps.VoteTaken(yes=1, no=2, ballots=tied))
    [drawn] = election(steps.VoteTaken(yes=1, no=2, ballots=tied, lot="yes")).item("i").votes
    assert (drawn.result, drawn.by) == (1, "lot")
    more = ballots(olof="yes", eva="yes", maja="yes", nils="no")
    with pytest.raises(InvalidInput, match="there is none"):
        election(steps.VoteTaken(yes=1, no=2, ballots=more, casting="yes"))


def test_a_reservation_is_of_who_took_part_and_before_the_end() -> None:
    record = Record()
    record.item()
    with pytest.raises(Refused, match="not decided"):
        record(steps.Reserved(person_id="nils"))
    record(steps.Decided(text="Godkänna"))
    with pytest.raises(Refused, match="Anna Dal took no part in the decision"):
        record(steps.Reserved(person_id="anna"))
    record(steps.ItemEnded())
    reserved = record(steps.Reserved(item_id="i", person_id="nils", text="För dyrt"))
    assert [(one.person_id, one.text) for one in reserved.item("i").reservations] == [("nils", "För dyrt")]
    record(steps.Closed())
    with pytest.raises(Refused, match="the sitting is closed"):
        record(steps.Reserved(item_id="i", person_id="maja"))


def test_as_many_adjusters_are_chosen_as_the_body_wants() -> None:
    record = Record("olof", "eva", "maja")
    with pytest.raises(InvalidInput, match="the body wants 1 adjuster, and 2 are named"):
        record(steps.AdjustersChosen(people=("eva", "maja")))
    with pytest.raises(Refused, match="Olof Berg presides"):
        record(steps.AdjustersChosen(people=("olof",)))
    with pytest.raises(Refused, match="Nils Ek is not there"):
        record(steps.AdjustersChosen(people=("nils",)))
    assert record(steps.AdjustersChosen(people=("maja",))).adjusters == ("maja",)


def test_an_adjourned_sitting_decides_nothing_until_it_goes_on() -> None:
    record = Record()
    record.item()
    record(steps.Adjourned())
    with pytest.raises(Refused, match="adjourned"):
        record(steps.Decided(text="Godkänna"))
    record(steps.Departed(person_id="maja"))
    resumed = record(steps.Resumed())
    assert resumed.status is SittingStatus.OPEN
    assert resumed.pauses[0].ended is not None
    record(steps.Decided(text="Godkänna"))
    assert record(steps.AdjustedAtOnce()).item("i").decision.adjusted_at_once  # type: ignore[union-attr]


def test_one_item_is_up_at_a_time_and_the_end_waits_for_it() -> None:
    record = Record()
    record.item()
    for step in (steps.ItemBegun(item_id="j", title="Övrigt"), steps.Closed()):
        with pytest.raises(Refused, match="Delårsrapport is still up"):
            record(step)
    record(steps.SpeakerListed(person_id="maja"))
    record(steps.SpeakerListed(person_id="nils"))
    assert record(steps.SpeakerHeard(person_id="maja")).speakers == ("nils",)
    assert record(steps.ItemEnded()).speakers == ()
    record.item()  # taken up again
    assert len(record.now.items) == 1


def test_a_mistake_is_corrected_in_its_place_and_both_are_kept() -> None:
    record = Record()
    record.item()
    record(steps.Decided(text="Avslå"))
    with pytest.raises(InvalidInput, match="reason: say why"):
        record(steps.Decided(text="Godkänna", at=OPENED + timedelta(minutes=3)), corrects=4)
    corrected = record(steps.Decided(text="Godkänna"), corrects=4, reason="Fel knapp")
    assert corrected.item("i").decision.text == "Godkänna"  # type: ignore[union-attr]
    assert len(record.entries) == 5
    assert [number for number, _ in effective(record.entries)] == [1, 2, 3, 4]
    gone = record(steps.Withdrawn(), corrects=5, reason="Inget beslut")
    assert gone.item("i").decision is None
    assert [number for number, _ in effective(record.entries)] == [1, 2, 3]


def test_what_rests_on_a_mistake_is_named_and_both_are_corrected_together() -> None:
    record = Record()
    record.item()
    record.proposals()
    record(steps.VoteTaken(yes=1, no=2, ballots=ballots(olof="yes", eva="yes", maja="yes", nils="no")))
    # Maja had left before the vote; nobody wrote it down.
    left = record.entry(steps.Departed(person_id="maja", at=OPENED + timedelta(minutes=4)), after=5, reason="Glömt")
    with pytest.raises(Refused, match="step 6 would not hold then: Maja Lind has left, and cannot vote"):
        appended(record.entries, record.state, [left])
    vote = steps.VoteTaken(yes=1, no=2, ballots=ballots(olof="yes", eva="yes", anna="no", nils="no"), at=OPENED)
    voted = Entry(number=left.number + 1, key="v", step=vote, corrects=6, reason="Glömt")
    both = appended(record.entries, record.state, [left, voted])
    assert both.item("i").votes[0].by == "casting"
    before, after = around([*record.entries, left, voted], voted.number)
    assert before is not None
    assert not before.item("i").votes
    assert after is not None
    fact = fact_of("m", "Europe/Stockholm", voted, before, after)
    assert (fact.corrects, fact.by, fact.item_id, fact.step) == (6, "casting", "i", 8)  # type: ignore[attr-defined]


def test_what_cannot_be_corrected_is_said() -> None:
    record = Record()
    with pytest.raises(Refused, match="how the sitting was opened"):
        record(steps.Withdrawn(), corrects=1, reason="Fel")
    with pytest.raises(InvalidInput, match="there is no step 9"):
        record(steps.Withdrawn(), corrects=9, reason="Fel")
    with pytest.raises(InvalidInput, match="say which step is withdrawn"):
        record(steps.Withdrawn())
    with pytest.raises(Refused, match="opened already"):
        record(steps.Opened(roll=ROLL, quorum=3))
    with pytest.raises(NotFound):
        record(steps.Arrived(person_id="ingen"))
    with pytest.raises(Refused, match="not been opened"):
        evolve(None, steps.Closed())


def test_what_people_type_is_brought_into_form_and_time_is_to_the_minute() -> None:
    now = datetime(2022, 9, 23, 13, 5, 40)
    guest = cleaned(steps.GuestArrived(person_id="g", name="  Petra\tHolm "), now, ZONE)
    assert (guest.name, guest.at) == ("Petra Holm", datetime(2022, 9, 23, 13, 5))  # type: ignore[union-attr]
    with pytest.raises(InvalidInput, match="at: is still to come"):
        cleaned(steps.Closed(at=now + timedelta(minutes=1)), now, ZONE)
    with pytest.raises(InvalidInput, match="text: is empty"):
        cleaned(steps.Decided(text=" \n "), now, ZONE)


def test_each_step_makes_a_fact() -> None:
    record = Record()
    opened = fact_of("m", "Europe/Stockholm", record.entries[0], None, record.now)
    assert opened.model_dump()["roll"][0]["person_id"] == "olof"
    before = record.now
    record.item()
    begun = fact_of("m", "Europe/Stockholm", record.entries[-1], before, record.now).model_dump()
    assert (begun["title"], begun["has_quorum"], begun["at"]) == ("Delårsrapport", True, "2022-09-23T13:02")
    assert begun["serving"][0] == {"person_id": "olof", "instead_of": None}


class SittingMachine(RuleBasedStateMachine):
    """Whatever is said in whatever order: it is refused in a sentence, or holds, and the fold is the state."""

    @initialize(present=st.sets(st.sampled_from(ALL)), rule=st.sampled_from(Substitution))
    def opened(self, present: set[str], rule: Substitution) -> None:
        self.record = Record(*present, rule=rule) if present else Record("olof", rule=rule)

    def _say(self, step: Any, **more: Any) -> None:
        with suppress(JusteraError):
            self.record(step, **more)

    @rule(who=st.sampled_from(ALL), kind=st.sampled_from((steps.Arrived, steps.Departed, steps.SpeakerListed)))
    def moves(self, who: str, kind: Any) -> None:
        self._say(kind(person_id=who))

    @rule(who=st.sampled_from(ALL), kind=st.sampled_from((steps.ConflictDeclared, steps.ChairTaken, steps.StoodDown)))
    def has_part(self, who: str, kind: Any) -> None:
        self._say(kind(person_id=who))

    @rule(item=st.sampled_from("ij"), kind=st.sampled_from(ItemKind))
    def begins(self, item: str, kind: ItemKind) -> None:
        self._say(steps.ItemBegun(item_id=item, title="Ärende", kind=kind))

    @rule(kind=st.sampled_from((steps.ItemEnded, steps.Adjourned, steps.Resumed, steps.AdjustedAtOnce)))
    def goes_on(self, kind: Any) -> None:
        self._say(kind())

    @rule(choices=st.lists(st.sampled_from(Choice), min_size=7, max_size=7), lot=st.sampled_from((None, "yes", "no")))
    def votes(self, choices: list[Choice], lot: Any) -> None:
        self._say(steps.ProposalMade(text="Ja"))
        self._say(steps.ProposalMade(text="Nej"))
        said = zip([one.person_id for one in self.record.now.deciding] or ["olof"], choices, strict=False)
        votes = tuple(Ballot(person_id=who, choice=choice) for who, choice in said)
        self._say(steps.VoteTaken(yes=1, no=2, ballots=votes, lot=lot))

    @rule(how=st.sampled_from(How))
    def decides(self, how: How) -> None:
        self._say(steps.Decided(text="Ja", how=how))

    @precondition(lambda self: len(self.record.entries) > 2)
    @rule(data=st.data())
    def corrects(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(2, len(self.record.entries)))
        self._say(steps.Withdrawn(), corrects=number, reason="Fel")

    @invariant()
    def the_fold_of_what_holds_is_the_state(self) -> None:
        assert replay(self.record.entries) == self.record.now

    @invariant()
    def nobody_decides_twice_or_is_away_or_apart(self) -> None:
        state = self.record.now
        deciding = [one.person_id for one in state.deciding]
        members = [one for one in state.attendees if one.role in MEMBERS]
        assert len(set(deciding)) == len(deciding) <= len(members)
        apart = {one.person_id for one in state.item_up.conflicts} if state.item_up else set()
        assert all(state.attendee(one).present and one not in apart for one in deciding)
        assert {one.person_id for one in members if one.present} - apart <= set(deciding)

    @invariant()
    def every_decision_had_a_quorum(self) -> None:
        for item in self.record.now.items:
            assert item.decision is None or len(item.decision.deciding) >= self.record.now.quorum


SittingMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestSitting = SittingMachine.TestCase
