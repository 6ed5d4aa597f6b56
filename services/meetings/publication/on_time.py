"""What timers do with publications: they are taken down on their day, and deadlines are told of, each once."""

from collections.abc import Awaitable, Callable, Mapping

from services.meetings.body.membership import MemberRole
from services.meetings.meeting.meeting import MeetingStatus
from services.meetings.publication import publication as rules
from services.meetings.publication.publication import Publication, Status, Warned
from services.meetings.publication.store import DUE
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.events import PublicationDeadlineMissed, PublicationDeadlineNeared
from shared.events.notices import AskedMember
from shared.logging import get_logger
from shared.timers import Timer

log = get_logger(__name__)


class PublicationDeadlines:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def handlers(self) -> Mapping[str, Callable[[MeetingsTransaction, Timer], Awaitable[None]]]:
        return {DUE: self._look}

    async def _look(self, transaction: MeetingsTransaction, timer: Timer) -> None:
        organisation, now = timer.organisation, self._clock.now()
        publication = await transaction.lock_posting(organisation, timer.subject)
        meeting = await transaction.meeting(organisation, publication.meeting_id)
        if meeting.status is MeetingStatus.CANCELLED and publication.status is Status.DRAFT:
            return  # nothing is waited for any more
        body = await transaction.body(organisation, publication.body_id)
        passed, warned, removed = rules.pass_time(publication, body, now)
        if warned is not None:
            kind = PublicationDeadlineMissed if warned.is_missed else PublicationDeadlineNeared
            fact = kind(
                deadline=warned.deadline.value,
                due=passed.due(warned.deadline).isoformat(),
                body=body.details.name,
                people=await self._told(transaction, organisation, passed, warned),
                **rules.about(passed),
            )
            transaction.tell_publication(organisation, passed, fact, now)
            log.info("publication.deadline", publication_id=passed.id, told=warned.value, people=len(fact.people))
        if removed is not None:
            transaction.tell_publication(organisation, passed, removed, now)
            log.info("publication.removed", publication_id=passed.id)
        await transaction.save_posting(organisation, passed)
        await transaction.set_posting_timer(organisation, passed)

    async def _told(
        self, transaction: MeetingsTransaction, organisation: str, publication: Publication, warned: Warned
    ) -> tuple[AskedMember, ...]:
        """The body's secretary; of what is missed its chair, too. As of that day."""
        roles = (MemberRole.SECRETARY, MemberRole.CHAIR) if warned.is_missed else (MemberRole.SECRETARY,)
        today = publication.day(self._clock.now())
        there = await transaction.memberships_of_body(organisation, publication.body_id)
        ids = [one.seat.person_id for one in there if one.seat.role in roles and one.seat.stands_on(today)]
        people = await transaction.people_among(organisation, ids)
        asked = (people[one].asked() for one in dict.fromkeys(ids) if one in people)
        return tuple(one for one in asked if one is not None)
