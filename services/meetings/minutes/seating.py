"""Elections of minutes take effect, in the transaction of who learns that all have signed, or of who tries again."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.meetings.body.membership import Membership
from services.meetings.minutes.elections import Elected, seat_elected
from services.meetings.transaction import MeetingsTransaction
from shared.errors import InvalidInput, JusteraError, Refused
from shared.events.envelope import Envelope
from shared.ids import new_id

SEATED = "seated"
REFUSALS = ("closed", "role", "order", "ends", "other")
"""Why an election could not take effect: the body is closed, someone has the place or the number, the term is over."""


async def take_effect(
    transaction: MeetingsTransaction,
    organisation: str,
    rows: Sequence[Any],
    *,
    at: datetime,
    cause: Envelope | None = None,
) -> None:
    """`rows` of `ELECTION`, locked after the register. What a rule refuses keeps the reason; the others stand."""
    bodies = {body.id: body for body in await transaction.bodies(organisation)}
    there: dict[str, list[Membership]] = defaultdict(list)
    for membership in await transaction.memberships(organisation):
        there[membership.body_id].append(membership)
    for row in rows:
        elected, body = Elected.model_validate(row.elected, extra="ignore"), bodies[row.body_id]
        day = at.astimezone(ZoneInfo(body.details.rules.timezone)).date()
        outcome, membership_id = SEATED, None
        try:
            body.require_open()
            seated = seat_elected(body, there[body.id], elected, day, new_id)
        except (Refused, InvalidInput) as error:
            outcome = "closed" if body.closed is not None else _reason(error)
        else:
            membership_id = seated.membership.id
            bodies[body.id] = seated.body
            touched = {one.id for one in seated.saved} | set(seated.gone)
            there[body.id] = [one for one in there[body.id] if one.id not in touched] + seated.saved
            if seated.facts:
                await transaction.save_bodies(organisation, [seated.body])
            await transaction.save_memberships(organisation, seated.saved)
            await transaction.remove_memberships(organisation, seated.gone)
            for about, fact in seated.facts:
                transaction.tell(organisation, about, fact, at, cause)
        await transaction.election_done(organisation, row, outcome, membership_id)


def _reason(error: JusteraError) -> str:
    subject, _, _ = error.message.partition(":")
    return subject if subject in REFUSALS else "other"
