"""What people ask of notices; each command is one transaction, which holds the meeting's row."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.meetings.meeting.meeting import Meeting, MeetingStatus
from services.meetings.notice import notice as rules
from services.meetings.notice import telling
from services.meetings.notice.notice import Change, Draft, Notice, Recipient, Unnoticed
from services.meetings.notice.scene import known_scene, scene_of
from services.meetings.reply.quorum import Outlook
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import Refused
from shared.events.notices import AskedMember
from shared.messaging.transaction import UnitOfWork
from shared.timers import hold_timers

_OFFICE = ZoneInfo("Europe/Stockholm")
_AHEAD = timedelta(days=400)  # more than the days of notice that a body can have, and the holidays before them

Telling = Callable[[MeetingsTransaction, str, Meeting, str | None, datetime], Awaitable[Notice]]


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A meeting's notice, and what would go out now. `changes`: what is otherwise than people were told.

    `silent`: whom a reminder to answer would be mailed to. `latest`: the last day on which it goes out in time;
    `late`: that it should go out, and nobody has approved it.
    """

    meeting: Meeting
    notice: Notice
    draft: Draft
    changes: tuple[Change, ...]
    latest: date
    late: bool
    outlook: Outlook
    silent: tuple[Recipient, ...] = ()


class NoticeCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def notice(self, organisation: str, meeting_id: str) -> NoticeView | None:
        """None for a meeting of no body that the register knows. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            scene = await scene_of(transaction, organisation, meeting)
        if scene is None:
            return None
        draft, today = scene.draft(), self._clock.now().astimezone(ZoneInfo(meeting.details.timezone)).date()
        coming = meeting.status is not MeetingStatus.CANCELLED and not meeting.is_over(self._clock.now())
        return NoticeView(
            meeting=meeting,
            notice=scene.notice,
            draft=draft,
            changes=rules.changed(scene.notice, draft),
            latest=rules.latest_day(meeting.details.starts.date(), scene.days),
            late=coming and rules.is_late(meeting, scene.notice, scene.days, today),
            outlook=scene.outlook(),
            silent=scene.silent(self._clock.now()) if coming and scene.notice.is_told else (),
        )

    async def late(self, organisation: str) -> list[Unnoticed]:
        """Meetings to come whose notice should have gone out by today, and nobody has approved it."""
        today = self._clock.now().astimezone(_OFFICE).date()
        return [one for one in await self.missing(organisation) if one.notice_by <= today]

    async def missing(self, organisation: str) -> list[Unnoticed]:
        """Meetings to come whose notice nobody has approved or sent, in good time or not."""
        now = self._clock.now().astimezone(_OFFICE).replace(tzinfo=None)
        async with self._unit_of_work.begin() as transaction:
            return await transaction.meetings_without_notice(organisation, now, now + _AHEAD)

    async def send_preliminary(
        self, organisation: str, meeting_id: str, note: str | None = None, *, seen: str | None = None
    ) -> Notice:
        """The date alone, long before. Raises NotFound, Refused, InvalidInput."""
        return await self._tell(organisation, meeting_id, note, telling.send_preliminary, seen)

    async def approve(
        self, organisation: str, meeting_id: str, note: str | None = None, *, seen: str | None = None
    ) -> Notice:
        """Seen: it goes out on its latest day by itself, at once when that has come. Raises as `issue`."""
        return await self._tell(organisation, meeting_id, note, _approve, seen)

    async def issue(
        self, organisation: str, meeting_id: str, note: str | None = None, *, seen: str | None = None
    ) -> Notice:
        """Now. Raises NotFound, Refused, InvalidInput."""
        return await self._tell(organisation, meeting_id, note, telling.issue, seen)

    async def update(
        self, organisation: str, meeting_id: str, note: str | None = None, *, seen: str | None = None
    ) -> Notice:
        """To those who were told: what is otherwise now. Raises NotFound, Refused, InvalidInput."""
        return await self._tell(organisation, meeting_id, note, telling.update, seen)

    async def remind(
        self, organisation: str, meeting_id: str, among: Collection[str] | None = None
    ) -> tuple[AskedMember, ...]:
        """Ask those again who have not said whether they come; who they are. `among`: only of these people, by id:
        those who were shown, say. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> tuple[AskedMember, ...]:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            return await telling.remind(transaction, organisation, meeting, among, self._clock.now())

        return await self._unit_of_work.run(work)

    async def _tell(
        self, organisation: str, meeting_id: str, note: str | None, tell: Telling, seen: str | None
    ) -> Notice:
        """`seen`: the digest of what was looked at; None does not ask."""

        async def work(transaction: MeetingsTransaction) -> Notice:
            await hold_timers(transaction.connection, organisation, meeting_id)
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            if seen is not None:
                scene = await known_scene(transaction, organisation, meeting)
                if scene.draft().digest != seen:
                    raise Refused("something was changed since you looked", hint="look again what goes out")
            return await tell(transaction, organisation, meeting, note, self._clock.now())

        return await self._unit_of_work.run(work)


async def _approve(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, note: str | None, now: datetime
) -> Notice:
    scene = await known_scene(transaction, organisation, meeting)
    scene.notice = rules.approve(scene.notice, scene.draft(), note, now)
    await transaction.save_notice(organisation, meeting.id, scene.notice)
    if rules.due_moment(meeting, scene.days) <= now:
        return await telling.issue(transaction, organisation, meeting, note, now)
    await telling.set_notice_timers(transaction, scene, now)
    return scene.notice
