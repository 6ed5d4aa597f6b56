"""The pages of a sitting: the secretary's, what was recorded, and one that shows the room where one is.

Each form bears a key that was made when the page was: sent again, on a bad connection, it is recorded once.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from services.meetings.commands import MeetingsCommands
from services.meetings.pages.office import READER, SECRETARY, OfficePages, get, post, version_of
from services.meetings.pages.room import RoomPages
from services.meetings.pages.sitting_said import facts_of, texts_of, whom
from services.meetings.sitting.commands import SaidEntry, Scene, is_key
from services.meetings.sitting.correcting import clock_time
from services.meetings.sitting.history import Entry, effective, why_of
from services.meetings.sitting.in_order import latest_of
from services.meetings.sitting.sitting import Sitting, SittingStatus
from services.meetings.sitting.steps import Choice
from services.meetings.sitting.turns import whose_turn
from shared.auth import Access, Principal
from shared.clock import Clock
from shared.errors import InvalidInput, NotFound, Refused
from shared.ids import new_id
from shared.web import Look, path_for

_LONGEST_KEY = 94  # of a form: what ends the item before has it, too, and "/ended"


class SittingPages(OfficePages):
    """`room`: the page that shows a sitting in the room."""

    def __init__(
        self, look: Look, access: Access, commands: MeetingsCommands, clock: Clock, *, room: RoomPages
    ) -> None:
        super().__init__(look, access, commands, clock)
        self._room = room

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
            scene = await self._commands.sittings.scene(principal.organisation, meeting_id)
            await self._commands.sittings.open(
                principal.organisation,
                meeting_id,
                present,
                key=key if is_key(key) else new_id(),
                by=principal.name,
                at=_pressed(scene, str(form.get("ago", "")), self._clock.now()),
            )
        except (Refused, InvalidInput, NotFound) as error:
            return await self._sitting(request, principal, meeting_id, why=why_of(error))
        return _to(request, "office_sitting", meeting_id)

    async def office_sitting_say(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        said = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        listed = [one for one in (await request.form()).getlist("adjuster") if isinstance(one, str)]
        scene = await self._commands.sittings.scene(principal.organisation, meeting_id)
        try:
            entries = _entries(scene, said, listed, self._clock.now())
            await self._commands.sittings.record(
                principal.organisation, meeting_id, entries, by=principal.name, seen=version_of(said.get("version", ""))
            )
        except ValidationError:
            return await self._sitting(request, principal, meeting_id, why="form", said=said)
        except (Refused, InvalidInput, NotFound) as error:
            return await self._sitting(request, principal, meeting_id, why=why_of(error), said=said)
        return _to(request, "office_sitting", meeting_id)

    async def office_sitting_steps(
        self, request: Request, meeting_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        done = done if done == "step-corrected" else ""
        return await self._steps(request, principal, meeting_id, done=done)

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
            return await self._steps(request, principal, meeting_id, why=why_of(error), said=said)
        return _to(request, "office_sitting_steps", meeting_id)

    async def office_sitting_room(self, request: Request, meeting_id: str, principal: Principal = READER) -> Response:
        """The page that the room sees has an address of its own, which is opened without login."""
        await self._commands.sittings.scene(principal.organisation, meeting_id)
        return Response(
            status_code=303, headers={"location": self._room.path(request, principal.organisation, meeting_id)}
        )

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
        facts = facts_of(scene)
        if scene.state is None:
            roll, coming = await self._commands.sittings.expected(principal.organisation, meeting_id)
            facts |= {"roll": roll, "coming": coming}
        else:
            facts |= await self._turns(principal.organisation, meeting_id, scene.state)
        return self._page(
            request,
            "office/sitting.html" if scene.state else "office/sitting_opening.html",
            principal,
            refused=bool(why),
            why=why,
            said=said or {},
            key=new_id(),
            choices=tuple(Choice),
            room=self._room.path(request, principal.organisation, meeting_id),
            **facts,
        )

    async def _turns(self, organisation: str, meeting_id: str, state: Sitting) -> dict[str, Any]:
        """Who approved the body's minutes when, and who is proposed while nobody is chosen."""
        adjusted = await self._commands.sittings.adjusted_before(organisation, meeting_id)
        candidates = [one.person_id for one in state.deciding if one.person_id != state.presiding]
        return {
            "adjusted": adjusted,
            "proposed": () if state.adjusters else whose_turn(state.adjusters_wanted, candidates, adjusted),
        }

    async def _steps(
        self,
        request: Request,
        principal: Principal,
        meeting_id: str,
        *,
        why: str = "",
        said: Mapping[str, str] | None = None,
        done: str = "",
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
            done=done,
            entries=[(entry, whom(scene, entry)) for entry in reversed(entries)],
            standing=_standing(entries),
            **facts_of(scene),
        )


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


def _entries(scene: Scene, said: Mapping[str, str], adjusters: list[str], now: datetime) -> list[SaidEntry]:
    """Of a posted form. `now`: UTC. Raises ValidationError, InvalidInput, Refused."""
    state = scene.state
    if state is None:
        raise Refused("the sitting has not been opened", hint="open it first")
    do, key = said.get("do", ""), said.get("key", "")[:_LONGEST_KEY]
    step: dict[str, Any] = {"do": do}
    if do in ("arrived", "departed") and said.get("at"):
        step["at"] = clock_time(state, said["at"])
    elif pressed := _pressed(scene, said.get("ago", ""), now):
        step["at"] = max(pressed, latest_of(state))
    step |= texts_of(state, said, do, key)
    if do == "adjusters_chosen":
        step["people"] = adjusters
    entries = [SaidEntry.model_validate({"key": key, "step": step})]
    is_another = do == "closed" or (do == "item_begun" and said.get("item") != state.up)  # else it is sent again
    if is_another and state.up is not None and state.status is SittingStatus.OPEN:
        ended = {"do": "item_ended", "at": step.get("at")}
        entries.insert(0, SaidEntry.model_validate({"key": f"{key}/ended", "step": ended}))
    return entries


def _pressed(scene: Scene, ago: str, now: datetime) -> datetime | None:
    """Of a step that waited for a connection: when it was pressed, in wall time where the meeting is."""
    waited = _waited(ago)
    if waited is None:
        return None
    # In UTC: where the clocks were changed meanwhile, wall times are an hour more or less apart.
    return (now - waited).astimezone(ZoneInfo(scene.meeting.details.timezone)).replace(tzinfo=None)


def _waited(ago: str) -> timedelta | None:
    """How long a step waited in the browser for a connection, of its seconds; None where it did not. By the browser's
    clock alone, which may be wrong, but runs as fast as ours."""
    if not re.fullmatch(r"[0-9]{1,7}", ago) or int(ago) == 0:
        return None
    return timedelta(seconds=int(ago))


def _to(request: Request, name: str, meeting_id: str) -> Response:
    return Response(status_code=303, headers={"location": path_for(request, name, meeting_id=meeting_id)})
