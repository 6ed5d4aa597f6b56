"""A step's time is not before what was recorded last of the room: an item taken up, decided or ended, a pause; nor,
where it is put in or corrected, after what follows it of that. Pure.

Whoever comes or goes is of the item that is up when it is recorded: a time before that belongs to another item, and to
another place among the steps. What was recorded without a time has that of the clock, and is never refused: clocks are
put back, too. Which of two times came first that are both in the hour that comes twice, nobody can say.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from services.meetings.sitting.sitting import Sitting
from services.meetings.sitting.steps import (
    Adjourned,
    Closed,
    Decided,
    ItemBegun,
    ItemEnded,
    Opened,
    Resumed,
    Step,
)
from services.meetings.wall_time import comes_twice
from shared.errors import InvalidInput, Refused, says

_OF_THE_ROOM = (Opened, ItemBegun, ItemEnded, Decided, Adjourned, Resumed, Closed)


def latest_of(state: Sitting) -> datetime:
    """The moment before which nothing can be recorded any more behind the last step. Local wall time."""
    return max(_moments(state))


def require_in_order(state: Sitting | None, step: Step, zone: str) -> None:
    """`state`: before the step. `zone`: the meeting's. Raises InvalidInput."""
    if state is None or step.at is None:
        return
    latest = latest_of(state)
    if _is_before(step.at, latest, zone):
        raise InvalidInput(
            f"at: {step.at:%H:%M} is before {latest:%H:%M}, when an item was taken up, decided or ended, or the sitting"
            " paused or went on",
            hint="record it behind the step after which it happened (`after`), with a reason",
            says=says("sitting.before"),
        )


def require_before_next(behind: Sequence[tuple[int, Step]], step: Step, zone: str) -> None:
    """`behind`: what holds behind the step, each with its number. `zone`: the meeting's. Raises Refused that names the
    one it would follow."""
    if step.at is None or step.do == "withdrawn":
        return
    for number, later in behind:
        of_the_room = isinstance(step, _OF_THE_ROOM) or isinstance(later, _OF_THE_ROOM)
        if of_the_room and later.at is not None and _is_before(later.at, step.at, zone):
            raise Refused(
                f"at: {step.at:%H:%M} is after {later.at:%H:%M}, the time of step {number} ({later.do}), which follows",
                hint=f"say a time until {later.at:%H:%M}, put it behind a later step (`after`), or correct step"
                f" {number} at the same time",
                says=says("sitting.later", number=number, why="later"),
            )


def _is_before(one: datetime, other: datetime, zone: str) -> bool:
    return one < other and not (comes_twice(one, zone) and comes_twice(other, zone))


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
