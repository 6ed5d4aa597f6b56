"""What a step makes of an item: proposals, votes, the decision, and what is said of it. Pure.

Kommunallagen (2017:725) has what a board keeps to here: a decision needs a quorum; who has a conflict of interest has
no part in the item; the chair decides a tie, and the lot that of an election; a reservation (4 chap. 27 §) is made
before the sitting is closed, by who took part in the decision.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from services.meetings.body.body import ItemKind
from services.meetings.sitting import steps
from services.meetings.sitting.changing import (
    changed,
    moment_of,
    require_deciding,
    require_no_conflict,
    require_present,
    with_item,
)
from services.meetings.sitting.sitting import (
    Conflict,
    Decision,
    Proposal,
    Said,
    Sitting,
    SittingItem,
    Vote,
)
from services.meetings.sitting.steps import MOST_PROPOSALS, Choice, How
from shared.errors import InvalidInput, Refused, says


def _item_begun(state: Sitting, step: steps.ItemBegun) -> Sitting:
    if not state.roll_called:
        raise Refused("the roll has not been called", hint="say who is there first")
    if state.item_up is not None:
        raise Refused(f"{state.item_up.title} is still up", hint="end it first", says=says("sitting.still_up"))
    begun = next((one for one in state.items if one.id == step.item_id), None)
    if begun is None:
        fresh = SittingItem(id=step.item_id, title=step.title, kind=step.kind, begun_at=moment_of(step))
        state = changed(state, items=(*state.items, fresh))
    now = changed(state, up=step.item_id)
    return with_item(now, step.item_id, ended_at=None, deciding=now.deciding)


def _item_ended(state: Sitting, step: steps.ItemEnded) -> Sitting:
    item = _up(state)
    return changed(with_item(state, item.id, ended_at=moment_of(step)), up=None, speakers=())


def _conflict_declared(state: Sitting, step: steps.ConflictDeclared) -> Sitting:
    item, who = _up(state), state.attendee(step.person_id)
    if any(one.person_id == step.person_id for one in item.conflicts):
        raise Refused(f"{who.name} has no part in the item already", hint="go on with the item")
    if item.votes or item.decision:
        raise Refused(
            "the item was voted on or decided",
            hint="correct that first, then record the conflict of interest",
            says=says("sitting.voted"),
        )
    conflicts = (*item.conflicts, Conflict(person_id=step.person_id, why=step.why))
    speakers = tuple(one for one in state.speakers if one != step.person_id)
    now = changed(with_item(state, item.id, conflicts=conflicts), speakers=speakers)
    return with_item(now, item.id, deciding=now.deciding)


def _proposal_made(state: Sitting, step: steps.ProposalMade) -> Sitting:
    item = _up_undecided(state)
    if step.person_id is not None:
        require_present(state, step.person_id, "cannot propose")
        require_no_conflict(state, item, step.person_id)
    if len(item.proposals) >= MOST_PROPOSALS:
        raise Refused(
            f"the item has {MOST_PROPOSALS} proposals, and takes no more",
            hint="withdraw one of them, or decide on those that are there",
        )
    if item.votes:
        raise Refused("the proposals have been voted on", hint="record the decision, or correct the vote")
    made = Proposal(number=len(item.proposals) + 1, text=step.text, person_id=step.person_id)
    return with_item(state, item.id, proposals=(*item.proposals, made), order=())


def _proposals_ordered(state: Sitting, step: steps.ProposalsOrdered) -> Sitting:
    item = _up_undecided(state)
    if sorted(step.order) != [one.number for one in item.proposals]:
        raise InvalidInput(
            "order: names each proposal of the item once",
            hint=f"there are {len(item.proposals)}",
            says=says("sitting.order"),
        )
    return with_item(state, item.id, order=step.order)


def _vote_taken(state: Sitting, step: steps.VoteTaken) -> Sitting:
    item = _up_undecided(state)
    _require_quorum(state)
    _proposal(item, step.yes, "yes")
    _proposal(item, step.no, "no")
    if step.yes == step.no:
        raise InvalidInput(
            "no: is the proposal of yes", hint="a vote is between two proposals", says=says("sitting.same_proposal")
        )
    _require_all_voted(state, step)
    count = Counter(ballot.choice for ballot in step.ballots)
    yes, no = count[Choice.YES], count[Choice.NO]
    if yes != no:
        if step.casting or step.lot:
            raise InvalidInput("casting, lot: decide a tie, and there is none", says=says("sitting.casting"))
        result, by = (step.yes if yes > no else step.no), "votes"
    else:
        choice, by = _of_tie(state, item, step)
        result = step.yes if choice is Choice.YES else step.no
    vote = Vote(yes=step.yes, no=step.no, ballots=step.ballots, result=result, by=by)
    return with_item(state, item.id, votes=(*item.votes, vote))


def _require_all_voted(state: Sitting, step: steps.VoteTaken) -> None:
    deciding = {one.person_id for one in state.deciding}
    said = Counter(ballot.person_id for ballot in step.ballots)
    for person_id, times in said.items():
        require_deciding(state, person_id, "cannot vote")
        if times > 1:
            raise InvalidInput(f"ballots: {state.name(person_id)} votes twice", says=says("sitting.ballots"))
    if missing := [state.name(one) for one in deciding if one not in said]:
        raise InvalidInput(
            f"ballots: {min(missing)} is missing",
            hint="say yes, no or abstain for everyone who decides",
            says=says("sitting.ballots"),
        )


def _of_tie(state: Sitting, item: SittingItem, step: steps.VoteTaken) -> tuple[Choice, str]:
    if item.kind is ItemKind.ELECTION:
        if step.lot is None or step.casting is not None:
            raise InvalidInput(
                "lot: decides the tie of an election", hint="draw it, and say how it fell", says=says("sitting.lot")
            )
        return step.lot, "lot"
    if step.lot is not None:
        raise InvalidInput("lot: decides elections only; this tie is the chair's to decide", says=says("sitting.lot"))
    chair = state.presiding
    if chair is None:
        raise Refused("it is a tie, and nobody presides", hint="record who takes the chair")
    own = next((ballot.choice for ballot in step.ballots if ballot.person_id == chair), Choice.ABSTAIN)
    casting = step.casting or (own if own is not Choice.ABSTAIN else None)
    if casting is None:
        raise InvalidInput(
            f"casting: it is a tie; say how {state.name(chair)} decides it", says=says("sitting.casting")
        )
    return casting, "casting"


def _decided(state: Sitting, step: steps.Decided) -> Sitting:
    item = _up(state)
    if item.decision is not None:
        raise Refused(
            "the item is decided already", hint="correct that decision, and say why", says=says("sitting.decided")
        )
    _require_quorum(state)
    if step.proposal is not None:
        _proposal(item, step.proposal, "proposal")
    if step.how is How.VOTE and (not item.votes or step.proposal not in (None, item.votes[-1].result)):
        raise Refused("the vote did not go so", hint="decide as the last vote went, or correct it")
    if step.how is How.ACCLAMATION and item.votes:
        raise Refused(
            "the item was voted on", hint="decide as the vote went, or correct it", says=says("sitting.voted")
        )
    decision = Decision(
        text=step.text, proposal=step.proposal, how=step.how, at=moment_of(step), deciding=state.deciding
    )
    return with_item(state, item.id, decision=decision)


def _reserved(state: Sitting, step: steps.Reserved) -> Sitting:
    item = _about(state, step.item_id)
    name = state.name(step.person_id)
    if item.decision is None:
        raise Refused(
            "the item is not decided", hint="a reservation is against a decision", says=says("sitting.not_decided")
        )
    if all(one.person_id != step.person_id for one in item.decision.deciding):
        raise Refused(
            f"{name} took no part in the decision, and cannot have a reservation against it",
            hint="choose somebody who took part, or correct who did",
            says=says("sitting.no_part"),
        )
    if any(one.person_id == step.person_id for one in item.reservations):
        raise Refused(
            f"{name} has a reservation already", hint="correct it, and say why", says=says("sitting.reserved_already")
        )
    reservation = Said(person_id=step.person_id, text=step.text)
    return with_item(state, item.id, reservations=(*item.reservations, reservation))


def _stated(state: Sitting, step: steps.Stated) -> Sitting:
    item = _about(state, step.item_id)
    require_present(state, step.person_id, "cannot have a statement in the minutes")
    statement = Said(person_id=step.person_id, text=step.text)
    return with_item(state, item.id, statements=(*item.statements, statement))


def _noted(state: Sitting, step: steps.Noted) -> Sitting:
    return with_item(state, _about(state, step.item_id).id, note=step.text)


def _adjusted_at_once(state: Sitting, step: steps.AdjustedAtOnce) -> Sitting:
    item = _about(state, step.item_id)
    if item.decision is None:
        raise Refused("the item is not decided", hint="decide it first", says=says("sitting.not_decided"))
    if item.decision.adjusted_at_once:
        raise Refused("the item is to be adjusted at once already", hint="go on with the item")
    return with_item(state, item.id, decision=item.decision.model_copy(update={"adjusted_at_once": True}))


def _up(state: Sitting) -> SittingItem:
    item = state.item_up
    if item is None:
        raise Refused("no item is up", hint="begin one first")
    return item


def _up_undecided(state: Sitting) -> SittingItem:
    item = _up(state)
    if item.decision is not None:
        raise Refused(
            "the item is decided", hint="correct that decision first, and say why", says=says("sitting.decided")
        )
    return item


def _about(state: Sitting, item_id: str | None) -> SittingItem:
    return _up(state) if item_id is None else state.item(item_id)


def _proposal(item: SittingItem, number: int, field: str) -> Proposal:
    for one in item.proposals:
        if one.number == number:
            return one
    raise InvalidInput(f"{field}: the item has no proposal {number}", hint=f"there are {len(item.proposals)}")


def _require_quorum(state: Sitting) -> None:
    if not state.has_quorum:
        there = len(state.deciding)
        raise Refused(
            f"there is no quorum: {there} of the {state.quorum} needed decide",
            hint="adjourn until more are there, or go on to what needs no decision",
            says=says("sitting.quorum"),
        )


STEPS: Mapping[type[Any], Callable[[Sitting, Any], Sitting]] = {
    steps.ItemBegun: _item_begun,
    steps.ItemEnded: _item_ended,
    steps.ConflictDeclared: _conflict_declared,
    steps.ProposalMade: _proposal_made,
    steps.ProposalsOrdered: _proposals_ordered,
    steps.VoteTaken: _vote_taken,
    steps.Decided: _decided,
    steps.Reserved: _reserved,
    steps.Stated: _stated,
    steps.Noted: _noted,
    steps.AdjustedAtOnce: _adjusted_at_once,
}
