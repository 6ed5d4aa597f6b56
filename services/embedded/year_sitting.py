"""What is recorded of a sitting in a scenario: each by the command that the secretary's page gives."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from services.embedded import sitting_steps as steps
from services.embedded.assembly import AllInOne
from services.embedded.year_found import Found
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import Meeting
from services.meetings.sitting.commands import SaidEntry
from services.meetings.sitting.steps import GuestArrived
from shared.errors import Refused
from shared.ids import new_id

_BY = "office"


class SittingSteps:
    """Its methods are named in `actions` by the steps' names."""

    def __init__(self, system: AllInOne, found: Found) -> None:
        self._found = found
        self._organisation = found.organisation
        self._meetings: MeetingsCommands = system.services["meetings"].commands
        self.actions: Mapping[str, Callable[[Any], Awaitable[None]]] = {
            "open_sitting": self._open,
            "record": self._record,
        }

    async def _open(self, step: steps.OpenSitting) -> None:
        meeting = await self._found.meeting(step.meeting)
        present = None if step.present is None else [(await self._found.person(key)).id for key in step.present]
        await self._meetings.sittings.open(self._organisation, meeting.id, present, key=new_id(), by=_BY, at=step.at)

    async def _record(self, step: steps.Record) -> None:
        meeting = await self._found.meeting(step.meeting)
        entry = SaidEntry.model_validate(
            {
                "key": new_id(),
                "step": await self._with_ids(meeting, step),
                "corrects": step.corrects,
                "after": step.after,
                "reason": step.reason,
            }
        )
        await self._meetings.sittings.record(self._organisation, meeting.id, [entry], by=_BY)

    async def _with_ids(self, meeting: Meeting, step: steps.Record) -> dict[str, Any]:
        """What is recorded, with the ids of whom and what it names. Raises InvalidInput, Refused."""
        said = step.said.model_dump(exclude_none=True)
        if isinstance(step.said, GuestArrived):
            return said
        guests = await self._guests(meeting)
        if "item_id" in said:
            said["item_id"] = (await self._found.item(meeting, said["item_id"])).id
        if "person_id" in said:
            [said["person_id"]] = await self._ids([said["person_id"]], guests)
        for name in ("people", "present"):
            if name in said:
                said[name] = await self._ids(said[name], guests)
        for ballot in said.get("ballots", ()):
            [ballot["person_id"]] = await self._ids([ballot["person_id"]], guests)
        return said

    async def _guests(self, meeting: Meeting) -> set[str]:
        """Who was recorded without being of the body: their ids are what the scenario calls them."""
        state = (await self._meetings.sittings.scene(self._organisation, meeting.id)).state
        if state is None:
            raise Refused("the sitting has not been opened", hint="open it first")
        return {one.person_id for one in state.attendees if one.role is None}

    async def _ids(self, keys: Iterable[str], guests: set[str]) -> list[str]:
        return [key if key in guests else (await self._found.person(key)).id for key in keys]
