"""The fact that a recorded step of a sitting makes. Pure."""

from typing import Any

from services.meetings.sitting import steps
from services.meetings.sitting.history import Entry
from services.meetings.sitting.sitting import Sitting, SittingItem
from shared.events import Event
from shared.events import sittings as events

_OF: dict[type[Any], type[Event]] = {
    steps.Opened: events.SittingOpened,
    steps.RollCalled: events.RollCalled,
    steps.Arrived: events.PersonArrived,
    steps.Departed: events.PersonDeparted,
    steps.GuestArrived: events.GuestArrived,
    steps.StoodDown: events.SubstituteStoodDown,
    steps.ChairTaken: events.ChairTaken,
    steps.ItemBegun: events.ItemBegun,
    steps.ItemEnded: events.ItemEnded,
    steps.ConflictDeclared: events.ConflictDeclared,
    steps.ProposalMade: events.ProposalMade,
    steps.ProposalsOrdered: events.ProposalsOrdered,
    steps.VoteTaken: events.VoteTaken,
    steps.Decided: events.ItemDecided,
    steps.Reserved: events.ReservationMade,
    steps.Stated: events.StatementMade,
    steps.Noted: events.ItemNoted,
    steps.SpeakerListed: events.SpeakerListed,
    steps.SpeakerHeard: events.SpeakerHeard,
    steps.Adjourned: events.SittingAdjourned,
    steps.Resumed: events.SittingResumed,
    steps.AdjustersChosen: events.AdjustersChosen,
    steps.AdjustedAtOnce: events.ItemAdjustedAtOnce,
    steps.Closed: events.SittingClosed,
    steps.Withdrawn: events.StepWithdrawn,
}


def fact_of(meeting_id: str, timezone: str, entry: Entry, before: Sitting | None, after: Sitting) -> Event:
    """`before`, `after`: the sitting around the step, at its place; `timezone`: of its times, an IANA name."""
    said = entry.step.model_dump(mode="json", exclude={"do", "at"})
    facts = {
        "meeting_id": meeting_id,
        "step": entry.number,
        "at": entry.step.at.isoformat(timespec="minutes") if entry.step.at else "",
        "corrects": entry.corrects,
        "after": entry.after,
        "reason": entry.reason,
    }
    up = after.up or (before.up if before else None)
    known = {"item_id": said.get("item_id") or up, "timezone": timezone, "serving": _serving(after)}
    item = next((one for one in after.items if one.id == known["item_id"]), None)
    kind = _OF[type(entry.step)]
    found = {**known, **said, **_of_item(entry.step, item, after), **facts}
    if said.get("item_id") is None:
        found["item_id"] = known["item_id"]
    return kind.model_validate({name: found[name] for name in kind.model_fields if name in found})


def _of_item(step: steps.Step, item: SittingItem | None, after: Sitting) -> dict[str, Any]:
    """What follows from the step, and nobody has said."""
    if item is None:
        return {}
    match step:
        case steps.ItemBegun():
            return {"title": item.title, "kind": item.kind.value, "has_quorum": after.has_quorum}
        case steps.ProposalMade():
            return {"number": len(item.proposals)}
        case steps.VoteTaken():
            return {"result": item.votes[-1].result, "by": item.votes[-1].by, "presiding": after.presiding}
    return {}


def _serving(state: Sitting) -> list[dict[str, Any]]:
    return [one.model_dump() for one in state.deciding]
