"""One transaction of the meetings service, over the rows of all its aggregates."""

from services.meetings.agenda.store import AgendaStore
from services.meetings.body.store import BodyStore
from services.meetings.body.who_sits import WhoSits
from services.meetings.meeting.store import MeetingStore
from services.meetings.minutes.store import MinutesStore
from services.meetings.person.store import PersonStore


class MeetingsTransaction(MeetingStore, MinutesStore, BodyStore, PersonStore, AgendaStore):
    source = "meetings"

    async def who_sits(self, organisation: str) -> WhoSits:
        return WhoSits(
            await self.bodies(organisation),
            await self.memberships(organisation),
            await self.all_people(organisation),
        )
