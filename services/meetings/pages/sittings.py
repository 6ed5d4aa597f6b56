"""The pages of a sitting: the secretary's, what was recorded, and one that shows the room where one is.

Each form bears a key that was made when the page was: sent again, on a bad connection, it is recorded once.
"""

import re
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from services.meetings.body.membership import MEMBERS
from services.meetings.pages.office import READER, SECRETARY, OfficePages, get, post, version_of
from services.meetings.sitting.commands import SaidEntry, Scene, is_key
from services.meetings.sitting.history import Entry, effective
from services.meetings.sitting.sitting import Sitting, SittingStatus
from services.meetings.sitting.steps import Choice, How
from shared.auth import Principal
from shared.errors import InvalidInput, JusteraError, NotFound, Refused, says
from shared.ids import new_id
from shared.web import path_for
from shared.web.live import followed

_PEOPLE = frozenset(
    {"arrived", "departed", "stood_down", "chair_taken", "conflict_declared", "speaker_listed", "speaker_heard"}
)


class SittingPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings/{meeting_id}/sitting", self.office_sitting)
        post(router, "/office/meetings/{meeting_id}/sitting/open", self.office_sitting_open)
        post(router, "/office/meetings/{meeting_id}/sitting/say", self.office_sitting_say)
        get(router, "/office/meetings/{meeting_id}/sitting/steps", self.office_sitting_steps)
        post(router, "/office/meetings/{meeting_id}/sitting/correct", self.office_sitting_correct)
        get(router, "/office/meetings/{meeting_id}/sitting/room", self.office_sitting_room)

    async def office_sitting(self, request: Request, meeting_id: str, principal: Principal = READER) -> Response:
        return await self._sitting(request, principal, meeting_id)

    async def office_sitting_open(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        form = await request.form()
        present = [one for one in form.getlist("present") if isinstance(one, str)]
        key = str(form.get("key", ""))[:60]
        try:
            await self._commands.sittings.open(
                principal.organisation, meeting_id, present, key=key if is_key(key) else new_id(), by=principal.name
            )
        except (Refused, InvalidInput, NotFound) as error:
            return await self._sitting(request, principal, meeting_id, why=_why(error))
        return _to(request, "office_sitting", meeting_id)

    async def office_sitting_say(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        said = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        listed = [one for one in (await request.form()).getlist("adjuster") if isinstance(one, str)]
        scene = await self._commands.sittings.scene(principal.organisation, meeting_id)
        try:
            entries = _entries(scene, said, listed)
            await self._commands.sittings.record(
                principal.organisation, meeting_id, entries, by=principal.name, seen=version_of(said.get("version", ""))
            )
        except ValidationError:
            return await self._sitting(request, principal, meeting_id, why="form", said=said)
        except (Refused, InvalidInput, NotFound) as error:
            return await self._sitting(request, principal, meeting_id, why=_why(error), said=said)
        return _to(request, "office_sitting", meeting_id)

    async def office_sitting_steps(self, request: Request, meeting_id: str, principal: Principal = READER) -> Response:
        return await self._steps(request, principal, meeting_id)

    async def office_sitting_correct(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        """Take a step back: it stands, struck, with why."""
        said = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        try:
            entry = SaidEntry.model_validate(
                {
                    "key": said.get("key", ""),
                    "step": {"do": "withdrawn"},
                    "corrects": said.get("step"),
                    "reason": said.get("reason", "").strip() or None,
                }
            )
            await self._commands.sittings.record(principal.organisation, meeting_id, [entry], by=principal.name)
        except ValidationError:
            return await self._steps(request, principal, meeting_id, why="form", said=said)
        except (Refused, InvalidInput) as error:
            return await self._steps(request, principal, meeting_id, why=_why(error), said=said)
        return _to(request, "office_sitting_steps", meeting_id)

    async def office_sitting_room(self, request: Request, meeting_id: str, principal: Principal = READER) -> Response:
        scene = await self._commands.sittings.scene(principal.organisation, meeting_id)
        page = self._page(
            request, "office/sitting_room.html", principal, shown_at=self._clock.now(), **_facts(scene), why=""
        )
        return followed(request, page)

    async def _sitting(
        self,
        request: Request,
        principal: Principal,
        meeting_id: str,
        *,
        why: str = "",
        said: Mapping[str, str] | None = None,
    ) -> Response:
        """`why`: it was refused; what was `said` stays in its form."""
        scene = await self._commands.sittings.scene(principal.organisation, meeting_id)
        facts = _facts(scene)
        if scene.state is None:
            roll, coming = await self._commands.sittings.expected(principal.organisation, meeting_id)
            facts |= {"roll": roll, "coming": coming}
        return self._page(
            request,
            "office/sitting.html" if scene.state else "office/sitting_opening.html",
            principal,
            refused=bool(why),
            why=why,
            said=said or {},
            key=new_id(),
            choices=tuple(Choice),
            **facts,
        )

    async def _steps(
        self,
        request: Request,
        principal: Principal,
        meeting_id: str,
        *,
        why: str = "",
        said: Mapping[str, str] | None = None,
    ) -> Response:
        scene = await self._commands.sittings.scene(principal.organisation, meeting_id)
        entries = await self._commands.sittings.steps(principal.organisation, meeting_id)
        return self._page(
            request,
            "office/sitting_steps.html",
            principal,
            refused=bool(why),
            why=why,
            said=said or {},
            key=new_id(),
            entries=[(entry, _whom(scene, entry)) for entry in reversed(entries)],
            standing=_standing(entries),
            **_facts(scene),
        )


def _facts(scene: Scene) -> dict[str, Any]:
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


def _standing(entries: list[Entry]) -> dict[int, int]:
    """Of the entries that hold, the place of each, by number."""
    latest: dict[int, int] = {}
    place_of: dict[int, int] = {}
    for entry in entries:
        place = entry.number if entry.corrects is None else place_of[entry.corrects]
        place_of[entry.number] = place
        latest[place] = entry.number
    holds = {place for place, _ in effective(entries)}
    return {number: place for place, number in latest.items() if place in holds}


def _whom(scene: Scene, entry: Entry) -> str:
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


def _entries(scene: Scene, said: Mapping[str, str], adjusters: list[str]) -> list[SaidEntry]:
    """Of a posted form. Raises ValidationError, InvalidInput, Refused."""
    state = scene.state
    if state is None:
        raise Refused("the sitting has not been opened", hint="open it first")
    do, key = said.get("do", ""), said.get("key", "")[:80]
    step: dict[str, Any] = {"do": do}
    if do in _PEOPLE:
        step["person_id"] = said.get("person", "")
    if do in ("arrived", "departed") and said.get("at"):
        step["at"] = _time(state, said["at"])
    step |= _texts(state, said, do, key, adjusters)
    entries = [SaidEntry.model_validate({"key": key, "step": step})]
    if do in ("item_begun", "closed") and state.up is not None and state.status is SittingStatus.OPEN:
        entries.insert(0, SaidEntry.model_validate({"key": f"{key}/ended", "step": {"do": "item_ended"}}))
    return entries


def _texts(state: Sitting, said: Mapping[str, str], do: str, key: str, adjusters: list[str]) -> dict[str, Any]:
    text = said.get("text", "").replace("\r\n", "\n")
    about = {"item_id": said.get("item") or None}
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
        case "adjusters_chosen":
            return {"people": adjusters}
    return {}


def _time(state: Sitting, text: str) -> datetime:
    """Of the sitting's day; past midnight, of the next. Raises InvalidInput."""
    try:
        found = datetime.combine(state.opened_at.date(), time.fromisoformat(text))
    except ValueError as error:
        raise InvalidInput("at: is no time", hint="write it as 13:05", says=says("sitting.time")) from error
    return found.replace(tzinfo=None)


def _why(error: JusteraError) -> str:
    """The last part of the text key: by what the refusal says to pages."""
    key = error.says.key if error.says else ""
    return key.removeprefix("sitting.") if key.startswith("sitting.") else "other"


def _to(request: Request, name: str, meeting_id: str) -> Response:
    return Response(status_code=303, headers={"location": path_for(request, name, meeting_id=meeting_id)})
