"""A recorded step is corrected: what the sitting was at its place, and what a form about it says. Pure.

Steps that rest on each other are corrected together: those that were said before wait until all are right.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from services.meetings.sitting.evolving import evolve
from services.meetings.sitting.history import Entry, effective, places_of
from services.meetings.sitting.sitting import Sitting
from shared.errors import InvalidInput, JusteraError, NotFound, says

MOST_WAITING = 20


def place_of(entries: Sequence[Entry], number: int) -> int:
    """The step in whose place an entry stands: itself, where it corrects none. Raises NotFound."""
    places = places_of(entries)
    if number not in places:
        raise NotFound(f"there is no step {number}", hint="look at what was recorded")
    return places[number]


def standing_at(entries: Sequence[Entry], place: int) -> Entry:
    """The last one at a place. Raises NotFound when nothing holds there."""
    if place not in {one for one, _ in effective(entries)}:
        raise NotFound(f"nothing stands at step {place} any more", hint="look at what was recorded")
    return next(one for one in reversed(entries) if place_of(entries, one.number) == place)


def as_of(entries: Sequence[Entry], place: int, *, behind: bool) -> Sitting | None:
    """The sitting before, or with `behind` after, what holds at a place: as far as the steps until there hold."""
    state: Sitting | None = None
    for one, step in effective(entries):
        if one == place and not behind:
            break
        try:
            state = evolve(state, step)
        except JusteraError:
            break
        if one == place:
            break
    return state


def clock_time(state: Sitting, text: str, near: datetime | None = None) -> datetime:
    """A time of day as the moment of the sitting that it means: that nearest to `near`; else of the day on which it was
    opened, or, where that was after noon, a morning's hour of the next. Raises InvalidInput."""
    try:
        said = time.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise InvalidInput("at: is no time", hint="write it as 13:05", says=says("sitting.time")) from error
    if near is not None:
        days = [datetime.combine(near.date() + timedelta(days=n), said) for n in (-1, 0, 1)]
        return min(days, key=lambda one: abs(one - near))
    found = datetime.combine(state.opened_at.date(), said)
    return found + timedelta(days=1) if state.opened_at.time() >= time(12) > said else found
