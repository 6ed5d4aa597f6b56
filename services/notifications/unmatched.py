"""Reports that point to no mail of ours, or cannot be read: kept for a human; size, number and time are bounded.

They often return the mail itself: our links and tokens are taken out before anything is kept.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.redaction import redacted_bytes
from services.notifications.tables import UNMATCHED_REPORT

KEPT_BYTES = 64 * 1024  # of each: what a human needs stands in the first parts
MOST_KEPT = 1000
RETENTION_DAYS = 90

Position = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class UnmatchedReport:
    """`size` is the whole report's bytes, `raw` its first 64 KiB without our links."""

    sha256: str
    received_at: datetime
    reason: str
    size: int
    raw: bytes

    @property
    def position(self) -> Position:
        return self.received_at, self.sha256


def fingerprint(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


async def keep(connection: AsyncConnection, organisation: str, raw: bytes, reason: str) -> None:
    """The same report again is kept once. The oldest make room."""
    columns = UNMATCHED_REPORT.c
    row = {
        "organisation": organisation,
        "sha256": fingerprint(raw),
        "reason": reason[:1000],
        "size": len(raw),
        "raw": (await asyncio.to_thread(redacted_bytes, raw[: 2 * KEPT_BYTES]))[:KEPT_BYTES],
    }
    await connection.execute(insert(UNMATCHED_REPORT).values(row).on_conflict_do_nothing())
    newest = (
        select(columns.sha256)
        .where(columns.organisation == organisation)
        .order_by(columns.received_at.desc(), columns.sha256.desc())
        .limit(MOST_KEPT)
    )
    too_old = func.clock_timestamp() - text(f"interval '{RETENTION_DAYS} days'")
    await connection.execute(
        delete(UNMATCHED_REPORT).where(
            columns.organisation == organisation,
            columns.sha256.not_in(newest) | (columns.received_at < too_old),
        )
    )


async def page(
    connection: AsyncConnection, organisation: str, *, before: Position | None, most: int
) -> list[UnmatchedReport]:
    """The newest first, from those before a position."""
    columns = UNMATCHED_REPORT.c
    order = tuple_(columns.received_at, columns.sha256)
    query = select(UNMATCHED_REPORT).where(columns.organisation == organisation)
    if before is not None:
        query = query.where(order < before)
    rows = await connection.execute(query.order_by(columns.received_at.desc(), columns.sha256.desc()).limit(most))
    return [_report(row) for row in rows]


def _report(row: Row[Any]) -> UnmatchedReport:
    return UnmatchedReport(row.sha256, row.received_at, row.reason, row.size, row.raw)
