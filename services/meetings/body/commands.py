"""What people ask of bodies and of their memberships; each command is one transaction."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from services.meetings.body import body as rules
from services.meetings.body import membership as seats
from services.meetings.body.body import Body, BodyDetails
from services.meetings.body.membership import Membership, Seat
from services.meetings.keys import clean_key, free_key
from services.meetings.meeting.meeting import body_key
from services.meetings.notice.telling import follow_days
from services.meetings.person.person import Person
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.clock import Clock
from shared.errors import NotFound, Refused
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork

MOST_BODIES = 2000
"""In one organisation."""


@dataclass(frozen=True, slots=True)
class Member:
    """A membership, and whose it is."""

    membership: Membership
    person: Person


@dataclass(frozen=True, slots=True)
class Sitting:
    """A body on a day: who sits in it, and how many must be there for it to decide."""

    body: Body
    day: date
    members: list[Member]
    quorum: int


class BodyCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def register(self, organisation: str, details: BodyDetails, key: str | None = None) -> Body:
        """Without a key, its name makes one. Raises Refused for a key or name that another has, InvalidInput."""
        cleaned = rules.clean_details(details)

        async def work(transaction: MeetingsTransaction) -> Body:
            await transaction.lock_register(organisation)
            there = await transaction.bodies(organisation)
            chosen = clean_key(key) if key else free_key(cleaned.name, {one.key for one in there})
            if len(there) >= MOST_BODIES:
                raise Refused(f"there are {MOST_BODIES} bodies, and there may be no more", hint="use one that is there")
            if any(one.key == chosen for one in there):
                raise Refused(
                    f"key: another body has {chosen}", hint="choose another key, or leave it out to be given one"
                )
            _require_free_name(cleaned.name, there)
            body, fact = rules.register(new_id(), chosen, cleaned)
            await transaction.save_bodies(organisation, [body])
            await transaction.take_name(organisation, body, None)
            transaction.tell(organisation, body, fact, self._clock.now())
            transaction.follow_rules(organisation, body, None, self._clock.now())
            return body

        return await self._unit_of_work.run(work)

    async def change(
        self, organisation: str, body_id: str, details: BodyDetails, *, version: int | None = None
    ) -> Body:
        """`version`: the one that the change was made from. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Body:
            await transaction.lock_register(organisation)
            found = await transaction.body(organisation, body_id)
            require_version(found.details.name, found.version, version)
            body, fact = rules.change(found, details)
            if fact is not None:
                others = [one for one in await transaction.bodies(organisation) if one.id != body_id]
                _require_free_name(body.details.name, others)
                await transaction.save_bodies(organisation, [body])
                if body.details.name != found.details.name:
                    await transaction.take_name(organisation, body, found.details.name)
                transaction.tell(organisation, body, fact, self._clock.now())
                transaction.follow_rules(organisation, body, found, self._clock.now())
                await follow_days(transaction, organisation, [(found, body)], self._clock.now())
            return body

        return await self._unit_of_work.run(work)

    async def close(self, organisation: str, body_id: str, on: date | None = None) -> Body:
        """`on`, by default today, is its last day, and at the latest that of its members. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> Body:
            await transaction.lock_register(organisation)
            body = await transaction.body(organisation, body_id)
            body.require_open()
            last = on or self._today(body)
            body = await self._end_all(
                transaction, organisation, body, await transaction.memberships_of_body(organisation, body_id), last
            )
            body, fact = rules.close(body, last)
            await transaction.save_bodies(organisation, [body])
            transaction.tell(organisation, body, fact, self._clock.now())
            return body

        return await self._unit_of_work.run(work)

    async def begin(self, organisation: str, body_id: str, seat: Seat) -> Membership:
        """Raises NotFound for a body or a person that is not there, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Membership:
            await transaction.lock_register(organisation)
            body = await transaction.body(organisation, body_id)
            await transaction.person(organisation, seat.person_id)
            there = await transaction.memberships_of_body(organisation, body_id)
            body, membership, fact = seats.begin(body, there, new_id(), seat)
            await transaction.save_bodies(organisation, [body])
            await transaction.save_memberships(organisation, [membership])
            transaction.tell(organisation, body, fact, self._clock.now())
            return membership

        return await self._unit_of_work.run(work)

    async def change_membership(
        self, organisation: str, body_id: str, membership_id: str, seat: Seat, *, seen: str | None = None
    ) -> Membership:
        """`seen`: the mark of the place that the change was made from. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Membership:
            await transaction.lock_register(organisation)
            body = await transaction.body(organisation, body_id)
            there = await transaction.memberships_of_body(organisation, body_id)
            found = _find(there, membership_id)
            if seen is not None and seen != seats.mark_of(found.seat):
                raise Refused("the place was changed by someone else meanwhile", hint="look at it, and change that")
            body, membership, fact = seats.change(body, there, found, seat)
            if fact is not None:
                await transaction.save_bodies(organisation, [body])
                await transaction.save_memberships(organisation, [membership])
                transaction.tell(organisation, body, fact, self._clock.now())
            return membership

        return await self._unit_of_work.run(work)

    async def end(self, organisation: str, body_id: str, membership_id: str, on: date | None = None) -> None:
        """`on`, by default today, is its last day. Raises NotFound."""

        async def work(transaction: MeetingsTransaction) -> None:
            await transaction.lock_register(organisation)
            body = await transaction.body(organisation, body_id)
            there = await transaction.memberships_of_body(organisation, body_id)
            ended = _find(there, membership_id)
            await self._end_all(transaction, organisation, body, [ended], on or self._today(body))

        await self._unit_of_work.run(work)

    async def leave(self, organisation: str, person_id: str, on: date | None = None) -> int:
        """End whatever someone holds, in every body; how many places that were. Raises NotFound.

        `on`, by default today, is the last day. What minutes say of them stays: those are documents of their own.
        """

        async def work(transaction: MeetingsTransaction) -> int:
            await transaction.lock_register(organisation)
            await transaction.person(organisation, person_id)
            held = await transaction.memberships_of_person(organisation, person_id)
            ended = 0
            for body in await transaction.bodies(organisation):
                of_body = [one for one in held if one.body_id == body.id]
                after = await self._end_all(transaction, organisation, body, of_body, on or self._today(body))
                ended += after.version - body.version
            return ended

        return await self._unit_of_work.run(work)

    async def body(self, organisation: str, body_id: str) -> Body:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.body(organisation, body_id)

    async def bodies(self, organisation: str) -> list[Body]:
        """By name, closed ones among them."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.bodies(organisation)

    async def sitting(self, organisation: str, body_id: str, on: date | None = None) -> Sitting:
        """Who sits in the body that day, by default today; of a closed one, on its last. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            body = await transaction.body(organisation, body_id)
            memberships = await transaction.memberships_of_body(organisation, body_id)
            day = on or min(self._today(body), body.closed or date.max)
            there = seats.standing(memberships, day)
            people = await transaction.people_among(organisation, {one.seat.person_id for one in there})
        members = [Member(one, people[one.seat.person_id]) for one in there]
        return Sitting(body, day, members, seats.quorum(body.details.rules, memberships, day))

    async def memberships(self, organisation: str, body_id: str) -> list[Member]:
        """All that the body ever had, the latest first. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            await transaction.body(organisation, body_id)
            memberships = await transaction.memberships_of_body(organisation, body_id)
            people = await transaction.people_among(organisation, {one.seat.person_id for one in memberships})
        ordered = sorted(memberships, key=lambda one: (one.seat.begins or date.min, one.id), reverse=True)
        return [Member(one, people[one.seat.person_id]) for one in ordered]

    async def _end_all(
        self, transaction: MeetingsTransaction, organisation: str, body: Body, memberships: list[Membership], on: date
    ) -> Body:
        """The body, as many facts further as places ended; saved."""
        before, kept, gone = body, [], []
        for membership in memberships:
            body, ended, fact = seats.end(body, membership, on)
            if fact is None:
                continue
            transaction.tell(organisation, body, fact, self._clock.now())
            if ended is None:
                gone.append(membership.id)
            else:
                kept.append(ended)
        if body is not before:
            await transaction.save_bodies(organisation, [body])
            await transaction.save_memberships(organisation, kept)
            await transaction.remove_memberships(organisation, gone)
        return body

    def _today(self, body: Body) -> date:
        return self._clock.now().astimezone(ZoneInfo(body.details.rules.timezone)).date()


def _find(memberships: list[Membership], membership_id: str) -> Membership:
    """Raises NotFound."""
    for one in memberships:
        if one.id == membership_id:
            return one
    raise NotFound(f"there is no membership {membership_id[:60]} in this body")


def _require_free_name(name: str, bodies: list[Body]) -> None:
    """Meetings and minutes find their body by its name. Raises Refused."""
    for other in bodies:
        if body_key(other.details.name) == body_key(name):
            raise Refused(
                f"name: another body is called {other.details.name}", hint="give it another name, or change that body"
            )
