"""The rules of proposals: members propose items for a meeting until a day; the secretary takes one, or says why not.

Pure. One that is taken is an item of the agenda from then on; one that is declined keeps the reason, which is read by
who proposed it.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.agenda.agenda import MAX_TEXT, ItemDetails, clean_text, require_open
from services.meetings.body.body import ItemKind
from services.meetings.meeting.meeting import Meeting
from services.meetings.notice.notice import latest_day
from shared.errors import InvalidInput, Refused
from shared.text import clean_line, clean_reason

MOST_OF_ONE = 20
"""Of one person, for one meeting."""
MOST = 200
"""For one meeting."""
_BEFORE_NOTICE = timedelta(days=5)


class ProposalStatus(StrEnum):
    PROPOSED = "proposed"
    TAKEN = "taken"
    DECLINED = "declined"


class ProposalDetails(BaseModel):
    """What a member wants to be dealt with. `proposal`: what the meeting should decide."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(max_length=4000)
    background: str = Field("", max_length=8 * MAX_TEXT)
    proposal: str = Field("", max_length=8 * MAX_TEXT)


class ItemProposal(BaseModel):
    """A proposal's state. `person`: the name of who proposes it. `item_id`: of one that was taken; `reason`: of one
    that was declined."""

    model_config = ConfigDict(frozen=True)

    id: str
    meeting_id: str
    person_id: str
    person: str
    details: ProposalDetails
    status: ProposalStatus = ProposalStatus.PROPOSED
    reason: str | None = None
    item_id: str | None = None
    at: datetime


def default_until(meets: date, notice_days: int) -> date:
    """The last day to propose, when nobody set another: some days before the notice's latest one."""
    return latest_day(meets, notice_days) - _BEFORE_NOTICE


def clean_until(meeting: Meeting, until: date | None, now: datetime) -> date | None:
    """The day that the secretary sets; None is the usual one. Raises Refused, InvalidInput."""
    require_open(meeting, now)
    if until is not None and until > meeting.details.starts.date():
        raise InvalidInput("until: is after the meeting", hint="choose the meeting's day or one before")
    return until


def require_seen(found: date, seen: date | None) -> None:
    """Two who change the last day at the same time: the second is told. `seen`: None does not ask. Raises Refused."""
    if seen is not None and seen != found:
        raise Refused(
            "the last day to propose was changed by someone else meanwhile", hint=f"it is {found} now: change that"
        )


def propose(
    proposal_id: str,
    meeting: Meeting,
    person_id: str,
    person: str,
    there: Sequence[ItemProposal],
    details: ProposalDetails,
    *,
    until: date,
    today: date,
    now: datetime,
) -> ItemProposal:
    """`there`: all for the meeting; `until`: the last day; `today`: where it meets. Raises Refused, InvalidInput."""
    require_open(meeting, now)
    if today > until:
        raise Refused(f"items could be proposed until {until}", hint="ask the secretary, or propose it for another")
    if len(there) >= MOST or sum(one.person_id == person_id for one in there) >= MOST_OF_ONE:
        raise Refused(
            "no more items can be proposed for this meeting",
            hint="propose the item for another meeting, or turn to the secretary",
        )
    return ItemProposal(
        id=proposal_id,
        meeting_id=meeting.id,
        person_id=person_id,
        person=person,
        details=clean_details(details),
        at=now,
    )


def proposed_again(there: Sequence[ItemProposal], person_id: str, details: ProposalDetails) -> ItemProposal | None:
    """The one that waits, and says just this: a form that is sent twice proposes once."""
    cleaned = clean_details(details)
    waiting = (one for one in there if one.person_id == person_id and one.status is ProposalStatus.PROPOSED)
    return next((one for one in waiting if one.details == cleaned), None)


def take(proposal: ItemProposal, item_id: str) -> tuple[ItemProposal, ItemDetails]:
    """Onto the agenda, as a matter to decide, presented by who proposed it. Raises Refused."""
    _require_waiting(proposal)
    details = proposal.details
    item = ItemDetails(
        title=details.title,
        kind=ItemKind.DECISION if details.proposal else ItemKind.DISCUSSION,
        presenter=proposal.person,
        background=details.background,
        proposal=details.proposal,
    )
    return proposal.model_copy(update={"status": ProposalStatus.TAKEN, "item_id": item_id}), item


def decline(proposal: ItemProposal, reason: str) -> ItemProposal:
    """Raises Refused, InvalidInput."""
    _require_waiting(proposal)
    return proposal.model_copy(update={"status": ProposalStatus.DECLINED, "reason": clean_reason(reason)})


def clean_details(details: ProposalDetails) -> ProposalDetails:
    """Raises InvalidInput that names the field."""
    return details.model_copy(
        update={
            "title": clean_line(details.title, "title"),
            "background": clean_text(details.background, "background"),
            "proposal": clean_text(details.proposal, "proposal"),
        }
    )


def _require_waiting(proposal: ItemProposal) -> None:
    if proposal.status is not ProposalStatus.PROPOSED:
        raise Refused(f"the proposal was {proposal.status} already", hint="look at it again")
