"""What there is to be told of a board's year once it was driven: asked of the services, told by `year_told`."""

from collections.abc import Sequence

from services.archive.commands import ArchiveCommands
from services.archive.journal_reader import JournalEvent
from services.embedded.assembly import AllInOne
from services.embedded.year_found import Found
from services.embedded.year_told import (
    CalendarAnswer,
    Mail,
    Occurrence,
    PastMeeting,
    PastPoll,
    mail_of,
    year_text,
)
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import Meeting
from services.notifications.commands import NotificationsCommands

_PAGE = 500


class Past:
    def __init__(self, system: AllInOne, found: Found) -> None:
        self._found = found
        self._organisation = found.organisation
        self._meetings: MeetingsCommands = system.services["meetings"].commands
        self._notifications: NotificationsCommands = system.services["notifications"].commands
        self._archive: ArchiveCommands = system.services["archive"].commands

    async def text(self, answers: Sequence[CalendarAnswer]) -> str:
        """The meetings of the years that were touched, what happened, who was mailed, what calendars answered."""
        return year_text(await self._past_meetings(), await self._occurrences(), await self._mails(), answers)

    async def _past_meetings(self) -> list[PastMeeting]:
        found = []
        for year in sorted(self._found.years):
            for meeting in (await self._meetings.meetings.year(self._organisation, year)).meetings:
                found.append(await self._past_meeting(meeting))
        return found

    async def _past_meeting(self, meeting: Meeting) -> PastMeeting:
        agenda = await self._meetings.agendas.agenda(self._organisation, meeting.id)
        polls = await self._meetings.polls.of_meeting(self._organisation, meeting.id)
        return PastMeeting(
            meeting,
            tuple(agenda.items),
            await self._meetings.attachments.of_meeting(self._organisation, meeting.id),
            (await self._meetings.proposals.of_meeting(self._organisation, meeting.id)).proposals,
            (await self._meetings.papers.state(self._organisation, meeting.id)).publications,
            [PastPoll.of(await self._meetings.polls.poll(self._organisation, one.id)) for one in reversed(polls)],
        )

    async def _occurrences(self) -> list[Occurrence]:
        """Of meetings alone: what became of an agreement is its report's to tell."""
        found: list[JournalEvent] = []
        page = await self._archive.events(self._organisation, limit=_PAGE)
        while page.events:
            found += page.events
            page = await self._archive.events(self._organisation, after=page.next, limit=_PAGE)
        return [
            Occurrence(one.time, one.topic, one.name, one.subject or "", one.data)
            for one in found
            if one.topic.startswith("meetings.") and one.time is not None and one.name is not None
        ]

    async def _mails(self) -> list[Mail]:
        found = []
        page = await self._notifications.deliveries(self._organisation, most=_PAGE)
        while page:
            found += [mail_of(one, self._notifications.composed(one)) for one in page]
            page = await self._notifications.deliveries(self._organisation, after=page[-1].id, most=_PAGE)
        return found
