"""What people ask of date polls; each command is one transaction. The meeting's row is locked before its poll's."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from services.meetings.body.body import Body
from services.meetings.body.membership import MEMBERS, quorum, standing
from services.meetings.meeting import meeting as meeting_rules
from services.meetings.meeting.meeting import Meeting, MeetingStatus
from services.meetings.notice.telling import follow, send_preliminary, tell_update
from services.meetings.person.person import Person
from services.meetings.plan.clashes import engagements
from services.meetings.poll import poll as rules
from services.meetings.poll.poll import Can, Poll, PollAnswer, Standing, TimeAsked
from services.meetings.poll.proposals import NOTHING_BEFORE, WINDOW, Busy, Proposal, habit, proposals
from services.meetings.reply.reply import seated
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import InvalidInput, Refused
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork
from shared.text import email_key
from shared.timers import hold_timers

_LONGEST_WINDOW = timedelta(days=366)
_FARTHEST = timedelta(days=3653)
_HABITS_OF = timedelta(days=366)
_ANSWERS_HOLD = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class PollView:
    """A poll with what it is about, who is asked, by id, and what they said; `standings`: the best time first."""

    poll: Poll
    meeting: Meeting
    body: Body
    people: dict[str, Person]
    answers: dict[str, PollAnswer]
    standings: list[Standing]

    @property
    def unreached(self) -> list[tuple[Person, str]]:
        """Whom no mail of it reached, and what the mail server said; who has answered since was reached otherwise."""
        missing = ((one, self.poll.unreached[one.id]) for one in self.people.values() if one.id in self.poll.unreached)
        return [(person, said) for person, said in missing if person.id not in self.answers]

    def name(self, person_id: str) -> str:
        return self.people[person_id].details.name if person_id in self.people else "?"


@dataclass(frozen=True, slots=True)
class ProposedTimes:
    """For a meeting of a body; `people`: whom it is for, by id. `answer_by`: until when answers are to be wanted;
    `earliest`: the first day that leaves room for the notice after it."""

    meeting: Meeting
    body: Body
    people: dict[str, Person]
    times: list[Proposal]
    answer_by: date
    earliest: date


class PollCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def propose(
        self,
        organisation: str,
        meeting_id: str,
        first: date | None = None,
        last: date | None = None,
        *,
        answer_by: date | None = None,
    ) -> ProposedTimes:
        """Days from `first` to `last`; else of the next weeks. None before the answers are in (`answer_by`; else a week
        from now), and the notice can go out in time after that. Raises NotFound, Refused, InvalidInput."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            meeting.require_scheduled()
            today = self._today(meeting)
            body, people = await _whom(transaction, organisation, meeting)
            answer_by = answer_by or today + rules.DAYS_TO_ANSWER
            if not today <= answer_by <= today + _FARTHEST:
                raise InvalidInput("answer_by: is over, or more than ten years ahead")
            earliest = rules.earliest_day(answer_by, body.details.rules.notice_days)
            first = max(first or today + NOTHING_BEFORE, today + timedelta(days=1))
            if first > today + _FARTHEST:
                raise InvalidInput("first: is more than ten years ahead")
            last = last or max(first, earliest) + WINDOW
            if last < first or last - first > _LONGEST_WINDOW:
                raise InvalidInput("last: is before the first day, or more than a year after it")
            first = max(first, earliest)
            start = min(first, meeting.details.starts.date()) - _HABITS_OF
            until = max(last, meeting.details.starts.date()) + timedelta(days=1)
            others = [
                one
                for one in await transaction.meetings_between(organisation, start, until)
                if one.id != meeting.id and one.status is not MeetingStatus.CANCELLED
            ]
            who = await transaction.who_sits(organisation)
            answers = await transaction.answers_since(organisation, list(people), self._clock.now() - _ANSWERS_HOLD)
        of_body = [one.details.starts for one in others if one.which_body.is_same(meeting.which_body)]
        by_email = {email_key(one.details.email): one.id for one in people.values() if one.details.email}
        busy = [*_said_no(answers)]
        for other in others:
            details = who.as_called_now(other).details
            there = {by_email.get(email_key(one.email)) for one in details.participants}
            if (of := who.of(other)) is not None:
                there |= {one.id for one in who.sitting(of, details.starts.date())}
            for held in engagements(
                details.body,
                details.title,
                details.starts,
                details.ends,
                details.reserved,
                {},
                planned=False,
                timezone=details.timezone,
            ):
                one = held.seen_from(meeting.details.timezone)
                why = f"{one.body} {one.starts:%H:%M}–{one.ends:%H:%M}"
                busy += [Busy(person_id, one.starts, one.ends, why) for person_id in people if person_id in there]
        found = proposals(
            people.keys(),
            habit(meeting.details.starts, meeting.details.ends, of_body),
            busy,
            {meeting.details.starts.date(), *(starts.date() for starts in of_body)},
            first,
            last,
            zone=meeting.details.timezone,
        )
        return ProposedTimes(meeting, body, people, found, answer_by, earliest)

    async def open(
        self,
        organisation: str,
        meeting_id: str,
        times: Collection[TimeAsked],
        *,
        answer_by: date,
        note: str | None = None,
        late_notice: bool = False,
    ) -> PollView:
        """The members are asked by mail; `late_notice`: see `open_poll`. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> PollView:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            if await transaction.lock_open_poll(organisation, meeting_id) is not None:
                raise Refused("the meeting has a date poll that is open", hint="choose a date in it, or call it off")
            body, people = await _whom(transaction, organisation, meeting)
            now = self._clock.now()
            poll, fact = rules.open_poll(
                new_id(),
                meeting,
                body,
                times,
                answer_by=answer_by,
                note=note,
                people=people.values(),
                asked=[asked for one in people.values() if (asked := one.asked()) is not None],
                now=now,
                late_notice=late_notice,
            )
            await transaction.save_poll(organisation, poll)
            transaction.tell(organisation, poll, fact, now)
            return await _view(transaction, organisation, poll)

        return await self._unit_of_work.run(work)

    async def answer(
        self,
        organisation: str,
        poll_id: str,
        person_id: str,
        said: Mapping[str, Can],
        comment: str | None = None,
        *,
        seen: str | None = None,
    ) -> PollAnswer:
        """It replaces what they said before. `seen`: see `answer_instead`. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> PollAnswer:
            poll = await transaction.poll(organisation, poll_id, for_update=True)
            given = rules.answer(poll, person_id, said, comment, self._clock.now())
            there = await transaction.poll_answers(organisation, poll_id)
            before = next((one for one in there if one.person_id == person_id), None)
            holds = rules.answer_instead(before, given, seen)
            if holds is not before:
                await transaction.save_poll_answer(organisation, poll_id, holds)
            return holds

        return await self._unit_of_work.run(work)

    async def choose(self, organisation: str, poll_id: str, key: str) -> PollView:
        """The meeting is then. One change of it and one notice, in the transaction that ends the poll. Who was told
        of the meeting gets an updated notice, and where nobody was, all get its date.

        Raises NotFound, Refused, InvalidInput.
        """

        async def work(transaction: MeetingsTransaction) -> PollView:
            await transaction.lock_register(organisation)
            seen = await transaction.poll(organisation, poll_id)
            await hold_timers(transaction.connection, organisation, seen.meeting_id)
            meeting = await transaction.lock_meeting(organisation, seen.meeting_id)
            found = await transaction.poll(organisation, poll_id, for_update=True)
            body = await transaction.body(organisation, found.body_id)
            now = self._clock.now()
            poll, closed = rules.choose(found, meeting, body, key, now)
            time = poll.time(key)
            who = await transaction.who_sits(organisation)
            asked = who.invited_again(body, time.starts.date(), meeting.details.participants)
            update = {"starts": time.starts, "ends": time.ends, "participants": asked}
            moved, changed = meeting_rules.change(meeting, meeting.details.model_copy(update=update))
            if changed is not None:
                await transaction.save_meeting(organisation, moved)
                transaction.tell(organisation, moved, changed, now)
                await follow(transaction, organisation, [moved], {meeting.id: meeting.details}, now)
            if (await transaction.notice(organisation, moved.id)).is_told:
                await tell_update(transaction, organisation, moved, now)
            else:
                await send_preliminary(transaction, organisation, moved, None, now)
            await transaction.save_poll(organisation, poll)
            transaction.tell(organisation, poll, closed, now)
            return await _view(transaction, organisation, poll)

        return await self._unit_of_work.run(work)

    async def call_off(self, organisation: str, poll_id: str, reason: str) -> PollView:
        """Whom it asked is told by mail. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> PollView:
            seen = await transaction.poll(organisation, poll_id)
            meeting = await transaction.lock_meeting(organisation, seen.meeting_id)
            poll = await transaction.poll(organisation, poll_id, for_update=True)
            ended = await transaction.end_poll(organisation, poll, meeting, reason, self._clock.now())
            return await _view(transaction, organisation, ended)

        return await self._unit_of_work.run(work)

    async def poll(self, organisation: str, poll_id: str) -> PollView:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            return await _view(transaction, organisation, await transaction.poll(organisation, poll_id))

    async def latest(self, organisation: str, meeting_id: str) -> PollView | None:
        """The one that is open, or the last one that was; None where there was none."""
        async with self._unit_of_work.begin() as transaction:
            found = await transaction.polls_of_meeting(organisation, meeting_id)
            return await _view(transaction, organisation, found[0]) if found else None

    async def of_meeting(self, organisation: str, meeting_id: str) -> list[Poll]:
        """The latest first. Raises NotFound for a meeting that is not there."""
        async with self._unit_of_work.begin() as transaction:
            await transaction.meeting(organisation, meeting_id)
            return await transaction.polls_of_meeting(organisation, meeting_id)

    async def asking(self, organisation: str, person_id: str) -> list[Poll]:
        """Those that are open and ask this person."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.polls_asking(organisation, person_id)

    def _today(self, meeting: Meeting) -> date:
        return self._clock.now().astimezone(ZoneInfo(meeting.details.timezone)).date()


async def _whom(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting
) -> tuple[Body, dict[str, Person]]:
    """The meeting's body, and whom the meeting is for, by role. Raises Refused."""
    body = await transaction.body_of(organisation, meeting)
    if body is None:
        raise Refused(f"{meeting.details.body} is not in the register, so nobody is known to ask", hint="register it")
    memberships = await transaction.memberships_of_body(organisation, body.id)
    asked = seated(memberships, meeting.details.starts.date())
    people = await transaction.people_among(organisation, asked)
    return body, {person_id: people[person_id] for person_id in asked if person_id in people}


async def _view(transaction: MeetingsTransaction, organisation: str, poll: Poll) -> PollView:
    meeting = await transaction.meeting(organisation, poll.meeting_id)
    body = await transaction.body(organisation, poll.body_id)
    memberships = await transaction.memberships_of_body(organisation, body.id)
    day = poll.time(poll.chosen).starts.date() if poll.chosen else meeting.details.starts.date()
    deciding = {one.seat.person_id for one in standing(memberships, day) if one.seat.role in MEMBERS}
    answers = {one.person_id: one for one in await transaction.poll_answers(organisation, poll.id)}
    return PollView(
        poll=poll,
        meeting=meeting,
        body=body,
        people=await transaction.people_among(organisation, poll.people),
        answers=answers,
        standings=rules.standings(poll, answers.values(), deciding, quorum(body.details.rules, memberships, day)),
    )


def _said_no(answers: Iterable[PollAnswer]) -> Iterable[Busy]:
    """By the latest answer of each person about a time."""
    latest = {(one.person_id, key): can for one in answers for key, can in one.times.items()}
    for (person_id, key), can in latest.items():
        if can is Can.NO:
            time = TimeAsked.of(key)
            yield Busy(person_id, time.starts, time.ends, "")
