"""The pages of a meeting's papers: as they are now, what was published, and publishing."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.meeting.meeting import MeetingStatus
from services.meetings.pages.office import READER, SECRETARY, OfficePages, back, get, post
from services.meetings.papers.api import pdf_answer
from shared.auth import Principal
from shared.web import form_text


class PapersPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings/{meeting_id}/papers", self.office_papers)
        post(router, "/office/meetings/{meeting_id}/papers", self.office_papers_publish)
        get(router, "/office/meetings/{meeting_id}/papers/current", self.office_papers_now)
        get(router, "/office/meetings/{meeting_id}/papers/{number}", self.office_papers_published)

    async def office_papers(
        self, request: Request, meeting_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        found = await self._commands.papers.state(principal.organisation, meeting_id)
        meeting = found.meeting
        open_now = meeting.status is not MeetingStatus.CANCELLED and not meeting.is_over(self._clock.now())
        return self._page(
            request,
            "office/papers.html",
            principal,
            state=found,
            meeting=meeting,
            details=meeting.details,
            open_now=open_now,
            done=done if done == "papers-published" else "",
        )

    async def office_papers_publish(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        tell = await form_text(request, "tell_papers") == "yes"
        await self._commands.papers.publish(principal.organisation, meeting_id, tell=tell)
        return back(request, "office_papers", "papers-published", meeting_id=meeting_id)

    async def office_papers_now(self, meeting_id: str, readers: str = "", principal: Principal = READER) -> Response:
        for_members = readers == "members"
        return pdf_answer(
            *await self._commands.papers.current(principal.organisation, meeting_id, for_members=for_members)
        )

    async def office_papers_published(
        self, meeting_id: str, number: int, readers: str = "", principal: Principal = READER
    ) -> Response:
        a_member = readers == "members"
        return pdf_answer(
            *await self._commands.papers.read(principal.organisation, meeting_id, a_member=a_member, number=number)
        )
