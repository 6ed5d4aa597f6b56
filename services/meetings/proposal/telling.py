"""What is told of members' proposals, in the transaction of whoever proposes or settles one: it has the meeting's row.

Of a meeting of no body that the register knows, nobody is told: no fact.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.meetings.meeting.meeting import Meeting
from services.meetings.notice import notice as notices
from services.meetings.notice.scene import Scene, scene_of
from services.meetings.proposal.proposal import ItemProposal
from services.meetings.transaction import MeetingsTransaction
from shared.events import ItemProposalReceived, ItemProposalSettled


async def tell_received(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, made: ItemProposal, now: datetime
) -> None:
    """Who looks after the meeting is told, once; not of what they proposed themselves."""
    scene = await scene_of(transaction, organisation, meeting)
    if scene is None:
        return
    people = [one.person_id for one in scene.looking_after() if one.person_id != made.person_id]
    fact = ItemProposalReceived.model_validate(_known(scene, made, people))
    await transaction.tell_notice(organisation, meeting, fact, now)


async def tell_settled(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, settled: ItemProposal, now: datetime
) -> None:
    """Who proposed it is told, also when they sit in the body no more."""
    scene = await scene_of(transaction, organisation, meeting)
    if scene is None:
        return
    scene.people |= await transaction.people_among(organisation, [settled.person_id])
    fact = ItemProposalSettled.model_validate(
        _known(scene, settled, [settled.person_id])
        | {"how": settled.status.value, "reason": settled.reason, "item_id": settled.item_id}
    )
    await transaction.tell_notice(organisation, meeting, fact, now)


def _known(scene: Scene, proposal: ItemProposal, people: Iterable[str]) -> dict[str, Any]:
    return notices.as_known(scene.notice, scene.draft(), scene.recipients(people)) | {
        "proposal_id": proposal.id,
        "item": proposal.details.title,
        "person_id": proposal.person_id,
        "name": proposal.person,
    }
