"""The elections that minutes declare: by the register while they are drafted, and what became of them."""

from datetime import date
from typing import Literal

from pydantic import BaseModel

from services.meetings.body.membership import Basis, MemberRole
from services.meetings.minutes.elections import Elected, matched
from services.meetings.minutes.minutes import MinutesDraft
from services.meetings.minutes.seating import SEATED
from services.meetings.transaction import MeetingsTransaction


class DeclaredElection(BaseModel):
    """An election of minutes, with names as they are now. `state`: waiting (not everyone has signed), void (the minutes
    ended unsigned), seated, or refused; then `reason` is closed, role, order, ends or other."""

    paragraph: int
    body_id: str
    body: str
    person_id: str
    person: str
    role: MemberRole
    order: int | None
    begins: date | None
    ends: date | None
    state: Literal["waiting", "void", "seated", "refused"]
    reason: str | None
    membership_id: str | None


async def elected_by(
    transaction: MeetingsTransaction, organisation: str, draft: MinutesDraft, first: int
) -> list[Elected]:
    """What the minutes declare, by the register. Raises InvalidInput that names the line."""
    said = [
        (election, Basis(body=draft.front.body, year=draft.front.starts.year, paragraph=number))
        for number, section in enumerate(draft.sections, first)
        for election in section.elections
    ]
    if not said:
        return []
    return matched(said, await transaction.bodies(organisation), await transaction.all_people(organisation))


async def declaring(transaction: MeetingsTransaction, organisation: str, meeting_id: str) -> dict[int, bool]:
    """The versions whose elections count: the last of the whole minutes, and the paragraphs approved at once (below 0);
    with whether they ended unsigned."""
    last = await transaction.minutes_of(organisation, meeting_id)
    at_once = await transaction.adjusted_at_once(organisation, meeting_id)
    whole = {last.version: last.ended is not None} if last is not None else {}
    return whole | {row.version: False for row in at_once if row.ended is None}


async def declared(transaction: MeetingsTransaction, organisation: str, meeting_id: str) -> list[DeclaredElection]:
    versions = await declaring(transaction, organisation, meeting_id)
    rows = [row for one in versions for row in await transaction.elections(organisation, meeting_id, one)]
    if not rows:
        return []
    rows.sort(key=lambda row: Elected.model_validate(row.elected, extra="ignore").basis.paragraph)
    bodies = {body.id: body.details.name for body in await transaction.bodies(organisation)}
    people = await transaction.people_among(organisation, {row.person_id for row in rows})
    found = []
    for row in rows:
        one, refused = Elected.model_validate(row.elected, extra="ignore"), row.outcome not in (None, SEATED)
        waits = "void" if versions[row.version] else "waiting"
        found.append(
            DeclaredElection(
                paragraph=one.basis.paragraph,
                body=bodies[one.body_id],
                person=people[one.person_id].details.name,
                state="refused" if refused else row.outcome or waits,
                reason=row.outcome if refused else None,
                membership_id=row.membership_id,
                **one.model_dump(exclude={"basis"}),
            )
        )
    return found
