"""What members and their calendars do in a board's year: each by what was mailed to them, and nothing else."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from services.embedded import year_steps as steps
from services.embedded.assembly import AllInOne
from services.embedded.quiescence import settle
from services.embedded.year_found import Found, time_of
from services.embedded.year_told import CalendarAnswer
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import Meeting
from services.meetings.person.person import Person
from services.meetings.proposal.proposal import ProposalDetails
from services.meetings.reply.reply import Via
from services.notifications.commands import NotificationsCommands
from services.notifications.invitation.simulated_reply import Said
from shared import links
from shared.clock import Clock
from shared.errors import InvalidInput, NotFound, Refused
from shared.keys import parse_keys

_LEFT = "left: it says nothing of the meeting as it is now"


class MembersSteps:
    """Its methods are named in `actions` by the steps' names. `calendar_answers`: what came of each so far."""

    def __init__(self, system: AllInOne, found: Found) -> None:
        self.calendar_answers: list[CalendarAnswer] = []
        self._system = system
        self._found = found
        self._organisation = found.organisation
        self._clock: Clock = system.clock
        self._meetings: MeetingsCommands = system.services["meetings"].commands
        self._notifications: NotificationsCommands = system.services["notifications"].commands
        self._link_keys = parse_keys(system.settings.secret("member_link_keys"), "JUSTERA_MEMBER_LINK_KEYS")
        self.actions: Mapping[str, Callable[[Any], Awaitable[None]]] = {
            "reply": self._reply,
            "calendar_reply": self._calendar_reply,
            "answer_poll": self._answer_poll,
            "propose_item": self._propose_item,
        }

    async def _reply(self, step: steps.Reply) -> None:
        meeting = await self._found.meeting(step.meeting)
        asked = await self._meetings.replies.asked(self._organisation, meeting.id)
        person = next((one.person for one in asked if one.person.key == step.person), None)
        if person is None:
            raise InvalidInput(f"{step.person} is not asked to {step.meeting}")
        via = Via.OFFICE
        if step.via == "link":
            await self.open_link(person, meeting)
            via = Via.PAGE
        await self._meetings.replies.answer(self._organisation, meeting.id, person.id, step.answer, via, step.comment)

    async def _answer_poll(self, step: steps.AnswerPoll) -> None:
        view = await self._found.poll(await self._found.meeting(step.meeting))
        person = await self._found.person(step.person)
        await self.open_link(person)
        said = {time_of(view.poll, starts).key: can for starts, can in step.times.items()}
        await self._meetings.polls.answer(self._organisation, view.poll.id, person.id, said, step.comment)

    async def _propose_item(self, step: steps.ProposeItem) -> None:
        meeting, person = await self._found.meeting(step.meeting), await self._found.person(step.person)
        await self.open_link(person, meeting)
        details = ProposalDetails(title=step.title, background=step.background, proposal=step.proposal)
        await self._meetings.proposals.propose(self._organisation, meeting.id, person.id, details)

    async def open_link(self, person: Person, meeting: Meeting | None = None) -> None:
        """That of the last mail to them, and there the meeting. Raises Refused when it does not open that."""
        address = _address(person)
        token = await self._notifications.members_token(self._organisation, address)
        link = links.read(self._link_keys, links.MEMBER, token)
        try:
            member = await self._meetings.members.member(link.organisation, link.subject, link.version)
            if meeting is not None:
                await self._meetings.members.meeting(self._organisation, member, meeting.id)
        except NotFound as error:
            raise Refused(f"the link in the last mail to {address} does not open that: {error.message}") from error

    async def _calendar_reply(self, step: steps.CalendarReply) -> None:
        """Then it waits until all have heard of it, to tell what came of it."""
        meeting = await self._found.meeting(step.meeting, called_off=True)
        person = await self._found.person(step.person)
        address = _address(person)
        said = Said(step.answer.value, step.sender or address, step.comment or "")
        kept = await self._notifications.answer_by_calendar(self._organisation, meeting.id, address, said)
        await settle(self._system.services.values())
        self.calendar_answers.append(
            CalendarAnswer(
                time=self._clock.now(),
                meeting=f"{meeting.details.body} {meeting.details.starts:%Y-%m-%d %H:%M}",
                sender=said.sender,
                answer=said.answer,
                became=f"kept for a person: {kept}" if kept else await self._taken(meeting, person, step),
            )
        )

    async def _taken(self, meeting: Meeting, person: Person, step: steps.CalendarReply) -> str:
        replies = await self._meetings.replies.of_person(self._organisation, person.id)
        reply = replies.get(meeting.id)
        is_theirs = reply is not None and (reply.answer, reply.via) == (step.answer, Via.CALENDAR)
        return "taken" if is_theirs else _LEFT


def _address(person: Person) -> str:
    """Raises Refused."""
    if not person.details.email:
        raise Refused(f"{person.details.name} has no address, so nothing was mailed to them")
    return person.details.email
