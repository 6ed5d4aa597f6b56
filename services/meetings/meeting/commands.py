"""What people ask of meetings; each command is one transaction."""

from services.meetings.meeting import meeting as rules
from services.meetings.meeting.meeting import Meeting, MeetingDetails
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork


class MeetingCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def schedule(self, organisation: str, details: MeetingDetails) -> Meeting:
        """Raises InvalidInput."""
        meeting, fact = rules.schedule(new_id(), details)

        async def work(transaction: MeetingsTransaction) -> Meeting:
            await transaction.save_meeting(organisation, meeting)
            transaction.tell(organisation, meeting, fact, self._clock.now())
            return meeting

        return await self._unit_of_work.run(work)

    async def change(self, organisation: str, meeting_id: str, details: MeetingDetails) -> Meeting:
        """Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Meeting:
            meeting, fact = rules.change(await transaction.lock_meeting(organisation, meeting_id), details)
            if fact is not None:
                await transaction.save_meeting(organisation, meeting)
                transaction.tell(organisation, meeting, fact, self._clock.now())
            return meeting

        return await self._unit_of_work.run(work)

    async def cancel(self, organisation: str, meeting_id: str, reason: str) -> Meeting:
        """Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Meeting:
            meeting, fact = rules.cancel(await transaction.lock_meeting(organisation, meeting_id), reason)
            await transaction.save_meeting(organisation, meeting)
            transaction.tell(organisation, meeting, fact, self._clock.now())
            return meeting

        return await self._unit_of_work.run(work)

    async def meeting(self, organisation: str, meeting_id: str) -> Meeting:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.meeting(organisation, meeting_id)

    async def meetings(self, organisation: str, after: tuple[str, str] | None, most: int) -> list[Meeting]:
        async with self._unit_of_work.begin() as transaction:
            return await transaction.meetings(organisation, after=after, most=most)
