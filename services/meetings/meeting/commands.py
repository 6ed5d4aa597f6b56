"""What people ask of meetings; each command is one transaction."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from services.meetings.body.body import Body
from services.meetings.meeting import meeting as rules
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus, Mode, Occasion, body_key
from services.meetings.notice.telling import follow, withdraw_notice
from services.meetings.plan.clashes import Clash, clashes
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.clock import Clock
from shared.errors import Refused
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork
from shared.timers import hold_timers


@dataclass(frozen=True, slots=True)
class Wish:
    """A meeting of a body as a person asks for it; who is asked to it follows from who sits there. Local wall time."""

    title: str
    place: str
    starts: datetime
    ends: datetime
    mode: Mode
    occasion: Occasion


class ClashesFound(Refused):
    """Something is in the way. `digest`: of just this, for who means it."""

    def __init__(self, found: list[Clash]) -> None:
        super().__init__(f"there are clashes ({len(found)})", hint="look at them, then say that they are meant")
        self.found = found
        seen = json.dumps([one.model_dump(mode="json") for one in found], sort_keys=True)
        self.digest = hashlib.sha256(seen.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class MeetingsOfYear:
    """By start, under their bodies' present names; and what is in their way."""

    meetings: list[Meeting]
    clashes: list[Clash]


@dataclass(frozen=True, slots=True)
class TakenOver:
    """`by`: the meeting that took the items of this one, which was struck.

    `of`: struck ones whose items this one took.
    """

    by: Meeting | None
    of: list[Meeting]


class MeetingCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def schedule(self, organisation: str, details: MeetingDetails) -> Meeting:
        """Raises InvalidInput."""
        rules.clean_details(details)

        async def work(transaction: MeetingsTransaction) -> Meeting:
            body = await transaction.body_named(organisation, details.body)
            meeting, fact = rules.schedule(new_id(), details, body.id if body else None)
            await transaction.save_meeting(organisation, meeting)
            transaction.tell(organisation, meeting, fact, self._clock.now())
            return meeting

        return await self._unit_of_work.run(work)

    async def change(self, organisation: str, meeting_id: str, details: MeetingDetails) -> Meeting:
        """Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Meeting:
            await hold_timers(transaction.connection, organisation, meeting_id)
            found = await transaction.lock_meeting(organisation, meeting_id)
            meeting, fact = rules.change(found, details)
            if fact is not None:
                if body_key(meeting.details.body) != body_key(found.details.body):
                    body = await transaction.body_named(organisation, meeting.details.body)
                    meeting = meeting.model_copy(update={"body_id": body.id if body else None})
                await transaction.save_meeting(organisation, meeting)
                transaction.tell(organisation, meeting, fact, self._clock.now())
                await follow(transaction, organisation, [meeting], {found.id: found.details}, self._clock.now())
            return meeting

        return await self._unit_of_work.run(work)

    async def schedule_for(self, organisation: str, body_id: str, wish: Wish, *, meant: str = "") -> Meeting:
        """`meant`: the digest of clashes that were shown. Raises ClashesFound, NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Meeting:
            await transaction.lock_register(organisation)
            body = await transaction.body(organisation, body_id)
            body.require_open()
            who = await transaction.who_sits(organisation)
            details = _details(wish, body).model_copy(update={"participants": who.invited(body, wish.starts.date())})
            meeting, fact = rules.schedule(new_id(), details, body.id)
            _require_meant(await clashes_of(transaction, organisation, meeting), meant)
            await transaction.save_meeting(organisation, meeting)
            transaction.tell(organisation, meeting, fact, self._clock.now())
            return meeting

        return await self._unit_of_work.run(work)

    async def change_as(
        self, organisation: str, meeting_id: str, wish: Wish, *, version: int, meant: str = ""
    ) -> Meeting:
        """What is in the way already is not asked about. Raises ClashesFound, NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Meeting:
            await transaction.lock_register(organisation)
            await hold_timers(transaction.connection, organisation, meeting_id)
            found = await transaction.lock_meeting(organisation, meeting_id)
            require_version("the meeting", found.version, version)
            who = await transaction.who_sits(organisation)
            body, asked = who.of(found), found.details.participants
            if body is not None and not found.is_over(self._clock.now()):
                found = who.as_called_now(found)
                asked = who.invited_again(body, wish.starts.date(), asked)
            details = _details(wish, found.details).model_copy(update={"participants": asked})
            meeting, fact = rules.change(found, details)
            if fact is not None:
                before = await clashes_of(transaction, organisation, found)
                now = await clashes_of(transaction, organisation, meeting)
                _require_meant([one for one in now if one not in before], meant)
                await transaction.save_meeting(organisation, meeting)
                transaction.tell(organisation, meeting, fact, self._clock.now())
                await follow(transaction, organisation, [meeting], {found.id: found.details}, self._clock.now())
            return meeting

        return await self._unit_of_work.run(work)

    async def year(self, organisation: str, year: int) -> MeetingsOfYear:
        """Cancelled ones among them."""
        async with self._unit_of_work.begin() as transaction:
            found = await transaction.meetings_of_year(organisation, year)
            who = await transaction.who_sits(organisation)
        named = [who.as_called_now(one) for one in found]
        held = [one.details for one in named if one.status is not MeetingStatus.CANCELLED]
        by_start = sorted(named, key=lambda one: (one.details.starts, one.details.body, one.id))
        return MeetingsOfYear(by_start, clashes(held, [], who))

    async def clashes(self, organisation: str, meeting: Meeting) -> list[Clash]:
        """What is in the way of one that is scheduled."""
        async with self._unit_of_work.begin() as transaction:
            return await clashes_of(transaction, organisation, meeting)

    async def cancel(self, organisation: str, meeting_id: str, reason: str, *, version: int | None = None) -> Meeting:
        """`version`: the one that was looked at. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Meeting:
            found = await transaction.lock_meeting(organisation, meeting_id)
            require_version("the meeting", found.version, version)
            meeting, fact = rules.cancel(found, reason)
            await transaction.save_meeting(organisation, meeting)
            transaction.tell(organisation, meeting, fact, self._clock.now())
            await withdraw_notice(transaction, organisation, meeting, self._clock.now())
            return meeting

        return await self._unit_of_work.run(work)

    async def taken_over(self, organisation: str, meeting: Meeting) -> TakenOver:
        async with self._unit_of_work.begin() as transaction:
            by = None
            if meeting.taken_over_by is not None:
                by = (await transaction.meetings_among(organisation, [meeting.taken_over_by])).get(
                    meeting.taken_over_by
                )
            return TakenOver(by, await transaction.meetings_taken_over(organisation, meeting.id))

    async def meeting(self, organisation: str, meeting_id: str) -> Meeting:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.meeting(organisation, meeting_id)

    async def of_year(self, organisation: str, year: int) -> list[Meeting]:
        """Those that start in it, cancelled ones among them."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.meetings_of_year(organisation, year)

    async def meetings(self, organisation: str, after: tuple[str, str] | None, most: int) -> list[Meeting]:
        async with self._unit_of_work.begin() as transaction:
            return await transaction.meetings(organisation, after=after, most=most)


def _details(wish: Wish, of: Body | MeetingDetails) -> MeetingDetails:
    """Of a body, or of a meeting that is changed: what nobody asks about stays."""
    fields = {
        "title": wish.title,
        "place": wish.place,
        "starts": wish.starts,
        "ends": wish.ends,
        "mode": wish.mode,
        "occasion": wish.occasion,
    }
    if isinstance(of, Body):
        return MeetingDetails(body=of.details.name, timezone=of.details.rules.timezone, **fields)
    return of.model_copy(update=fields)


def _require_meant(found: list[Clash], meant: str) -> None:
    if found:
        refusal = ClashesFound(found)
        if refusal.digest != meant:
            raise refusal


async def clashes_of(transaction: MeetingsTransaction, organisation: str, meeting: Meeting) -> list[Clash]:
    """What is in the way of one that is scheduled, or that is to be."""
    others = await transaction.meetings_of_year(organisation, meeting.details.starts.year)
    who = await transaction.who_sits(organisation)
    elsewhere = [
        who.as_called_now(one).details
        for one in others
        if one.id != meeting.id and one.status is not MeetingStatus.CANCELLED
    ]
    return clashes([who.as_called_now(meeting).details], elsewhere, who)
