"""What people ask of people; each command is one transaction."""

from dataclasses import dataclass

from services.meetings.body.body import Body
from services.meetings.body.membership import Membership
from services.meetings.keys import clean_key, free_key
from services.meetings.person import person as rules
from services.meetings.person.person import Person, PersonDetails
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.clock import Clock
from shared.errors import Refused
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork


@dataclass(frozen=True, slots=True)
class Place:
    """A membership, and of what."""

    membership: Membership
    body: Body


@dataclass(frozen=True, slots=True)
class Career:
    """A person, and every place they have, had or will have, the latest first."""

    person: Person
    places: list[Place]


class PersonCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def register(self, organisation: str, details: PersonDetails, key: str | None = None) -> Person:
        """Without a key, the name makes one. Raises Refused for a key or address that another has, InvalidInput."""
        cleaned = rules.clean_details(details)

        async def work(transaction: MeetingsTransaction) -> Person:
            await transaction.lock_register(organisation)
            keys = await transaction.person_keys(organisation)
            chosen = clean_key(key) if key else free_key(cleaned.name, keys)
            if chosen in keys:
                raise Refused(
                    f"key: another person has {chosen}", hint="choose another key, or leave it out to be given one"
                )
            person, fact = rules.register(new_id(), chosen, cleaned)
            await _require_free_email(transaction, organisation, person)
            await transaction.save_people(organisation, [person])
            transaction.tell(organisation, person, fact, self._clock.now())
            return person

        return await self._unit_of_work.run(work)

    async def change(
        self, organisation: str, person_id: str, details: PersonDetails, *, version: int | None = None
    ) -> Person:
        """`version`: the one that the change was made from. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Person:
            await transaction.lock_register(organisation)
            found = await transaction.person(organisation, person_id)
            require_version(found.details.name, found.version, version)
            person, fact = rules.change(found, details)
            if fact is not None:
                await _require_free_email(transaction, organisation, person)
                await transaction.save_people(organisation, [person])
                transaction.tell(organisation, person, fact, self._clock.now())
            return person

        return await self._unit_of_work.run(work)

    async def end_links(self, organisation: str, person_id: str) -> Person:
        """What opened their own page opens it no more. Raises NotFound."""

        async def work(transaction: MeetingsTransaction) -> Person:
            await transaction.lock_register(organisation)
            person = rules.with_new_links(await transaction.person(organisation, person_id))
            await transaction.save_people(organisation, [person])
            return person

        return await self._unit_of_work.run(work)

    async def career(self, organisation: str, person_id: str) -> Career:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            person = await transaction.person(organisation, person_id)
            held = await transaction.memberships_of_person(organisation, person_id)
            bodies = {body.id: body for body in await transaction.bodies(organisation)}
        ordered = sorted(held, key=lambda one: (str(one.seat.begins or ""), one.id), reverse=True)
        return Career(person, [Place(one, bodies[one.body_id]) for one in ordered])

    async def with_key(self, organisation: str, key: str) -> Person | None:
        """Who has this short name in the register."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.person_with_key(organisation, key)

    async def people(self, organisation: str, after: tuple[str, str] | None, most: int) -> list[Person]:
        async with self._unit_of_work.begin() as transaction:
            return await transaction.people(organisation, after=after, most=most)


async def _require_free_email(transaction: MeetingsTransaction, organisation: str, person: Person) -> None:
    """A person is one person, and an address leads to one. Raises Refused."""
    if person.details.email is None:
        return
    other = await transaction.person_with_email(organisation, person.details.email)
    if other is not None and other.id != person.id:
        raise Refused(f"email: {other.details.name} has this address", hint="is it the same person?")
