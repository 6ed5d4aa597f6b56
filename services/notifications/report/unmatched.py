"""What cannot be read as a delivery report, or points to no mail of ours: kept for a human; size, number and time are
bounded.

What came to a signed return path is kept with its mail: it is about that mail, and nothing that arrives there is lost.
It often returns the mail itself: our links and tokens are taken out before anything is kept.
"""

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.redaction import redacted_bytes
from services.notifications.report.tables import UNMATCHED_REPORT

KEPT_BYTES = 64 * 1024  # of each: what a human needs stands in the first parts
MOST_KEPT = 1000
MOST_OF_A_MAIL = 5
RETENTION_DAYS = 90

Position = tuple[datetime, str]
_C = UNMATCHED_REPORT.c


@dataclass(frozen=True, slots=True)
class UnmatchedReport:
    """`size` is the whole report's bytes, `raw` its first 64 KiB without our links."""

    sha256: str
    received_at: datetime
    reason: str
    size: int
    raw: bytes
    delivery_id: str | None
    answer: bool
    settled_at: datetime | None

    @property
    def position(self) -> Position:
        return self.received_at, self.sha256


def fingerprint(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


async def keep(
    connection: AsyncConnection,
    organisation: str,
    raw: bytes,
    reason: str,
    *,
    delivery_id: str | None = None,
    answer: bool = False,
) -> bool:
    """The same report again is kept once. Of those that are about no mail the oldest make room; of one mail the first
    few are kept. Returns whether it is the first unread one of its mail."""
    earlier = await _of_mail(connection, organisation, delivery_id) if delivery_id is not None else []
    if len(earlier) >= MOST_OF_A_MAIL:
        return False
    row = {
        "organisation": organisation,
        "sha256": fingerprint(raw),
        "reason": reason[:1000],
        "size": len(raw),
        "raw": (await asyncio.to_thread(redacted_bytes, raw[: 2 * KEPT_BYTES]))[:KEPT_BYTES],
        "delivery_id": delivery_id,
        "answer": answer,
    }
    await connection.execute(insert(UNMATCHED_REPORT).values(row).on_conflict_do_nothing())
    newest = (
        select(_C.sha256)
        .where(_C.organisation == organisation, _C.delivery_id.is_(None))
        .order_by(_C.received_at.desc(), _C.sha256.desc())
        .limit(MOST_KEPT)
    )
    too_old = func.clock_timestamp() - text(f"interval '{RETENTION_DAYS} days'")
    crowded_out = _C.delivery_id.is_(None) & _C.sha256.not_in(newest)
    await connection.execute(
        delete(UNMATCHED_REPORT).where(_C.organisation == organisation, crowded_out | (_C.received_at < too_old))
    )
    return delivery_id is not None and not answer and True not in earlier


async def _of_mail(connection: AsyncConnection, organisation: str, delivery_id: str) -> list[bool]:
    """Of each one that is kept with a mail, whether it is unread."""
    query = select(_C.answer).where(_C.organisation == organisation, _C.delivery_id == delivery_id)
    return [not answer for answer in (await connection.execute(query)).scalars()]


async def page(
    connection: AsyncConnection,
    organisation: str,
    *,
    before: Position | None,
    most: int,
    delivery_id: str | None = None,
    unread: bool = False,
) -> list[UnmatchedReport]:
    """The newest first, from those before a position; of one mail, or those that are kept with one and wait for a
    person."""
    query = select(UNMATCHED_REPORT).where(_C.organisation == organisation)
    if before is not None:
        query = query.where(tuple_(_C.received_at, _C.sha256) < before)
    if delivery_id is not None:
        query = query.where(_C.delivery_id == delivery_id)
    if unread:
        query = query.where(*_UNREAD)
    rows = await connection.execute(query.order_by(_C.received_at.desc(), _C.sha256.desc()).limit(most))
    return [_report(row) for row in rows]


async def reason(connection: AsyncConnection, organisation: str, sha256: str) -> str:
    """Why it is kept; empty when it is not."""
    query = select(_C.reason).where(_C.organisation == organisation, _C.sha256 == sha256)
    return (await connection.execute(query)).scalar_one_or_none() or ""


async def unread_of(connection: AsyncConnection, organisation: str, deliveries: Collection[str]) -> Mapping[str, int]:
    """How many are kept with each of these mails and wait for a person."""
    query = (
        select(_C.delivery_id, func.count())
        .where(_C.organisation == organisation, _C.delivery_id.in_(deliveries), *_UNREAD)
        .group_by(_C.delivery_id)
    )
    return {row[0]: int(row[1]) for row in await connection.execute(query)}


async def count_unread(connection: AsyncConnection, organisation: str) -> int:
    query = select(func.count()).where(_C.organisation == organisation, *_UNREAD)
    return int((await connection.execute(query)).scalar_one())


async def settle(connection: AsyncConnection, organisation: str, sha256: str) -> bool:
    """It needs nobody any more; it stays until it is too old. False when there is none."""
    settled = (
        update(UNMATCHED_REPORT)
        .where(_C.organisation == organisation, _C.sha256 == sha256)
        .values(settled_at=func.coalesce(_C.settled_at, func.clock_timestamp()))
        .returning(_C.sha256)
    )
    return (await connection.execute(settled)).one_or_none() is not None


_UNREAD = (_C.delivery_id.is_not(None), ~_C.answer, _C.settled_at.is_(None))


def _report(row: Row[Any]) -> UnmatchedReport:
    return UnmatchedReport(
        row.sha256, row.received_at, row.reason, row.size, row.raw, row.delivery_id, row.answer, row.settled_at
    )
