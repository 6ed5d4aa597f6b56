"""Whose links were ended after an agreement's end, and all SQL about it.

Kept beside the histories, which are sealed then. While an agreement is out, links are ended by an entry of its history.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.signing.store import AgreementKey
from services.signing.tables import ENDED_LINK
from shared.database import among_pairs, pairs
from shared.text import email_key, same_email

_C = ENDED_LINK.c
_KEYS = [_C.organisation, _C.agreement_id, _C.email_key]
_FIND = select(ENDED_LINK).where(among_pairs(_C.organisation, _C.agreement_id)).order_by(*_KEYS)
_NEW = insert(ENDED_LINK)
_KEEP = _NEW.on_conflict_do_update(
    index_elements=_KEYS, set_={name: _NEW.excluded[name] for name in ("email", "version", "mailed", "at")}
)


class EndedLink(BaseModel):
    """`version`: of their next link to the sealed copy. `mailed`: they were mailed it. `at` is UTC."""

    model_config = ConfigDict(frozen=True)

    email: str
    version: int
    mailed: bool
    at: datetime


def has_ended(ended: Sequence[EndedLink], email: str) -> bool:
    return any(same_email(one.email, email) for one in ended)


async def keep(connection: AsyncConnection, ended: Sequence[tuple[AgreementKey, EndedLink]]) -> None:
    """The last one a person holds."""
    rows = [
        {"organisation": organisation, "agreement_id": agreement_id, "email_key": email_key(one.email)}
        | one.model_dump()
        for (organisation, agreement_id), one in ended
    ]
    if rows:
        await connection.execute(_KEEP, rows)


async def find(
    connection: AsyncConnection, keys: Collection[AgreementKey]
) -> Mapping[AgreementKey, tuple[EndedLink, ...]]:
    """Those of these agreements."""
    found: dict[AgreementKey, tuple[EndedLink, ...]] = {}
    if keys:
        for row in await connection.execute(_FIND, pairs(list(keys))):
            key = row.organisation, row.agreement_id
            one = EndedLink.model_validate({name: getattr(row, name) for name in EndedLink.model_fields})
            found[key] = (*found.get(key, ()), one)
    return found
