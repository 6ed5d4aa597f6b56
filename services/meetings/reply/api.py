"""The HTTP API of replies: thin; the rules are in `reply`, the work in `commands`."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.body.membership import MemberRole
from services.meetings.callers import Reader, Secretary
from services.meetings.reply.commands import Asked, ReplyCommands
from services.meetings.reply.reply import Answer, Reply, Via, mark_of
from shared.routes import LazyRoute


class AnswerGiven(BaseModel):
    """What someone told the office: by phone, say."""

    model_config = ConfigDict(extra="forbid")

    answer: Answer
    comment: str | None = Field(None, max_length=4000)


class AskedPerson(BaseModel):
    """Someone who is asked to a meeting. Without `answer` they have not said. `role`: in its body.

    `instead_of`: of a substitute who is called, the member (by id) who cannot come. `unreached`: what a mail server
    said of the last mail about the meeting. `reminded_at`: when they were last asked again. `mark`: of what they
    answered, for who records another answer instead.
    """

    person_id: str
    name: str
    email: str | None
    role: MemberRole
    answer: Answer | None
    via: Via | None
    comment: str | None
    answered_at: datetime | None
    instead_of: str | None
    unreached: str | None
    reminded_at: datetime | None
    mark: str

    @classmethod
    def of(cls, asked: Asked) -> "AskedPerson":
        details = asked.person.details
        said = asked.reply.model_dump(exclude={"asked", "left_empty"})
        return cls(name=details.name, email=details.email, mark=mark_of(asked.reply), **said)


class Replies(BaseModel):
    people: list[AskedPerson]


def router(commands: ReplyCommands) -> APIRouter:
    routes = APIRouter(tags=["replies"], route_class=LazyRoute)

    @routes.get("/meetings/{meeting_id}/replies")
    async def list_replies(meeting_id: str, caller: Reader) -> Replies:
        """Who is asked to a meeting, and what each of them answered."""
        return Replies(people=[AskedPerson.of(one) for one in await commands.asked(caller.organisation, meeting_id)])

    @routes.put("/meetings/{meeting_id}/replies/{person_id}")
    async def record_reply(
        meeting_id: str,
        person_id: str,
        given: AnswerGiven,
        caller: Secretary,
        seen: Annotated[
            str | None,
            Query(
                max_length=60, description="the mark of the answer that it replaces: refused when it is another by now"
            ),
        ] = None,
    ) -> Reply:
        """Record what someone who is asked told the office. It replaces what they answered before."""
        return await commands.answer(
            caller.organisation, meeting_id, person_id, given.answer, Via.OFFICE, given.comment, seen=seen
        )

    return routes
