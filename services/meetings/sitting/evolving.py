"""What each step makes of a sitting, and which steps cannot follow: `evolve` takes one. Pure.

`presence` folds who is there, `deciding` what becomes of the items; here the sitting itself is opened, paused, closed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.meetings.sitting import deciding, presence, steps
from services.meetings.sitting.changing import changed, moment_of
from services.meetings.sitting.sitting import Attendee, Pause, Sitting, SittingStatus
from services.meetings.sitting.steps import Step
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


def _opened(step: steps.Opened) -> Sitting:
    ids = [one.person_id for one in step.roll]
    if len(set(ids)) != len(ids):
        raise InvalidInput("roll: names someone twice")
    attendees = tuple(Attendee(**entry.model_dump()) for entry in step.roll)
    return Sitting(
        rule=step.rule,
        quorum=step.quorum,
        adjusters_wanted=step.adjusters,
        opened_at=moment_of(step),
        attendees=attendees,
    ).settled()


def _adjourned(state: Sitting, step: steps.Adjourned) -> Sitting:
    return changed(state, status=SittingStatus.ADJOURNED, pauses=(*state.pauses, Pause(begun=moment_of(step))))


def _resumed(state: Sitting, step: steps.Resumed) -> Sitting:
    if state.status is not SittingStatus.ADJOURNED:
        raise Refused("the sitting is not adjourned", hint="go on with it")
    last = state.pauses[-1]
    if moment_of(step) < last.begun:
        raise InvalidInput(f"at: is before the sitting was adjourned, {last.begun:%H:%M}", says=says("sitting.time"))
    return changed(
        state, status=SittingStatus.OPEN, pauses=(*state.pauses[:-1], last.model_copy(update={"ended": step.at}))
    )


def _closed(state: Sitting, step: steps.Closed) -> Sitting:
    if state.item_up is not None:
        raise Refused(f"{state.item_up.title} is still up", hint="end it first", says=says("sitting.still_up"))
    return changed(state, status=SittingStatus.CLOSED, closed_at=moment_of(step), speakers=())


def _withdrawn(state: Sitting, step: steps.Withdrawn) -> Sitting:
    raise InvalidInput("corrects: say which step is withdrawn")


_STEPS: Mapping[type[Any], Callable[[Sitting, Any], Sitting]] = {
    **presence.STEPS,
    **deciding.STEPS,
    steps.Adjourned: _adjourned,
    steps.Resumed: _resumed,
    steps.Closed: _closed,
    steps.Withdrawn: _withdrawn,
}
