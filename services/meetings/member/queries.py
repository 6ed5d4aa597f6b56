"""What a member sees on their own page. Nothing here is asked by a secretary: the mailed link says who it is."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from services.meetings.agenda.agenda import Item, ItemDetails, standing_items
from services.meetings.meeting.meeting import Meeting
from services.meetings.member.member import SHOWN_AHEAD, SHOWN_BEFORE, OwnMeeting, OwnMeetings, opens, own_meetings
from services.meetings.papers.papers import Publication, PublishedFile, reads_confidential
from services.meetings.person.person import Person
from services.meetings.poll.poll import Poll
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import NotFound
from shared.messaging.transaction import UnitOfWork


@dataclass(frozen=True, slots=True)
class OwnMeetingPage:
    """`items` in order; `standing`: what an agenda begins with that nobody wrote on yet.

    `published`: the papers; `reads_confidential`: whether they read also what is for members only. `taken_over_by`: the
    meeting that took the items of this one, when it was struck; `took_over`: struck ones whose items this one took;
    each where it is theirs, too.
    """

    own: OwnMeeting
    is_over: bool
    items: list[Item]
    standing: list[ItemDetails]
    published: Publication | None
    reads_confidential: bool
    taken_over_by: Meeting | None = None
    took_over: tuple[Meeting, ...] = ()

    @property
    def files(self) -> dict[str, list[PublishedFile]]:
        """Of the papers, those that they may read, by the item."""
        found: dict[str, list[PublishedFile]] = defaultdict(list)
        for file in self.published.files_for(a_member=self.reads_confidential) if self.published else ():
            found[file.item_id].append(file)
        return dict(found)


@dataclass(frozen=True, slots=True)
class OwnPoll:
    """A date poll that asks them; `answered`: whether they have said something."""

    poll: Poll
    meeting: Meeting
    answered: bool


class MemberQueries:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def member(self, organisation: str, person_id: str, page_version: int) -> Person:
        """Whose page a link of this version opens. Raises NotFound when it opens none, or none any more."""
        async with self._unit_of_work.begin() as transaction:
            person = await transaction.person(organisation, person_id)
            held = await transaction.memberships_of_person(organisation, person_id)
        if person.page_version != page_version or not opens(held, self._today()):
            raise NotFound("the link opens nothing any more")
        return person

    async def meetings(self, organisation: str, person: Person) -> OwnMeetings:
        """Of the last half year, and what is planned."""
        async with self._unit_of_work.begin() as transaction:
            return await self._meetings(transaction, organisation, person)

    async def calendar_since(self, organisation: str, person_id: str, tag: str) -> datetime | None:
        """The second from which their calendar says what this tag is of, which is from now on when it said something
        else before; None while that cannot be told apart from the change before, for a second."""
        async with self._unit_of_work.begin() as transaction:
            known = await transaction.calendar_since(organisation, person_id, tag)
        if known is not None:
            return known

        async def work(transaction: MeetingsTransaction) -> datetime | None:
            await transaction.say_calendar(organisation, person_id, tag, self.now.replace(microsecond=0))
            return await transaction.calendar_since(organisation, person_id, tag)

        return await self._unit_of_work.run(work)

    async def meeting(self, organisation: str, person: Person, meeting_id: str) -> OwnMeetingPage:
        """Raises NotFound, also for a meeting that is not theirs."""
        async with self._unit_of_work.begin() as transaction:
            found = await self._meetings(transaction, organisation, person)
            theirs = [one.meeting for one in (*found.coming, *found.past)]
            own = next((one for one in (*found.coming, *found.past) if one.meeting.id == meeting_id), None)
            if own is None:
                raise NotFound(f"there is no meeting {meeting_id[:60]} of theirs")
            items = await transaction.items_of_meeting(organisation, meeting_id)
            begun = bool(items) or await transaction.agenda_is_begun(organisation, meeting_id)
            publications = await transaction.publications(organisation, meeting_id)
            held = await transaction.memberships_of_person(organisation, person.id)
        standing = [] if begun or own.body is None else standing_items(own.body.details.rules)
        day = own.meeting.details.starts.date()
        body_id = own.body.id if own.body else None
        roles = [one.seat.role for one in held if one.body_id == body_id and one.seat.stands_on(day)]
        return OwnMeetingPage(
            own,
            own.meeting.is_over(self._clock.now()),
            items,
            standing,
            publications[-1] if publications else None,
            reads_confidential(roles, own.reply),
            next((one for one in theirs if one.id == own.meeting.taken_over_by), None),
            tuple(one for one in theirs if one.taken_over_by == meeting_id),
        )

    async def _meetings(self, transaction: MeetingsTransaction, organisation: str, person: Person) -> OwnMeetings:
        today = self._today()
        held = await transaction.memberships_of_person(organisation, person.id)
        replies = await transaction.replies_of_person(organisation, person.id)
        meetings = await transaction.meetings_of_someone(
            organisation,
            today - SHOWN_BEFORE,
            today + SHOWN_AHEAD,
            bodies=[one.body_id for one in held],
            meeting_ids=replies,
            email=person.details.email,
        )
        return own_meetings(
            person,
            held,
            await transaction.bodies(organisation),
            meetings,
            replies,
            self.now,
        )

    async def polls(self, organisation: str, person_id: str) -> list[OwnPoll]:
        """Those that ask them, and have not ended; of days that are to come."""
        async with self._unit_of_work.begin() as transaction:
            found = await transaction.polls_asking(organisation, person_id)
            asking = [one for one in found if one.to_come(self._clock.now())]
            meetings = await transaction.meetings_among(organisation, [one.meeting_id for one in asking])
            answered = await transaction.polls_answered(organisation, person_id, [one.id for one in asking])
        return [OwnPoll(one, meetings[one.meeting_id], one.id in answered) for one in asking]

    @property
    def now(self) -> datetime:
        return self._clock.now()

    def _today(self) -> date:
        return self._clock.now().date()
