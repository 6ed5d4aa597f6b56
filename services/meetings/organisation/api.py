"""The HTTP API of the register of organisations: thin; the rules are in `organisation`, the work in `commands`.

For operators of the installation's own organisation alone: it concerns the installation as a whole.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.organisation.commands import OrganisationCommands
from services.meetings.organisation.organisation import Organisation, OrganisationDetails
from shared.auth import Principal, Role, requires
from shared.http import CREATED
from shared.idempotency import Once
from shared.routes import LazyRoute
from shared.web import path_for

Version = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="the version that the change was made from: refused for another")
]


class NewOrganisation(BaseModel):
    """`id`: its short name, which tokens are made for and links bear. It can never be changed."""

    model_config = ConfigDict(extra="forbid")

    id: str
    details: OrganisationDetails


class Suspension(BaseModel):
    """`reason`: for whoever runs the installation. It stands in the organisation's own journal, too, where its
    operators and auditors read it once it is resumed; nobody else of it is told."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=4000)


class Erasure(BaseModel):
    """`confirm`: the short name once more."""

    model_config = ConfigDict(extra="forbid")

    confirm: str


class OwnOrganisation(BaseModel):
    """The installation's own, as its settings say. It is always active."""

    id: str
    name: str


class Organisations(BaseModel):
    own: OwnOrganisation
    organisations: list[Organisation]


def router(commands: OrganisationCommands, own: OwnOrganisation) -> APIRouter:
    routes = APIRouter(tags=["organisations"], route_class=LazyRoute)
    operator = requires(Role.OPERATOR, organisation=own.id)

    @routes.get("/organisations", dependencies=[operator])
    async def list_organisations() -> Organisations:
        """The organisations that this installation serves, by their short names."""
        return Organisations(own=own, organisations=list(await commands.organisations()))

    @routes.post("/organisations", status_code=201, response_model=Organisation, responses=CREATED)
    async def add_organisation(
        new: NewOrganisation, request: Request, once: Once, caller: Annotated[Principal, operator]
    ) -> Response:
        """Serve one more organisation. Its people come in by tokens that are made for its short name."""
        return await once.answer(
            caller,
            commands.add(new.id, new.details),
            status=201,
            location=lambda _: path_for(request, "list_organisations"),
        )

    @routes.put("/organisations/{organisation_id}", dependencies=[operator])
    async def change_organisation(
        organisation_id: str, details: OrganisationDetails, version: Version = None
    ) -> Organisation:
        """Give the organisation's whole new details."""
        return await commands.change(organisation_id, details, version=version)

    @routes.post("/organisations/{organisation_id}/suspend", response_model=Organisation)
    async def suspend_organisation(
        organisation_id: str, suspension: Suspension, once: Once, caller: Annotated[Principal, operator]
    ) -> Response:
        """Refuse its people and links; its mails and deadlines wait. Nothing is lost."""
        return await once.answer(caller, commands.suspend(organisation_id, suspension.reason))

    @routes.post("/organisations/{organisation_id}/resume", response_model=Organisation)
    async def resume_organisation(organisation_id: str, once: Once, caller: Annotated[Principal, operator]) -> Response:
        """Let it go on, with what waited."""
        return await once.answer(caller, commands.resume(organisation_id))

    @routes.post("/organisations/{organisation_id}/erase", response_model=Organisation)
    async def erase_organisation(
        organisation_id: str, erasure: Erasure, once: Once, caller: Annotated[Principal, operator]
    ) -> Response:
        """Erase all of it, in every service, for good; it has to be suspended. `GET /operations/erasures` of each
        service tells how far it is."""
        return await once.answer(caller, commands.erase(organisation_id, erasure.confirm))

    return routes
