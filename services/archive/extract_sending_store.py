"""The SQL of extracts that were sent."""

from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive.extract_sending import Sending
from services.archive.tables import EXTRACT, EXTRACT_SENDING
from shared.events import Person

_C = EXTRACT_SENDING.c
_FIELDS = tuple(_C[name] for name in Sending.model_fields)
MOST_READ = 500
"""Of an organisation's extracts, the last ones, for who certified them."""
_KEY = ("organisation", "agreement_id", "number", "holder")
_OF_AGREEMENT = (_C.organisation == bindparam("of_organisation"), _C.agreement_id == bindparam("of_agreement"))
_OF_EXTRACT = (*_OF_AGREEMENT, _C.number == bindparam("of_number"))
_ALL = select(*_FIELDS).where(*_OF_EXTRACT).order_by(_C.sent_at, _C.holder)
_ONE = select(*_FIELDS).where(*_OF_EXTRACT, _C.holder == bindparam("of_holder"))
_TOLD = select(func.coalesce(func.sum(_C.told), 0)).where(*_OF_AGREEMENT)
_COUNTS = select(_C.number, func.count().label("many")).where(*_OF_AGREEMENT).group_by(_C.number)
_PUT = insert(EXTRACT_SENDING)
_PUT = _PUT.on_conflict_do_update(
    index_elements=_KEY,
    set_={one.name: _PUT.excluded[one.name] for one in EXTRACT_SENDING.columns if one.name not in (*_KEY, "told")}
    | {"told": _C.told + 1},
)
_LAST = (
    select(_C.recipient, _C.sender)
    .where(_C.organisation == bindparam("of_organisation"), _C.body == bindparam("of_body"))
    .order_by(_C.sent_at.desc(), _C.holder)
    .limit(bindparam("most"))
)
_RECENT = (
    select(EXTRACT.c.certified_by, EXTRACT.c.certified_at)
    .where(EXTRACT.c.organisation == bindparam("of_organisation"))
    .order_by(EXTRACT.c.certified_at.desc())
    .limit(bindparam("read"))
    .subquery()
)
_CERTIFIERS = (
    select(_RECENT.c.certified_by)
    .group_by(_RECENT.c.certified_by)
    .order_by(func.max(_RECENT.c.certified_at).desc())
    .limit(bindparam("most"))
)
_FORM_KEY = select(_C.form_key).where(*_OF_EXTRACT, _C.holder == bindparam("of_holder"))


async def sendings(connection: AsyncConnection, organisation: str, agreement_id: str, number: int) -> list[Sending]:
    key = {"of_organisation": organisation, "of_agreement": agreement_id, "of_number": number}
    return [_sending(row) for row in await connection.execute(_ALL, key)]


async def sending(
    connection: AsyncConnection, organisation: str, agreement_id: str, number: int, holder: str
) -> Sending | None:
    key = {"of_organisation": organisation, "of_agreement": agreement_id, "of_number": number, "of_holder": holder}
    row = (await connection.execute(_ONE, key)).one_or_none()
    return None if row is None else _sending(row)


async def counts(connection: AsyncConnection, organisation: str, agreement_id: str) -> dict[int, int]:
    """By the extract's number: to how many it was sent."""
    key = {"of_organisation": organisation, "of_agreement": agreement_id}
    return {row.number: row.many for row in await connection.execute(_COUNTS, key)}


async def form_key(connection: AsyncConnection, organisation: str, sent: Sending) -> str | None:
    """Of the form that had it sent last; None where that was no form."""
    key = {"of_organisation": organisation, "of_agreement": sent.agreement_id, "of_number": sent.number}
    found = await connection.execute(_FORM_KEY, key | {"of_holder": sent.holder})
    key_of: str | None = found.scalar_one()
    return key_of


async def put(
    connection: AsyncConnection, organisation: str, sent: Sending, *, body: str, by: str, form_key: str | None = None
) -> None:
    """Keep what is sent, for the first time or again. `by`: a token's name."""
    row = {"organisation": organisation, "body": body, "sent_by": by, "told": 1, "form_key": form_key}
    row |= sent.model_dump()
    await connection.execute(_PUT, row)


async def change(connection: AsyncConnection, organisation: str, changed: Sending, *, tells: bool = True) -> None:
    """Keep that its link was ended, that its mail did not arrive, or, which `tells` no event, that it may not have."""
    statement = update(EXTRACT_SENDING).where(
        _C.organisation == organisation,
        _C.agreement_id == changed.agreement_id,
        _C.number == changed.number,
        _C.holder == changed.holder,
    )
    became = changed.model_dump(include={"ended_at", "bounced_at", "diagnostic", "unread_at"})
    await connection.execute(statement.values(**became, told=_C.told + int(tells)))


async def told(connection: AsyncConnection, organisation: str, agreement_id: str) -> int:
    """How many events have told of extracts of these minutes: each `put` is one, and each `change` that tells. The
    agreement must be locked (`extract_store.lock_archived`)."""
    key = {"of_organisation": organisation, "of_agreement": agreement_id}
    return int((await connection.execute(_TOLD, key)).scalar_one())


async def last_people(
    connection: AsyncConnection, organisation: str, body: str, *, most: int
) -> list[tuple[Person, Person]]:
    """Whom extracts of the body's minutes went to and who sent them, the last first."""
    rows = await connection.execute(_LAST, {"of_organisation": organisation, "of_body": body, "most": most})
    return [(Person.model_validate(row.recipient), Person.model_validate(row.sender)) for row in rows]


async def certifiers(connection: AsyncConnection, organisation: str, *, most: int) -> list[str]:
    """Who certified the last `MOST_READ` extracts, each once, the last first."""
    rows = await connection.execute(_CERTIFIERS, {"of_organisation": organisation, "read": MOST_READ, "most": most})
    return [row.certified_by for row in rows]


def _sending(row: Any) -> Sending:
    return Sending.model_validate(row, from_attributes=True)
