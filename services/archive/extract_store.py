"""The SQL of certified extracts."""

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive.tables import ARCHIVED_PROTOCOL, EXTRACT

_OF_AGREEMENT = (
    EXTRACT.c.organisation == bindparam("of_organisation"),
    EXTRACT.c.agreement_id == bindparam("of_agreement"),
)
_ALL = select(EXTRACT).where(*_OF_AGREEMENT).order_by(EXTRACT.c.number)
_LOCK = (
    select(ARCHIVED_PROTOCOL.c.agreement_id)
    .where(
        ARCHIVED_PROTOCOL.c.organisation == bindparam("of_organisation"),
        ARCHIVED_PROTOCOL.c.agreement_id == bindparam("of_agreement"),
    )
    .with_for_update()
)
_ADD = insert(EXTRACT)


async def extracts_of(connection: AsyncConnection, organisation: str, agreement_id: str) -> list[Any]:
    """Rows of `EXTRACT`, in the order in which they were made."""
    key = {"of_organisation": organisation, "of_agreement": agreement_id}
    return list(await connection.execute(_ALL, key))


async def lock_archived(connection: AsyncConnection, organisation: str, agreement_id: str) -> None:
    """Who adds an extract waits for who adds another one of the same minutes."""
    await connection.execute(_LOCK, {"of_organisation": organisation, "of_agreement": agreement_id})


async def add_extract(connection: AsyncConnection, row: dict[str, Any]) -> None:
    await connection.execute(_ADD, row)
