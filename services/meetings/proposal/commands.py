"""What people ask of proposals; each command is one transaction, which holds the meeting's row."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from services.meetings.agenda import agenda as agendas
from services.meetings.agenda.commands import begin_agenda, set_item
from services.meetings.meeting.meeting import Meeting
from services.meetings.proposal import proposal as rules
from services.meetings.proposal.proposal import ItemProposal, ProposalDetails, ProposalStatus
from services.meetings.proposal.telling import tell_received, tell_settled
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import NotFound
from shared.ids import new_id
from shared.messaging.transaction import UnitOfWork

_USUAL_DAYS = 5  # of notice, for a meeting of no body that is known


@dataclass(frozen=True, slots=True)
class Proposals:
    """Those for a meeting, in the order that they came. `until`: the last day to propose; `is_open`: it is not over."""

    until: date
    is_open: bool
    proposals: list[ItemProposal]


class ProposalCommands:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def of_meeting(self, organisation: str, meeting_id: str) -> Proposals:
        """Raises NotFound."""
        async with self._unit_of_work.begin() as transaction:
            meeting = await transaction.meeting(organisation, meeting_id)
            return await self._proposals(transaction, organisation, meeting)

    async def waiting(self, organisation: str, meeting_id: str) -> int:
        """How many wait for the secretary. Raises NotFound."""
        found = await self.of_meeting(organisation, meeting_id)
        return sum(one.status is ProposalStatus.PROPOSED for one in found.proposals)

    async def waiting_of_all(self, organisation: str) -> dict[str, int]:
        """As `waiting`, by the meeting, of all that have any."""
        async with self._unit_of_work.begin() as transaction:
            return await transaction.proposals_waiting(organisation)

    async def proposal(self, organisation: str, meeting_id: str, proposal_id: str) -> ItemProposal:
        """Raises NotFound, also for one of another meeting."""
        async with self._unit_of_work.begin() as transaction:
            found = await transaction.proposal(organisation, proposal_id)
        if found.meeting_id != meeting_id:
            raise NotFound(f"there is no proposal {proposal_id[:60]} for the meeting")
        return found

    async def set_until(
        self, organisation: str, meeting_id: str, until: date | None, *, seen: date | None = None
    ) -> Proposals:
        """None: some days before the notice, as usual. `seen`: the day that the change was made from; None does not
        ask. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> Proposals:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            day = rules.clean_until(meeting, until, self._clock.now())
            rules.require_seen(await self._until(transaction, organisation, meeting), seen)
            await transaction.set_proposals_until(organisation, meeting_id, day)
            return await self._proposals(transaction, organisation, meeting)

        return await self._unit_of_work.run(work)

    async def propose(
        self, organisation: str, meeting_id: str, person_id: str, details: ProposalDetails
    ) -> ItemProposal:
        """By a member whose meeting it is, which the caller knows; the office is told. Raises NotFound, Refused,
        InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> ItemProposal:
            meeting = await transaction.lock_meeting(organisation, meeting_id)
            person = await transaction.person(organisation, person_id)
            there = await transaction.proposals(organisation, meeting_id)
            if (again := rules.proposed_again(there, person_id, details)) is not None:
                return again
            now = self._clock.now()
            made = rules.propose(
                new_id(),
                meeting,
                person_id,
                person.details.name,
                there,
                details,
                until=await self._until(transaction, organisation, meeting),
                today=self._today(meeting),
                now=now,
            )
            await transaction.save_proposal(organisation, made)
            await tell_received(transaction, organisation, meeting, made, now)
            return made

        return await self._unit_of_work.run(work)

    async def take(self, organisation: str, proposal_id: str) -> ItemProposal:
        """It is an item of the agenda from now on; who proposed it is told. Raises NotFound, Refused."""

        async def work(transaction: MeetingsTransaction) -> ItemProposal:
            found, meeting = await _locked(transaction, organisation, proposal_id)
            now = self._clock.now()
            agendas.require_open(meeting, now)
            taken, details = rules.take(found, new_id())
            there = await begin_agenda(transaction, organisation, meeting)
            item = agendas.add(taken.item_id or "", meeting, len(there), details, now)
            await set_item(transaction, organisation, item, there)
            await transaction.save_proposal(organisation, taken)
            await tell_settled(transaction, organisation, meeting, taken, now)
            return taken

        return await self._unit_of_work.run(work)

    async def decline(self, organisation: str, proposal_id: str, reason: str) -> ItemProposal:
        """Who proposed it is told why. Raises NotFound, Refused, InvalidInput."""

        async def work(transaction: MeetingsTransaction) -> ItemProposal:
            found, meeting = await _locked(transaction, organisation, proposal_id)
            declined = rules.decline(found, reason)
            await transaction.save_proposal(organisation, declined)
            await tell_settled(transaction, organisation, meeting, declined, self._clock.now())
            return declined

        return await self._unit_of_work.run(work)

    async def _proposals(self, transaction: MeetingsTransaction, organisation: str, meeting: Meeting) -> Proposals:
        until = await self._until(transaction, organisation, meeting)
        is_open = self._today(meeting) <= until and not meeting.is_over(self._clock.now())
        return Proposals(until, is_open, await transaction.proposals(organisation, meeting.id))

    async def _until(self, transaction: MeetingsTransaction, organisation: str, meeting: Meeting) -> date:
        if (day := await transaction.proposals_until(organisation, meeting.id)) is not None:
            return day
        body = await transaction.body_of(organisation, meeting)
        days = body.details.rules.notice_days if body else _USUAL_DAYS
        return rules.default_until(meeting.details.starts.date(), days)

    def _today(self, meeting: Meeting) -> date:
        return self._clock.now().astimezone(ZoneInfo(meeting.details.timezone)).date()


async def _locked(
    transaction: MeetingsTransaction, organisation: str, proposal_id: str
) -> tuple[ItemProposal, Meeting]:
    seen = await transaction.proposal(organisation, proposal_id)
    meeting = await transaction.lock_meeting(organisation, seen.meeting_id)
    return await transaction.proposal(organisation, proposal_id), meeting
