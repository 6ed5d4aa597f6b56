"""The HTTP API of proposals, for the office: members propose on their own page."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.proposal.commands import ProposalCommands, Proposals
from services.meetings.proposal.proposal import ItemProposal
from shared.idempotency import Once
from shared.routes import LazyRoute


class MeetingProposals(BaseModel):
    """`until`: the last day on which members propose items; `is_open`: it is not over."""

    until: date
    is_open: bool
    proposals: list[ItemProposal]

    @classmethod
    def of(cls, found: Proposals) -> "MeetingProposals":
        return cls(until=found.until, is_open=found.is_open, proposals=found.proposals)


class ProposalsUntil(BaseModel):
    """`until`: a day not after the meeting; null for some days before its notice, as usual."""

    model_config = ConfigDict(extra="forbid")

    until: date | None


class WhyDeclined(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=4000)


def router(commands: ProposalCommands) -> APIRouter:
    routes = APIRouter(tags=["proposals"], route_class=LazyRoute)

    @routes.get("/meetings/{meeting_id}/proposals")
    async def list_proposals(meeting_id: str, caller: Reader) -> MeetingProposals:
        """What members want to be dealt with at a meeting, and what became of it."""
        return MeetingProposals.of(await commands.of_meeting(caller.organisation, meeting_id))

    @routes.put("/meetings/{meeting_id}/proposals/until")
    async def set_last_day(
        meeting_id: str,
        wanted: ProposalsUntil,
        caller: Secretary,
        seen: Annotated[
            date | None, Query(description="the day that the change was made from: refused when it is another by now")
        ] = None,
    ) -> MeetingProposals:
        """Say until which day members can propose items for a meeting."""
        return MeetingProposals.of(await commands.set_until(caller.organisation, meeting_id, wanted.until, seen=seen))

    @routes.post("/proposals/{proposal_id}/take", response_model=ItemProposal)
    async def take_proposal(proposal_id: str, once: Once, caller: Secretary) -> Response:
        """Put a proposal on the agenda, as its last item."""
        return await once.answer(caller, commands.take(caller.organisation, proposal_id))

    @routes.post("/proposals/{proposal_id}/decline", response_model=ItemProposal)
    async def decline_proposal(proposal_id: str, why: WhyDeclined, once: Once, caller: Secretary) -> Response:
        """Decline a proposal; the member who made it reads why."""
        return await once.answer(caller, commands.decline(caller.organisation, proposal_id, why.reason))

    return routes
