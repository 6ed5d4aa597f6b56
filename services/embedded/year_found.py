"""What a year's steps speak of, found as people name it: a body, a meeting, an item, a person, a date poll."""

from collections.abc import Sequence
from datetime import datetime

from services.embedded.assembly import AllInOne
from services.embedded.step_base import MeetingName
from services.meetings.agenda.agenda import Item
from services.meetings.attachment.attachment import Attachment
from services.meetings.body.body import Body
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import Meeting, MeetingStatus, WhichBody
from services.meetings.person.person import Person
from services.meetings.poll.commands import PollView
from services.meetings.poll.poll import Poll, TimeAsked
from services.meetings.proposal.proposal import ItemProposal
from shared.errors import InvalidInput, Refused


class Found:
    """`years`: those that were asked about, or touched. Its methods raise InvalidInput for what is not there."""

    def __init__(self, system: AllInOne) -> None:
        self.organisation = system.settings.organisation
        self.years: set[int] = set()
        self._meetings: MeetingsCommands = system.services["meetings"].commands

    async def meeting(self, named: MeetingName, *, called_off: bool = False) -> Meeting:
        """One that takes place; with `called_off` also one that does not, where no other is meant. Raises also when
        there are two."""
        body = await self.body(named.body)
        there = await self._of_day(body, named)
        found = [one for one in there if one.status is not MeetingStatus.CANCELLED]
        if not found and called_off:
            found = there
        if not found:
            raise InvalidInput(f"there is no meeting {named}")
        if len(found) > 1:
            raise InvalidInput(f"there are {len(found)} meetings {named}; name one with its hour, as {_hour(found[0])}")
        return found[0]

    async def _of_day(self, body: Body, named: MeetingName) -> list[Meeting]:
        self.years.add(named.day.year)
        there = await self._meetings.meetings.of_year(self.organisation, named.day.year)
        which = WhichBody(body.id, body.details.name)
        return [
            one
            for one in there
            if one.which_body.is_same(which)
            and one.details.starts.date() == named.day
            and named.at in (None, one.details.starts)
        ]

    async def body(self, key: str) -> Body:
        for body in await self._meetings.bodies.bodies(self.organisation):
            if body.key == key:
                return body
        raise InvalidInput(f"there is no body {key}")

    async def person(self, key: str) -> Person:
        person = await self._meetings.people.with_key(self.organisation, key)
        if person is None:
            raise InvalidInput(f"there is no person {key}")
        return person

    async def item(self, meeting: Meeting, title: str) -> Item:
        """On its agenda."""
        return of_title((await self._meetings.agendas.agenda(self.organisation, meeting.id)).items, title)

    async def attachment(self, item: Item, title: str) -> Attachment:
        there = await self._meetings.attachments.of_item(self.organisation, item.id)
        found = [one for one in there if one.details.title == title]
        if len(found) != 1:
            raise InvalidInput(f"title: the item has {'no' if not found else 'more than one'} attachment {title!r}")
        return found[0]

    async def proposal(self, meeting: Meeting, title: str) -> ItemProposal:
        there = (await self._meetings.proposals.of_meeting(self.organisation, meeting.id)).proposals
        found = [one for one in there if one.details.title == title]
        if len(found) != 1:
            raise InvalidInput(f"title: there is {'no' if not found else 'more than one'} proposal {title!r}")
        return found[0]

    async def poll(self, meeting: Meeting) -> PollView:
        """Its open date poll, or the last one. Raises Refused for a meeting that has none."""
        found = await self._meetings.polls.latest(self.organisation, meeting.id)
        if found is None:
            raise Refused("the meeting has no date poll")
        return found


def of_title(items: Sequence[Item], title: str) -> Item:
    """Raises InvalidInput."""
    found = [item for item in items if item.details.title == title]
    if len(found) != 1:
        raise InvalidInput(f"items: there is {'no' if not found else 'more than one'} item {title!r}")
    return found[0]


def time_of(poll: Poll, starts: datetime) -> TimeAsked:
    """Raises InvalidInput."""
    found = next((one for one in poll.times if one.starts == starts), None)
    if found is None:
        raise InvalidInput(f"the date poll does not ask about {starts:%Y-%m-%dT%H:%M}")
    return found


def _hour(meeting: Meeting) -> str:
    return meeting.details.starts.isoformat(timespec="minutes")
