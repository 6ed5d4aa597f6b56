"""The HTTP API of notices: thin; the rules are in `notice`, the work in `commands`."""

from datetime import date, datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.notice.commands import NoticeCommands, NoticeView
from services.meetings.notice.notice import MAX_NOTE, Change, Notice, Recipient, Stage, Unnoticed
from services.meetings.reply.quorum import Outlook
from shared.errors import NotFound
from shared.events.notices import AgendaLine, AskedMember
from shared.idempotency import Once
from shared.routes import LazyRoute


class Note(BaseModel):
    """`note`: what the secretary adds, a few lines. `seen`: the `digest` of what you looked at; refused when something
    was changed since."""

    model_config = ConfigDict(extra="forbid")

    note: str | None = Field(None, max_length=2 * MAX_NOTE)
    seen: str | None = Field(None, max_length=64)


class NoticeState(BaseModel):
    """What people were told of a meeting. `sequence`: of its invitation. `approved_at`: it goes out by itself on its
    latest day, when it has not."""

    meeting_id: str
    stage: Stage
    sequence: int
    approved_at: datetime | None
    issued_at: datetime | None

    @classmethod
    def of(cls, meeting_id: str, notice: Notice) -> "NoticeState":
        shown = notice.model_dump(include={"stage", "sequence", "approved_at", "issued_at"})
        return cls(meeting_id=meeting_id, **shown)


class MeetingNotice(NoticeState):
    """Its state, and what would go out now. `changes`: what is otherwise than people were told. `notice_by`: the last
    day on which it goes out in time. `late`: it should go out, and nobody has approved it. `digest`: of what would go
    out."""

    notice_by: date
    late: bool
    changes: list[Change]
    agenda: list[AgendaLine]
    people: list[Recipient]
    quorum: Outlook
    digest: str

    @classmethod
    def seen(cls, view: NoticeView) -> "MeetingNotice":
        return cls(
            **NoticeState.of(view.meeting.id, view.notice).model_dump(),
            notice_by=view.latest,
            late=view.late,
            changes=list(view.changes),
            agenda=list(view.draft.agenda),
            people=list(view.draft.recipients),
            quorum=view.outlook,
            digest=view.draft.digest,
        )


class Reminding(BaseModel):
    """`people`: ids; only those of them who have not answered get a mail. Left out: all who have not."""

    model_config = ConfigDict(extra="forbid")

    people: list[str] | None = Field(None, max_length=2000)


class Reminded(BaseModel):
    """Who gets a mail."""

    people: list[AskedMember]


class LateNotices(BaseModel):
    meetings: list[Unnoticed]


def router(commands: NoticeCommands) -> APIRouter:
    routes = APIRouter(tags=["notices"], route_class=LazyRoute)

    @routes.get("/late-notices")
    async def list_late_notices(caller: Reader) -> LateNotices:
        """Meetings to come whose notice should have gone out by today, and nobody has approved it."""
        return LateNotices(meetings=await commands.late(caller.organisation))

    @routes.get("/meetings/{meeting_id}/notice")
    async def get_notice(meeting_id: str, caller: Reader) -> MeetingNotice:
        """The notice of a meeting: what people were told, and what would go out now."""
        found = await commands.notice(caller.organisation, meeting_id)
        if found is None:
            raise NotFound("the meeting is of no body in the register, and has no notice")
        return MeetingNotice.seen(found)

    @routes.post("/meetings/{meeting_id}/notice/preliminary", response_model=NoticeState)
    async def send_preliminary_notice(meeting_id: str, said: Note, once: Once, caller: Secretary) -> Response:
        """Send the date alone, long before the notice."""
        sending = commands.send_preliminary(caller.organisation, meeting_id, said.note, seen=said.seen)
        return await once.answer(caller, sending, lambda notice: NoticeState.of(meeting_id, notice))

    @routes.post("/meetings/{meeting_id}/notice/approve", response_model=NoticeState)
    async def approve_notice(meeting_id: str, said: Note, once: Once, caller: Secretary) -> Response:
        """Have the notice go out on its latest day; at once, when that has come."""
        approving = commands.approve(caller.organisation, meeting_id, said.note, seen=said.seen)
        return await once.answer(caller, approving, lambda notice: NoticeState.of(meeting_id, notice))

    @routes.post("/meetings/{meeting_id}/notice/issue", response_model=NoticeState)
    async def issue_notice(meeting_id: str, said: Note, once: Once, caller: Secretary) -> Response:
        """Send the notice now."""
        issuing = commands.issue(caller.organisation, meeting_id, said.note, seen=said.seen)
        return await once.answer(caller, issuing, lambda notice: NoticeState.of(meeting_id, notice))

    @routes.post("/meetings/{meeting_id}/notice/update", response_model=NoticeState)
    async def update_notice(meeting_id: str, said: Note, once: Once, caller: Secretary) -> Response:
        """Tell those who were told what is otherwise now."""
        updating = commands.update(caller.organisation, meeting_id, said.note, seen=said.seen)
        return await once.answer(caller, updating, lambda notice: NoticeState.of(meeting_id, notice))

    @routes.post("/meetings/{meeting_id}/notice/remind", response_model=Reminded)
    async def remind_of_notice(meeting_id: str, said: Reminding, once: Once, caller: Secretary) -> Response:
        """Ask those again who have not said whether they come: whom mails reach, and not twice within a day."""
        reminding = commands.remind(caller.organisation, meeting_id, said.people)
        return await once.answer(caller, reminding, lambda people: Reminded(people=list(people)))

    return routes
