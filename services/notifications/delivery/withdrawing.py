"""Mails that nobody needs to get any more, and all SQL about them: those that still wait are not sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, Boolean, Integer, Text, and_, bindparam, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.delivery.delivery import ASKING, POINTLESS, SUPERSEDED, Status
from services.notifications.delivery.tables import DELIVERY
from services.notifications.letter.letter import Purpose
from shared.text import email_key

_TEXTS = ARRAY(Text)

# The mails of the request that was signed through stay, reminders apart: completion waits for what became of them.
_WITHDRAW = text(
    """
    UPDATE delivery SET status = 'withdrawn', changed_at = clock_timestamp()
    FROM unnest(:organisations, :agreements, :places, :kept, :requests, :versions)
        AS ended (organisation, agreement_id, place, kept, request_id, below_version)
    WHERE delivery.organisation = ended.organisation AND delivery.agreement_id = ended.agreement_id
      AND delivery.status = 'waiting' AND delivery.purpose = ANY(:asking)
      AND (ended.place IS NULL OR delivery.place = ended.place)
      AND (delivery.request_id <> ended.kept OR delivery.purpose = 'reminder')
      AND (ended.request_id IS NULL
           OR (delivery.request_id = ended.request_id AND delivery.request_version < ended.below_version))
    """
).bindparams(
    *(bindparam(name, type_=_TEXTS) for name in ("organisations", "agreements", "kept", "requests", "asking")),
    *(bindparam(name, type_=ARRAY(Integer)) for name in ("places", "versions")),
)

_WITHDRAW_COPIES = text(
    """
    UPDATE delivery SET status = 'withdrawn', changed_at = clock_timestamp()
    FROM unnest(:organisations, :agreements, :recipients, :versions, :purposes, :requests)
        AS ended (organisation, agreement_id, recipient_key, below_version, purpose, request_id)
    WHERE delivery.organisation = ended.organisation AND delivery.agreement_id = ended.agreement_id
      AND delivery.status = 'waiting' AND delivery.purpose = ended.purpose
      AND delivery.request_id = ended.request_id
      AND delivery.recipient_key = ended.recipient_key AND delivery.request_version < ended.below_version
    """
).bindparams(
    *(bindparam(name, type_=_TEXTS) for name in ("organisations", "agreements", "recipients", "purposes", "requests")),
    bindparam("versions", type_=ARRAY(Integer)),
)

_WITHDRAW_NOTICES = text(
    """
    UPDATE delivery SET status = 'withdrawn', changed_at = clock_timestamp()
    FROM unnest(:organisations, :meetings, :people, :versions, :answers)
        AS ended (organisation, meeting_id, person_id, below_version, answered)
    WHERE delivery.organisation = ended.organisation AND delivery.agreement_id = ended.meeting_id
      AND delivery.status = 'waiting' AND (ended.answered OR delivery.request_version < ended.below_version)
      AND CASE WHEN ended.person_id IS NULL THEN delivery.purpose = ANY(:pointless)
               WHEN ended.answered THEN delivery.request_id = ended.person_id AND delivery.purpose = 'notice-reminder'
               ELSE delivery.request_id = ended.person_id AND delivery.purpose = ANY(:superseded) END
    """
).bindparams(
    *(bindparam(name, type_=_TEXTS) for name in ("organisations", "meetings", "people", "pointless", "superseded")),
    bindparam("versions", type_=ARRAY(Integer)),
    bindparam("answers", type_=ARRAY(Boolean)),
)

# Locked: a mailer does not take one in hand until it is withdrawn. What one has in hand may arrive.
_QUESTIONS = (
    select(
        DELIVERY.c.request_id,
        or_(
            DELIVERY.c.sent_at.is_not(None),
            and_(DELIVERY.c.status == Status.WAITING.value, DELIVERY.c.claim.is_not(None)),
        ).label("went_out"),
    )
    .where(
        DELIVERY.c.organisation == bindparam("organisation"),
        DELIVERY.c.agreement_id == bindparam("poll_id"),
        DELIVERY.c.purpose == Purpose.DATE_POLL.value,
    )
    .order_by(DELIVERY.c.organisation, DELIVERY.c.id)
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Ended:
    """Mails asking for this place (None: any) are to be withdrawn, but for those of the request `kept`.

    With `request_id`, only those of that request whose link is of a version before `below_version`.
    """

    organisation: str
    agreement_id: str
    place: int | None = None
    kept: str = ""
    request_id: str | None = None
    below_version: int = 0


@dataclass(frozen=True, slots=True)
class EndedCopies:
    """Mails to this recipient with a link to the sealed copy of an earlier version are to be withdrawn; with `extract`,
    those with one to the extract of that number."""

    organisation: str
    agreement_id: str
    recipient: str
    below_version: int
    extract: int | None = None


@dataclass(frozen=True, slots=True)
class EndedNotices:
    """Mails about the meeting of an earlier `sequence` are to be withdrawn: those to this person that a later notice
    makes untrue; without one, those to anybody that nobody needs when the meeting does not take place.

    With `answered`, those that ask this person for the answer that they have given, of whatever `sequence`.
    """

    organisation: str
    meeting_id: str
    person_id: str | None
    below_version: int
    answered: bool = False


async def withdraw(connection: AsyncConnection, ended: Sequence[Ended]) -> None:
    """Mails that nobody needs to get any more are not sent; one that is under way may still arrive."""
    if not ended:
        return
    await connection.execute(
        _WITHDRAW,
        {
            "organisations": [one.organisation for one in ended],
            "agreements": [one.agreement_id for one in ended],
            "places": [one.place for one in ended],
            "kept": [one.kept for one in ended],
            "requests": [one.request_id for one in ended],
            "versions": [one.below_version for one in ended],
            "asking": sorted(purpose.value for purpose in ASKING),
        },
    )


async def withdraw_copies(connection: AsyncConnection, ended: Sequence[EndedCopies]) -> None:
    """A link that opens nothing any more is not mailed."""
    if ended:
        await connection.execute(
            _WITHDRAW_COPIES,
            {
                "organisations": [one.organisation for one in ended],
                "agreements": [one.agreement_id for one in ended],
                "recipients": [email_key(one.recipient) for one in ended],
                "versions": [one.below_version for one in ended],
                "purposes": [(Purpose.ARCHIVED if one.extract is None else Purpose.EXTRACT).value for one in ended],
                "requests": ["" if one.extract is None else str(one.extract) for one in ended],
            },
        )


async def withdraw_notices(connection: AsyncConnection, ended: Sequence[EndedNotices]) -> None:
    """Nobody gets an old time after a new one; a mail that is under way may still arrive."""
    if ended:
        await connection.execute(
            _WITHDRAW_NOTICES,
            {
                "organisations": [one.organisation for one in ended],
                "meetings": [one.meeting_id for one in ended],
                "people": [one.person_id for one in ended],
                "versions": [one.below_version for one in ended],
                "answers": [one.answered for one in ended],
                "superseded": sorted(purpose.value for purpose in SUPERSEDED),
                "pointless": sorted(purpose.value for purpose in POINTLESS),
            },
        )


async def asked(connection: AsyncConnection, organisation: str, poll_id: str) -> set[str]:
    """The ids of those whom a date poll's question went out to. Who has it withdrawn in the same transaction knows that
    the others are never asked."""
    rows = await connection.execute(_QUESTIONS, {"organisation": organisation, "poll_id": poll_id})
    return {row.request_id for row in rows if row.went_out}
