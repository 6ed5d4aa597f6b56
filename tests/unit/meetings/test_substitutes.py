"""Substitutes are called in their order, each to one place, and released when the member comes after all."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.meetings.body.body import Substitution
from services.meetings.body.membership import MemberRole
from services.meetings.reply.quorum import outlook
from services.meetings.reply.reply import Answer, Reply
from services.meetings.reply.substitutes import (
    Places,
    asked_anew,
    is_let_go,
    require_place,
    settle,
    stand_in,
)
from shared.errors import Refused

MEMBERS = ("olof", "maja", "nils")
SUBSTITUTES = ("anna", "per")
PARTIES = {"olof": "S", "maja": "S", "nils": "C", "anna": "C", "per": "S"}


def places(rule: Substitution = Substitution.IN_ORDER) -> Places:
    return Places(rule, MEMBERS, SUBSTITUTES, PARTIES)


def all_asked() -> dict[str, Reply]:
    return {one: Reply(person_id=one, role=MemberRole.MEMBER) for one in MEMBERS}


def said(replies: Mapping[str, Reply], person_id: str, answer: Answer) -> dict[str, Reply]:
    return {**replies, person_id: replies[person_id].model_copy(update={"answer": answer})}


def test_the_first_free_one_is_called_and_the_next_when_that_one_declines() -> None:
    first = settle(places(), said(all_asked(), "maja", Answer.ABSENT))
    assert (first.called, first.replies["anna"].instead_of) == (("anna",), "maja")
    second = settle(places(), said(first.replies, "anna", Answer.ABSENT))
    assert (second.called, second.replies["per"].instead_of) == (("per",), "maja")
    assert is_let_go(second.replies["anna"])
    third = settle(places(), said(second.replies, "per", Answer.ABSENT))
    assert (third.called, third.left_empty) == ((), ("maja",))
    assert settle(places(), third.replies) == type(third)(third.replies)


def test_those_of_the_members_party_go_first_where_the_body_says_so() -> None:
    rule = places(Substitution.SAME_PARTY)
    assert settle(rule, said(all_asked(), "maja", Answer.ABSENT)).called == ("per",)
    assert settle(rule, said(all_asked(), "nils", Answer.ABSENT)).called == ("anna",)
    without = Places(Substitution.SAME_PARTY, MEMBERS, SUBSTITUTES, {**PARTIES, "maja": None, "per": None})
    assert settle(without, said(all_asked(), "maja", Answer.ABSENT)).called == ("anna",), "no party is no party of hers"


def test_a_body_that_calls_nobody_tells_of_no_empty_place() -> None:
    found = settle(places(Substitution.NONE), said(all_asked(), "maja", Answer.ABSENT))
    assert (found.called, found.left_empty) == ((), ())


def test_who_stands_in_is_released_when_the_member_comes_after_all_but_not_when_they_waver() -> None:
    called = settle(places(), said(all_asked(), "maja", Answer.ABSENT)).replies
    promised = said(called, "anna", Answer.COMING)
    assert settle(places(), said(promised, "maja", Answer.TENTATIVE)).released == ()
    back = settle(places(), said(promised, "maja", Answer.COMING))
    assert back.released == ("anna",)
    assert (back.replies["anna"].asked, back.replies["anna"].answer) == (False, None)
    again = settle(places(), said(back.replies, "nils", Answer.ABSENT))
    assert again.called == ("anna",)


def test_who_is_called_to_another_place_at_once_keeps_the_answer_and_is_not_released_first() -> None:
    replies = settle(places(), said(all_asked(), "maja", Answer.ABSENT)).replies
    replies = settle(places(), said(replies, "olof", Answer.ABSENT)).replies
    replies = settle(places(), said(said(replies, "anna", Answer.COMING), "nils", Answer.ABSENT)).replies
    found = settle(places(), said(replies, "maja", Answer.COMING))
    assert (found.released, found.called) == ((), ("anna",))
    assert (found.replies["anna"].instead_of, found.replies["anna"].answer) == ("nils", Answer.COMING)


def test_who_declined_may_think_again_while_there_is_a_place() -> None:
    replies = settle(places(), said(all_asked(), "maja", Answer.ABSENT)).replies
    replies = settle(places(), said(replies, "anna", Answer.ABSENT)).replies
    with pytest.raises(Refused, match="another substitute"):
        require_place(places(), replies, replies["anna"], Answer.COMING)
    replies = settle(places(), said(replies, "per", Answer.ABSENT)).replies
    require_place(places(), replies, replies["anna"], Answer.COMING)
    back = settle(places(), said(replies, "anna", Answer.COMING))
    assert (back.replies["anna"].instead_of, back.replies["anna"].answer) == ("maja", Answer.COMING)
    assert not back.replies["maja"].left_empty


def test_another_time_asks_anew_and_keeps_who_stands_in() -> None:
    replies = settle(places(), said(all_asked(), "maja", Answer.ABSENT)).replies
    replies = settle(places(), said(replies, "anna", Answer.ABSENT)).replies
    reminded = {"reminded_at": datetime(2022, 11, 1, tzinfo=UTC)}
    anew = asked_anew({person_id: one.model_copy(update=reminded) for person_id, one in replies.items()})
    assert {(one.answer, one.reminded_at) for one in anew.values()} == {(None, None)}
    assert (anew["anna"].asked, anew["per"].instead_of) == (False, "maja")


def test_the_quorum_counts_places_not_people() -> None:
    replies = all_asked()
    assert outlook(2, places(), replies).model_dump() == {"needed": 2, "coming": 0, "absent": 0, "unanswered": 3}
    replies = settle(places(), said(replies, "maja", Answer.ABSENT)).replies
    replies = said(said(replies, "anna", Answer.COMING), "olof", Answer.TENTATIVE)
    found = outlook(2, places(), replies)
    assert found.model_dump() == {"needed": 2, "coming": 1, "absent": 0, "unanswered": 2}
    assert (found.is_at_risk(near=False), found.is_at_risk(near=True)) == (False, True)
    wavers = outlook(2, places(), said(replies, "maja", Answer.TENTATIVE))
    assert wavers == found, "who stands in still comes"
    lost = outlook(2, places(Substitution.NONE), said(said(all_asked(), "maja", Answer.ABSENT), "nils", Answer.ABSENT))
    assert lost.is_at_risk(near=False)


class Calling(RuleBasedStateMachine):
    """People answer in any order, and each answer is settled."""

    @initialize(rule=st.sampled_from(Substitution))
    def begin(self, rule: Substitution) -> None:
        self.places = places(rule)
        self.replies = all_asked()

    @rule(who=st.sampled_from(MEMBERS + SUBSTITUTES), answer=st.sampled_from(Answer))
    def answers(self, who: str, answer: Answer) -> None:
        reply = self.replies.get(who)
        if reply is None or not reply.asked:
            return
        try:
            require_place(self.places, self.replies, reply, answer)
        except Refused:
            return
        before = self.replies
        settled = settle(self.places, said(before, who, answer))
        assert not {*settled.called} & {*settled.released}
        for called in settled.called:
            was = before.get(called)
            assert was is None or was.instead_of != settled.replies[called].instead_of
        for member in settled.left_empty:
            assert not before[member].left_empty
        self.replies = settled.replies

    @rule()
    def another_time(self) -> None:
        self.replies = settle(self.places, asked_anew(self.replies)).replies

    @invariant()
    def each_place_has_one_and_no_substitute_has_two(self) -> None:
        held = [one.instead_of for one in self.replies.values() if one.instead_of]
        assert len(held) == len(set(held))
        for reply in self.replies.values():
            assert reply.instead_of is None or (reply.asked and reply.answer is not Answer.ABSENT)
            assert reply.instead_of is None or self.replies[reply.instead_of].answer is not Answer.COMING

    @invariant()
    def no_place_is_empty_while_somebody_could_be_called(self) -> None:
        for member in MEMBERS:
            if self.replies[member].answer is Answer.ABSENT and stand_in(self.replies, member) is None:
                for one in self.places.callable_for(member):
                    there = self.replies[one]
                    assert there.instead_of is not None or there.answer is Answer.ABSENT
                assert self.replies[member].left_empty == (self.places.rule is not Substitution.NONE)
            else:
                assert not self.replies[member].left_empty

    @invariant()
    def nothing_is_news_twice(self) -> None:
        again = settle(self.places, self.replies)
        assert (again.replies, again.called, again.released, again.left_empty) == (self.replies, (), (), ())

    @invariant()
    def every_place_is_counted(self) -> None:
        found = outlook(2, self.places, self.replies)
        assert found.coming + found.absent + found.unanswered == len(MEMBERS)


TestCalling = Calling.TestCase
