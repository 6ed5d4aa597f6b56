"""Driving a board's year: each step of `year_steps` through the services, and what there is to be told at the end."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from services.archive.commands import ArchiveCommands
from services.archive.journal_reader import JournalEvent
from services.embedded import year_steps as steps
from services.embedded.assembly import AllInOne
from services.embedded.year_steps import MeetingName, YearStep
from services.embedded.year_told import Mail, Occurrence, PastMeeting, mail_of, year_text
from services.meetings.agenda.agenda import Item
from services.meetings.agenda.commands import Agenda
from services.meetings.body.body import Body
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.commands import ClashesFound, Wish
from services.meetings.meeting.meeting import Meeting, MeetingStatus, Mode, WhichBody
from services.meetings.reply.reply import Via
from services.meetings.strike.strike import Strike
from services.notifications.commands import NotificationsCommands
from services.notifications.delivery import Status
from shared.errors import InvalidInput, Refused

_PAGE = 500


class YearSteps:
    """Its methods are named in `actions` by the steps' names."""

    def __init__(self, system: AllInOne) -> None:
        self._organisation = system.settings.organisation
        self._meetings: MeetingsCommands = system.services["meetings"].commands
        self._notifications: NotificationsCommands = system.services["notifications"].commands
        self._archive: ArchiveCommands = system.services["archive"].commands
        self._years: set[int] = set()
        self.actions: Mapping[str, Callable[[Any], Awaitable[None]]] = {
            "register": self._register,
            "plan": self._plan,
            "schedule_meeting": self._schedule,
            "change_meeting": self._change,
            "cancel_meeting": self._cancel,
            "add_items": self._add_items,
            "move_items": self._move_items,
            "notice": self._notice,
            "reply": self._reply,
            "strike": self._strike,
            "deliver_all": self._deliver_all,
        }

    async def take(self, kind: str, given: YearStep) -> None:
        """Raises JusteraError for what the system does not allow."""
        await self.actions[kind](given)

    async def meeting(self, named: MeetingName) -> Meeting:
        """Raises InvalidInput for one that is not there, or when there are two."""
        body = await self._body(named.body)
        found = [one for one in await self._of_day(body, named) if one.status is not MeetingStatus.CANCELLED]
        if not found:
            raise InvalidInput(f"there is no meeting {named}")
        if len(found) > 1:
            raise InvalidInput(f"there are {len(found)} meetings {named}; name one with its hour, as {_hour(found[0])}")
        return found[0]

    async def _of_day(self, body: Body, named: MeetingName) -> list[Meeting]:
        self._years.add(named.day.year)
        there = await self._meetings.meetings.of_year(self._organisation, named.day.year)
        which = WhichBody(body.id, body.details.name)
        return [
            one
            for one in there
            if one.which_body.is_same(which)
            and one.details.starts.date() == named.day
            and named.at in (None, one.details.starts)
        ]

    async def _body(self, key: str) -> Body:
        for body in await self._meetings.bodies.bodies(self._organisation):
            if body.key == key:
                return body
        raise InvalidInput(f"there is no body {key}")

    async def _register(self, step: steps.Register) -> None:
        await self._meetings.register.apply(self._organisation, step.text, step.form)

    async def _plan(self, step: steps.Plan) -> None:
        done = await self._meetings.plans.apply(
            self._organisation, step.text, despite_clashes=step.despite_clashes, tell=step.mail
        )
        self._years |= {int(change.starts[:4]) for change in done.changes}

    async def _schedule(self, step: steps.ScheduleMeeting) -> None:
        body = await self._body(step.body)
        self._years.add(step.starts.year)
        wish = Wish(step.title, step.place, step.starts, step.ends, step.mode, step.occasion)

        async def schedule(meant: str) -> None:
            await self._meetings.meetings.schedule_for(self._organisation, body.id, wish, meant=meant)

        await _meaning(schedule, step.despite_clashes)

    async def _change(self, step: steps.ChangeMeeting) -> None:
        meeting = await self.meeting(step.meeting)
        was = meeting.details
        wish = Wish(
            title=step.title or was.title,
            place=step.place or was.place,
            starts=step.starts or was.starts,
            ends=step.ends or was.ends,
            mode=step.mode or was.mode or Mode.PHYSICAL,
            occasion=step.occasion or was.occasion,
        )
        self._years.add(wish.starts.year)

        async def change(meant: str) -> None:
            await self._meetings.meetings.change_as(
                self._organisation, meeting.id, wish, version=meeting.version, meant=meant
            )

        await _meaning(change, step.despite_clashes)

    async def _cancel(self, step: steps.CancelMeeting) -> None:
        meeting = await self.meeting(step.meeting)
        await self._meetings.meetings.cancel(self._organisation, meeting.id, step.reason)

    async def _add_items(self, step: steps.AddItems) -> None:
        meeting = await self.meeting(step.meeting)
        for details in step.items:
            await self._meetings.agendas.add(self._organisation, meeting.id, details)

    async def _move_items(self, step: steps.MoveItems) -> None:
        to = await self.meeting(step.to) if step.to else None
        there = await self._items(step, to)
        for title in step.items:
            item = _of_title(there, title)
            await self._meetings.agendas.move(
                self._organisation, item.id, to.id if to else None, how=step.how, reason=step.reason
            )

    async def _items(self, step: steps.MoveItems, to: Meeting | None) -> list[Item]:
        if step.meeting is None:
            return await self._meetings.agendas.waiting(self._organisation, to.which_body if to else None)
        meeting = await self.meeting(step.meeting)
        return (await self._meetings.agendas.agenda(self._organisation, meeting.id)).items

    async def _notice(self, step: steps.Notice) -> None:
        meeting, notices = await self.meeting(step.meeting), self._meetings.notices
        tell = {"preliminary": notices.send_preliminary, "issue": notices.issue, "update": notices.update}[step.what]
        await tell(self._organisation, meeting.id, step.note)

    async def _reply(self, step: steps.Reply) -> None:
        meeting = await self.meeting(step.meeting)
        asked = await self._meetings.replies.asked(self._organisation, meeting.id)
        person = next((one.person for one in asked if one.person.key == step.person), None)
        if person is None:
            raise InvalidInput(f"{step.person} is not asked to {step.meeting}")
        await self._meetings.replies.answer(
            self._organisation, meeting.id, person.id, step.answer, Via.OFFICE, step.comment
        )

    async def _strike(self, step: steps.StrikeMeeting) -> None:
        meeting, to = await self.meeting(step.meeting), await self.meeting(step.to)
        wish = Strike(
            to_meeting_id=to.id,
            reason=step.reason,
            items=None if step.items is None else await self._named(meeting, step.items),
            add=step.add,
            ends=step.ends,
            mode=step.mode,
            place=step.place,
            note=step.note,
        )
        await self._meetings.strikes.strike(self._organisation, meeting.id, wish, despite_clashes=step.despite_clashes)

    async def _named(self, meeting: Meeting, titles: Sequence[str]) -> tuple[str, ...]:
        """The ids of items on its agenda, or that wait, by their titles. Raises InvalidInput."""
        agendas = self._meetings.agendas
        there = (await agendas.agenda(self._organisation, meeting.id)).items
        waiting = await agendas.waiting(self._organisation, meeting.which_body)
        return tuple(_of_title([*there, *waiting], title).id for title in titles)

    async def _deliver_all(self, _: steps.DeliverAll) -> None:
        waiting = await self._notifications.deliveries(self._organisation, status=Status.WAITING, most=_PAGE)
        if not waiting:
            raise Refused("no mail is waiting")
        while waiting:
            for delivery in waiting:
                await self._notifications.deliver(self._organisation, delivery.id)
            waiting = await self._notifications.deliveries(
                self._organisation, status=Status.WAITING, after=waiting[-1].id, most=_PAGE
            )

    async def text(self) -> str:
        """The meetings of the years that were touched, what happened, and who was mailed."""
        return year_text(await self._past_meetings(), await self._occurrences(), await self._mails())

    async def _past_meetings(self) -> list[PastMeeting]:
        found = []
        for year in sorted(self._years):
            for meeting in (await self._meetings.meetings.year(self._organisation, year)).meetings:
                agenda: Agenda = await self._meetings.agendas.agenda(self._organisation, meeting.id)
                found.append(PastMeeting(meeting, tuple(agenda.items)))
        return found

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


async def _meaning(do: Callable[[str], Awaitable[None]], despite: bool) -> None:
    """Clashes are refused with what they are, unless they are meant."""
    try:
        await do("")
    except ClashesFound as clashes:
        if not despite:
            one = clashes.found[0]
            people = f": {', '.join(one.people)}" if one.people else ""
            raise Refused(f"{clashes.message}: {one.date} {one.what}{people}") from None
        await do(clashes.digest)


def _of_title(items: Sequence[Item], title: str) -> Item:
    """Raises InvalidInput."""
    found = [item for item in items if item.details.title == title]
    if len(found) != 1:
        raise InvalidInput(f"items: there is {'no' if not found else 'more than one'} item {title!r}")
    return found[0]


def _hour(meeting: Meeting) -> str:
    return meeting.details.starts.isoformat(timespec="minutes")
