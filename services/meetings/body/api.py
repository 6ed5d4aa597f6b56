"""The HTTP API of bodies and memberships: thin; the rules are in `body` and `membership`, the work in `commands`."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from services.meetings.body.body import Body, BodyDetails
from services.meetings.body.commands import BodyCommands, Member
from services.meetings.body.membership import Membership, Seat
from services.meetings.callers import Reader, Secretary
from shared.http import CREATED
from shared.idempotency import Once
from shared.routes import LazyRoute
from shared.web import path_for

Version = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="the version that the change was made from: refused for another")
]


class NewBody(BaseModel):
    """`key`: made from the name when left out."""

    model_config = ConfigDict(extra="forbid")

    key: str | None = None
    details: BodyDetails


class LastDay(BaseModel):
    """`on`: the last day, by default today."""

    model_config = ConfigDict(extra="forbid")

    on: date | None = None


class BodyMember(BaseModel):
    """A membership with the name of the person as it is now."""

    membership: Membership
    name: str

    @classmethod
    def of(cls, member: Member) -> "BodyMember":
        return cls(membership=member.membership, name=member.person.details.name)


class BodySitting(BaseModel):
    """Who sits in the body on a day, by role; `quorum`: how many must be there for it to decide."""

    body: Body
    day: date
    quorum: int
    members: list[BodyMember]


class Bodies(BaseModel):
    bodies: list[Body]


class Memberships(BaseModel):
    memberships: list[BodyMember]


def router(commands: BodyCommands) -> APIRouter:
    routes = APIRouter(tags=["bodies"], route_class=LazyRoute)

    @routes.post("/bodies", status_code=201, response_model=Body, responses=CREATED)
    async def register_body(new: NewBody, request: Request, once: Once, caller: Secretary) -> Response:
        """Register a body: a board, its committee, the congress, a network."""
        return await once.answer(
            caller,
            commands.register(caller.organisation, new.details, new.key),
            status=201,
            location=lambda body: path_for(request, "get_body", body_id=body.id),
        )

    @routes.get("/bodies")
    async def list_bodies(caller: Reader) -> Bodies:
        """All bodies, by name, closed ones among them."""
        return Bodies(bodies=await commands.bodies(caller.organisation))

    @routes.get("/bodies/{body_id}")
    async def get_body(body_id: str, caller: Reader, on: date | None = None) -> BodySitting:
        """A body, and who sits in it on a day, by default today."""
        found = await commands.sitting(caller.organisation, body_id, on)
        members = [BodyMember.of(member) for member in found.members]
        return BodySitting(body=found.body, day=found.day, quorum=found.quorum, members=members)

    @routes.put("/bodies/{body_id}")
    async def change_body(body_id: str, details: BodyDetails, caller: Secretary, version: Version = None) -> Body:
        """Give the body's whole new details."""
        return await commands.change(caller.organisation, body_id, details, version=version)

    @routes.post("/bodies/{body_id}/close", response_model=Body)
    async def close_body(body_id: str, day: LastDay, once: Once, caller: Secretary) -> Response:
        """The body ceases, and its memberships end."""
        return await once.answer(caller, commands.close(caller.organisation, body_id, day.on))

    @routes.get("/bodies/{body_id}/memberships")
    async def list_memberships(body_id: str, caller: Reader) -> Memberships:
        """All memberships that the body ever had, the latest first."""
        found = await commands.memberships(caller.organisation, body_id)
        return Memberships(memberships=[BodyMember.of(member) for member in found])

    @routes.post("/bodies/{body_id}/memberships", status_code=201, response_model=Membership, responses=CREATED)
    async def begin_membership(body_id: str, seat: Seat, request: Request, once: Once, caller: Secretary) -> Response:
        """Give a person a place in the body."""
        return await once.answer(
            caller,
            commands.begin(caller.organisation, body_id, seat),
            status=201,
            location=lambda _: path_for(request, "list_memberships", body_id=body_id),
        )

    @routes.put("/bodies/{body_id}/memberships/{membership_id}")
    async def change_membership(body_id: str, membership_id: str, seat: Seat, caller: Secretary) -> Membership:
        """Give the membership's whole new role, order, term and basis."""
        return await commands.change_membership(caller.organisation, body_id, membership_id, seat)

    @routes.post("/bodies/{body_id}/memberships/{membership_id}/end", status_code=204)
    async def end_membership(body_id: str, membership_id: str, day: LastDay, once: Once, caller: Secretary) -> Response:
        """The place ends before its term does; one that has not begun by then never stands."""
        ending = commands.end(caller.organisation, body_id, membership_id, day.on)
        return await once.answer(caller, ending, status=204)

    return routes
