"""What is asked of replies; each command is one transaction, which holds the meeting's row."""

from dataclasses import dataclass
from datetime import datetime

from services.meetings.body.membership import MemberRole
from services.meetings.meeting.meeting import Meeting
from services.meetings.notice.scene import known_scene
from services.meetings.notice.telling import settle_answers
from services.meetings.person.person import Person
from services.meetings.reply import reply as rules
from services.meetings.reply.reply import Answer, Reply, Via
from services.meetings.reply.substitutes import is_let_go, require_place
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.messaging.transaction import UnitOfWork


@dataclass(frozen=True, slots=True)
class Asked:
    """Someone who is asked to a meeting, and what they answered."""

    person: Person
    reply: Reply


class ReplyCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def asked(self, organisation: str, meeting_id: str) -> list[Asked]:
        """All who are asked, those of the body by role, then by name. Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            there = await asked_to(transaction, organisation, meeting)
            people = await transaction.people_among(organisation, there)
        asked = {person_id: reply for person_id, reply in there.items() if reply.asked}
        found = [Asked(people[person_id], reply) for person_id, reply in asked.items() if person_id in people]
        roles = list(MemberRole)
        return sorted(found, key=lambda one: (roles.index(one.reply.role), one.person.details.name, one.person.id))

    async def of_person(self, organisation: str, person_id: str) -> dict[str, Reply]:
        """What they answered, or were asked, by the meeting's id."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.replies_of_person(organisation, person_id)

    async def answer(
        self,
        organisation: str,
        meeting_id: str,
        person_id: str,
        answer: Answer,
        via: Via,
        comment: str | None = None,
        *,
        seen: str | None = None,
    ) -> Reply:
        """A later answer replaces an earlier one. `seen`: the mark of the answer that this one is given instead of.

        Raises NotFound, Refused, InvalidInput.
        """

        async def work(transaction: MeetingsTransaction) -> Reply:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            now = self._clock.now()
            if seen is not None:
                known = (await asked_to(transaction, organisation, meeting)).get(person_id)
                rules.require_seen(known or rules.Reply(person_id=person_id, role=MemberRole.MEMBER), seen)
            return await record_answer(transaction, organisation, meeting, person_id, answer, via, comment, now)

        return await self._unit_of_work.run(work)


async def record_answer(
    transaction: MeetingsTransaction,
    organisation: str,
    meeting: Meeting,
    person_id: str,
    answer: Answer,
    via: Via,
    comment: str | None,
    now: datetime,
) -> Reply:
    """In a transaction that holds the meeting's row. Raises Refused, InvalidInput."""
    there = await asked_to(transaction, organisation, meeting)
    found = there.get(person_id)
    if found is not None and is_let_go(found):
        scene = await known_scene(transaction, organisation, meeting)
        require_place(scene.places, scene.replies, found, answer)
    replied, fact = rules.answer(meeting, found, answer, via, comment, now)
    if fact is not None:
        await transaction.save_replies(organisation, meeting.id, [replied])
        await transaction.tell_notice(organisation, meeting, fact, now)
        settled = await settle_answers(transaction, organisation, meeting, now)
        return settled.get(person_id, replied)
    return replied


async def asked_to(transaction: MeetingsTransaction, organisation: str, meeting: Meeting) -> dict[str, Reply]:
    """All who are or were asked to the meeting, by person."""
    body = await transaction.body_of(organisation, meeting)
    seats = await transaction.memberships_of_body(organisation, body.id) if body else []
    known = await transaction.replies(organisation, meeting.id)
    return rules.asked_of(known, rules.seated(seats, meeting.details.starts.date()))
