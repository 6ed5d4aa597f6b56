"""Taking in the journal: every message of every topic, raw, once.

It never refuses content. What is not one of our events (no JSON, no envelope, bytes that no text column holds) is kept
as it came and marked as unreadable; it is known again by its fingerprint instead of an id. So is what its topic's
writer did not sign: it is marked as not authentic, and vouches for nothing. What was signed so long ago that the inbox
may have forgotten it is looked for in the journal itself.

A reader that follows the journal remembers the last id it saw, so ids must become visible in their order. Identity
values alone do not promise that: two instances draw 7 and 8, and 8 may commit first. So whoever writes holds a lock
from before the ids are drawn until the commit: one statement of up to 500 rows.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive.tables import JOURNAL
from shared.database import Database
from shared.events.envelope import MalformedEvent, from_kafka, readable_attributes
from shared.logging import get_logger
from shared.messaging import inbox
from shared.messaging.freshness import Freshness
from shared.messaging.gate import EVENTS_REFUSED, MOST_KEPT, kept_part
from shared.messaging.message import RawMessage, headers_as_json, storable
from shared.messaging.signatures import NotAuthentic, Verifier
from shared.row_security import for_all

log = get_logger(__name__)

CONSUMER = "journal"

_WRITER_LOCK = 0x6A6F7572  # "jour"
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
_INSERT = insert(JOURNAL).inline()
_REFUSED = select(func.count()).select_from(JOURNAL).where(~JOURNAL.c.authentic)
# What an index takes: three columns of four-byte characters stay below its limit of 2,704 bytes a row.
_LONGEST = 250


@dataclass(frozen=True, slots=True)
class Identified:
    """A message with what it is known by: `id` is unique to it, `time` None for one that is no event of ours."""

    id: str
    raw: RawMessage
    time: datetime | None
    readable: bool
    authentic: bool = True
    late: bool = False


class Journal:
    """`organisation` gets the messages that name none: the installation's own."""

    def __init__(self, database: Database, organisation: str, verifier: Verifier, freshness: Freshness) -> None:
        self._database = database
        self._organisation = organisation
        self._verifier = verifier
        self._freshness = freshness
        EVENTS_REFUSED.labels(CONSUMER)

    async def handle(self, batch: Sequence[RawMessage]) -> None:
        """Keep those that are not kept yet. Raises only what may succeed later."""
        identified: dict[str, Identified] = {}
        for raw in batch:
            one = self._identified(raw)
            identified.setdefault(one.id, one)  # the first copy's place is its place
        with for_all("it keeps whatever comes, of whichever organisation it says that it is"):
            await self._keep(identified.values())
        if forged := sum(not one.authentic for one in identified.values()):
            EVENTS_REFUSED.labels(CONSUMER).inc(forged)
            log.warning("journal.not_authentic", count=forged)

    async def _keep(self, identified: Collection[Identified]) -> None:
        async with self._database.transaction() as connection:
            kept = await _keepable(connection, identified)
            whole = [(one, self._row(one)) for one in kept]
            new = await inbox.accept(connection, CONSUMER, {one.id: row["organisation"] for one, row in whole})
            rows = [(one, row) for one, row in whole if one.id in new]
            fresh = [row for one, row in rows if not (one.late and one.readable and await _is_there(connection, row))]
            await _append(connection, fresh)

    def _identified(self, raw: RawMessage) -> Identified:
        try:
            found = identify(self._verifier.incoming(raw))
            return replace(found, late=self._freshness.refusal(raw) is not None)
        except NotAuthentic:
            return identify(kept_part(raw), authentic=False)

    def _row(self, one: Identified) -> dict[str, Any]:
        raw, said = one.raw, readable_attributes(one.raw.headers)
        return {
            "organisation": findable(said.get("organisation")) or self._organisation,
            "topic": raw.topic,
            "partition": raw.partition,
            "position": raw.position,
            "key": raw.key,
            "event_id": findable(said.get("id")),
            "event_type": findable(said.get("type")),
            "subject": findable(said.get("subject")),
            "correlation_id": findable(said.get("correlationid")),
            "time": one.time,
            "readable": one.readable,
            "authentic": one.authentic,
            "headers": headers_as_json(raw.headers),
            "body": raw.body,
        }


async def _keepable(connection: AsyncConnection, found: Collection[Identified]) -> list[Identified]:
    """All that is authentic; of the rest as many in all as a gate keeps: a flood fills no database."""
    if all(one.authentic for one in found):
        return list(found)
    room = MOST_KEPT - int((await connection.execute(_REFUSED)).scalar_one())
    refused = {one.id for one in [one for one in found if not one.authentic][: max(0, room)]}
    return [one for one in found if one.authentic or one.id in refused]


async def _is_there(connection: AsyncConnection, row: dict[str, Any]) -> bool:
    """Whether the journal has this event, however long ago it was taken in."""
    found = select(JOURNAL.c.id).where(
        JOURNAL.c.organisation == row["organisation"],
        JOURNAL.c.authentic,
        *(JOURNAL.c[name] == row[name] for name in ("subject", "event_id", "event_type")),
    )
    return (await connection.execute(found.limit(1))).one_or_none() is not None


async def _append(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """The lock comes last before the rows: who waits for it holds nothing that its holder could need."""
    if rows:
        await hold_writers(connection)
        await connection.execute(_INSERT, rows)


async def hold_writers(connection: AsyncConnection) -> None:
    """Until this transaction ends nobody else draws ids, and all that were drawn are committed."""
    await connection.execute(_LOCK, {"lock": _WRITER_LOCK})


def identify(raw: RawMessage, *, authentic: bool = True) -> Identified:
    """By the event's id, else, for what is not one of our events, by the bytes themselves.

    One that is not authentic must not take the id of an event that is still to come.
    """
    try:
        envelope = from_kafka(raw.headers, raw.body)
    except (MalformedEvent, OverflowError):  # the latter: a time at the edge of the calendar
        return Identified(f"unreadable {raw.fingerprint}", raw, None, readable=False, authentic=authentic)
    if not authentic:
        return Identified(f"not authentic {raw.fingerprint}", raw, envelope.time, readable=True, authentic=False)
    found_by_id = findable(envelope.id) == envelope.id
    return Identified(envelope.id if found_by_id else f"odd {raw.fingerprint}", raw, envelope.time, readable=True)


def findable(value: str | None) -> str | None:
    return storable(value)[:_LONGEST] if value is not None else None
