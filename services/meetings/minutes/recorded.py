"""What was recorded of a sitting, by the paragraphs of the minutes that are made of it, and told in sentences. Pure.

An item that was taken up is a paragraph, in the order in which they were begun. Who was there for it is who was when it
was decided, else when it ended: so a member who left and the substitute who took the place are never there at once.
Who only came and left between is told in the paragraph's text, to the minute, as all comings and goings are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from services.meetings.minutes.phrases import NOT_KNOWN, Phrases
from services.meetings.sitting import steps
from services.meetings.sitting.evolving import evolve
from services.meetings.sitting.sitting import Sitting

_TOLD_AT_ONCE = (steps.Adjourned, steps.Resumed, steps.ChairTaken)
"""Before the first item; who came by then was there for all."""


@dataclass(slots=True)
class Paragraph:
    """Of an item: how the sitting stood when it was decided or ended, and what happened meanwhile, in sentences."""

    then: Sitting
    seen: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    adjusters: tuple[str, ...] = ()
    presides: str | None = None  # who was told to, last


def followed(recorded: Iterable[steps.Step], words: Phrases) -> tuple[Sitting | None, dict[str, Paragraph]]:
    """The sitting as it ended, and the paragraphs by their items' ids. `recorded`: as `history.effective` has it."""
    state: Sitting | None = None
    paragraphs: dict[str, Paragraph] = {}
    early: list[str] = []  # what happened before the first item
    last: str | None = None
    for step in recorded:
        before, state = state, evolve(state, step)
        if isinstance(step, steps.ItemBegun):
            found = paragraphs.setdefault(step.item_id, Paragraph(state))
            found.told += early
            early, last = [], step.item_id
        if isinstance(step, steps.Resumed):  # told as one with its beginning
            begun = words.paused.format(begun=_clock(state.pauses[-1].begun))
            for told in (early, *(paragraph.told for paragraph in paragraphs.values())):
                told[:] = [one for one in told if one != begun]
        if last is None:
            if before is not None and isinstance(step, _TOLD_AT_ONCE):
                early += _told(before, state, step, words)
            if isinstance(step, steps.ChairTaken):
                early.append(words.presides.format(name=state.name(step.person_id)))
            continue
        paragraph = paragraphs[last]
        if before is not None:
            paragraph.told += _told(before, state, step, words)
            if _presides_anew(before, state, step) and state.presiding not in (None, paragraph.presides):
                paragraph.presides = state.presiding
                paragraph.told.append(words.presides.format(name=state.name(state.presiding or "")))
        if isinstance(step, steps.AdjustersChosen):
            paragraph.adjusters = step.people
        if state.up is not None:
            item = state.item(state.up)
            if item.decision is None or isinstance(step, steps.Decided):
                paragraphs[state.up].then = state
            paragraphs[state.up].seen |= {one.person_id for one in state.attendees if one.present}
    return state, paragraphs


def _told(before: Sitting, after: Sitting, step: steps.Step, words: Phrases) -> Iterator[str]:
    """What a step tells of who is there, in sentences."""
    match step:
        case steps.Arrived() | steps.GuestArrived():
            yield words.came.format(name=after.name(step.person_id), at=_clock(step.at))
        case steps.Departed():
            yield words.left.format(name=after.name(step.person_id), at=_clock(step.at))
        case steps.ConflictDeclared(why=str(why)):
            yield words.apart_because.format(name=after.name(step.person_id), why=why)
        case steps.ConflictDeclared():
            yield words.apart.format(name=after.name(step.person_id))
        case steps.Adjourned():
            yield words.paused.format(begun=_clock(step.at))
        case steps.Resumed():
            pause = after.pauses[-1]
            yield words.resumed.format(begun=_clock(pause.begun), ended=_clock(pause.ended))
    served = {(one.person_id, one.instead_of) for one in before.deciding} if not _ended(step) else None
    for one in after.deciding:
        if one.instead_of and served is not None and (one.person_id, one.instead_of) not in served:
            yield words.serves.format(name=after.name(one.person_id), member=after.name(one.instead_of))


def _presides_anew(before: Sitting, after: Sitting, step: steps.Step) -> bool:
    """Chosen for it, or since who did left, came or has a conflict of interest: whose vote decides a tie."""
    return isinstance(step, steps.ChairTaken) or (not _ended(step) and after.presiding != before.presiding)


def _ended(step: steps.Step) -> bool:
    """Whose places change by it since conflicts of interest end with their item: nothing new."""
    return isinstance(step, steps.ItemEnded | steps.ItemBegun)


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M}" if at else NOT_KNOWN
