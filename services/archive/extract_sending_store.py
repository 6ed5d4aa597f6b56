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
_CERTIFIERS = (
    select(EXTRACT.c.certified_by)
    .where(EXTRACT.c.organisation == bindparam("of_organisation"))
    .group_by(EXTRACT.c.certified_by)
    .order_by(func.max(EXTRACT.c.certified_at).desc())
    .limit(bindparam("most"))
)


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


async def put(connection: AsyncConnection, organisation: str, sent: Sending, *, body: str, by: str) -> None:
    """Keep what is sent, for the first time or again. `by`: a token's name."""
    row = {"organisation": organisation, "body": body, "sent_by": by, "told": 1, **sent.model_dump()}
    await connection.execute(_PUT, row)


async def change(connection: AsyncConnection, organisation: str, changed: Sending) -> None:
    """Keep that its link was ended, or that its mail did not arrive."""
    statement = update(EXTRACT_SENDING).where(
        _C.organisation == organisation,
        _C.agreement_id == changed.agreement_id,
        _C.number == changed.number,
        _C.holder == changed.holder,
    )
    became = changed.model_dump(include={"ended_at", "bounced_at", "diagnostic"})
    await connection.execute(statement.values(**became, told=_C.told + 1))


async def told(connection: AsyncConnection, organisation: str, agreement_id: str) -> int:
    """How many events have told of extracts of these minutes: each `put` and each `change` is one. The agreement must
    be locked (`extract_store.lock_archived`)."""
    key = {"of_organisation": organisation, "of_agreement": agreement_id}
    return int((await connection.execute(_TOLD, key)).scalar_one())


async def last_people(
    connection: AsyncConnection, organisation: str, body: str, *, most: int
) -> list[tuple[Person, Person]]:
    """Whom extracts of the body's minutes went to and who sent them, the last first."""
    rows = await connection.execute(_LAST, {"of_organisation": organisation, "of_body": body, "most": most})
    return [(Person.model_validate(row.recipient), Person.model_validate(row.sender)) for row in rows]


async def certifiers(connection: AsyncConnection, organisation: str, *, most: int) -> list[str]:
    """Who certified extracts, each once, the last first."""
    rows = await connection.execute(_CERTIFIERS, {"of_organisation": organisation, "most": most})
    return [row.certified_by for row in rows]


def _sending(row: Any) -> Sending:
    return Sending.model_validate(row, from_attributes=True)
