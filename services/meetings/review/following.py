"""A review follows the minutes, in the transaction of whoever drafts their next version."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.meetings.body.membership import MemberRole
from services.meetings.minutes.revision import Version
from services.meetings.review import review as rules
from services.meetings.transaction import MeetingsTransaction
from shared.events.notices import AskedMember


async def follow_version(
    transaction: MeetingsTransaction,
    organisation: str,
    meeting_id: str,
    drafted: Version,
    document_name: str,
    at: datetime,
) -> None:
    """A later version of minutes that are being reviewed is what is reviewed from now on; who is asked is told. The
    meeting's row is locked."""
    review = await transaction.lock_open_review(organisation, meeting_id)
    if review is None:
        return
    asked = await asked_among(transaction, organisation, review.people)
    followed, fact = rules.follow(review, drafted, document_name, asked)
    await transaction.save_review(organisation, followed)
    transaction.tell(organisation, followed, fact, at)


async def asked_among(
    transaction: MeetingsTransaction,
    organisation: str,
    people: Iterable[str],
    roles: Mapping[str, MemberRole] | None = None,
) -> list[AskedMember]:
    """Those of them who are reached by mail."""
    wanted = list(people)
    found = await transaction.people_among(organisation, wanted)
    made = []
    for one in wanted:
        role = roles[one].value if roles else MemberRole.MEMBER.value
        if one in found and (asked := found[one].asked(role)) is not None:
            made.append(asked)
    return made
