"""What pages of a sitting have in common: its facts, whom a step is about, and what a posted form says of a step."""

import re
from collections.abc import Mapping
from typing import Any

from services.meetings.body.membership import MEMBERS
from services.meetings.sitting.commands import Scene
from services.meetings.sitting.history import Entry
from services.meetings.sitting.sitting import Sitting
from services.meetings.sitting.steps import How

PEOPLE = frozenset(
    {"arrived", "departed", "stood_down", "chair_taken", "conflict_declared", "speaker_listed", "speaker_heard"}
)


def facts_of(scene: Scene) -> dict[str, Any]:
    state = scene.state
    taken = {item.id: item for item in state.items} if state else {}
    return {
        "meeting": scene.meeting,
        "details": scene.meeting.details,
        "version": scene.version,
        "state": state,
        "up": state.item_up if state else None,
        "agenda": [(item, taken.get(item.id)) for item in scene.agenda],
        "serving": {one.person_id: one.instead_of for one in state.deciding} if state else {},
        "names": {one.person_id: one.name for one in state.attendees} if state else {},
        "present": [one for one in state.attendees if one.present] if state else [],
        "members": MEMBERS,
    }


def whom(scene: Scene, entry: Entry) -> str:
    """Whom, or what, a step is about."""
    said = entry.step.model_dump()
    names = {one.person_id: one.name for one in scene.state.attendees} if scene.state else {}
    titles = {item.id: item.title for item in scene.state.items} if scene.state else {}
    found = [
        names.get(said.get("person_id") or "") or said.get("name"),
        said.get("title") or titles.get(said.get("item_id") or ""),
        ", ".join(names.get(one, one) for one in said.get("people") or said.get("present") or ()),
        said.get("text"),
    ]
    return ": ".join(one for one in found if one)


def texts_of(state: Sitting, said: Mapping[str, str], do: str, key: str) -> dict[str, Any]:
    """What the form says of a step beside when it was. `key`: of the form, of which a guest's id is made."""
    text = said.get("text", "").replace("\r\n", "\n")
    about = {"item_id": said.get("item") or None}
    if do in PEOPLE:
        why = {"why": said.get("why", "").strip() or None} if do == "conflict_declared" else {}
        return {"person_id": said.get("person", ""), **why}
    match do:
        case "guest_arrived":
            what = said.get("what", "").strip()
            return {"person_id": f"guest-{key}", "name": said.get("name", ""), "what": what or None}
        case "item_begun" | "adjusted_at_once":
            return about
        case "proposal_made":
            return {"text": text, "person_id": said.get("person") or None}
        case "proposals_ordered":
            return {"order": re.findall(r"\d+", said.get("order", ""))[:50]}
        case "vote_taken":
            ballots = [
                {"person_id": one.person_id, "choice": said[f"ballot-{one.person_id}"]}
                for one in state.deciding
                if said.get(f"ballot-{one.person_id}")
            ]
            tie = {name: said.get(name) or None for name in ("casting", "lot")}
            return {"yes": said.get("yes"), "no": said.get("no"), "ballots": ballots, **tie}
        case "decided":
            votes = state.item_up.votes if state.item_up else ()
            how = {"how": How.VOTE, "proposal": votes[-1].result} if votes else {"how": How.ACCLAMATION}
            return {"text": text, **how}
        case "reserved" | "stated":
            return {"person_id": said.get("person", ""), "text": text, **about}
        case "noted":
            return {"text": text}
    return {}
