"""The SQL of proposals."""

from datetime import date
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from services.meetings.proposal.proposal import ItemProposal, ProposalDetails, ProposalStatus
from services.meetings.proposal.tables import PROPOSAL, PROPOSALS_UNTIL
from shared.errors import NotFound
from shared.messaging.transaction import Transaction

_ALL = select(PROPOSAL).where(PROPOSAL.c.organisation == bindparam("organisation"))
_FIND = _ALL.where(PROPOSAL.c.id == bindparam("id"))
_OF_MEETING = _ALL.where(PROPOSAL.c.meeting_id == bindparam("meeting_id")).order_by(PROPOSAL.c.at, PROPOSAL.c.id)
_WAITING = (
    select(PROPOSAL.c.meeting_id, func.count().label("number"))
    .where(PROPOSAL.c.organisation == bindparam("organisation"))
    .where(PROPOSAL.c.status == ProposalStatus.PROPOSED.value)
    .group_by(PROPOSAL.c.meeting_id)
)
_SAVE = insert(PROPOSAL)
_SAVE = _SAVE.on_conflict_do_update(index_elements=["organisation", "id"], set_=dict(_SAVE.excluded)).inline()
_UNTIL = select(PROPOSALS_UNTIL.c.day).where(
    PROPOSALS_UNTIL.c.organisation == bindparam("organisation"),
    PROPOSALS_UNTIL.c.meeting_id == bindparam("meeting_id"),
)
_SET_UNTIL = insert(PROPOSALS_UNTIL)
_SET_UNTIL = _SET_UNTIL.on_conflict_do_update(
    index_elements=["organisation", "meeting_id"], set_=dict(_SET_UNTIL.excluded)
).inline()


class ProposalStore(Transaction):
    async def proposal(self, organisation: str, proposal_id: str) -> ItemProposal:
        """Who changes it has its meeting's row locked. Raises NotFound."""
        key = {"organisation": organisation, "id": proposal_id}
        row = (await self.connection.execute(_FIND, key)).one_or_none()
        if row is None:
            raise NotFound(f"there is no proposal {proposal_id[:60]}")
        return _proposal(row)

    async def proposals(self, organisation: str, meeting_id: str) -> list[ItemProposal]:
        """In the order that they came."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return [_proposal(row) for row in await self.connection.execute(_OF_MEETING, key)]

    async def proposals_waiting(self, organisation: str) -> dict[str, int]:
        """How many wait for the secretary, by the meeting."""
        rows = await self.connection.execute(_WAITING, {"organisation": organisation})
        return {row.meeting_id: row.number for row in rows}

    async def save_proposal(self, organisation: str, proposal: ItemProposal) -> None:
        row = {**proposal.model_dump(), "status": proposal.status.value, "organisation": organisation}
        await self.connection.execute(_SAVE, row)

    async def proposals_until(self, organisation: str, meeting_id: str) -> date | None:
        """The day that was set for a meeting; None for the usual one."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return (await self.connection.execute(_UNTIL, key)).scalar_one_or_none()

    async def set_proposals_until(self, organisation: str, meeting_id: str, day: date | None) -> None:
        row = {"organisation": organisation, "meeting_id": meeting_id, "day": day}
        await self.connection.execute(_SET_UNTIL, row)


def _proposal(row: Any) -> ItemProposal:
    known = {name: getattr(row, name) for name in ItemProposal.model_fields}
    known |= {
        "details": ProposalDetails.model_validate(row.details, extra="ignore"),
        "status": ProposalStatus(row.status),
    }
    return ItemProposal.model_validate(known)
