"""The pages of proposals in the office: what members want to be dealt with, taken onto the agenda or declined."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.agenda.agenda import MAX_TEXT, clean_text
from services.meetings.pages.office import (
    READER,
    SECRETARY,
    Fields,
    OfficePages,
    back,
    day_of,
    get,
    is_wrong,
    line_error,
    post,
    typed,
    wrong,
)
from services.meetings.proposal.proposal import ItemProposal, ProposalDetails
from shared.auth import Principal
from shared.errors import InvalidInput, Refused
from shared.text import MAX_REASON, clean_line, clean_reason
from shared.web import Field

PROPOSAL_FIELDS = ("item_title", "background", "proposal")
_DONE = frozenset({"proposal-taken", "proposal-declined", "proposals-until"})


class ProposalPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, "/office/meetings/{meeting_id}/proposals", self.office_proposals)
        post(router, "/office/meetings/{meeting_id}/proposals", self.office_proposals_until)
        post(router, "/office/meetings/{meeting_id}/proposals/{proposal_id}/take", self.office_proposal_take)
        get(router, "/office/meetings/{meeting_id}/proposals/{proposal_id}/decline", self.office_proposal_declining)
        post(router, "/office/meetings/{meeting_id}/proposals/{proposal_id}/decline", self.office_proposal_decline)

    async def office_proposals(
        self, request: Request, meeting_id: str, done: str = "", principal: Principal = READER
    ) -> Response:
        return await self._list(request, principal, meeting_id, None, done=done if done in _DONE else "")

    async def office_proposals_until(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        fields = await typed(request, ("until", "seen"))
        day = day_of(fields, "until")
        found = await self._commands.proposals.of_meeting(principal.organisation, meeting_id)
        seen = fields.pop("seen").value
        meanwhile = seen != found.until.isoformat()
        if not meanwhile and not is_wrong(fields):
            try:
                await self._commands.proposals.set_until(principal.organisation, meeting_id, day, seen=found.until)
                return back(request, "office_proposals", "proposals-until", meeting_id=meeting_id)
            except InvalidInput:
                wrong(fields, "until", "until")
            except Refused:  # changed since, or the meeting was held or called off: the page says how it stands
                meanwhile = True
        return await self._list(request, principal, meeting_id, fields, meanwhile=meanwhile)

    async def office_proposal_take(
        self, request: Request, meeting_id: str, proposal_id: str, principal: Principal = SECRETARY
    ) -> Response:
        await self._commands.proposals.take(principal.organisation, proposal_id)
        return back(request, "office_proposals", "proposal-taken", meeting_id=meeting_id)

    async def office_proposal_declining(
        self, request: Request, meeting_id: str, proposal_id: str, principal: Principal = SECRETARY
    ) -> Response:
        found = await self._found(principal, meeting_id, proposal_id)
        return self._decline_form(request, principal, found, {"reason": Field("reason")})

    async def office_proposal_decline(
        self, request: Request, meeting_id: str, proposal_id: str, principal: Principal = SECRETARY
    ) -> Response:
        found = await self._found(principal, meeting_id, proposal_id)
        fields = await typed(request, ("reason",))
        error = line_error(clean_reason, fields["reason"].value, longest=MAX_REASON)
        wrong(fields, "reason", f"proposal.reason_{error}" if error else None)
        if is_wrong(fields):
            return self._decline_form(request, principal, found, fields)
        await self._commands.proposals.decline(principal.organisation, proposal_id, fields["reason"].value)
        return back(request, "office_proposals", "proposal-declined", meeting_id=meeting_id)

    async def _found(self, principal: Principal, meeting_id: str, proposal_id: str) -> ItemProposal:
        return await self._commands.proposals.proposal(principal.organisation, meeting_id, proposal_id)

    def _decline_form(self, request: Request, principal: Principal, found: ItemProposal, fields: Fields) -> Response:
        return self._page(request, "office/proposal_decline.html", principal, fields=fields, proposal=found)

    async def _list(
        self,
        request: Request,
        principal: Principal,
        meeting_id: str,
        fields: Fields | None,
        *,
        done: str = "",
        meanwhile: bool = False,
    ) -> Response:
        """`meanwhile`: the last day is another one than the form was opened with."""
        meeting = await self._commands.meetings.meeting(principal.organisation, meeting_id)
        found = await self._commands.proposals.of_meeting(principal.organisation, meeting_id)
        return self._page(
            request,
            "office/proposals.html",
            principal,
            fields=fields or {"until": Field("until", found.until.isoformat())},
            refused=meanwhile,
            differing=[Field("until", found.until.isoformat())] if meanwhile else [],
            meeting=meeting,
            details=meeting.details,
            found=found,
            is_over=meeting.is_over(self._clock.now()),
            done=done,
        )


def proposal_details(fields: Fields) -> ProposalDetails | None:
    """Of what a member typed; None when something was put at a field."""
    value = {name: field.value for name, field in fields.items()}
    title = line_error(lambda text: clean_line(text, "title"), value["item_title"])
    wrong(fields, "item_title", f"item.{title}" if title else None)
    for name in ("background", "proposal"):
        try:
            clean_text(value[name], name)
        except InvalidInput:
            wrong(fields, name, "item.text_long" if len(value[name]) > MAX_TEXT else "item.text")
    if is_wrong(fields):
        return None
    return ProposalDetails(title=value["item_title"], background=value["background"], proposal=value["proposal"])
