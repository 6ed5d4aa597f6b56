"""One transaction of the meetings service, over the rows of all its aggregates."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.meetings.agenda.agenda import Item
from services.meetings.agenda.store import AgendaStore
from services.meetings.annex.annex import MeetingFile, files_of
from services.meetings.annex.store import AnnexStore
from services.meetings.attachment.store import AttachmentStore
from services.meetings.body.body import Body
from services.meetings.body.store import BodyStore
from services.meetings.body.who_sits import WhoSits
from services.meetings.decision.store import DecisionStore
from services.meetings.letterhead.store import LetterheadStore
from services.meetings.manuscript.store import ManuscriptStore
from services.meetings.meeting.meeting import Meeting, MeetingStatus, body_key
from services.meetings.meeting.store import MeetingStore
from services.meetings.member.store import MemberStore
from services.meetings.minutes.store import MinutesStore
from services.meetings.notice.notice import Stage, closes_at
from services.meetings.notice.store import NoticeStore
from services.meetings.oparl.store import OpenStore
from services.meetings.organisation.organisation import Organisation
from services.meetings.organisation.store import OrganisationStore
from services.meetings.papers.store import PapersStore
from services.meetings.person.person import Person
from services.meetings.person.store import PersonStore
from services.meetings.poll.poll import Poll, call_off
from services.meetings.poll.store import PollStore
from services.meetings.proposal.store import ProposalStore
from services.meetings.publication import publication
from services.meetings.publication.deadlines import adjust_by, is_watched_otherwise
from services.meetings.publication.publication import Publication
from services.meetings.publication.store import PublicationStore
from services.meetings.reply.store import ReplyStore
from services.meetings.review.review import Review
from services.meetings.review.store import ReviewStore
from services.meetings.sitting.store import SittingStore
from services.meetings.task.store import TaskStore
from services.meetings.task.task import Task
from shared.events import (
    AgreementCompleted,
    BounceDetected,
    Event,
    InvitationAnswered,
    ItemMoved,
    MeetingCancelled,
    MeetingChanged,
    MeetingScheduled,
    MembershipBegun,
    MembershipChanged,
    MembershipEnded,
)
from shared.events.envelope import Envelope
from shared.ids import new_id
from shared.keys import KeyRing
from shared.messaging.transaction import Received
from shared.sealed import seal

_LOOKED_BACK = timedelta(days=92)  # what ended longer ago and is watched by nobody begins no more


def chain_of(about: Meeting | Body | Person | Item | Poll | Review, event: Event) -> str:
    """What a fact is of, for the journal: a meeting's date poll, the review of its minutes and an item that left its
    agenda are of the meeting."""
    if isinstance(about, Poll | Review):
        return about.meeting_id
    return event.from_meeting_id if isinstance(event, ItemMoved) else about.id


class MeetingsTransaction(
    MeetingStore,
    MinutesStore,
    DecisionStore,
    ManuscriptStore,
    BodyStore,
    PersonStore,
    MemberStore,
    AgendaStore,
    AttachmentStore,
    AnnexStore,
    PapersStore,
    LetterheadStore,
    NoticeStore,
    ReplyStore,
    PollStore,
    ProposalStore,
    SittingStore,
    ReviewStore,
    TaskStore,
    PublicationStore,
    OpenStore,
    OrganisationStore,
):
    source = "meetings"

    def __init__(self, connection: AsyncConnection, sealing: KeyRing | None = None) -> None:
        """`sealing`: keys that notifications holds, too. Without them no fact carries what only it may read."""
        super().__init__(connection)
        self._sealing = sealing
        self._cancelled: list[tuple[str, Meeting, MeetingCancelled, datetime]] = []
        self._planned: dict[tuple[str, str], tuple[Meeting, datetime]] = {}
        self._ruled: dict[tuple[str, str], datetime] = {}
        self._seated: dict[str, dict[str, datetime]] = defaultdict(dict)

    async def flush(self) -> None:
        """Whoever cancels a meeting ends the date poll that asks for another date for it. Whom its notice tells that it
        will not take place, is told once. Of a body whose members changed, tasks find out who has their role now."""
        for organisation, meeting, cancelled, at in self._cancelled:
            if (poll := await self.lock_open_poll(organisation, meeting.id)) is not None:
                is_told = (await self.notice(organisation, meeting.id)).stage is Stage.WITHDRAWN
                await self.end_poll(organisation, poll, meeting, cancelled.reason, at, tell=not is_told)
        self._cancelled.clear()
        await self._plan_by_rules()
        planned, self._planned = self._planned, {}
        await self._wait_for_minutes(planned)
        seated, self._seated = self._seated, defaultdict(dict)
        for organisation, bodies in sorted(seated.items()):
            await self.ask_who_has_roles(organisation, bodies, max(bodies.values()))
        await super().flush()

    def sealed(self, purpose: str, subject: str, words: str) -> str:
        """For notifications alone; empty for empty words."""
        return "" if self._sealing is None else seal(self._sealing, purpose, subject, words)

    def follow_rules(self, organisation: str, body: Body, before: Body | None, at: datetime) -> None:
        """Of a body that was put in or changed. Where its name, or what says until when its minutes are signed, is
        another than `before`, its meetings follow when the transaction ends."""
        if before is None or is_watched_otherwise(body.details, before.details):
            self._ruled[organisation, body.id] = at

    async def _plan_by_rules(self) -> None:
        """Of a body that was registered or changed, the meetings whose minutes are waited for, or are to come, follow
        its rules. The register is locked."""
        ruled, self._ruled = self._ruled, {}
        for (organisation, body_id), at in sorted(ruled.items()):
            ids = await self.awaited_meetings(organisation, body_id, (at - _LOOKED_BACK).date())
            await self.lock_meetings(organisation, ids)
            for meeting in (await self.meetings_among(organisation, ids)).values():
                if meeting.status is not MeetingStatus.CANCELLED:
                    self._planned.setdefault((organisation, meeting.id), (meeting, at))

    async def _wait_for_minutes(self, planned: Mapping[tuple[str, str], tuple[Meeting, datetime]]) -> None:
        """Where the law says until when minutes are signed, that is watched from the calendar on; what is watched
        already follows its meeting."""
        watched: dict[tuple[str, str], str] = {}
        for organisation in sorted({organisation for organisation, _ in planned}):
            ids = [meeting_id for of, meeting_id in planned if of == organisation]
            found = await self.postings_of(organisation, ids)
            await self.hold_postings(organisation, [one.id for one in found.values()])
            watched |= {(organisation, meeting_id): one.id for meeting_id, one in found.items()}
        for key, (meeting, at) in sorted(planned.items()):
            organisation, body = key[0], await self.body_of(key[0], meeting)
            if body is None:
                if key in watched:
                    left = publication.left_alone(await self.lock_posting(organisation, watched[key]))
                    await self.save_posting(organisation, left)
                    await self.set_posting_timer(organisation, left)
            elif key in watched or adjust_by(body.details.rules, meeting.details.ends.date()) is not None:
                await self.follow_meeting(organisation, meeting, body, at)

    async def follow_meeting(self, organisation: str, meeting: Meeting, body: Body, now: datetime) -> Publication:
        """The meeting's publication as the meeting and its minutes are; it begins, if it has none. One that it has is
        held: `hold_postings`."""
        begun = publication.begin(new_id(), meeting, body)
        waiting = await self.begin_posting(organisation, begun)
        row = await self.minutes_of(organisation, meeting.id)
        signed_at = row.signed_at if row is not None and row.ended is None else None
        is_new = waiting.id == begun.id
        found = publication.followed(waiting, meeting, body, signed_at, now, is_new=is_new)
        if is_new or found != waiting:
            await self.save_posting(organisation, found)
            await self.set_posting_timer(organisation, found)
        return found

    async def follow_part(
        self, organisation: str, meeting: Meeting, body: Body, row: Any, now: datetime
    ) -> Publication:
        """The publication of a paragraph that all have approved at once, a row of `MINUTES`; it begins, if it has none.
        One that it has is held."""
        begun = publication.begin_part(new_id(), meeting, body, row.version, row.first_paragraph)
        waiting = await self.begin_posting(organisation, begun)
        found = publication.followed(waiting, meeting, body, row.signed_at, now, is_new=waiting.id == begun.id)
        if found != waiting:
            await self.save_posting(organisation, found)
            await self.set_posting_timer(organisation, found)
        return found

    async def prepare(self, batch: Sequence[Received[Any]]) -> None:
        """What came back of mails about several meetings, or reviews of their minutes, locks them in order, as everyone
        does; after them the date polls that mails were of, and the publications of minutes that all have signed. Before
        them the register, if there are elections that will take effect."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for received in batch:
            if isinstance(received.event, BounceDetected | InvitationAnswered):
                wanted[received.envelope.organisation].add(received.event.agreement_id)
        completed = [received for received in batch if isinstance(received.event, AgreementCompleted)]
        for organisation in sorted(await self._seating(batch) if wanted or len(completed) > 1 else ()):
            await self.lock_register(organisation)
        for organisation in sorted(wanted):
            reviewed = await self.meetings_of_reviews(organisation, wanted[organisation])
            await self.lock_meetings(organisation, wanted[organisation] | reviewed)
        for organisation in sorted(wanted):
            await self.lock_polls(organisation, wanted[organisation])
        if len(completed) > 1:
            await self._hold_postings_of(completed)

    async def _hold_postings_of(self, completed: Sequence[Received[AgreementCompleted]]) -> None:
        """Of minutes that all have signed."""
        meetings: dict[str, set[str]] = defaultdict(set)
        for received in completed:
            organisation = received.envelope.organisation
            if (version := await self.version_of_agreement(organisation, received.event.agreement_id)) is not None:
                meetings[organisation].add(version[0])
        for organisation in sorted(meetings):
            found = await self.postings_of(organisation, meetings[organisation])
            await self.hold_postings(organisation, [one.id for one in found.values()])

    async def _seating(self, batch: Sequence[Received[Any]]) -> set[str]:
        """The organisations in which agreements that are completed declare elections."""
        found = set()
        for received in batch:
            if isinstance(received.event, AgreementCompleted):
                organisation = received.envelope.organisation
                version = await self.version_of_agreement(organisation, received.event.agreement_id)
                if version is not None and await self.elections(organisation, *version):
                    found.add(organisation)
        return found

    async def who_sits(self, organisation: str) -> WhoSits:
        return WhoSits(
            await self.bodies(organisation),
            await self.memberships(organisation),
            await self.all_people(organisation),
        )

    async def body_of(self, organisation: str, meeting: Meeting) -> Body | None:
        """By its id; where the register did not know it, by its name."""
        if meeting.body_id is not None:
            return await self.body(organisation, meeting.body_id)
        return await self.body_named(organisation, meeting.details.body)

    async def files_of_meeting(self, organisation: str, meeting_id: str) -> list[MeetingFile]:
        """What its minutes may name as annexes."""
        handed_in = await self.annex_files(organisation, meeting_id)
        by_item = await self.attachments_of_meeting(organisation, meeting_id)
        return files_of(handed_in, [one for attachments in by_item.values() for one in attachments])

    async def notice_closes(self, organisation: str, meeting: Meeting | None) -> datetime | None:
        """Until when a file comes in time for its notice; None for no meeting, and where nothing says so."""
        if meeting is None:
            return None
        body = await self.body_of(organisation, meeting)
        days = body.details.rules.notice_days if body else None
        return closes_at(meeting, await self.notice(organisation, meeting.id), days)

    async def take_name(self, organisation: str, body: Body, before: str | None) -> None:
        """A body has a name that it had not: what the register knew by that name, or by the one `before`, is this
        body's from now on, and its numbers go on. The register is locked."""
        keys = {body_key(name) for name in (body.details.name, before) if name}
        await self.claim_meetings(organisation, body.id, keys)
        await self.claim_items(organisation, body.id, keys)
        await self.claim_decisions(organisation, body.id, keys)
        if before is not None and body_key(before) != body_key(body.details.name):
            await self.rename_numbering(organisation, body_key(before), body_key(body.details.name))

    async def end_poll(
        self, organisation: str, poll: Poll, meeting: Meeting, reason: str, at: datetime, *, tell: bool = True
    ) -> Poll:
        """Call it off. `tell`: whom it asked. Its row and the meeting's are locked. Raises Refused, InvalidInput."""
        body = await self.body(organisation, poll.body_id)
        people = await self.people_among(organisation, poll.people)
        there = [people[person_id] for person_id in poll.people if person_id in people]
        asked = [found for one in there if tell and (found := one.asked()) is not None]
        ended, fact = call_off(poll, meeting, body, reason, asked)
        await self.save_poll(organisation, ended)
        self.tell(organisation, ended, fact, at)
        return ended

    def tell(
        self,
        organisation: str,
        about: Meeting | Body | Person | Item | Poll | Review,
        event: Event,
        at: datetime,
        cause: Envelope | None = None,
    ) -> None:
        """Publish a fact of it, or of what belongs to it (a membership to its body), at its present version."""
        self.publish(
            event,
            organisation=organisation,
            subject=about.id,
            key=about.id,
            sequence=about.version,
            time=at,
            correlation_id=chain_of(about, event),
            cause=cause,
        )
        if isinstance(event, MeetingScheduled | MeetingChanged) and isinstance(about, Meeting):
            self._planned[organisation, about.id] = about, at
        if isinstance(event, MembershipBegun | MembershipChanged | MembershipEnded):
            self._seated[organisation][about.id] = at
        if isinstance(event, MeetingCancelled) and isinstance(about, Meeting):
            self._cancelled.append((organisation, about, event, at))

    def tell_organisation(self, about: Organisation, event: Event, at: datetime) -> None:
        """Publish a fact of an organisation, at its present version: among its own, whoever asked for it."""
        self.publish(
            event,
            organisation=about.id,
            subject=about.id,
            key=about.id,
            sequence=about.version,
            time=at,
            correlation_id=about.id,
        )

    def tell_task(self, organisation: str, task: Task, event: Event, at: datetime) -> None:
        """Publish a fact of a task, at its present version: under its body's key, behind who sits there."""
        self.publish(
            event,
            organisation=organisation,
            subject=task.id,
            key=task.body_id,
            sequence=task.version,
            time=at,
            correlation_id=task.meeting_id,
        )

    def tell_publication(self, organisation: str, about: Publication, event: Event, at: datetime) -> None:
        """Publish a fact of a publication, at its present version."""
        self.publish(
            event,
            organisation=organisation,
            subject=about.id,
            key=about.id,
            sequence=about.version,
            time=at,
            correlation_id=about.meeting_id,
        )

    def tell_sitting(self, organisation: str, meeting_id: str, event: Event, step: int, at: datetime) -> None:
        """Publish what was recorded of a meeting's sitting, at its number. The meeting's row is locked."""
        self.publish(
            event,
            organisation=organisation,
            subject=meeting_id,
            key=meeting_id,
            sequence=step,
            time=at,
            correlation_id=meeting_id,
        )

    async def tell_notice(self, organisation: str, meeting: Meeting, event: Event, at: datetime) -> None:
        """Publish a fact of a meeting's notice or replies, at its number of them. The meeting's row is locked."""
        self.publish(
            event,
            organisation=organisation,
            subject=meeting.id,
            key=meeting.id,
            sequence=await self.step_notice(organisation, meeting.id),
            time=at,
            correlation_id=meeting.id,
        )
