"""What was recorded of a sitting, in the order in which it was; and what holds of it once mistakes are corrected. Pure.

Nothing that was recorded goes away. A step that corrects another takes its place, or leaves it empty (`Withdrawn`); one
that was forgotten is put behind another. What holds is folded anew then, and must hold as a whole.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.meetings.sitting.evolving import evolve
from services.meetings.sitting.sitting import Sitting
from services.meetings.sitting.steps import Opened, Step, Withdrawn
from shared.errors import InvalidInput, JusteraError, Refused, says

MOST_STEPS = 5000


class Entry(BaseModel):
    """A step as it was recorded, `number` counting from 1. `key`: of who sent it, so that what is sent twice is one.

    `corrects`: the step in whose place it stands; `after`: the one behind which it belongs. Either has a `reason`.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    key: str
    step: Step
    corrects: int | None = None
    after: int | None = None
    reason: str | None = None
    recorded_by: str = ""
    recorded_at: datetime | None = None


def effective(entries: Iterable[Entry]) -> list[tuple[int, Step]]:
    """What holds, in its order, by the number of the place: that of the step which was recorded there first."""
    order: list[int] = []
    holds: dict[int, Step | None] = {}
    place_of: dict[int, int] = {}
    for entry in entries:
        place = entry.number if entry.corrects is None else place_of[entry.corrects]
        place_of[entry.number] = place
        holds[place] = None if isinstance(entry.step, Withdrawn) else entry.step
        if entry.corrects is None:
            behind = len(order) if entry.after is None else order.index(place_of[entry.after]) + 1
            order.insert(behind, place)
    return [(place, step) for place in order if (step := holds[place]) is not None]


def replay(entries: Sequence[Entry]) -> Sitting | None:
    """The state after what holds. Raises Refused that names the step which cannot follow then."""
    state: Sitting | None = None
    for number, step in effective(entries):
        try:
            state = evolve(state, step)
        except JusteraError as error:
            raise Refused(
                f"step {number} would not hold then: {error.message}",
                hint="correct that step, too, at the same time",
                says=says("sitting.rests_on_it", number=number, why=why_of(error)),
            ) from error
    return state


def appended(before: Sequence[Entry], state: Sitting | None, fresh: Sequence[Entry]) -> Sitting:
    """The state after some more entries, all or none of them. Raises Refused, InvalidInput, NotFound."""
    require_room(len(before), fresh)
    known = {entry.number for entry in before}
    for entry in fresh:
        _require_fit(entry, known)
        known.add(entry.number)
    if any(entry.corrects or entry.after for entry in fresh):
        state = replay([*before, *fresh])
    else:
        for entry in fresh:
            state = evolve(state, entry.step)
    if state is None:
        raise Refused("the sitting has not been opened", hint="open it first")
    return state


def require_room(there: int, fresh: Sequence[Entry]) -> None:
    """Raises Refused."""
    if there + len(fresh) > MOST_STEPS:
        raise Refused(f"the sitting has {MOST_STEPS} steps, and takes no more", hint="end the sitting")


def _require_fit(entry: Entry, known: set[int]) -> None:
    if entry.corrects is not None and entry.after is not None:
        raise InvalidInput("after: a step that corrects another stands in its place")
    for field, number in (("corrects", entry.corrects), ("after", entry.after)):
        if number is not None and number not in known:
            raise InvalidInput(f"{field}: there is no step {number}")
    if entry.corrects == 1:
        raise Refused("how the sitting was opened cannot be corrected", hint="correct the roll call")
    if isinstance(entry.step, Withdrawn) and entry.corrects is None:
        raise InvalidInput("corrects: say which step is withdrawn")
    if isinstance(entry.step, Opened) and entry.number != 1:
        raise Refused("the sitting has been opened already", hint="go on with it, or correct its roll call")
    if (entry.corrects or entry.after) and not entry.reason:
        raise InvalidInput("reason: say why the step is corrected", says=says("sitting.reason"))


def why_of(error: JusteraError) -> str:
    """The last part of the key of the text by which pages say a refusal."""
    key = error.says.key if error.says else ""
    return key.removeprefix("sitting.") if key.startswith("sitting.") else "other"


def places_of(entries: Iterable[Entry]) -> dict[int, int]:
    """By its number, the step in whose place an entry stands: itself, where it corrects none."""
    places: dict[int, int] = {}
    for entry in entries:
        places[entry.number] = entry.number if entry.corrects is None else places[entry.corrects]
    return places


def keeps_its_time(entries: Sequence[Entry], entry: Entry) -> bool:
    """Whether it corrects a step at whose place its time stood before, whatever that is."""
    if entry.corrects is None:
        return False
    places = places_of(entries)
    return any(
        one.step.at == entry.step.at
        for one in entries
        if one.number < entry.number and places[one.number] == places[entry.number]
    )


def time_at(entries: Sequence[Entry], number: int | None) -> datetime | None:
    """Of what stands, or stood last, at the place of that entry; None where there is no such entry."""
    places = places_of(entries)
    said = [one.step for one in entries if places[one.number] == places.get(number or 0)]
    times = [step.at for step in said if step.at and not isinstance(step, Withdrawn)]
    return times[-1] if times else None


def behind(entries: Sequence[Entry], entry: Entry) -> list[tuple[int, Step]]:
    """What holds behind the place of that entry, in its order, each with its place."""
    place = places_of(entries)[entry.number]
    holds = effective(entries)
    at = next((n for n, (one, _) in enumerate(holds) if one == place), len(holds))
    return holds[at + 1 :]


def around(entries: Sequence[Entry], number: int) -> tuple[Sitting | None, Sitting | None]:
    """The sitting before and after the step that holds at the place of that entry; all of them hold."""
    places = places_of(entries)
    state: Sitting | None = None
    for place, step in effective(entries):
        before, state = state, evolve(state, step)
        if place == places[number]:
            return before, state
    return state, state
