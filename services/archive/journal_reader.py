"""Reading the journal: in the order in which it was written, from where the reader was, filtered; or from its end back.

Each query is answered by an index in the order of ids, from the reader's place on, or touches the events of the asked
period and no others: so reading on costs the same, however long the journal has become. Months before the reader's
place are not looked at, nor those to come.
"""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import from_json
from sqlalchemy import ColumnElement, Select, func, or_, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive.tables import JOURNAL
from shared.database import Database
from shared.errors import InvalidInput
from shared.events import declared_events, event_type
from shared.events.envelope import readable_attributes
from shared.messaging.message import headers_from_json

MOST = 500  # events a page
LONGEST_WAIT = 25.0  # seconds, below the idle timeouts of common proxies

END = "end"  # in place of a cursor

_POLL = 0.5  # seconds
# With the highest id that anybody has drawn: no row that a later statement sees before its turn is above it.
_PLANNED_BY_ITS_VALUES = text(
    "SELECT last_value FROM journal_id_seq, set_config('plan_cache_mode', 'force_custom_plan', true)"
)
_PAGE_BYTES = 4 * 1024 * 1024  # of bodies


class JournalEvent(BaseModel):
    """`name` is the event's short name, e.g. SignatureRequested; null for a type that this version does not know."""

    cursor: str = Field(description="give it as `after` to go on behind this event")
    id: str | None
    type: str | None
    name: str | None
    subject: str | None
    correlation_id: str | None
    causation_id: str | None
    sequence: str | None
    source: str | None
    organisation: str
    time: datetime | None = Field(description="of the business, UTC; null when the message is no event of ours")
    recorded_at: datetime = Field(description="when the journal took it in, by the database's clock")
    topic: str
    partition: int
    position: int
    key: str
    readable: bool = Field(description="false for a message that is no event of ours: it was kept as it came")
    authentic: bool = Field(description="false for a message that the writer of its topic did not sign")
    attributes: dict[str, str] = Field(description="CloudEvents attributes as they came")
    data: Any = Field(description="the body as JSON; text, or base64 with a prefix, when it is none; null when erased")


class JournalPage(BaseModel):
    events: list[JournalEvent]
    next: str = Field(description="give it as `after` for what follows, also when no event was found")
    more: bool = Field(description="whether more can be had at once, in the direction of reading")
    previous: str | None = Field(None, description="when reading back: give it as `before` for what precedes")


class JournalFilter(BaseModel):
    """All given conditions must hold. `types` are full names; `since` is inclusive, `until` exclusive.

    `about` is a subject, too, and finds also what has an aggregate of its own and is kept in order with it: an
    agreement's mails.
    """

    subject: str | None = None
    about: str | None = None
    correlation: str | None = None
    types: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


def types_named(name: str) -> tuple[str, ...]:
    """Full types by a full name, its beginning (`se.justera.signing`), or an event's short name (SignatureRequested).

    Raises InvalidInput for a name that no event bears.
    """
    known = {event_type(event): event.__name__ for event in declared_events()}
    wanted = name.strip().lower()
    found = tuple(
        full
        for full, short in known.items()
        if wanted in (short.lower(), full) or full.startswith(wanted.rstrip(".") + ".")
    )
    if found or "." in wanted:
        return found or (name.strip(),)
    raise InvalidInput(f"no event is called {name[:60]!r}", hint=f"events: {', '.join(sorted(known.values()))}")


class JournalReader:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, organisation: str, asked: JournalFilter, *, after: str = "0", most: int = 100) -> JournalPage:
        """What follows `after`, at most `most` events. Raises InvalidInput for a cursor that is none."""
        start = _position(after)
        most = max(1, min(most, MOST))
        async with self._database.transaction() as connection:  # SET LOCAL needs one
            rows = await _rows(connection, organisation, asked, start, most + 1)
        kept = _within(rows[:most])
        events = [_event(row) for row in kept]
        return JournalPage(events=events, next=events[-1].cursor if events else after, more=len(kept) < len(rows))

    async def page_back(
        self, organisation: str, asked: JournalFilter, *, before: str, after: str = "0", most: int = 100
    ) -> JournalPage:
        """The last `most` events before a place, oldest first. `before`: a cursor, or `end`.

        `next` then leads to what comes after the end as it was before the reading: a follower misses nothing.
        Raises InvalidInput for a cursor that is none.
        """
        start = _position(after)
        most = max(1, min(most, MOST))
        async with self._database.transaction() as connection:
            place = await _end(connection, organisation) + 1 if before == END else _position(before)
            rows = await _rows(connection, organisation, asked, start, most + 1, place)
        kept = _within(rows[:most])[::-1]
        previous = str(kept[0].id) if len(kept) < len(rows) else None
        return JournalPage(
            events=[_event(row) for row in kept],
            next=str(max(start, place - 1)),
            more=previous is not None,
            previous=previous,
        )

    async def wait_for_page(
        self,
        organisation: str,
        asked: JournalFilter,
        *,
        after: str,
        most: int,
        seconds: float,
        gone: Callable[[], Awaitable[bool]],
    ) -> JournalPage:
        """As `page`, but when there is nothing, waits up to `seconds` for something. `gone`: nobody waits any more."""
        deadline = time.monotonic() + min(seconds, LONGEST_WAIT)
        while True:
            page = await self.page(organisation, asked, after=after, most=most)
            left = deadline - time.monotonic()
            if page.events or left <= 0 or await gone():
                return page
            await asyncio.sleep(min(_POLL, left))


async def _end(connection: AsyncConnection, organisation: str) -> int:
    """The last id there is; 0 for an empty journal."""
    last = select(JOURNAL.c.id).where(JOURNAL.c.organisation == organisation).order_by(JOURNAL.c.id.desc()).limit(1)
    return (await connection.execute(last)).scalar_one_or_none() or 0


async def _rows(
    connection: AsyncConnection,
    organisation: str,
    asked: JournalFilter,
    after: int,
    most: int,
    before: int | None = None,
) -> list[Any]:
    """The first ones after a place; with `before`, the last ones before that, the newest first."""
    # Each query is planned for the very type or aggregate asked for: of one that is rare, a plan for the average would
    # walk the ids through all of the journal.
    drawn = (await connection.execute(_PLANNED_BY_ITS_VALUES)).scalar_one()
    # All that is there, said so that the planner leaves out partitions without rows, and reads the others one by one.
    where = [JOURNAL.c.id <= drawn, *_period(asked)]
    if before is not None:
        where.append(JOURNAL.c.id < before)
    if asked.subject is not None:
        where.append(JOURNAL.c.subject == asked.subject)
    if asked.about is not None:
        where += await _about(connection, organisation, asked.about)
    if asked.correlation is not None:
        where.append(JOURNAL.c.correlation_id == asked.correlation)
    if asked.subject is None and asked.about is None and asked.correlation is None:
        where += await _bounds(connection, organisation, asked, 0 if before else after)
        if asked.types is not None:
            statement = _of_types(organisation, asked.types, where, after, most, back=before is not None)
            return list(await connection.execute(statement))
    elif asked.types is not None:
        where.append(JOURNAL.c.event_type.in_(asked.types))
    return list(await connection.execute(_plain(organisation, where, after, most, back=before is not None)))


async def _about(connection: AsyncConnection, organisation: str, subject: str) -> list[ColumnElement[bool]]:
    """Of the chains in which it occurs, what is of it or has it as its key. An index finds chains, none finds keys."""
    chains = select(JOURNAL.c.correlation_id).where(
        JOURNAL.c.organisation == organisation, JOURNAL.c.subject == subject
    )
    found = (await connection.execute(chains.distinct())).scalars().all()
    return [JOURNAL.c.correlation_id.in_(found), or_(JOURNAL.c.subject == subject, JOURNAL.c.key == subject)]


def _period(asked: JournalFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.since is not None:
        conditions.append(JOURNAL.c.time >= asked.since)
    if asked.until is not None:
        conditions.append(JOURNAL.c.time < asked.until)
    return conditions


async def _bounds(
    connection: AsyncConnection, organisation: str, asked: JournalFilter, after: int
) -> list[ColumnElement[bool]]:
    """The ids between which a period's events lie: without them, a search in id order would begin at the first."""
    if asked.since is None or (after and asked.until is None):
        return []
    # The sum keeps the planner from walking the ids until it meets the period; it reads the period from the index.
    number = JOURNAL.c.id + 0
    statement = select(func.min(number).label("first"), func.max(number).label("last")).where(
        JOURNAL.c.organisation == organisation, *_period(asked)
    )
    found = (await connection.execute(statement)).one()
    return [JOURNAL.c.id >= (found.first or 0), JOURNAL.c.id <= (found.last or 0)]


def _plain(
    organisation: str, where: Sequence[ColumnElement[bool]], after: int, most: int, *, back: bool = False
) -> Select[Any]:
    """One aggregate or one chain has few events: their types are looked at one by one."""
    conditions = (JOURNAL.c.organisation == organisation, JOURNAL.c.id > after, *where)
    return select(JOURNAL).where(*conditions).order_by(_order(JOURNAL.c.id, back=back)).limit(most)


def _of_types(
    organisation: str,
    types: Sequence[str],
    where: Sequence[ColumnElement[bool]],
    after: int,
    most: int,
    *,
    back: bool = False,
) -> Select[Any]:
    """Each type's first events by the index on types, then the first of those."""
    of_each = [[JOURNAL.c.event_type == name, *where] for name in types]
    first = [_plain(organisation, conditions, after, most, back=back).subquery() for conditions in of_each]
    found = union_all(*(select(one) for one in first)).subquery()
    return select(found).order_by(_order(found.c.id, back=back)).limit(most)


def _order(number: ColumnElement[int], *, back: bool) -> ColumnElement[int]:
    return number.desc() if back else number


def _within(rows: Sequence[Any]) -> list[Any]:
    """The first rows whose bodies fit into a page; one at least."""
    kept: list[Any] = []
    taken = 0
    for row in rows:
        taken += len(row.body or b"")
        if kept and taken > _PAGE_BYTES:
            break
        kept.append(row)
    return kept


def _event(row: Any) -> JournalEvent:
    attributes = readable_attributes(headers_from_json(row.headers))
    return JournalEvent(
        cursor=str(row.id),
        id=row.event_id,
        type=row.event_type,
        name=_short_names().get(row.event_type),
        subject=row.subject,
        correlation_id=row.correlation_id,
        causation_id=attributes.get("causationid"),
        sequence=attributes.get("sequence"),
        source=attributes.get("source"),
        organisation=row.organisation,
        time=row.time,
        recorded_at=row.recorded_at,
        topic=row.topic,
        partition=row.partition,
        position=row.position,
        key=row.key,
        readable=row.readable,
        authentic=row.authentic,
        attributes=attributes,
        data=_shown(row.body, readable=row.readable),
    )


def _short_names() -> dict[str, str]:
    return {event_type(event): event.__name__ for event in declared_events()}


def _shown(body: bytes | None, *, readable: bool) -> Any:
    if body is None:
        return None
    try:
        shown = body.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(body).decode()
    if not readable:
        return shown
    try:
        return from_json(shown, allow_inf_nan=False)
    except ValueError:
        return shown


def _position(cursor: str) -> int:
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 19:
        return int(cursor)
    raise InvalidInput("the cursor is malformed", hint="take `next` of the page before, unchanged")
