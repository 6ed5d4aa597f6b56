"""What a step makes of who is there: who came and left, serves, presides, speaks, and approves the minutes. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.meetings.sitting import steps
from services.meetings.sitting.changing import (
    changed,
    moment_of,
    require_deciding,
    require_no_conflict,
    require_present,
    with_attendee,
)
from services.meetings.sitting.sitting import Attendee, Movement, Sitting
from services.meetings.sitting.steps import MOST_PEOPLE
from shared.errors import InvalidInput, Refused, says


def _roll_called(state: Sitting, step: steps.RollCalled) -> Sitting:
    if state.roll_called:
        raise Refused("the roll was called already", hint="record who came or left since, or correct the roll call")
    there = set(step.present)
    for person_id in there:
        state.attendee(person_id)
    came = Movement(at=moment_of(step), item_id=None, came=True)
    attendees = tuple(
        one.model_copy(update={"present": True, "movements": (*one.movements, came)})
        if one.person_id in there and not one.present
        else one
        for one in state.attendees
    )
    return changed(state, attendees=attendees, roll_called=True).settled()


def _arrived(state: Sitting, step: steps.Arrived) -> Sitting:
    if state.attendee(step.person_id).present:
        raise Refused(
            f"{state.name(step.person_id)} is there already",
            hint="choose somebody who is not there",
            says=says("sitting.there_already"),
        )
    return _moved(state, step.person_id, moment_of(step), came=True)


def _departed(state: Sitting, step: steps.Departed) -> Sitting:
    require_present(state, step.person_id, "cannot leave")
    moved = _moved(state, step.person_id, moment_of(step), came=False)
    speakers = tuple(one for one in moved.speakers if one != step.person_id)
    return changed(moved, speakers=speakers)


def _moved(state: Sitting, person_id: str, at: datetime, *, came: bool) -> Sitting:
    who = state.attendee(person_id)
    movement = Movement(at=at, item_id=state.up, came=came)
    if who.movements and at < who.movements[-1].at:
        raise InvalidInput(
            f"at: is before {who.name} {'left' if came else 'came'}, {who.movements[-1].at:%H:%M}",
            says=says("sitting.time"),
        )
    return with_attendee(state, person_id, present=came, movements=(*who.movements, movement)).settled()


def _guest_arrived(state: Sitting, step: steps.GuestArrived) -> Sitting:
    if any(one.person_id == step.person_id for one in state.attendees):
        raise Refused(f"{state.name(step.person_id)} is known already", hint="record that they came back")
    if len(state.attendees) >= MOST_PEOPLE:
        raise Refused(
            f"the sitting has {MOST_PEOPLE} people, and takes no more", hint="record only who has a part in the sitting"
        )
    came = Movement(at=moment_of(step), item_id=state.up, came=True)
    guest = Attendee(
        person_id=step.person_id, name=step.name, role=None, what=step.what, present=True, movements=(came,)
    )
    return changed(state, attendees=(*state.attendees, guest))


def _stood_down(state: Sitting, step: steps.StoodDown) -> Sitting:
    who = state.attendee(step.person_id)
    if who.role != "substitute":
        raise Refused(f"{who.name} is no substitute", hint="record that they left, or a conflict of interest")
    return with_attendee(state, step.person_id, stood_down=True).settled()


def _chair_taken(state: Sitting, step: steps.ChairTaken) -> Sitting:
    require_present(state, step.person_id, "cannot preside")
    require_deciding(state, step.person_id, "cannot preside")
    return changed(state, chosen_chair=step.person_id)


def _adjusters_chosen(state: Sitting, step: steps.AdjustersChosen) -> Sitting:
    wanted = state.adjusters_wanted
    if len(set(step.people)) != len(step.people) or len(step.people) != wanted:
        adjusters = "adjuster" if wanted == 1 else "adjusters"
        raise InvalidInput(
            f"people: the body wants {wanted} {adjusters}, and {len(step.people)} are named",
            says=says("sitting.adjusters"),
        )
    for person_id in step.people:
        require_deciding(state, person_id, "cannot approve the minutes")
        if person_id == state.presiding:
            raise Refused(
                f"{state.name(person_id)} presides, and approves the minutes as the chair",
                hint="choose somebody else",
                says=says("sitting.adjuster_presides"),
            )
    return changed(state, adjusters=step.people)


def _speaker_listed(state: Sitting, step: steps.SpeakerListed) -> Sitting:
    require_present(state, step.person_id, "cannot speak")
    if state.item_up is not None:
        require_no_conflict(state, state.item_up, step.person_id)
    if step.person_id in state.speakers:
        raise Refused(
            f"{state.name(step.person_id)} is on the list already",
            hint="choose somebody who is not",
            says=says("sitting.listed_already"),
        )
    return changed(state, speakers=(*state.speakers, step.person_id))


def _speaker_heard(state: Sitting, step: steps.SpeakerHeard) -> Sitting:
    if step.person_id not in state.speakers:
        raise Refused(f"{state.name(step.person_id)} is not on the list of speakers", hint="put them on it first")
    return changed(state, speakers=tuple(one for one in state.speakers if one != step.person_id))


STEPS: Mapping[type[Any], Callable[[Sitting, Any], Sitting]] = {
    steps.RollCalled: _roll_called,
    steps.Arrived: _arrived,
    steps.Departed: _departed,
    steps.GuestArrived: _guest_arrived,
    steps.StoodDown: _stood_down,
    steps.ChairTaken: _chair_taken,
    steps.SpeakerListed: _speaker_listed,
    steps.SpeakerHeard: _speaker_heard,
    steps.AdjustersChosen: _adjusters_chosen,
}
