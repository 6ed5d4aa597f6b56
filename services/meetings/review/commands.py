"""What people ask of reviews; each command is one transaction. The meeting's row is locked before its review's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.meetings.body.body import Body
from services.meetings.body.membership import MemberRole, standing
from services.meetings.meeting.meeting import Meeting
from services.meetings.minutes.queries import MinutesQueries
from services.meetings.minutes.revision import Version
from services.meetings.minutes.store import version_of_row
from services.meetings.person.person import Person
from services.meetings.review import review as rules
from services.meetings.review.following import asked_among
from services.meetings.review.review import Comment, Review
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import NotFound, Refused, Unavailable
from shared.events import ProtocolReleased
from shared.events.notices import AskedMember
from shared.ids import new_id
from shared.logging import get_logger
from shared.messaging.transaction import UnitOfWork
from shared.rendering.minutes import MinutesDocument

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review with what it is about, who is or was asked and who commented, by id, and the comments by paragraph."""

    review: Review
    meeting: Meeting
    people: dict[str, Person]
    comments: list[Comment]

    def name(self, person_id: str) -> str:
        return self.people[person_id].details.name if person_id in self.people else "?"

    def commented(self, person_id: str) -> bool:
        """On the present version."""
        now = self.review.minutes_version
        return any(one.person_id == person_id and one.minutes_version == now for one in self.comments)

    @property
    def unsettled(self) -> list[Comment]:
        return [one for one in self.comments if one.settled_at is None]


class LongOver(NotFound):
    """It is over since so long that its minutes are read there no more. `secretaries`: the names of who has them."""

    def __init__(self, view: ReviewView, secretaries: Sequence[str]) -> None:
        super().__init__("the review is over since long", hint="ask the body's secretary for the minutes")
        self.view = view
        self.secretaries = secretaries


@dataclass(frozen=True, slots=True)
class Candidate:
    """Someone who sits in the body, and may be asked. `usual`: the minutes name them as chair or
    adjuster, or they read the body's last minutes without having been that."""

    person: Person
    role: MemberRole
    usual: bool


@dataclass(frozen=True, slots=True)
class Reviewable:
    """The last version of a meeting's minutes, and who may be asked about it. `why_not`: what keeps it from being
    reviewed."""

    meeting: Meeting
    document_name: str
    version: int
    candidates: list[Candidate] = field(default_factory=list)
    why_not: Refused | None = None


class ReviewCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock, versions: MinutesQueries) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._versions = versions

    async def reviewable(self, organisation: str, meeting_id: str) -> Reviewable:
        """Raises NotFound where no minutes were drafted, Unavailable."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            row, drafted = await _drafted(transaction, organisation, meeting_id)
            body = await transaction.body_of(organisation, meeting)
            seats = await _seats(transaction, organisation, body, self._today(meeting)) if body else {}
            people = await transaction.people_among(organisation, seats)
            last = await transaction.last_review_of_body(organisation, body.id, but_of=meeting_id) if body else None
        try:
            _known(body, meeting)
            rules.require_draft(drafted)
        except Refused as refused:
            return Reviewable(meeting, row.document_name, drafted.number, why_not=refused)
        document = await self._versions.document(organisation, meeting_id, drafted.number)
        named, others = _named(document), set(last.people) if last else set[str]()
        if last is not None:
            before = await self._named_before(organisation, last)
            others = {one for one in others if one in people and people[one].details.name not in before}
        candidates = [
            Candidate(people[one], role, one in others or people[one].details.name in named)
            for one, role in seats.items()
            if one in people and people[one].details.email
        ]
        return Reviewable(meeting, row.document_name, drafted.number, candidates)

    async def _named_before(self, organisation: str, review: Review) -> set[str]:
        """Nobody, where those minutes cannot be read now: who is asked about others does not wait for them."""
        try:
            return _named(await self._versions.document(organisation, review.meeting_id, review.minutes_version))
        except (NotFound, Unavailable) as error:
            log.info("review.no_minutes_before", review_id=review.id, reason=type(error).__name__)
            return set()

    async def open(
        self, organisation: str, meeting_id: str, people: Sequence[str], *, answer_by: date, note: str | None = None
    ) -> ReviewView:
        """Each who is asked gets a mail with a link. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> ReviewView:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            if await transaction.lock_open_review(organisation, meeting_id) is not None:
                raise Refused("the minutes are being reviewed already", hint="call that review off first")
            row, drafted = await _drafted(transaction, organisation, meeting_id)
            body = _known(await transaction.body_of(organisation, meeting), meeting)
            seats = await _seats(transaction, organisation, body, self._today(meeting))
            wanted = [one for one in dict.fromkeys(people) if one in seats]
            if len(wanted) < len(set(people)):
                raise NotFound("somebody who is to be asked does not sit in the body")
            review, fact = rules.open_review(
                new_id(),
                meeting_id,
                body.id,
                drafted,
                row.document_name,
                people=wanted,
                asked=await asked_among(transaction, organisation, wanted, seats),
                answer_by=answer_by,
                note=note,
                today=self._today(meeting),
            )
            await transaction.save_review(organisation, review)
            transaction.tell(organisation, review, fact, self._clock.now())
            return await _view(transaction, organisation, review)

        return await self._unit_of_work.run(work)

    async def comment(
        self, organisation: str, review_id: str, person_id: str, texts: Mapping[int, str], *, seen: int
    ) -> ReviewView:
        """`texts`: by paragraph; `seen`: the version of the minutes that they read. Raises NotFound, Refused (there is
        a later one, it ended), InvalidInput, Unavailable."""
        document = await self.document(organisation, review_id, seen)
        headings = {one.number: one.heading for one in document.paragraphs}

        async def work(transaction: MeetingsTransaction) -> ReviewView:
            review = await transaction.review(organisation, review_id, for_update=True)
            if seen != review.minutes_version:
                raise Refused("there is a later version of the minutes", hint="read it first")
            person = await transaction.person(organisation, person_id)
            before = await transaction.review_comments(organisation, review_id)
            now = self._clock.now()
            changed, comments, fact = rules.comment(
                review,
                person_id,
                person.details.name,
                texts,
                headings,
                ids=(new_id() for _ in texts),
                made=sum(one.person_id == person_id for one in before),
                told=await _writers(transaction, organisation, review, now, but=person_id),
                now=now,
            )
            await transaction.save_review_comments(organisation, review_id, comments)
            await transaction.save_review(organisation, changed)
            transaction.tell(organisation, changed, fact, now)
            return await _view(transaction, organisation, changed)

        return await self._unit_of_work.run(work)

    async def agree(self, organisation: str, review_id: str, person_id: str, *, seen: int) -> ReviewView:
        """`seen`: the version of the minutes that they read. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> ReviewView:
            review = await transaction.review(organisation, review_id, for_update=True)
            person = await transaction.person(organisation, person_id)
            now = self._clock.now()
            told = await _writers(transaction, organisation, review, now, but=person_id)
            changed, fact = rules.agree(review, person_id, person.details.name, seen, told)
            if fact is not None:
                await transaction.save_review(organisation, changed)
                transaction.tell(organisation, changed, fact, now)
            return await _view(transaction, organisation, changed)

        return await self._unit_of_work.run(work)

    async def answer(
        self, organisation: str, review_id: str, comment_id: str, reply: str | None, *, settled: bool
    ) -> ReviewView:
        """What the secretary says to a comment; who made it reads that on their page. Raises NotFound, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> ReviewView:
            review = await transaction.review(organisation, review_id, for_update=True)
            comments = await transaction.review_comments(organisation, review_id)
            found = next((one for one in comments if one.id == comment_id), None)
            if found is None:
                raise NotFound("there is no such comment in the review")
            answered = rules.answer(found, reply, settled=settled, now=self._clock.now())
            await transaction.save_review_comments(organisation, review_id, [answered])
            return await _view(transaction, organisation, review)

        return await self._unit_of_work.run(work)

    async def send(self, organisation: str, review_id: str) -> ReviewView:
        """All agreed: signing sends the document to its first signer. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> ReviewView:
            seen = await transaction.review(organisation, review_id)
            meeting = await transaction.lock_meeting(organisation, seen.meeting_id)
            review = await transaction.review(organisation, review_id, for_update=True)
            _, drafted = await _drafted(transaction, organisation, meeting.id)
            closed, fact = rules.send(review, drafted)
            now = self._clock.now()
            await transaction.save_review(organisation, closed)
            transaction.tell(organisation, closed, fact, now)
            await transaction.release_minutes(organisation, meeting.id, drafted.number, now)
            changed = meeting.model_copy(update={"version": meeting.version + 1})
            await transaction.save_meeting(organisation, changed)
            released = ProtocolReleased(
                meeting_id=meeting.id,
                agreement_id=drafted.agreement_id,
                document_name=closed.document_name,
                version=drafted.number,
            )
            transaction.tell(organisation, changed, released, now)
            return await _view(transaction, organisation, closed)

        return await self._unit_of_work.run(work)

    async def ask_again(self, organisation: str, review_id: str, person_id: str) -> ReviewView:
        """The link is mailed again to one whom the mail did not reach, at the address that the register has now.
        Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> ReviewView:
            review = await transaction.review(organisation, review_id, for_update=True)
            found = await asked_among(transaction, organisation, [person_id]) if person_id in review.people else []
            if not found:
                raise NotFound("they are not asked, or have no address", hint="give the person an e-mail address first")
            changed, fact = rules.ask_again(review, found[0])
            await transaction.save_review(organisation, changed)
            transaction.tell(organisation, changed, fact, self._clock.now())
            return await _view(transaction, organisation, changed)

        return await self._unit_of_work.run(work)

    async def call_off(self, organisation: str, review_id: str, reason: str) -> ReviewView:
        """Whom it asked is told by mail. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> ReviewView:
            review = await transaction.review(organisation, review_id, for_update=True)
            asked = await asked_among(transaction, organisation, review.people)
            closed, fact = rules.call_off(review, reason, asked)
            await transaction.save_review(organisation, closed)
            transaction.tell(organisation, closed, fact, self._clock.now())
            return await _view(transaction, organisation, closed)

        return await self._unit_of_work.run(work)

    async def review(self, organisation: str, review_id: str) -> ReviewView:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            return await _view(transaction, organisation, await transaction.review(organisation, review_id))

    async def latest(self, organisation: str, meeting_id: str) -> ReviewView | None:
        """The one that is open, or the last one that was; None where there was none. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            await transaction.meeting(organisation, meeting_id)
            found = await transaction.reviews_of_meeting(organisation, meeting_id)
            return await _view(transaction, organisation, found[0]) if found else None

    async def of_meeting(self, organisation: str, meeting_id: str) -> list[Review]:
        """The latest first. Raises NotFound for a meeting that is not there."""
        async with self._unit_of_work.begin() as transaction:
            await transaction.meeting(organisation, meeting_id)
            return await transaction.reviews_of_meeting(organisation, meeting_id)

    async def document(self, organisation: str, review_id: str, version: int) -> MinutesDocument:
        """A version of the minutes that are reviewed. Raises NotFound, Unavailable."""
        async with self._unit_of_work.begin() as transaction:
            review = await transaction.review(organisation, review_id)
        return await self._versions.document(organisation, review.meeting_id, version)

    async def read(self, organisation: str, review_id: str, person_id: str) -> ReviewView:
        """For someone who is asked. Raises NotFound when it asks somebody else, LongOver."""
        now = self._clock.now()
        async with self._unit_of_work.begin() as transaction:
            review = await transaction.review(organisation, review_id)
            if person_id not in review.people:
                raise NotFound("they are not asked")
            view = await _view(transaction, organisation, review)
            if not review.opens(self._today(view.meeting)):
                writers = await _writers(transaction, organisation, review, now, but=person_id)
                raise LongOver(view, [one.name for one in writers if one.name])
        return view

    async def asking(self, organisation: str, person_id: str) -> list[Review]:
        """Those that are open and ask this person."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.reviews_asking(organisation, person_id)

    def _today(self, meeting: Meeting) -> date:
        return self._clock.now().astimezone(ZoneInfo(meeting.details.timezone)).date()


def _known(body: Body | None, meeting: Meeting) -> Body:
    if body is None:
        raise Refused(f"{meeting.details.body} is not in the register, so nobody is known to ask", hint="register it")
    return body


async def _drafted(transaction: MeetingsTransaction, organisation: str, meeting_id: str) -> tuple[Any, Version]:
    row = await transaction.minutes_of(organisation, meeting_id)
    if row is None:
        raise NotFound("no minutes have been drafted for this meeting")
    return row, version_of_row(row)


def _named(document: MinutesDocument) -> set[str]:
    """Who approve them, beside the secretary."""
    return {document.chair, *document.adjusters}


async def _seats(transaction: MeetingsTransaction, organisation: str, body: Body, day: date) -> dict[str, MemberRole]:
    """Who sits in the body, substitutes too: one may have been chosen to adjust."""
    there = standing(await transaction.memberships_of_body(organisation, body.id), day)
    found: dict[str, MemberRole] = {}
    for one in there:
        found.setdefault(one.seat.person_id, one.seat.role)
    return found


async def _writers(
    transaction: MeetingsTransaction, organisation: str, review: Review, at: datetime, *, but: str
) -> list[AskedMember]:
    """The body's secretaries: who writes its minutes, and is told what others say of them."""
    body = await transaction.body(organisation, review.body_id)
    day = at.astimezone(ZoneInfo(body.details.rules.timezone)).date()
    seats = await _seats(transaction, organisation, body, day)
    return await asked_among(
        transaction,
        organisation,
        [one for one, role in seats.items() if role is MemberRole.SECRETARY and one != but],
        seats,
    )


async def _view(transaction: MeetingsTransaction, organisation: str, review: Review) -> ReviewView:
    comments = await transaction.review_comments(organisation, review.id)
    people = await transaction.people_among(organisation, {*review.people, *(one.person_id for one in comments)})
    return ReviewView(review, await transaction.meeting(organisation, review.meeting_id), people, comments)
