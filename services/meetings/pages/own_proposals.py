"""A member's own page of what they propose for a meeting, and what becomes of it."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.meetings.member.queries import OwnMeetingPage
from services.meetings.pages.office import Fields, is_wrong, typed
from services.meetings.pages.own import OwnPages, Visit, get, post
from services.meetings.pages.proposals import PROPOSAL_FIELDS, proposal_details
from services.meetings.proposal.proposal import proposed_again
from shared.errors import Refused
from shared.web import Field, path_for


class OwnProposalPages(OwnPages):
    def add_to(self, router: APIRouter) -> None:
        path = "/member/{person_id}/meetings/{meeting_id}/propose"
        get(router, path, self.own_proposals)
        post(router, path, self.own_propose)

    async def own_proposals(self, request: Request, person_id: str, meeting_id: str) -> Response:
        """What they proposed for the meeting, and what became of it; and proposing more."""
        visit = await self._visits.of(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        fields = {name: Field(name) for name in PROPOSAL_FIELDS}
        done = next((one for one in ("done", "again") if one in request.query_params), "")
        return await self._proposals_page(request, visit, page, fields, done=done)

    async def own_propose(self, request: Request, person_id: str, meeting_id: str) -> Response:
        visit = await self._visits.posted(request, person_id)
        page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
        fields = await typed(request, PROPOSAL_FIELDS)
        details = proposal_details(fields)
        if details is None:
            return await self._proposals_page(request, visit, page, fields)
        address = path_for(request, "own_proposals", person_id=person_id, meeting_id=meeting_id)
        there = (await self._commands.proposals.of_meeting(visit.organisation, meeting_id)).proposals
        again = proposed_again(there, person_id, details) is not None
        try:
            await self._commands.proposals.propose(visit.organisation, meeting_id, person_id, details)
        except Refused:  # the page says why, and what was written stands there
            page = await self._queries.meeting(visit.organisation, visit.person, meeting_id)
            return await self._proposals_page(request, visit, page, fields, refused=True)
        return RedirectResponse(f"{address}?{'again' if again else 'done'}", HTTPStatus.SEE_OTHER)

    async def _proposals_page(
        self,
        request: Request,
        visit: Visit,
        page: OwnMeetingPage,
        fields: Fields,
        *,
        done: str = "",
        refused: bool = False,
    ) -> Response:
        """`refused`: it is told why nothing can be proposed, beside what was written."""
        meeting = page.own.meeting
        found = await self._commands.proposals.of_meeting(visit.organisation, meeting.id)
        why = "cancelled" if page.own.is_cancelled else "held" if page.is_over else "many" if found.is_open else "late"
        return self._page(
            request,
            visit,
            "own/proposals.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if refused or is_wrong(fields) else HTTPStatus.OK,
            meeting=meeting,
            details=meeting.details,
            may_propose=found.is_open and not page.own.is_cancelled,
            until=found.until,
            proposals=[one for one in found.proposals if one.person_id == visit.person.id],
            fields=fields,
            refused=refused,
            why=why,
            done=done,
        )
