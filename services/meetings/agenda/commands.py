"""What people ask of agendas; each command is one transaction, which holds the rows of the meetings it touches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.meetings.agenda import agenda as rules
from services.meetings.agenda.agenda import HowItLeft, Item, ItemDetails
from services.meetings.meeting.meeting import Meeting, WhichBody
from services.meetings.notice.notice import Stage, latest_day
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.clock import Clock
from shared.errors import Refused, says
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork
from shared.timers import Timer, set_timers

COMES_BACK = "item-back"


@dataclass(frozen=True, slots=True)
class Agenda:
    """A meeting's items in order, and those that left it. `standing`: what one that is not begun would begin with.

    `notice_by`: the last day on which its notice goes out in time; None when no body is known that it is of.
    `notice_is_out`: people were told of this agenda, or of an earlier one.
    """

    meeting: Meeting
    begun: bool
    items: list[Item]
    left: list[Item]
    standing: list[ItemDetails]
    notice_by: date | None
    notice_is_out: bool


class AgendaCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def agenda(self, organisation: str, meeting_id: str) -> Agenda:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            return await _agenda(transaction, organisation, await transaction.meeting(organisation, meeting_id))

    async def begin(self, organisation: str, meeting_id: str) -> Agenda:
        """The body's standing items become items; once begun, nothing more. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> Agenda:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            rules.require_open(meeting, self._clock.now())
            await begin_agenda(transaction, organisation, meeting)
            return await _agenda(transaction, organisation, meeting)

        return await self._unit_of_work.run(work)

    async def add(self, organisation: str, meeting_id: str, details: ItemDetails) -> Item:
        """Before what a meeting ends with. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Item:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            rules.require_open(meeting, self._clock.now())
            return await self.add_locked(transaction, organisation, meeting, details)

        return await self._unit_of_work.run(work)

    async def change(self, organisation: str, item_id: str, details: ItemDetails, *, version: int | None) -> Item:
        """`version`: the one that the change was made from. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Item:
            item, meeting, _ = await lock_item(transaction, organisation, item_id)
            require_version(item.details.title, item.version, version)
            changed = rules.change(item, meeting, details, self._clock.now())
            if changed != item:
                place = await _place(transaction, organisation, item)
                await transaction.save_items(organisation, [(changed, place)])
            return changed

        return await self._unit_of_work.run(work)

    async def remove(self, organisation: str, item_id: str, *, version: int | None) -> None:
        """Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> None:
            item, meeting, _ = await lock_item(transaction, organisation, item_id)
            require_version(item.details.title, item.version, version)
            rules.require_removable(item, meeting, self._clock.now())
            await transaction.remove_attachments_of(organisation, item_id)
            await transaction.remove_item(organisation, item_id)

        await self._unit_of_work.run(work)

    async def move(
        self,
        organisation: str,
        item_id: str,
        to_meeting_id: str | None,
        *,
        how: HowItLeft = HowItLeft.MOVED,
        reason: str | None = None,
        version: int | None = None,
        back_on: date | None = None,
    ) -> Item:
        """To another agenda, as a new one there, or (None) to wait for one: until `back_on`, when it comes back by
        itself. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Item:
            item, left, to = await lock_item(transaction, organisation, item_id, to_meeting_id)
            require_version(item.details.title, item.version, version)
            return await self.move_locked(
                transaction, organisation, item, left, to, how=how, reason=reason, back_on=back_on
            )

        return await self._unit_of_work.run(work)

    async def move_locked(
        self,
        transaction: MeetingsTransaction,
        organisation: str,
        item: Item,
        left: Meeting | None,
        to: Meeting | None,
        *,
        how: HowItLeft,
        reason: str | None,
        back_on: date | None = None,
    ) -> Item:
        """In the transaction of who moves more than one item; the rows are locked. Raises Refused, InvalidInput."""
        now, there = self._clock.now(), []
        if to is not None:
            rules.require_open(to, now)
            there = await begin_agenda(transaction, organisation, to)
        elif len(await transaction.items_waiting(organisation, item.which_body)) >= rules.MOST_WAITING:
            raise Refused(f"{rules.MOST_WAITING} items of {item.body} wait already", hint="move some to a meeting")
        moved, fact = rules.move(item, left, to, len(there), how=how, reason=reason, now=now, back_on=back_on)
        await set_item(transaction, organisation, moved, there)
        transaction.tell(organisation, moved, fact, now)
        if moved.back_on is not None:
            await set_timers(transaction.connection, [Timer(organisation, COMES_BACK, moved.id, now)])
        return moved

    async def add_locked(
        self, transaction: MeetingsTransaction, organisation: str, meeting: Meeting, details: ItemDetails
    ) -> Item:
        """In the transaction of who holds the meeting's row. Raises Refused, InvalidInput."""
        there = await begin_agenda(transaction, organisation, meeting)
        item = rules.add(new_id(), meeting, len(there), details, self._clock.now())
        await set_item(transaction, organisation, item, there)
        return item

    async def order(
        self, organisation: str, meeting_id: str, wanted: Sequence[str], *, seen: Sequence[str] | None = None
    ) -> Agenda:
        """`wanted`: the ids of all its items. `seen`: the order it was made from. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> Agenda:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            rules.require_open(meeting, self._clock.now())
            there = [one.id for one in await transaction.items_of_meeting(organisation, meeting_id)]
            await transaction.save_order(organisation, rules.ordered(there, wanted, seen))
            return await _agenda(transaction, organisation, meeting)

        return await self._unit_of_work.run(work)

    async def step(self, organisation: str, item_id: str, steps: int) -> Item:
        """So many places later on its agenda, or earlier when negative. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> Item:
            item, meeting, _ = await lock_item(transaction, organisation, item_id)
            if meeting is None:
                raise Refused("the item is on no agenda", hint="move it to a meeting first")
            rules.require_open(meeting, self._clock.now())
            there = [one.id for one in await transaction.items_of_meeting(organisation, meeting.id)]
            await transaction.save_order(organisation, rules.stepped_aside(there, item_id, steps))
            return item

        return await self._unit_of_work.run(work)

    async def item(self, organisation: str, item_id: str) -> Item:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.item(organisation, item_id)

    async def waiting(self, organisation: str, body: WhichBody | None = None) -> list[Item]:
        """Tabled or referred back, and on no agenda since; of one body."""
        async with self._unit_of_work.begin() as transaction:
            if body is not None and body.id is None:
                known = await transaction.body_named(organisation, body.name)
                body = WhichBody(known.id, known.details.name) if known else body
            return await transaction.items_waiting(organisation, body)


async def set_item(transaction: MeetingsTransaction, organisation: str, item: Item, there: Sequence[Item]) -> None:
    """In its place among those that are there."""
    await transaction.save_items(organisation, [(item, len(there) + 1)])
    await transaction.save_order(organisation, rules.placed(there, item))


async def lock_item(
    transaction: MeetingsTransaction, organisation: str, item_id: str, to_meeting_id: str | None = None
) -> tuple[Item, Meeting | None, Meeting | None]:
    """The item, its meeting, and the other one; meetings first, by their ids, as everyone locks them."""
    seen = await transaction.item(organisation, item_id)
    wanted = {one for one in (seen.meeting_id, to_meeting_id) if one is not None}
    meetings = {one: await transaction.lock_meeting(organisation, one) for one in sorted(wanted)}
    item = await transaction.item(organisation, item_id, for_update=True)
    if item.meeting_id != seen.meeting_id:
        raise moved_meanwhile()
    return item, meetings.get(item.meeting_id or ""), meetings.get(to_meeting_id or "")


def moved_meanwhile() -> Refused:
    return Refused(
        "the item was moved by someone else meanwhile", hint="look at it again", says=says("changed_meanwhile")
    )


async def begin_agenda(transaction: MeetingsTransaction, organisation: str, meeting: Meeting) -> list[Item]:
    """Its items, after those that every agenda of its body has are put there, once. The meeting's row is locked."""
    if await transaction.agenda_is_begun(organisation, meeting.id):
        return await transaction.items_of_meeting(organisation, meeting.id)
    await transaction.begin_agenda(organisation, meeting.id)
    body = await transaction.body_of(organisation, meeting)
    items = [
        Item(
            id=new_id(),
            version=1,
            body=meeting.details.body,
            body_id=meeting.body_id,
            meeting_id=meeting.id,
            details=details,
            standing=True,
        )
        for details in (rules.standing_items(body.details.rules) if body else [])
    ]
    await transaction.save_items(organisation, [(item, place) for place, item in enumerate(items, start=1)])
    return items


async def _agenda(transaction: MeetingsTransaction, organisation: str, meeting: Meeting) -> Agenda:
    begun = await transaction.agenda_is_begun(organisation, meeting.id)
    body = await transaction.body_of(organisation, meeting)
    return Agenda(
        meeting=meeting,
        begun=begun,
        items=await transaction.items_of_meeting(organisation, meeting.id),
        left=await transaction.items_that_left(organisation, meeting.id),
        standing=[] if begun or body is None else rules.standing_items(body.details.rules),
        notice_by=latest_day(meeting.details.starts.date(), body.details.rules.notice_days) if body else None,
        notice_is_out=(await transaction.notice(organisation, meeting.id)).stage is Stage.ISSUED,
    )


async def _place(transaction: MeetingsTransaction, organisation: str, item: Item) -> int:
    if item.meeting_id is None:
        return 1
    there = [one.id for one in await transaction.items_of_meeting(organisation, item.meeting_id)]
    return there.index(item.id) + 1
