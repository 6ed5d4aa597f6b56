"""An item that was put off until a day comes back by itself: a timer looks for its meeting, now and every day."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from services.meetings.agenda import agenda as rules
from services.meetings.agenda.agenda import HowItLeft
from services.meetings.agenda.commands import COMES_BACK, AgendaCommands
from services.meetings.meeting.meeting import Meeting, MeetingStatus, WhichBody
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import NotFound, Refused
from shared.logging import get_logger
from shared.timers import Timer, set_timers

_EVERY = timedelta(days=1)

log = get_logger(__name__)


class ComingBack:
    def __init__(self, agendas: AgendaCommands, clock: Clock) -> None:
        self._agendas = agendas
        self._clock = clock

    def handlers(self) -> Mapping[str, Callable[[MeetingsTransaction, Timer], Awaitable[None]]]:
        return {COMES_BACK: self._look}

    async def _look(self, transaction: MeetingsTransaction, timer: Timer) -> None:
        """An item that somebody moved meanwhile, or that is gone, is left."""
        organisation, now = timer.organisation, self._clock.now()
        try:
            seen = await transaction.item(organisation, timer.subject)
        except NotFound:
            return
        if seen.meeting_id is not None or seen.back_on is None:
            return
        there = await meetings_to_come(transaction, organisation, seen.which_body, now)
        found = rules.comes_back(seen, there, now.date())
        if found is not None:
            to = await transaction.lock_meeting(organisation, found.id)
            item = await transaction.item(organisation, seen.id, for_update=True)
            if item.version != seen.version:
                return
            try:
                await self._agendas.move_locked(
                    transaction, organisation, item, None, to, how=HowItLeft.MOVED, reason=None
                )
            except Refused as refused:  # its agenda is full, or it was called off just now: another day perhaps
                log.info("item.not_back", item_id=item.id, meeting_id=to.id, reason=refused.message)
            else:
                log.info("item.back", item_id=item.id, meeting_id=to.id)
                return
        await set_timers(transaction.connection, [Timer(organisation, COMES_BACK, seen.id, now + _EVERY)])


async def meetings_to_come(
    transaction: MeetingsTransaction, organisation: str, body: WhichBody, now: datetime
) -> list[Meeting]:
    """Of a body, in the years that are planned."""
    found: list[Meeting] = []
    for year in range(now.year, now.year + 3):
        found += await transaction.meetings_of_year(organisation, year)
    return [
        one
        for one in found
        if one.status is not MeetingStatus.CANCELLED and not one.is_over(now) and one.which_body.is_same(body)
    ]
