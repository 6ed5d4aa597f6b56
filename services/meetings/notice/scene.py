"""A meeting with all that its notice is made of, as one transaction finds it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.meetings.agenda.agenda import standing_items
from services.meetings.body.body import Body
from services.meetings.body.membership import MemberRole, Membership, quorum, standing
from services.meetings.meeting.meeting import Meeting
from services.meetings.notice.joining import join_link
from services.meetings.notice.notice import Draft, Notice, Recipient
from services.meetings.person.person import Person
from services.meetings.reply.quorum import Outlook, outlook
from services.meetings.reply.reminder import may_be_reminded
from services.meetings.reply.reply import Reply, asked_of, seated
from services.meetings.reply.substitutes import Places, is_let_go, places_on
from services.meetings.transaction import MeetingsTransaction
from shared.errors import Refused
from shared.events import BlobRef
from shared.events.notices import JOIN, AgendaLine

_LOOK_AFTER = (MemberRole.CHAIR, MemberRole.SECRETARY)


@dataclass(slots=True)
class Scene:
    """`replies`: of all who are or were asked, by person; `seats`: who sits in the body on the meeting's day;
    `join_sealed`: by which link it is joined, for who writes mails."""

    organisation: str
    meeting: Meeting
    body: Body
    notice: Notice
    memberships: list[Membership]
    people: dict[str, Person]
    replies: dict[str, Reply]
    seats: dict[str, MemberRole]
    places: Places
    agenda: tuple[AgendaLine, ...]
    papers: BlobRef | None
    stored: dict[str, Reply] = field(default_factory=dict)
    join_sealed: str = ""

    @property
    def days(self) -> int:
        return self.body.details.rules.notice_days

    def draft(self) -> Draft:
        """What would go out now, to those who sit in the body and to substitutes who are called."""
        return self.draft_to(self.recipients(self.invited()))

    def draft_to(self, recipients: tuple[Recipient, ...]) -> Draft:
        return Draft(
            meeting=self.meeting,
            body_id=self.body.id,
            body=self.body.details.name,
            agenda=self.agenda,
            papers=self.papers,
            recipients=recipients,
            join_link=join_link(self.meeting, self.body.details.rules),
            join_sealed=self.join_sealed,
        )

    def invited(self) -> list[str]:
        """By role, then by name. Who was called, and is no substitute any more, is not."""
        called = (one for one in self.places.substitutes if (reply := self.replies.get(one)) and reply.instead_of)
        return self._sorted(dict.fromkeys((*self.seats, *(one for one in called if self.replies[one].asked))))

    def told_before(self) -> list[str]:
        """Whom a withdrawal concerns: also those who sit in the body no more, and still believe that they are asked."""
        return self._sorted(one.person_id for one in self.replies.values() if one.asked and not is_let_go(one))

    def gone(self) -> list[str]:
        """Who was asked, and sits in the body no more."""
        invited = set(self.invited())
        return [one for one in self.told_before() if one not in invited]

    def recipients(self, person_ids: Iterable[str]) -> tuple[Recipient, ...]:
        return tuple(self._recipient(one) for one in person_ids if one in self.people)

    def silent(self, now: datetime) -> tuple[Recipient, ...]:
        """Whom a reminder to answer would be mailed to."""
        people = self.recipients(one for one in self.invited() if may_be_reminded(self.replies[one], now))
        return tuple(one for one in people if one.email)

    def looking_after(self) -> tuple[Recipient, ...]:
        """The body's chair and secretary: who is told that something is wrong."""
        there = standing(self.memberships, self.meeting.details.starts.date())
        found = dict.fromkeys(one.seat.person_id for one in there if one.seat.role in _LOOK_AFTER)
        return self.recipients(found)

    def outlook(self, replies: Mapping[str, Reply] | None = None) -> Outlook:
        """`replies`: as they would be; None: as they are."""
        needed = quorum(self.body.details.rules, self.memberships, self.meeting.details.starts.date())
        return outlook(needed, self.places, self.replies if replies is None else replies)

    def _recipient(self, person_id: str) -> Recipient:
        person, reply = self.people[person_id], self.replies.get(person_id)
        instead = self.people.get(reply.instead_of) if reply and reply.instead_of else None
        return Recipient(
            person_id=person_id,
            name=person.details.name,
            email=person.details.email,
            language=person.details.language,
            role=reply.role if reply else self.seats.get(person_id, MemberRole.SUBSTITUTE),
            page_version=person.page_version,
            instead_of=instead.details.name if instead else None,
        )

    def _sorted(self, person_ids: Iterable[str]) -> list[str]:
        roles = list(MemberRole)

        def place(person_id: str) -> tuple[int, str, str]:
            reply, person = self.replies[person_id], self.people.get(person_id)
            return roles.index(reply.role), person.details.name if person else "", person_id

        return sorted(person_ids, key=place)


async def scene_of(transaction: MeetingsTransaction, organisation: str, meeting: Meeting) -> Scene | None:
    """None for a meeting of no body that the register knows: nobody is asked to it here."""
    body = await transaction.body_of(organisation, meeting)
    if body is None:
        return None
    memberships = await transaction.memberships_of_body(organisation, body.id)
    known = await transaction.replies(organisation, meeting.id)
    ids = {one.seat.person_id for one in memberships} | {one.person_id for one in known}
    people = await transaction.people_among(organisation, ids)
    day = meeting.details.starts.date()
    seats = seated(memberships, day)
    parties = {person_id: person.details.party for person_id, person in people.items()}
    return Scene(
        organisation=organisation,
        meeting=meeting,
        body=body,
        notice=await transaction.notice(organisation, meeting.id),
        memberships=memberships,
        people=people,
        replies=asked_of(known, seats),
        seats=seats,
        places=places_on(body.details.rules.substitutes, memberships, day, parties),
        agenda=await _agenda(transaction, organisation, meeting, body),
        papers=await transaction.published_papers(organisation, meeting.id),
        stored={one.person_id: one for one in known},
        join_sealed=transaction.sealed(JOIN, f"{organisation} {meeting.id}", join_link(meeting, body.details.rules)),
    )


async def known_scene(transaction: MeetingsTransaction, organisation: str, meeting: Meeting) -> Scene:
    """Raises Refused."""
    found = await scene_of(transaction, organisation, meeting)
    if found is None:
        raise Refused(
            f"{meeting.details.body} is not in the register, so nobody is known whom the notice goes to",
            hint="register the body and its people",
        )
    return found


async def _agenda(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, body: Body
) -> tuple[AgendaLine, ...]:
    if not await transaction.agenda_is_begun(organisation, meeting.id):
        return tuple(AgendaLine(title=one.title, kind=one.kind.value) for one in standing_items(body.details.rules))
    return tuple(
        AgendaLine(
            title=one.details.title,
            kind=one.details.kind.value,
            presenter=one.details.presenter,
            minutes=one.details.minutes,
            came_from=one.stays[-1].starts.date().isoformat() if one.stays else None,
        )
        for one in await transaction.items_of_meeting(organisation, meeting.id)
    )
