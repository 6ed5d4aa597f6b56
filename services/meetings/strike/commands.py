"""Striking a meeting in one transaction: looked at first, by doing it and taking it back, then done."""

from dataclasses import dataclass

from services.meetings.agenda.agenda import HowItLeft, Item
from services.meetings.agenda.commands import AgendaCommands
from services.meetings.meeting import meeting as meeting_rules
from services.meetings.meeting.commands import clashes_of
from services.meetings.meeting.meeting import Meeting
from services.meetings.notice.telling import follow, tell_update, withdraw_notice
from services.meetings.plan.clashes import Clash
from services.meetings.strike import strike as rules
from services.meetings.strike.strike import Strike, StrikeOutlook, StrikeTold, StruckItem
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import Refused, says
from shared.events import NoticeIssued, NoticeWithdrawn
from shared.events.base import event_type
from shared.messaging.transaction import UnitOfWork
from shared.timers import hold_timers


@dataclass(frozen=True, slots=True)
class Struck:
    """A meeting that was cancelled, the one that took its items, and these; and how that looks."""

    meeting: Meeting
    to: Meeting
    moved: list[Item]
    outlook: StrikeOutlook


class _TakenBack(Exception):
    """What was done to look at it is undone."""

    def __init__(self, struck: Struck) -> None:
        self.struck = struck


class StrikeCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock, agendas: AgendaCommands) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._agendas = agendas

    async def check(self, organisation: str, meeting_id: str, strike: Strike) -> StrikeOutlook:
        """What it would come to. Changes nothing. Raises NotFound, Refused, InvalidInput as `strike` does."""

        async def work(transaction: MeetingsTransaction) -> None:
            raise _TakenBack(await self._strike(transaction, organisation, meeting_id, strike))

        try:
            await self._unit_of_work.look(work)
        except _TakenBack as done:
            return done.struck.outlook
        raise AssertionError("it always is taken back")

    async def strike(
        self,
        organisation: str,
        meeting_id: str,
        strike: Strike,
        *,
        digest: str | None = None,
        despite_clashes: bool = False,
    ) -> Struck:
        """Cancel a meeting; its items go to another one of its body, which may become longer or digital.

        `digest`: what `check` answered; refused when it would come to something else by now. Raises NotFound, Refused,
        InvalidInput; then nothing of it was done.
        """

        async def work(transaction: MeetingsTransaction) -> Struck:
            struck = await self._strike(transaction, organisation, meeting_id, strike)
            if digest is not None and digest != struck.outlook.digest:
                raise Refused("something was changed since you looked", hint="look again what it would come to")
            if struck.outlook.clashes and digest is None and not despite_clashes:
                raise Refused(
                    f"there are clashes ({len(struck.outlook.clashes)})",
                    hint="look at them, then say that they are meant",
                )
            return struck

        return await self._unit_of_work.run(work)

    async def _strike(
        self, transaction: MeetingsTransaction, organisation: str, meeting_id: str, strike: Strike
    ) -> Struck:
        ids = sorted({meeting_id, strike.to_meeting_id})
        await hold_timers(transaction.connection, organisation, *ids)
        meetings = {one: await transaction.lock_meeting(organisation, one) for one in ids}
        struck, to, now = meetings[meeting_id], meetings[strike.to_meeting_id], self._clock.now()
        rules.require_two(struck, to, now)
        there = await transaction.items_of_meeting(organisation, meeting_id)
        waiting = await transaction.items_waiting(organisation, struck.which_body)
        going = rules.chosen(strike.items, there, waiting, struck)
        moved, items = [], []
        for seen in going:
            item = await transaction.item(organisation, seen.id, for_update=True)
            if item.meeting_id != seen.meeting_id:
                raise Refused(
                    "an item was moved by someone else meanwhile",
                    hint="look at it again",
                    says=says("changed_meanwhile"),
                )
            left = struck if item.meeting_id == struck.id else None
            moved.append(
                await self._agendas.move_locked(
                    transaction, organisation, item, left, to, how=HowItLeft.MOVED, reason=strike.reason
                )
            )
            items.append(StruckItem(id=item.id, title=item.details.title, how="moved" if left else "taken_up"))
        for details in strike.add:
            added = await self._agendas.add_locked(transaction, organisation, to, details)
            items.append(StruckItem(id=added.id, title=added.details.title, how="added"))
        taken_over = any(rules.is_of(one, struck) for one in going)
        cancelled, gone = meeting_rules.cancel(struck, strike.reason, for_meeting=to.id if taken_over else None)
        await transaction.save_meeting(organisation, cancelled)
        changed, told = meeting_rules.change(to, rules.extended(to, strike))
        clashes: list[Clash] = []
        if told is not None:
            before = await clashes_of(transaction, organisation, to)
            clashes = [one for one in await clashes_of(transaction, organisation, changed) if one not in before]
            await transaction.save_meeting(organisation, changed)
            transaction.tell(organisation, changed, told, now)
        transaction.tell(organisation, cancelled, gone, now)
        await withdraw_notice(transaction, organisation, cancelled, now, taken_over_by=changed if taken_over else None)
        if await tell_update(transaction, organisation, changed, now, note=strike.note) is None:
            await follow(transaction, organisation, [changed], {to.id: to.details}, now)
        people = _told(transaction)
        taken = {one.id for one in going}
        stays = [one.details.title for one in there if one.id not in taken]
        changes = rules.differences(to.details, changed.details)
        shown = [one if one.how != "added" else one.model_copy(update={"id": ""}) for one in items]
        outlook = StrikeOutlook(
            digest=rules.digest_of(strike, struck, to, [*shown, *going, *stays, *clashes, *people]),
            meeting=cancelled,
            to=changed,
            items=items,
            stays=stays,
            changes=changes,
            clashes=clashes,
            told=people,
        )
        return Struck(cancelled, changed, moved, outlook)


def _told(transaction: MeetingsTransaction) -> list[StrikeTold]:
    """By the facts that would be published."""
    found = []
    for envelope in transaction.collected():
        if envelope.type == event_type(NoticeWithdrawn):
            people = NoticeWithdrawn.from_json(envelope.data).people
            found += [StrikeTold(news="struck", email=one.email, name=one.name) for one in people]
        elif envelope.type == event_type(NoticeIssued):
            people = NoticeIssued.from_json(envelope.data).people
            found += [StrikeTold(news="changed", email=one.email, name=one.name) for one in people]
    return found
