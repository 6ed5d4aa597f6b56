"""Where the sealed copies of completed agreements are, as the archive told; and all SQL about them.

Kept beside the histories: what the archive does with a completed agreement is no part of what was signed.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.signing.store import AgreementKey
from services.signing.tables import SEALED_COPY
from shared.database import among_pairs, pairs
from shared.events import BlobRef

_FIND = select(SEALED_COPY).where(among_pairs(SEALED_COPY.c.organisation, SEALED_COPY.c.agreement_id))
_KEEP = insert(SEALED_COPY).on_conflict_do_nothing()


class SealedCopy(BaseModel):
    """`archived_at` is UTC. `test_seal`: by a test certificate, which proves nothing to others."""

    model_config = ConfigDict(frozen=True)

    pdf: BlobRef
    archived_at: datetime
    test_seal: bool


async def keep(connection: AsyncConnection, copies: Sequence[tuple[AgreementKey, SealedCopy]]) -> None:
    rows = [
        {
            "organisation": organisation,
            "agreement_id": agreement_id,
            "archived_at": copy.archived_at,
            "pdf": copy.pdf.model_dump(mode="json"),
            "test_seal": copy.test_seal,
        }
        for (organisation, agreement_id), copy in copies
    ]
    if rows:
        await connection.execute(_KEEP, rows)


async def find(connection: AsyncConnection, keys: Collection[AgreementKey]) -> Mapping[AgreementKey, SealedCopy]:
    """Those that are archived, of these."""
    if not keys:
        return {}
    rows = await connection.execute(_FIND, pairs(list(keys)))
    return {
        (row.organisation, row.agreement_id): SealedCopy(
            pdf=BlobRef.model_validate(row.pdf), archived_at=row.archived_at, test_seal=row.test_seal
        )
        for row in rows
    }
