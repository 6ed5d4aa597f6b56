"""What each step makes of a sitting, and which steps cannot follow: `evolve` takes one. Pure.

Kommunallagen (2017:725) has what a board keeps to here: a decision needs a quorum; who has a conflict of interest has
no part in the item; the chair decides a tie, and the lot that of an election; a reservation (4 chap. 27 §) is made
before the sitting is closed, by who took part in the decision.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.meetings.body.body import ItemKind
from services.meetings.sitting import steps
from services.meetings.sitting.sitting import (
    Attendee,
    Conflict,
    Decision,
    Movement,
    Pause,
    Proposal,
    Said,
    Sitting,
    SittingItem,
    SittingStatus,
    Vote,
)
from services.meetings.sitting.steps import MOST_PEOPLE, MOST_PROPOSALS, Choice, How, Step
from shared.errors import InvalidInput, Refused, says

_WHILE_ADJOURNED = (
    steps.Resumed,
    steps.Closed,
    steps.Arrived,
    steps.Departed,
    steps.GuestArrived,
    steps.StoodDown,
    steps.Noted,
    steps.Stated,
    steps.Reserved,
)


def evolve(state: Sitting | None, step: Step) -> Sitting:
    """The state after one more step. Raises Refused, InvalidInput, NotFound for one that cannot follow."""
    if isinstance(step, steps.Opened):
        if state is not None:
            raise Refused("the sitting has been opened already", hint="go on with it, or correct its roll call")
        return _opened(step)
    if state is None:
        raise Refused("the sitting has not been opened", hint="open it first")
    if step.at is not None and step.at < state.opened_at:
        raise InvalidInput(f"at: is before the sitting was opened, {state.opened_at:%H:%M}", says=says("sitting.time"))
    if state.status is SittingStatus.CLOSED:
        raise Refused(
            "the sitting is closed", hint="correct a step that was recorded, and say why", says=says("sitting.closed")
        )
    if state.status is SittingStatus.ADJOURNED and not isinstance(step, _WHILE_ADJOURNED):
        raise Refused("the sitting is adjourned", hint="resume it first", says=says("sitting.adjourned"))
    return _STEPS[type(step)](state, step)


def _at(step: Step) -> datetime:
    if step.at is None:
        raise InvalidInput("at: is missing", says=says("sitting.time"))
    return step.at


def _opened(step: steps.Opened) -> Sitting:
    ids = [one.person_id for one in step.roll]
    if len(set(ids)) != len(ids):
        raise InvalidInput("roll: names someone twice")
    attendees = tuple(Attendee(**entry.model_dump()) for entry in step.roll)
    return Sitting(
        rule=step.rule,
        quorum=step.quorum,
        adjusters_wanted=step.adjusters,
        opened_at=_at(step),
        attendees=attendees,
    ).settled()


def _roll_called(state: Sitting, step: steps.RollCalled) -> Sitting:
    if state.roll_called:
        raise Refused("the roll was called already", hint="record who came or left since, or correct the roll call")
    there = set(step.present)
    for person_id in there:
        state.attendee(person_id)
    came = Movement(at=_at(step), item_id=None, came=True)
    attendees = tuple(
        one.model_copy(update={"present": True, "movements": (*one.movements, came)})
        if one.person_id in there and not one.present
        else one
        for one in state.attendees
    )
    return _with(state, attendees=attendees, roll_called=True).settled()


def _arrived(state: Sitting, step: steps.Arrived) -> Sitting:
    if state.attendee(step.person_id).present:
        raise Refused(
            f"{state.name(step.person_id)} is there already",
            hint="choose somebody who is not there",
            says=says("sitting.there_already"),
        )
    return _moved(state, step.person_id, _at(step), came=True)


def _departed(state: Sitting, step: steps.Departed) -> Sitting:
    _require_present(state, step.person_id, "cannot leave")
    moved = _moved(state, step.person_id, _at(step), came=False)
    speakers = tuple(one for one in moved.speakers if one != step.person_id)
    return _with(moved, speakers=speakers)


def _moved(state: Sitting, person_id: str, at: datetime, *, came: bool) -> Sitting:
    who = state.attendee(person_id)
    movement = Movement(at=at, item_id=state.up, came=came)
    if who.movements and at < who.movements[-1].at:
        raise InvalidInput(
            f"at: is before {who.name} {'left' if came else 'came'}, {who.movements[-1].at:%H:%M}",
            says=says("sitting.time"),
        )
    return _with_attendee(state, person_id, present=came, movements=(*who.movements, movement)).settled()


def _guest_arrived(state: Sitting, step: steps.GuestArrived) -> Sitting:
    if any(one.person_id == step.person_id for one in state.attendees):
        raise Refused(f"{state.name(step.person_id)} is known already", hint="record that they came back")
    if len(state.attendees) >= MOST_PEOPLE:
        raise Refused(
            f"the sitting has {MOST_PEOPLE} people, and takes no more", hint="record only who has a part in the sitting"
        )
    came = Movement(at=_at(step), item_id=state.up, came=True)
    guest = Attendee(
        person_id=step.person_id, name=step.name, role=None, what=step.what, present=True, movements=(came,)
    )
    return _with(state, attendees=(*state.attendees, guest))


def _stood_down(state: Sitting, step: steps.StoodDown) -> Sitting:
    who = state.attendee(step.person_id)
    if who.role != "substitute":
        raise Refused(f"{who.name} is no substitute", hint="record that they left, or a conflict of interest")
    return _with_attendee(state, step.person_id, stood_down=True).settled()


def _chair_taken(state: Sitting, step: steps.ChairTaken) -> Sitting:
    _require_present(state, step.person_id, "cannot preside")
    _require_deciding(state, step.person_id, "cannot preside")
    return _with(state, chosen_chair=step.person_id)


def _item_begun(state: Sitting, step: steps.ItemBegun) -> Sitting:
    if not state.roll_called:
        raise Refused("the roll has not been called", hint="say who is there first")
    if state.item_up is not None:
        raise Refused(f"{state.item_up.title} is still up", hint="end it first", says=says("sitting.still_up"))
    begun = next((one for one in state.items if one.id == step.item_id), None)
    if begun is None:
        fresh = SittingItem(id=step.item_id, title=step.title, kind=step.kind, begun_at=_at(step))
        state = _with(state, items=(*state.items, fresh))
    now = _with(state, up=step.item_id)
    return _with_item(now, step.item_id, ended_at=None, deciding=now.deciding)


def _item_ended(state: Sitting, step: steps.ItemEnded) -> Sitting:
    item = _up(state)
    return _with(_with_item(state, item.id, ended_at=_at(step)), up=None, speakers=())


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
    now = _with(_with_item(state, item.id, conflicts=conflicts), speakers=speakers)
    return _with_item(now, item.id, deciding=now.deciding)


def _proposal_made(state: Sitting, step: steps.ProposalMade) -> Sitting:
    item = _up_undecided(state)
    if step.person_id is not None:
        _require_present(state, step.person_id, "cannot propose")
        _require_no_conflict(state, item, step.person_id)
    if len(item.proposals) >= MOST_PROPOSALS:
        raise Refused(
            f"the item has {MOST_PROPOSALS} proposals, and takes no more",
            hint="withdraw one of them, or decide on those that are there",
        )
    if item.votes:
        raise Refused("the proposals have been voted on", hint="record the decision, or correct the vote")
    made = Proposal(number=len(item.proposals) + 1, text=step.text, person_id=step.person_id)
    return _with_item(state, item.id, proposals=(*item.proposals, made), order=())


def _proposals_ordered(state: Sitting, step: steps.ProposalsOrdered) -> Sitting:
    item = _up_undecided(state)
    if sorted(step.order) != [one.number for one in item.proposals]:
        raise InvalidInput(
            "order: names each proposal of the item once",
            hint=f"there are {len(item.proposals)}",
            says=says("sitting.order"),
        )
    return _with_item(state, item.id, order=step.order)


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
    return _with_item(state, item.id, votes=(*item.votes, vote))


def _require_all_voted(state: Sitting, step: steps.VoteTaken) -> None:
    deciding = {one.person_id for one in state.deciding}
    said = Counter(ballot.person_id for ballot in step.ballots)
    for person_id, times in said.items():
        _require_deciding(state, person_id, "cannot vote")
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
    decision = Decision(text=step.text, proposal=step.proposal, how=step.how, at=_at(step), deciding=state.deciding)
    return _with_item(state, item.id, decision=decision)


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
    return _with_item(state, item.id, reservations=(*item.reservations, reservation))


def _stated(state: Sitting, step: steps.Stated) -> Sitting:
    item = _about(state, step.item_id)
    _require_present(state, step.person_id, "cannot have a statement in the minutes")
    statement = Said(person_id=step.person_id, text=step.text)
    return _with_item(state, item.id, statements=(*item.statements, statement))


def _noted(state: Sitting, step: steps.Noted) -> Sitting:
    return _with_item(state, _about(state, step.item_id).id, note=step.text)


def _speaker_listed(state: Sitting, step: steps.SpeakerListed) -> Sitting:
    _require_present(state, step.person_id, "cannot speak")
    if state.item_up is not None:
        _require_no_conflict(state, state.item_up, step.person_id)
    if step.person_id in state.speakers:
        raise Refused(
            f"{state.name(step.person_id)} is on the list already",
            hint="choose somebody who is not",
            says=says("sitting.listed_already"),
        )
    return _with(state, speakers=(*state.speakers, step.person_id))


def _speaker_heard(state: Sitting, step: steps.SpeakerHeard) -> Sitting:
    if step.person_id not in state.speakers:
        raise Refused(f"{state.name(step.person_id)} is not on the list of speakers", hint="put them on it first")
    return _with(state, speakers=tuple(one for one in state.speakers if one != step.person_id))


def _adjourned(state: Sitting, step: steps.Adjourned) -> Sitting:
    return _with(state, status=SittingStatus.ADJOURNED, pauses=(*state.pauses, Pause(begun=_at(step))))


def _resumed(state: Sitting, step: steps.Resumed) -> Sitting:
    if state.status is not SittingStatus.ADJOURNED:
        raise Refused("the sitting is not adjourned", hint="go on with it")
    last = state.pauses[-1]
    if _at(step) < last.begun:
        raise InvalidInput(f"at: is before the sitting was adjourned, {last.begun:%H:%M}", says=says("sitting.time"))
    return _with(
        state, status=SittingStatus.OPEN, pauses=(*state.pauses[:-1], last.model_copy(update={"ended": step.at}))
    )


def _adjusters_chosen(state: Sitting, step: steps.AdjustersChosen) -> Sitting:
    wanted = state.adjusters_wanted
    if len(set(step.people)) != len(step.people) or len(step.people) != wanted:
        adjusters = "adjuster" if wanted == 1 else "adjusters"
        raise InvalidInput(
            f"people: the body wants {wanted} {adjusters}, and {len(step.people)} are named",
            says=says("sitting.adjusters"),
        )
    for person_id in step.people:
        _require_deciding(state, person_id, "cannot approve the minutes")
        if person_id == state.presiding:
            raise Refused(
                f"{state.name(person_id)} presides, and approves the minutes as the chair",
                hint="choose somebody else",
                says=says("sitting.adjuster_presides"),
            )
    return _with(state, adjusters=step.people)


def _adjusted_at_once(state: Sitting, step: steps.AdjustedAtOnce) -> Sitting:
    item = _about(state, step.item_id)
    if item.decision is None:
        raise Refused("the item is not decided", hint="decide it first", says=says("sitting.not_decided"))
    if item.decision.adjusted_at_once:
        raise Refused("the item is to be adjusted at once already", hint="go on with the item")
    return _with_item(state, item.id, decision=item.decision.model_copy(update={"adjusted_at_once": True}))


def _closed(state: Sitting, step: steps.Closed) -> Sitting:
    if state.item_up is not None:
        raise Refused(f"{state.item_up.title} is still up", hint="end it first", says=says("sitting.still_up"))
    return _with(state, status=SittingStatus.CLOSED, closed_at=_at(step), speakers=())


def _withdrawn(state: Sitting, step: steps.Withdrawn) -> Sitting:
    raise InvalidInput("corrects: say which step is withdrawn")


_STEPS: Mapping[type[Any], Callable[[Sitting, Any], Sitting]] = {
    steps.RollCalled: _roll_called,
    steps.Arrived: _arrived,
    steps.Departed: _departed,
    steps.GuestArrived: _guest_arrived,
    steps.StoodDown: _stood_down,
    steps.ChairTaken: _chair_taken,
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
    steps.SpeakerListed: _speaker_listed,
    steps.SpeakerHeard: _speaker_heard,
    steps.Adjourned: _adjourned,
    steps.Resumed: _resumed,
    steps.AdjustersChosen: _adjusters_chosen,
    steps.AdjustedAtOnce: _adjusted_at_once,
    steps.Closed: _closed,
    steps.Withdrawn: _withdrawn,
}


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


def _require_present(state: Sitting, person_id: str, what: str) -> None:
    who = state.attendee(person_id)
    if not who.present:
        raise Refused(
            f"{who.name} {'has left' if who.ever_present else 'is not there'}, and {what}",
            hint="choose somebody who is there, or record that they came",
            says=says("sitting.not_there"),
        )


def _require_deciding(state: Sitting, person_id: str, what: str) -> None:
    _require_present(state, person_id, what)
    item = state.item_up
    if item is not None:
        _require_no_conflict(state, item, person_id)
    if all(one.person_id != person_id for one in state.deciding):
        raise Refused(
            f"{state.name(person_id)} serves in nobody's place, and {what}",
            hint="choose somebody who serves, or correct who is there",
            says=says("sitting.not_serving"),
        )


def _require_no_conflict(state: Sitting, item: SittingItem, person_id: str) -> None:
    if any(one.person_id == person_id for one in item.conflicts):
        raise Refused(
            f"{state.name(person_id)} has a conflict of interest, and no part in the item",
            hint="choose somebody else, or correct the conflict of interest",
            says=says("sitting.conflict"),
        )


def _with(state: Sitting, **changes: object) -> Sitting:
    return state.model_copy(update=changes)


def _with_attendee(state: Sitting, person_id: str, **changes: object) -> Sitting:
    attendees = tuple(one.model_copy(update=changes) if one.person_id == person_id else one for one in state.attendees)
    return _with(state, attendees=attendees)


def _with_item(state: Sitting, item_id: str, **changes: object) -> Sitting:
    return _with(
        state, items=tuple(one.model_copy(update=changes) if one.id == item_id else one for one in state.items)
    )
