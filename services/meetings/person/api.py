"""The HTTP API of people: thin; the rules are in `person`, the work in `commands`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from services.meetings.body.api import LastDay, Version
from services.meetings.body.body import Body
from services.meetings.body.commands import BodyCommands
from services.meetings.body.membership import Membership
from services.meetings.callers import Reader, Secretary
from services.meetings.person.commands import PersonCommands
from services.meetings.person.person import Person, PersonDetails
from services.meetings.person.store import sort_key
from shared.errors import InvalidInput
from shared.http import CREATED
from shared.idempotency import Once
from shared.routes import LazyRoute
from shared.web import path_for


class NewPerson(BaseModel):
    """`key`: made from the name when left out."""

    model_config = ConfigDict(extra="forbid")

    key: str | None = None
    details: PersonDetails


class PersonPlace(BaseModel):
    membership: Membership
    body: Body


class PersonCareer(BaseModel):
    """A person, and every place they have, had or will have, the latest first."""

    person: Person
    places: list[PersonPlace]


class PeoplePage(BaseModel):
    """`next`: pass it as `after` for the following page; absent on the last."""

    people: list[Person]
    next: str | None = None


class Left(BaseModel):
    """How many places ended."""

    ended: int


def router(commands: PersonCommands, bodies: BodyCommands) -> APIRouter:
    routes = APIRouter(tags=["people"], route_class=LazyRoute)

    @routes.post("/people", status_code=201, response_model=Person, responses=CREATED)
    async def register_person(new: NewPerson, request: Request, once: Once, caller: Secretary) -> Response:
        """Register a person, once, however many bodies they will sit in."""
        return await once.answer(
            caller,
            commands.register(caller.organisation, new.details, new.key),
            status=201,
            location=lambda person: path_for(request, "get_person", person_id=person.id),
        )

    @routes.get("/people")
    async def list_people(
        caller: Reader,
        after: Annotated[str | None, Query(max_length=1000)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> PeoplePage:
        """People, by the last word of their name, in the Swedish alphabet."""
        found = await commands.people(caller.organisation, cursor_after(after), limit)
        return PeoplePage(people=found, next=cursor_of(found[-1]) if len(found) == limit else None)

    @routes.get("/people/{person_id}")
    async def get_person(person_id: str, caller: Reader) -> PersonCareer:
        """A person and their places."""
        found = await commands.career(caller.organisation, person_id)
        places = [PersonPlace(membership=place.membership, body=place.body) for place in found.places]
        return PersonCareer(person=found.person, places=places)

    @routes.put("/people/{person_id}")
    async def change_person(
        person_id: str, details: PersonDetails, caller: Secretary, version: Version = None
    ) -> Person:
        """Give the person's whole new details. What minutes and meetings say of them stays as it was."""
        return await commands.change(caller.organisation, person_id, details, version=version)

    @routes.post("/people/{person_id}/leave", response_model=Left)
    async def leave(person_id: str, day: LastDay, once: Once, caller: Secretary) -> Response:
        """End whatever the person holds, in every body. What minutes say of them stays."""
        leaving = bodies.leave(caller.organisation, person_id, day.on)
        return await once.answer(caller, leaving, lambda ended: Left(ended=ended))

    @routes.post("/people/{person_id}/end-links", response_model=Person)
    async def end_links(person_id: str, once: Once, caller: Secretary) -> Response:
        """End the links that open the person's own page: the next mail to them has a new one."""
        return await once.answer(caller, commands.end_links(caller.organisation, person_id))

    return routes


def cursor_of(person: Person) -> str:
    """For the page of people behind this one."""
    return f"{person.id}~{sort_key(person.details.name)}"


def cursor_after(after: str | None) -> tuple[str, str] | None:
    """The (sort key, id) of the last one seen. Raises InvalidInput."""
    if after is None:
        return None
    person_id, separator, name = after.partition("~")
    if not separator or "\0" in after:
        raise InvalidInput("after: pass the `next` of the page before")
    return name, person_id
