"""A meeting on a member's own pages: its agenda and papers, and whether they come."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.attachment.api import file_answer
from services.meetings.body.membership import MemberRole
from services.meetings.commands import MeetingsCommands
from services.meetings.member.member import OwnMeeting, Part
from services.meetings.member.queries import OwnMeetingPage
from services.meetings.pages.office import Fields, is_wrong, line_error, typed, wrong
from services.meetings.pages.own import OwnPages, Visit, Visits, get, post
from services.meetings.papers.api import pdf_answer
from services.meetings.reply import reply as replies
from services.meetings.reply.reply import Answer, Via
from shared.errors import Refused
from shared.text import MAX_REASON, clean_reason
from shared.web import Field, Look, RateLimit, TooMany, form_text, path_for


class OwnMeetingPages(OwnPages):
    def __init__(self, look: Look, commands: MeetingsCommands, visits: Visits) -> None:
        super().__init__(look, commands, visits)
        self._answers = RateLimit(burst=6, per_second=1 / 600)  # each may mail a substitute: called, or not

    def add_to(self, router: APIRouter) -> None:
        path = "/member/{person_id}/meetings/{meeting_id}"
        get(router, path, self.own_meeting)
        post(router, f"{path}/answer", self.own_answer)
        get(router, f"{path}/papers", self.own_papers)
        get(router, f"{path}/files/{{attachment_id}}", self.own_file)

    async def own_meeting(self, request: Request, person_id: str, meeting_id: str, answer: str = "") -> Response:
        """`answer`: chosen beforehand."""
        visit = await self._visits.of(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        fields = _as_said(page.own)
        if answer in tuple(Answer):
            fields["answer"] = Field("answer", answer)
        is_new = bool(answer) and fields["answer"].value != page.own.answer
        return self._meeting_page(request, visit, page, fields, is_new=is_new, done="done" in request.query_params)

    async def own_answer(self, request: Request, person_id: str, meeting_id: str) -> Response:
        visit = await self._visits.posted(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        fields = await typed(request, ("answer", "comment"))
        wrong(fields, "answer", None if fields["answer"].value in tuple(Answer) else "answer")
        error = line_error(clean_reason, fields["comment"].value, longest=MAX_REASON, required=False)
        wrong(fields, "comment", f"comment.{error}" if error else None)
        if is_wrong(fields):
            return self._meeting_page(request, visit, page, fields)
        address = path_for(request, "own_meeting", person_id=person_id, meeting_id=meeting_id)
        said, comment = Answer(fields["answer"].value), fields["comment"].value
        if said != page.own.answer:
            try:
                self._answers.spend(f"{person_id} {meeting_id}")
            except TooMany:
                wrong(fields, "answer", "answers")
                return self._meeting_page(request, visit, page, fields)
        again = {name: one.value for name, one in _as_said(page.own).items()} == {"answer": said, "comment": comment}
        seen = None if again else await form_text(request, "seen")  # who presses twice is told nothing
        try:
            await self._commands.replies.answer(
                visit.organisation, meeting_id, person_id, said, Via.PAGE, comment, seen=seen
            )
        except Refused:
            page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
            if _may_answer(page) and seen != _mark_of(page.own):
                return self._meeting_page(request, visit, page, fields, meanwhile=True)
            # It was cancelled or held, or they are asked no more: the page says how things stand.
            return self._meeting_page(request, visit, page, fields, too_late=True)
        return RedirectResponse(f"{address}?done", HTTPStatus.SEE_OTHER)

    async def own_papers(self, request: Request, person_id: str, meeting_id: str) -> Response:
        """As they were published last, with what is confidential for who reads that."""
        visit = await self._visits.of(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        a_member = page.reads_confidential
        return pdf_answer(*await self._commands.papers.read(visit.organisation, meeting_id, a_member=a_member))

    async def own_file(self, request: Request, person_id: str, meeting_id: str, attachment_id: str) -> Response:
        visit = await self._visits.of(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        found = await self._commands.papers.read_file(
            visit.organisation, meeting_id, attachment_id, a_member=page.reads_confidential
        )
        return file_answer(*found)

    def _meeting_page(
        self,
        request: Request,
        visit: Visit,
        page: OwnMeetingPage,
        fields: Fields,
        *,
        is_new: bool = False,
        **sent: bool,
    ) -> Response:
        """`is_new`: a mail's link chose an answer, not given yet. `sent`: what came of theirs (`_answer_page`)."""
        own = page.own
        return self._answer_page(
            request,
            visit,
            "own/meeting.html",
            fields,
            stands=_as_said(own),
            seen=_mark_of(own),
            own=own,
            meeting=own.meeting,
            details=own.meeting.details,
            is_over=page.is_over,
            items=page.items,
            files=page.files,
            published=page.published,
            taken_over_by=page.taken_over_by,
            took_over=page.took_over,
            standing=page.standing,
            answers=tuple(Answer),
            may_answer=_may_answer(page),
            is_new=is_new,
            **sent,
        )


def _may_answer(page: OwnMeetingPage) -> bool:
    return page.own.part is Part.ASKED and not page.own.is_cancelled and not page.is_over


def _as_said(own: OwnMeeting) -> Fields:
    """The form as it is opened."""
    comment = (own.reply.comment if own.reply else None) or ""
    return {"answer": Field("answer", own.answer or ""), "comment": Field("comment", comment)}


def _mark_of(own: OwnMeeting) -> str:
    """Who said nothing yet may have no row."""
    return replies.mark_of(own.reply or replies.Reply(person_id="", role=MemberRole.MEMBER))
