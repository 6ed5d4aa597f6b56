"""Driving a board's year: each step of `year_steps` through the services, and what there is to be told at the end."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

from services.embedded import year_steps as steps
from services.embedded.assembly import AllInOne
from services.embedded.step_base import MeetingName, YearStep
from services.embedded.year_found import Found, of_title, time_of
from services.embedded.year_members import MembersSteps
from services.embedded.year_minutes import MinutesSteps
from services.embedded.year_past import Past
from services.embedded.year_sitting import SittingSteps
from services.meetings.agenda.agenda import Item, ItemDetails
from services.meetings.attachment.commands import Upload
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.commands import ClashesFound, Wish
from services.meetings.meeting.meeting import Meeting, Mode
from services.meetings.minutes.drafting import DraftedMinutes, Drafting
from services.meetings.strike.strike import Strike
from services.notifications.commands import NotificationsCommands
from services.notifications.delivery.delivery import Status
from shared.errors import Refused

_PAGE = 500


class YearSteps:
    """Its methods are named in `actions` by the steps' names."""

    def __init__(self, system: AllInOne) -> None:
        self._organisation = system.settings.organisation
        self._meetings: MeetingsCommands = system.services["meetings"].commands
        self._notifications: NotificationsCommands = system.services["notifications"].commands
        self._found = Found(system)
        self._past = Past(system, self._found)
        self._members = MembersSteps(system, self._found)
        self._sitting = SittingSteps(system, self._found)
        self._minutes = MinutesSteps(system, self._found, self._members)
        self.actions: Mapping[str, Callable[[Any], Awaitable[None]]] = {
            **self._members.actions,
            **self._sitting.actions,
            **self._minutes.actions,
            "register": self._register,
            "plan": self._plan,
            "close_body": self._close_body,
            "schedule_meeting": self._schedule,
            "change_meeting": self._change,
            "cancel_meeting": self._cancel,
            "add_items": self._add_items,
            "change_item": self._change_item,
            "remove_items": self._remove_items,
            "order_items": self._order_items,
            "move_items": self._move_items,
            "notice": self._notice,
            "remind_unanswered": self._remind_unanswered,
            "timers": self._timers,
            "open_poll": self._open_poll,
            "choose_date": self._choose_date,
            "call_off_poll": self._call_off_poll,
            "attach": self._attach,
            "replace_file": self._replace_file,
            "publish_papers": self._publish_papers,
            "take_proposal": self._take_proposal,
            "decline_proposal": self._decline_proposal,
            "strike": self._strike,
            "deliver_all": self._deliver_all,
        }

    async def take(self, kind: str, given: YearStep) -> None:
        """Raises JusteraError for what the system does not allow."""
        await self.actions[kind](given)

    async def meeting(self, named: MeetingName) -> Meeting:
        """Raises InvalidInput for one that is not there, or when there are two."""
        return await self._found.meeting(named)

    async def written(self, meeting_id: str) -> str:
        """The minutes that are being written for a meeting. Raises NotFound."""
        return (await self._meetings.manuscripts.manuscript(self._organisation, meeting_id)).markdown

    async def adjust_at_once(self, meeting: Meeting, paragraph: str, drafting: Drafting, *, ip: str) -> DraftedMinutes:
        """A paragraph of what is written, by its heading, is put forward on its own."""
        return await self._minutes.adjust_at_once(meeting, paragraph, drafting, ip=ip)

    async def _register(self, step: steps.Register) -> None:
        await self._meetings.register.apply(self._organisation, step.text, step.form)

    async def _plan(self, step: steps.Plan) -> None:
        done = await self._meetings.plans.apply(
            self._organisation, step.text, despite_clashes=step.despite_clashes, tell=step.mail
        )
        self._found.years |= {int(change.starts[:4]) for change in done.changes}

    async def _schedule(self, step: steps.ScheduleMeeting) -> None:
        body = await self._found.body(step.body)
        self._found.years.add(step.starts.year)
        wish = Wish(step.title, step.place, step.starts, step.ends, step.mode, step.occasion)

        async def schedule(meant: str) -> None:
            await self._meetings.meetings.schedule_for(self._organisation, body.id, wish, meant=meant)

        await _meaning(schedule, step.despite_clashes)

    async def _close_body(self, step: steps.CloseBody) -> None:
        body = await self._found.body(step.body)
        await self._meetings.bodies.close(self._organisation, body.id, step.last_day)

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
        self._found.years.add(wish.starts.year)

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

    async def _change_item(self, step: steps.ChangeItem) -> None:
        item = await self._found.item(await self.meeting(step.meeting), step.item)
        given = {name: value for name in ItemDetails.model_fields if (value := getattr(step, name)) is not None}
        details = item.details.model_copy(update=given)
        if await self._meetings.agendas.change(self._organisation, item.id, details, version=item.version) == item:
            raise Refused("the item says that already")

    async def _remove_items(self, step: steps.RemoveItems) -> None:
        meeting = await self.meeting(step.meeting)
        for title in step.items:
            item = await self._found.item(meeting, title)
            await self._meetings.agendas.remove(self._organisation, item.id, version=item.version)

    async def _order_items(self, step: steps.OrderItems) -> None:
        meeting = await self.meeting(step.meeting)
        there = (await self._meetings.agendas.agenda(self._organisation, meeting.id)).items
        wanted = [of_title(there, title).id for title in step.items]
        if sorted(wanted) != sorted(one.id for one in there):
            raise Refused(f"items: are not the {len(there)} of the agenda, each once")
        await self._meetings.agendas.order(self._organisation, meeting.id, wanted)

    async def _move_items(self, step: steps.MoveItems) -> None:
        to = await self.meeting(step.to) if step.to else None
        there = await self._items(step, to)
        for title in step.items:
            item = of_title(there, title)
            await self._meetings.agendas.move(
                self._organisation,
                item.id,
                to.id if to else None,
                how=step.how,
                reason=step.reason,
                back_on=step.back_on,
            )

    async def _items(self, step: steps.MoveItems, to: Meeting | None) -> list[Item]:
        if step.meeting is None:
            return await self._meetings.agendas.waiting(self._organisation, to.which_body if to else None)
        meeting = await self.meeting(step.meeting)
        return (await self._meetings.agendas.agenda(self._organisation, meeting.id)).items

    async def _notice(self, step: steps.Notice) -> None:
        meeting, notices = await self.meeting(step.meeting), self._meetings.notices
        tell = {
            "preliminary": notices.send_preliminary,
            "issue": notices.issue,
            "approve": notices.approve,
            "update": notices.update,
        }[step.what]
        await tell(self._organisation, meeting.id, step.note)

    async def _remind_unanswered(self, step: steps.RemindUnanswered) -> None:
        await self._meetings.notices.remind(self._organisation, (await self.meeting(step.meeting)).id)

    async def _timers(self, _: steps.Timers) -> None:
        fired = False
        while await self._meetings.timers.fire_one():
            fired = True
        if not fired:
            raise Refused("nothing is due in meetings by now")

    async def _open_poll(self, step: steps.OpenPoll) -> None:
        meeting = await self.meeting(step.meeting)
        await self._meetings.polls.open(
            self._organisation, meeting.id, step.times, answer_by=step.answer_by, note=step.note
        )

    async def _choose_date(self, step: steps.ChooseDate) -> None:
        view = await self._found.poll(await self.meeting(step.meeting))
        self._found.years.add(step.starts.year)
        await self._meetings.polls.choose(self._organisation, view.poll.id, time_of(view.poll, step.starts).key)

    async def _call_off_poll(self, step: steps.CallOffPoll) -> None:
        view = await self._found.poll(await self.meeting(step.meeting))
        await self._meetings.polls.call_off(self._organisation, view.poll.id, step.reason)

    async def _attach(self, step: steps.Attach) -> None:
        item = await self._found.item(await self.meeting(step.meeting), step.item)
        await self._meetings.attachments.add(
            self._organisation, item.id, _upload(step), title=step.title, confidential=step.confidential
        )

    async def _replace_file(self, step: steps.ReplaceFile) -> None:
        item = await self._found.item(await self.meeting(step.meeting), step.item)
        attachment = await self._found.attachment(item, step.title)
        replaced = await self._meetings.attachments.replace(self._organisation, attachment.id, _upload(step))
        if replaced == attachment:
            raise Refused(f"{step.title} is that very file already")

    async def _publish_papers(self, step: steps.PublishPapers) -> None:
        meeting = await self.meeting(step.meeting)
        state = await self._meetings.papers.state(self._organisation, meeting.id)
        if state.publications and not state.changed:
            raise Refused("nothing changed since the papers were published")
        await self._meetings.papers.publish(self._organisation, meeting.id, tell=step.mail)

    async def _take_proposal(self, step: steps.TakeProposal) -> None:
        proposal = await self._found.proposal(await self.meeting(step.meeting), step.title)
        await self._meetings.proposals.take(self._organisation, proposal.id)

    async def _decline_proposal(self, step: steps.DeclineProposal) -> None:
        proposal = await self._found.proposal(await self.meeting(step.meeting), step.title)
        await self._meetings.proposals.decline(self._organisation, proposal.id, step.reason)

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
        return tuple(of_title([*there, *waiting], title).id for title in titles)

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
        """The meetings of the years that were touched, what happened, who was mailed, what calendars answered."""
        return await self._past.text(self._members.calendar_answers)


def _upload(step: steps.Attach) -> Upload:
    return Upload(step.name, BytesIO(step.content))


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
