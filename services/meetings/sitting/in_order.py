"""A step's time is not before what was recorded last of the room: an item taken up, decided or ended, a pause. Pure.

Whoever comes or goes is of the item that is up when it is recorded: a time before that belongs to another item, and to
another place among the steps. What was recorded without a time has that of the clock, and is never refused: clocks are
put back, too.
"""

from collections.abc import Iterator
from datetime import datetime

from services.meetings.sitting.sitting import Sitting
from services.meetings.sitting.steps import Step
from shared.errors import InvalidInput, says


def latest_of(state: Sitting) -> datetime:
    """The moment before which nothing can be recorded any more behind the last step. Local wall time."""
    return max(_moments(state))


def require_in_order(state: Sitting | None, step: Step) -> None:
    """`state`: before the step. Raises InvalidInput."""
    if state is None or step.at is None:
        return
    latest = latest_of(state)
    if step.at < latest:
        raise InvalidInput(
            f"at: {step.at:%H:%M} is before {latest:%H:%M}, when an item was taken up, decided or ended, or the sitting"
            " paused or went on",
            hint="record it behind the step after which it happened (`after`), with a reason",
            says=says("sitting.before"),
        )


def _moments(state: Sitting) -> Iterator[datetime]:
    yield state.opened_at
    for item in state.items:
        yield item.begun_at
        if item.ended_at is not None:
            yield item.ended_at
        if item.decision is not None:
            yield item.decision.at
    for pause in state.pauses:
        yield pause.begun
        if pause.ended is not None:
            yield pause.ended
