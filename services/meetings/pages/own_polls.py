"""A member's own page of a date poll: on which of the days asked about they can come."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.meeting.meeting import MeetingStatus
from services.meetings.pages.office import Fields, is_wrong
from services.meetings.pages.own import OwnPages, Visit, get, post
from services.meetings.pages.polls import answered, answers_typed, over_of
from services.meetings.poll.commands import PollView
from services.meetings.poll.poll import Can, PollStatus, mark_of
from shared.errors import NotFound, Refused
from shared.web import form_text, path_for


class OwnPollPages(OwnPages):
    def add_to(self, router: APIRouter) -> None:
        path = "/member/{person_id}/polls/{poll_id}"
        get(router, path, self.own_poll)
        post(router, path, self.own_poll_answer)

    async def own_poll(self, request: Request, person_id: str, poll_id: str) -> Response:
        visit = await self._visits.of(request, person_id)
        view = await self._asked(visit, poll_id)
        fields = answered(view, person_id)
        return await self._poll_page(request, visit, view, fields, done="done" in request.query_params)

    async def own_poll_answer(self, request: Request, person_id: str, poll_id: str) -> Response:
        visit = await self._visits.posted(request, person_id)
        view = await self._asked(visit, poll_id)
        fields, said = await answers_typed(request, view, person_id, self._queries.now)
        if is_wrong(fields):
            return await self._poll_page(request, visit, view, fields)
        address = path_for(request, "own_poll", person_id=person_id, poll_id=poll_id)
        comment, seen = fields["comment"].value, await form_text(request, "seen")
        try:
            await self._commands.polls.answer(visit.organisation, poll_id, person_id, said, comment, seen=seen)
        except Refused:
            view = await self._asked(visit, poll_id)
            if view.poll.status is PollStatus.OPEN and seen != mark_of(view.answers.get(person_id)):
                return await self._poll_page(request, visit, view, fields, meanwhile=True)
            # Its days are over, or it has ended: the page says how, beside what was written.
            return await self._poll_page(request, visit, view, fields, too_late=True)
        return RedirectResponse(f"{address}?done", HTTPStatus.SEE_OTHER)

    async def _asked(self, visit: Visit, poll_id: str) -> PollView:
        """Raises NotFound, also for a poll that does not ask them."""
        view = await self._commands.polls.poll(visit.organisation, poll_id)
        if visit.person.id not in view.poll.people:
            raise NotFound("they are not asked")
        return view

    async def _poll_page(
        self, request: Request, visit: Visit, view: PollView, fields: Fields, **sent: bool
    ) -> Response:
        """`sent`: what came of their answer (`_answer_page`)."""
        poll, meeting, now = view.poll, view.meeting, self._queries.now
        polls = await self._commands.polls.of_meeting(visit.organisation, meeting.id)
        is_asked = any(one.status is PollStatus.OPEN for one in polls)  # by this poll, or one that was opened after it
        return self._answer_page(
            request,
            visit,
            "own/poll.html",
            fields,
            stands=answered(view, visit.person.id),
            seen=mark_of(view.answers.get(visit.person.id)),
            over=over_of(view, now),
            poll=poll,
            meeting=meeting,
            chosen=poll.time(poll.chosen) if poll.chosen else None,
            is_open=poll.status is PollStatus.OPEN,
            late=self._is_past(poll.answer_by, meeting.details.timezone),
            is_held=meeting.status is MeetingStatus.SCHEDULED and not meeting.is_over(now) and not is_asked,
            answered=visit.person.id in view.answers,
            cans=tuple(Can),
            **sent,
        )
