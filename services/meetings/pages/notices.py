"""The pages of notices: what goes out before it does, and what the office was told about who comes."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.meeting.meeting import Meeting, MeetingStatus
from services.meetings.notice.commands import NoticeView
from services.meetings.notice.notice import MAX_NOTE, Kind, Notice, Stage, clean_note
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    Fields,
    OfficePages,
    back,
    get,
    is_wrong,
    line_error,
    post,
    typed,
    wrong,
)
from services.meetings.reply.commands import Asked
from services.meetings.reply.reply import Answer, Reply, Via, mark_of
from shared.auth import Principal
from shared.errors import InvalidInput, NotFound, Refused
from shared.text import MAX_REASON, clean_reason
from shared.web import Field, form_text

_APPROVE = "approve"
_DONE = {
    Kind.PRELIMINARY.value: "date-sent",
    _APPROVE: "notice-approved",
    Kind.NOTICE.value: "notice-sent",
    Kind.UPDATED.value: "notice-updated",
}
DONE = frozenset(
    {*_DONE.values(), "reply-recorded", "reminded", "nobody-reminded", "reminded-cancelled", "reminded-begun"}
)


class NoticePages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings/{meeting_id}/notice", self.office_notice)
        post(router, "/office/meetings/{meeting_id}/notice", self.office_notice_send)
        post(router, "/office/meetings/{meeting_id}/remind", self.office_remind)
        get(router, "/office/meetings/{meeting_id}/replies/{person_id}", self.office_reply_form)
        post(router, "/office/meetings/{meeting_id}/replies/{person_id}", self.office_reply_record)

    async def office_notice(self, request: Request, meeting_id: str, principal: Principal = READER) -> Response:
        view = await self._view(principal, meeting_id)
        return await self._notice(request, principal, view, {"note": Field("note", view.notice.note or "")})

    async def office_notice_send(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        """`what`: approve, or the kind that is sent now."""
        view = await self._view(principal, meeting_id)
        fields, what = await typed(request, ("note",)), await form_text(request, "what")
        wrong(fields, "note", _note_error(fields["note"].value))
        commands = self._commands.notices
        acts: dict[str, Callable[..., Awaitable[Notice]]] = {
            Kind.PRELIMINARY.value: commands.send_preliminary,
            _APPROVE: commands.approve,
            Kind.NOTICE.value: commands.issue,
            Kind.UPDATED.value: commands.update,
        }
        act = acts.get(what)
        if is_wrong(fields) or act is None:
            return await self._notice(request, principal, view, fields, moved=act is None)
        seen = await form_text(request, "seen")
        try:
            told = await act(principal.organisation, meeting_id, fields["note"].value or None, seen=seen)
        except Refused:
            # Sent by somebody else, or of a meeting that was changed or cancelled meanwhile: it says how things stand.
            return await self._notice(request, principal, await self._view(principal, meeting_id), fields, moved=True)
        sent = Kind.NOTICE.value if what == _APPROVE and told.stage is Stage.ISSUED else what
        return back(request, "office_meeting", _DONE[sent], meeting_id=meeting_id)

    async def office_remind(self, request: Request, meeting_id: str, principal: Principal = SECRETARY) -> Response:
        """Only of those who were shown, who have not answered meanwhile."""
        shown = (await form_text(request, "people")).split()
        try:
            await self._commands.notices.remind(principal.organisation, meeting_id, shown)
        except Refused:
            return back(request, "office_meeting", await self._why_nobody(principal, meeting_id), meeting_id=meeting_id)
        return back(request, "office_meeting", "reminded", meeting_id=meeting_id)

    async def _why_nobody(self, principal: Principal, meeting_id: str) -> str:
        """Was reminded: the meeting was called off meanwhile, or began, else there is nobody left."""
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        if meeting.status is MeetingStatus.CANCELLED:
            return "reminded-cancelled"
        return "reminded-begun" if meeting.has_begun(self._clock.now()) else "nobody-reminded"

    async def office_reply_form(
        self, request: Request, meeting_id: str, person_id: str, principal: Principal = SECRETARY
    ) -> Response:
        meeting, asked = await self._asked(principal, meeting_id, person_id)
        reply = asked.reply
        return self._reply(request, principal, meeting, asked, _as_said(reply))

    async def office_reply_record(
        self, request: Request, meeting_id: str, person_id: str, principal: Principal = SECRETARY
    ) -> Response:
        meeting, asked = await self._asked(principal, meeting_id, person_id)
        fields = await typed(request, ("said", "told"))
        wrong(fields, "said", None if fields["said"].value in tuple(Answer) else "choice")
        error = line_error(clean_reason, fields["told"].value, longest=MAX_REASON, required=False)
        wrong(fields, "told", f"comment.{error}" if error else None)
        if is_wrong(fields):
            return self._reply(request, principal, meeting, asked, fields)
        said, told = Answer(fields["said"].value), fields["told"].value or None
        seen = await form_text(request, "seen")
        if seen != mark_of(asked.reply):
            return self._reply(request, principal, meeting, asked, fields, meanwhile=True)
        try:
            await self._commands.replies.answer(
                principal.organisation, meeting_id, person_id, said, Via.OFFICE, told, seen=seen
            )
        except Refused:
            meeting, asked = await self._asked(principal, meeting_id, person_id)
            meanwhile = seen != mark_of(asked.reply)
            return self._reply(request, principal, meeting, asked, fields, too_late=not meanwhile, meanwhile=meanwhile)
        return back(request, "office_meeting", "reply-recorded", meeting_id=meeting_id)

    async def _view(self, principal: Principal, meeting_id: str) -> NoticeView:
        """Raises NotFound, also for a meeting of no body that the register knows."""
        found = await self._commands.notices.notice(principal.organisation, meeting_id)
        if found is None:
            raise NotFound("the meeting is of no body in the register, and has no notice")
        return found

    async def _asked(self, principal: Principal, meeting_id: str, person_id: str) -> tuple[Meeting, Asked]:
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        asked = await self._commands.replies.asked(principal.organisation, meeting_id)
        found = next((one for one in asked if one.person.id == person_id), None)
        if found is None:
            raise NotFound("the person is not asked to the meeting")
        return meeting, found

    async def _notice(
        self, request: Request, principal: Principal, view: NoticeView, fields: Fields, *, moved: bool = False
    ) -> Response:
        meeting = view.meeting
        return self._page(
            request,
            "office/notice.html",
            principal,
            fields=fields,
            refused=moved,
            moved=moved,
            view=view,
            meeting=meeting,
            details=meeting.details,
            body=await self._body_of(principal, meeting),
            stage=view.notice.stage.value,
            # Nobody is asked to a meeting that has begun.
            coming=meeting.status is not MeetingStatus.CANCELLED and not meeting.has_begun(self._clock.now()),
            today=self._today(),
            nobody=not any(one.email for one in view.draft.recipients),
        )

    def _reply(
        self,
        request: Request,
        principal: Principal,
        meeting: Meeting,
        asked: Asked,
        fields: Fields,
        *,
        too_late: bool = False,
        meanwhile: bool = False,
    ) -> Response:
        """`meanwhile`: the person has answered, or somebody recorded it. What was typed stays, beside that."""
        differing = [one for name, one in _as_said(asked.reply).items() if one.value != fields[name].value]
        return self._page(
            request,
            "office/reply_form.html",
            principal,
            fields=fields,
            refused=too_late or meanwhile,
            too_late=too_late,
            meanwhile=meanwhile,
            differing=differing,
            seen=mark_of(asked.reply),
            meeting=meeting,
            person=asked.person,
            answers=tuple(Answer),
        )


def _as_said(reply: Reply) -> Fields:
    """The form as it is opened."""
    return {"said": Field("said", reply.answer or ""), "told": Field("told", reply.comment or "")}


def _note_error(note: str) -> str | None:
    try:
        clean_note(note)
    except InvalidInput:
        return "note.too_long" if len(note) > MAX_NOTE else "characters"
    return None
