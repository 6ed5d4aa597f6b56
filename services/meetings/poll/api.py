"""The HTTP API of date polls: thin; the rules are in `poll` and `proposals`, the work in `commands`."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.meeting.meeting import LocalTime
from services.meetings.poll.commands import PollCommands, PollView, ProposedTimes
from services.meetings.poll.poll import MOST_TIMES, Can, Poll, PollAnswer, Standing, TimeAsked, mark_of
from shared.http import CREATED
from shared.idempotency import Once
from shared.routes import LazyRoute
from shared.web import path_for


class PersonAway(BaseModel):
    """`why`: where they are then; absent for who said that they cannot."""

    person_id: str
    name: str
    why: str | None


class ProposedDate(BaseModel):
    """Local wall time. `usual`: it is a weekday on which the body usually meets."""

    starts: LocalTime
    ends: LocalTime
    usual: bool
    away: list[PersonAway]


class ProposedDates(BaseModel):
    """The best first. `people`: whom the meeting is for. None is before `earliest`, the first day whose notice can go
    out in time once answers are in, by `answer_by`."""

    people: int
    answer_by: date
    earliest: date
    times: list[ProposedDate]

    @classmethod
    def of(cls, found: ProposedTimes) -> "ProposedDates":
        return cls(
            people=len(found.people),
            answer_by=found.answer_by,
            earliest=found.earliest,
            times=[
                ProposedDate(
                    starts=one.starts,
                    ends=one.ends,
                    usual=one.usual,
                    away=[
                        PersonAway(person_id=person, name=found.people[person].details.name, why=why or None)
                        for person, why in one.away.items()
                    ],
                )
                for one in found.times
            ],
        )


class NewPoll(BaseModel):
    """`answer_by`: until when answers are wanted; each time is after that day, and leaves room for the notice by the
    body's rule, unless `late_notice` says that a late one is meant. `note`: a few words to those who are asked."""

    model_config = ConfigDict(extra="forbid")

    times: list[TimeAsked] = Field(min_length=1, max_length=MOST_TIMES)
    answer_by: date
    late_notice: bool = False
    note: str | None = Field(None, max_length=4000)


class DatePollAnswerGiven(BaseModel):
    """What someone told the office, by the times' keys."""

    model_config = ConfigDict(extra="forbid")

    times: dict[str, Can] = Field(max_length=MOST_TIMES)
    comment: str | None = Field(None, max_length=4000)


class ChosenTime(BaseModel):
    """`time`: its key."""

    model_config = ConfigDict(extra="forbid")

    time: str = Field(max_length=60)


class PollReason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=4000)


class TimeStanding(BaseModel):
    """How a time stands, by the ids of people. `has_quorum`: by what was said so far, the body could decide."""

    key: str
    starts: LocalTime
    ends: LocalTime
    can: list[str]
    if_need_be: list[str]
    cannot: list[str]
    unsaid: list[str]
    has_quorum: bool

    @classmethod
    def of(cls, one: Standing) -> "TimeStanding":
        return cls(
            key=one.time.key,
            starts=one.time.starts,
            ends=one.time.ends,
            can=list(one.yes),
            if_need_be=list(one.if_need_be),
            cannot=list(one.no),
            unsaid=list(one.unsaid),
            has_quorum=one.has_quorum,
        )


class PollPerson(BaseModel):
    """Someone who is asked. Without `answered_at` they have said nothing. `unreached`: what a mail server said of the
    poll's mail to them. `mark`: of what they answered, for who records another answer instead."""

    person_id: str
    name: str
    email: str | None
    comment: str | None
    answered_at: datetime | None
    unreached: str | None
    mark: str


class DatePoll(BaseModel):
    """A poll as it stands: `times` with what was said, the best first."""

    poll: Poll
    times: list[TimeStanding]
    people: list[PollPerson]

    @classmethod
    def of(cls, view: PollView) -> "DatePoll":
        people = []
        for person_id, person in view.people.items():
            said = view.answers.get(person_id)
            people.append(
                PollPerson(
                    person_id=person_id,
                    name=person.details.name,
                    email=person.details.email,
                    comment=said.comment if said else None,
                    answered_at=said.answered_at if said else None,
                    unreached=view.poll.unreached.get(person_id),
                    mark=mark_of(said),
                )
            )
        return cls(poll=view.poll, times=[TimeStanding.of(one) for one in view.standings], people=people)


class DatePolls(BaseModel):
    polls: list[Poll]


def router(commands: PollCommands) -> APIRouter:
    routes = APIRouter(tags=["date polls"], route_class=LazyRoute)

    @routes.get("/meetings/{meeting_id}/date-proposals")
    async def propose_dates(
        meeting_id: str,
        caller: Reader,
        first: Annotated[date | None, Query(description="the first day to look at; else some days from now")] = None,
        last: Annotated[date | None, Query(description="the last one; else eight weeks later")] = None,
        answer_by: Annotated[
            date | None, Query(description="until when answers are to be wanted; else a week from now")
        ] = None,
    ) -> ProposedDates:
        """Days on which most of those who are asked to a meeting can come."""
        found = await commands.propose(caller.organisation, meeting_id, first, last, answer_by=answer_by)
        return ProposedDates.of(found)

    @routes.post("/meetings/{meeting_id}/date-polls", status_code=201, response_model=DatePoll, responses=CREATED)
    async def open_date_poll(
        meeting_id: str, new: NewPoll, request: Request, once: Once, caller: Secretary
    ) -> Response:
        """Ask the members by mail on which of some days they can come."""
        opening = commands.open(
            caller.organisation,
            meeting_id,
            new.times,
            answer_by=new.answer_by,
            note=new.note,
            late_notice=new.late_notice,
        )
        return await once.answer(
            caller,
            opening,
            DatePoll.of,
            status=201,
            location=lambda made: path_for(request, "get_date_poll", poll_id=made.poll.id),
        )

    @routes.get("/meetings/{meeting_id}/date-polls")
    async def list_date_polls(meeting_id: str, caller: Reader) -> DatePolls:
        """The date polls of a meeting, the latest first."""
        return DatePolls(polls=await commands.of_meeting(caller.organisation, meeting_id))

    @routes.get("/date-polls/{poll_id}")
    async def get_date_poll(poll_id: str, caller: Reader) -> DatePoll:
        """A date poll, and what was answered so far."""
        return DatePoll.of(await commands.poll(caller.organisation, poll_id))

    @routes.put("/date-polls/{poll_id}/answers/{person_id}")
    async def record_date_answer(
        poll_id: str,
        person_id: str,
        given: DatePollAnswerGiven,
        caller: Secretary,
        seen: Annotated[
            str | None,
            Query(
                max_length=60, description="the mark of the answer that it replaces: refused when it is another by now"
            ),
        ] = None,
    ) -> PollAnswer:
        """Record what someone who is asked told the office. It replaces what they answered before."""
        return await commands.answer(caller.organisation, poll_id, person_id, given.times, given.comment, seen=seen)

    @routes.post("/date-polls/{poll_id}/choose", response_model=DatePoll)
    async def choose_date(poll_id: str, chosen: ChosenTime, once: Once, caller: Secretary) -> Response:
        """End the poll: the meeting is at this time, all at once."""
        return await once.answer(caller, commands.choose(caller.organisation, poll_id, chosen.time), DatePoll.of)

    @routes.post("/date-polls/{poll_id}/call-off", response_model=DatePoll)
    async def call_off_date_poll(poll_id: str, body: PollReason, once: Once, caller: Secretary) -> Response:
        """End the poll without a date; those who were asked are told why."""
        return await once.answer(caller, commands.call_off(caller.organisation, poll_id, body.reason), DatePoll.of)

    return routes
