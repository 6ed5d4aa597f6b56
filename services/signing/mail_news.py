"""What became of an agreement's mails and is no part of its history, as notifications told; and all SQL about it.

A reply that nobody could read may say anything, and proves nothing; a copy that did not arrive changes nothing of what
was signed. But the sender can help, and is told. One of a kind a mail, so nobody fills the table.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.signing.store import AgreementKey
from services.signing.tables import MAIL_NEWS
from shared.database import among_pairs, pairs

_C = MAIL_NEWS.c
_FIND = (
    select(MAIL_NEWS)
    .where(among_pairs(_C.organisation, _C.agreement_id))
    .order_by(_C.organisation, _C.agreement_id, _C.at, _C.email_id)
)
_KEEP = insert(MAIL_NEWS).on_conflict_do_nothing()


class MailNews(BaseModel):
    """`unread`: a reply came that is no report that could be read; `copy-bounced`: the sealed copy's link did not
    arrive. `request_id`: the request that the mail spoke of, None for a copy. `diagnostic`: the server's words, or
    empty. `at` is UTC."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["unread", "copy-bounced"]
    email_id: str
    request_id: str | None
    recipient: str
    at: datetime
    diagnostic: str = ""


async def keep(connection: AsyncConnection, news: Sequence[tuple[AgreementKey, MailNews]]) -> None:
    rows = [
        {"organisation": organisation, "agreement_id": agreement_id, **one.model_dump()}
        for (organisation, agreement_id), one in news
    ]
    if rows:
        await connection.execute(_KEEP, rows)


async def find(
    connection: AsyncConnection, keys: Collection[AgreementKey]
) -> Mapping[AgreementKey, tuple[MailNews, ...]]:
    """Those of these agreements, in the order in which they happened."""
    found: dict[AgreementKey, tuple[MailNews, ...]] = {}
    if keys:
        for row in await connection.execute(_FIND, pairs(list(keys))):
            key = row.organisation, row.agreement_id
            one = MailNews.model_validate({name: getattr(row, name) for name in MailNews.model_fields})
            found[key] = (*found.get(key, ()), one)
    return found
