"""What the folds of steps share: the sitting with something changed, and who may have a part in it. Pure."""

from datetime import datetime

from services.meetings.sitting.sitting import Sitting, SittingItem
from services.meetings.sitting.steps import Step
from shared.errors import InvalidInput, Refused, says


def moment_of(step: Step) -> datetime:
    if step.at is None:
        raise InvalidInput("at: is missing", says=says("sitting.time"))
    return step.at


def require_present(state: Sitting, person_id: str, what: str) -> None:
    who = state.attendee(person_id)
    if not who.present:
        raise Refused(
            f"{who.name} {'has left' if who.ever_present else 'is not there'}, and {what}",
            hint="choose somebody who is there, or record that they came",
            says=says("sitting.not_there"),
        )


def require_deciding(state: Sitting, person_id: str, what: str) -> None:
    require_present(state, person_id, what)
    item = state.item_up
    if item is not None:
        require_no_conflict(state, item, person_id)
    if all(one.person_id != person_id for one in state.deciding):
        raise Refused(
            f"{state.name(person_id)} serves in nobody's place, and {what}",
            hint="choose somebody who serves, or correct who is there",
            says=says("sitting.not_serving"),
        )


def require_no_conflict(state: Sitting, item: SittingItem, person_id: str) -> None:
    if any(one.person_id == person_id for one in item.conflicts):
        raise Refused(
            f"{state.name(person_id)} has a conflict of interest, and no part in the item",
            hint="choose somebody else, or correct the conflict of interest",
            says=says("sitting.conflict"),
        )


def changed(state: Sitting, **changes: object) -> Sitting:
    return state.model_copy(update=changes)


def with_attendee(state: Sitting, person_id: str, **changes: object) -> Sitting:
    attendees = tuple(one.model_copy(update=changes) if one.person_id == person_id else one for one in state.attendees)
    return changed(state, attendees=attendees)


def with_item(state: Sitting, item_id: str, **changes: object) -> Sitting:
    return changed(
        state, items=tuple(one.model_copy(update=changes) if one.id == item_id else one for one in state.items)
    )
