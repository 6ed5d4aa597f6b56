"""The HTTP API of agendas: thin; the rules are in `agenda`, the work in `commands`."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.agenda.agenda import MOST_ITEMS, HowItLeft, Item, ItemDetails
from services.meetings.agenda.commands import Agenda, AgendaCommands
from services.meetings.callers import Reader, Secretary
from services.meetings.meeting.meeting import WhichBody
from shared.http import CREATED
from shared.idempotency import Once
from shared.routes import LazyRoute
from shared.web import path_for

Version = Annotated[int | None, Query(ge=1, description="the one that you looked at; refused when it is another")]


class MeetingAgenda(BaseModel):
    """`items` in order; `left`: those that were on it. `standing`: what it begins with when somebody writes on it."""

    meeting_id: str
    begun: bool
    items: list[Item]
    left: list[Item]
    standing: list[ItemDetails]
    notice_by: date | None = Field(
        description="the last day on which the notice goes out in time, by the body's rule; a workday"
    )

    @classmethod
    def of(cls, agenda: Agenda) -> "MeetingAgenda":
        return cls(
            meeting_id=agenda.meeting.id,
            begun=agenda.begun,
            items=agenda.items,
            left=agenda.left,
            standing=agenda.standing,
            notice_by=agenda.notice_by,
        )


class Items(BaseModel):
    items: list[Item]


class AgendaOrder(BaseModel):
    """`items`: the ids of all items of the agenda. `seen`: the order that you looked at; refused when it is another."""

    model_config = ConfigDict(extra="forbid")

    items: list[str] = Field(max_length=MOST_ITEMS)
    seen: list[str] | None = Field(None, max_length=MOST_ITEMS)


class ItemMove(BaseModel):
    """`how`: the last needs a reason. Without `to_meeting_id` the item waits for a meeting: until `back_on`, when it
    comes back by itself, at the meeting of that day or, where none is planned a month before, the first one after."""

    model_config = ConfigDict(extra="forbid")

    to_meeting_id: str | None = Field(None, max_length=200)
    how: HowItLeft = HowItLeft.MOVED
    reason: str | None = Field(None, max_length=4000)
    version: int | None = Field(None, ge=1)
    back_on: date | None = None


def router(commands: AgendaCommands) -> APIRouter:
    routes = APIRouter(tags=["agendas"], route_class=LazyRoute)

    @routes.get("/meetings/{meeting_id}/agenda")
    async def get_agenda(meeting_id: str, caller: Reader) -> MeetingAgenda:
        """The agenda of a meeting: its items in order, and those that left it."""
        return MeetingAgenda.of(await commands.agenda(caller.organisation, meeting_id))

    @routes.post("/meetings/{meeting_id}/agenda", response_model=MeetingAgenda)
    async def begin_agenda(meeting_id: str, once: Once, caller: Secretary) -> Response:
        """Put the standing items of the body on the agenda. Adding an item does it, too."""
        return await once.answer(caller, commands.begin(caller.organisation, meeting_id), MeetingAgenda.of)

    @routes.post("/meetings/{meeting_id}/agenda/items", status_code=201, response_model=Item, responses=CREATED)
    async def add_item(
        meeting_id: str, details: ItemDetails, request: Request, once: Once, caller: Secretary
    ) -> Response:
        """Add an item: last, but before what a meeting ends with, such as other matters."""
        return await once.answer(
            caller,
            commands.add(caller.organisation, meeting_id, details),
            status=201,
            location=lambda item: path_for(request, "get_item", item_id=item.id),
        )

    @routes.put("/meetings/{meeting_id}/agenda/order")
    async def order_agenda(meeting_id: str, order: AgendaOrder, caller: Secretary) -> MeetingAgenda:
        """Put the items of an agenda in another order."""
        return MeetingAgenda.of(await commands.order(caller.organisation, meeting_id, order.items, seen=order.seen))

    @routes.get("/agenda-items")
    async def list_waiting(
        caller: Reader, body: Annotated[str | None, Query(max_length=300, description="the body's name")] = None
    ) -> Items:
        """Items that were tabled or referred back, and are on no agenda since."""
        which = None if body is None else WhichBody(None, body)
        return Items(items=await commands.waiting(caller.organisation, which))

    @routes.get("/agenda-items/{item_id}")
    async def get_item(item_id: str, caller: Reader) -> Item:
        """One item as it stands, with the meetings that it left."""
        return await commands.item(caller.organisation, item_id)

    @routes.put("/agenda-items/{item_id}")
    async def change_item(item_id: str, details: ItemDetails, caller: Secretary, version: Version = None) -> Item:
        """Give the item's whole new details."""
        return await commands.change(caller.organisation, item_id, details, version=version)

    @routes.delete("/agenda-items/{item_id}", status_code=204)
    async def remove_item(item_id: str, caller: Secretary, version: Version = None) -> None:
        """Take an item away that never left a meeting."""
        await commands.remove(caller.organisation, item_id, version=version)

    @routes.post("/agenda-items/{item_id}/move", response_model=Item)
    async def move_item(item_id: str, move: ItemMove, once: Once, caller: Secretary) -> Response:
        """Move an item to another meeting, table it, or refer it back; where it was stays with it."""
        return await once.answer(
            caller,
            commands.move(
                caller.organisation,
                item_id,
                move.to_meeting_id,
                how=move.how,
                reason=move.reason,
                version=move.version,
                back_on=move.back_on,
            ),
        )

    return routes
