"""All SQL of signing. Bulk statements: their number does not grow with the number of agreements."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Integer, Text, bindparam, insert, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.signing.agreement import Agreement, Status
from services.signing.tables import AGREEMENT, HISTORY_ENTRY, SIGNATURE_REQUEST
from shared.database import VersionConflict, among_pairs, pairs
from shared.history import Entry

AgreementKey = tuple[str, str]  # organisation, agreement id
Position = tuple[datetime, str]  # created at, agreement id

_TEXTS = ARRAY(Text)

# Sorted, so that transactions that share agreements queue up instead of deadlocking.
_LOCK = text(
    """
    SELECT organisation, correlation_id, head, snapshot FROM agreement
    WHERE (organisation, agreement_id) IN (SELECT * FROM unnest(CAST(:organisations AS text[]), CAST(:ids AS text[])))
    ORDER BY organisation, agreement_id FOR UPDATE
    """
).bindparams(bindparam("organisations", type_=_TEXTS), bindparam("ids", type_=_TEXTS))

# For commands that share a transaction. The agreements that the requests belong to are looked up in the same statement;
# what others hold is left out, so that no command waits for the lock of another one's agreement.
_LOCK_FREE = text(
    """
    SELECT organisation, correlation_id, head, snapshot FROM agreement
    WHERE (agreement.organisation, agreement.agreement_id) IN (
        SELECT * FROM unnest(CAST(:organisations AS text[]), CAST(:ids AS text[]))
        UNION ALL
        SELECT request.organisation, request.agreement_id FROM signature_request AS request
        JOIN unnest(CAST(:request_organisations AS text[]), CAST(:requests AS text[])) AS asked (organisation, id)
            ON request.organisation = asked.organisation AND request.request_id = asked.id
    )
    FOR UPDATE SKIP LOCKED
    """
).bindparams(*(bindparam(name, type_=_TEXTS) for name in ("organisations", "ids", "request_organisations", "requests")))

_UPDATE = text(
    """
    UPDATE agreement SET version = new.version, head = new.head, status = new.status, snapshot = new.snapshot
    FROM unnest(
        CAST(:organisations AS text[]), CAST(:ids AS text[]), CAST(:before AS integer[]), CAST(:versions AS integer[]),
        CAST(:heads AS text[]), CAST(:statuses AS text[]), CAST(:snapshots AS text[])
    ) AS new (organisation, agreement_id, before, version, head, status, snapshot)
    WHERE agreement.organisation = new.organisation AND agreement.agreement_id = new.agreement_id
      AND agreement.version = new.before
    RETURNING agreement.agreement_id
    """
).bindparams(
    *(bindparam(name, type_=_TEXTS) for name in ("organisations", "ids", "heads", "statuses", "snapshots")),
    *(bindparam(name, type_=ARRAY(Integer)) for name in ("before", "versions")),
)

_INSERT_AGREEMENT = insert(AGREEMENT)
_INSERT_REQUEST = insert(SIGNATURE_REQUEST)
_INSERT_ENTRY = insert(HISTORY_ENTRY)

_COLUMNS = (AGREEMENT.c.organisation, AGREEMENT.c.correlation_id, AGREEMENT.c.head, AGREEMENT.c.snapshot)
_BOUNCED = AGREEMENT.c.snapshot.contains('"bounced_at":"', autoescape=True)  # as JSON writes a time that is not null
_OF_REQUEST = (
    select(*_COLUMNS)
    .join(
        SIGNATURE_REQUEST,
        (SIGNATURE_REQUEST.c.organisation == AGREEMENT.c.organisation)
        & (SIGNATURE_REQUEST.c.agreement_id == AGREEMENT.c.agreement_id),
    )
    .where(
        SIGNATURE_REQUEST.c.organisation == bindparam("organisation"),
        SIGNATURE_REQUEST.c.request_id == bindparam("request_id"),
    )
)
_LOCK_OF_REQUEST = _OF_REQUEST.with_for_update(of=AGREEMENT)
_ENTRY_COLUMNS = tuple(HISTORY_ENTRY.c[name] for name in Entry.__dataclass_fields__)

_ENTRIES = (
    select(HISTORY_ENTRY.c.organisation, HISTORY_ENTRY.c.agreement_id, *_ENTRY_COLUMNS)
    .where(among_pairs(HISTORY_ENTRY.c.organisation, HISTORY_ENTRY.c.agreement_id))
    .order_by(HISTORY_ENTRY.c.organisation, HISTORY_ENTRY.c.agreement_id, HISTORY_ENTRY.c.n)
)


@dataclass(frozen=True, slots=True)
class StoredAgreement:
    """`head` is the hash of the history's last entry."""

    organisation: str
    correlation_id: str
    head: str
    state: Agreement

    @property
    def key(self) -> AgreementKey:
        return self.organisation, self.state.agreement_id


async def lock(connection: AsyncConnection, keys: Collection[AgreementKey]) -> list[StoredAgreement]:
    """Those that exist, locked in id order until the transaction ends. One statement."""
    if not keys:
        return []
    rows = await connection.execute(
        _LOCK, {"organisations": [organisation for organisation, _ in keys], "ids": [one for _, one in keys]}
    )
    return [_stored(row) for row in rows]


async def lock_free(
    connection: AsyncConnection, keys: Collection[AgreementKey], requests: Collection[tuple[str, str]]
) -> list[StoredAgreement]:
    """Of these, and of those that these requests belong to, the ones that nobody else holds, locked. One statement."""
    rows = await connection.execute(
        _LOCK_FREE,
        {
            "organisations": [organisation for organisation, _ in keys],
            "ids": [one for _, one in keys],
            "request_organisations": [organisation for organisation, _ in requests],
            "requests": [one for _, one in requests],
        },
    )
    return [_stored(row) for row in rows]


async def lock_by_request(connection: AsyncConnection, organisation: str, request_id: str) -> StoredAgreement | None:
    row = await connection.execute(_LOCK_OF_REQUEST, {"organisation": organisation, "request_id": request_id})
    return _stored_or_none(row.one_or_none())


async def find_by_request(connection: AsyncConnection, organisation: str, request_id: str) -> StoredAgreement | None:
    row = await connection.execute(_OF_REQUEST, {"organisation": organisation, "request_id": request_id})
    return _stored_or_none(row.one_or_none())


async def find(connection: AsyncConnection, organisation: str, agreement_id: str) -> StoredAgreement | None:
    query = select(*_COLUMNS).where(AGREEMENT.c.organisation == organisation, AGREEMENT.c.agreement_id == agreement_id)
    return _stored_or_none((await connection.execute(query)).one_or_none())


async def exists(connection: AsyncConnection, organisation: str, agreement_id: str) -> bool:
    query = select(AGREEMENT.c.version).where(
        AGREEMENT.c.organisation == organisation, AGREEMENT.c.agreement_id == agreement_id
    )
    return (await connection.execute(query)).first() is not None


async def page(
    connection: AsyncConnection,
    organisation: str,
    *,
    status: Status | None,
    bounced: bool = False,
    before: Position | None,
    most: int,
) -> list[StoredAgreement]:
    """The newest first, from those before a position. `bounced`: only those of which a mail ever came back."""
    query = select(*_COLUMNS).where(AGREEMENT.c.organisation == organisation)
    if status is not None:
        query = query.where(AGREEMENT.c.status == status.value)
    if bounced:
        query = query.where(_BOUNCED)
    order = tuple_(AGREEMENT.c.created_at, AGREEMENT.c.agreement_id)
    if before is not None:
        query = query.where(order < before)
    query = query.order_by(AGREEMENT.c.created_at.desc(), AGREEMENT.c.agreement_id.desc()).limit(most)
    return [_stored(row) for row in await connection.execute(query)]


async def replacing(connection: AsyncConnection, replaced: StoredAgreement) -> str | None:
    """The agreement about the version of the minutes after this one's. They are of one meeting, and few."""
    query = select(*_COLUMNS).where(
        AGREEMENT.c.organisation == replaced.organisation, AGREEMENT.c.correlation_id == replaced.correlation_id
    )
    states = [_stored(row).state for row in await connection.execute(query.limit(100))]
    return next((one.agreement_id for one in states if one.replaces == replaced.state.agreement_id), None)


async def entries(connection: AsyncConnection, keys: Iterable[AgreementKey]) -> Mapping[AgreementKey, list[Entry]]:
    """The histories of several agreements, each in the order of recording. One statement."""
    found: dict[AgreementKey, list[Entry]] = defaultdict(list)
    for organisation, agreement_id, *columns in await connection.execute(_ENTRIES, pairs(list(keys))):
        found[organisation, agreement_id].append(Entry(*columns))
    return found


async def insert_agreements(connection: AsyncConnection, agreements: Sequence[StoredAgreement]) -> None:
    rows = [
        {
            "organisation": stored.organisation,
            "agreement_id": stored.state.agreement_id,
            "correlation_id": stored.correlation_id,
            "version": stored.state.length,
            "head": stored.head,
            "status": stored.state.status.value,
            "created_at": stored.state.created_at,
            "snapshot": stored.state.model_dump_json(exclude_defaults=True),
        }
        for stored in agreements
    ]
    if rows:
        await connection.execute(_INSERT_AGREEMENT, rows)


async def update_agreements(connection: AsyncConnection, changed: Sequence[tuple[int, StoredAgreement]]) -> None:
    """Write snapshots, each over the version it was made from. Raises VersionConflict when one has moved on."""
    if not changed:
        return
    stored = [agreement for _, agreement in changed]
    written = await connection.execute(
        _UPDATE,
        {
            "organisations": [one.organisation for one in stored],
            "ids": [one.state.agreement_id for one in stored],
            "before": [version for version, _ in changed],
            "versions": [one.state.length for one in stored],
            "heads": [one.head for one in stored],
            "statuses": [one.state.status.value for one in stored],
            "snapshots": [one.state.model_dump_json(exclude_defaults=True) for one in stored],
        },
    )
    if len(written.all()) != len(changed):
        raise VersionConflict("an agreement was changed meanwhile")


async def insert_requests(connection: AsyncConnection, requests: Sequence[tuple[AgreementKey, str]]) -> None:
    """Enter which agreement each new request belongs to."""
    rows = [
        {"organisation": organisation, "request_id": request_id, "agreement_id": agreement_id}
        for (organisation, agreement_id), request_id in requests
    ]
    if rows:
        await connection.execute(_INSERT_REQUEST, rows)


async def insert_entries(connection: AsyncConnection, appended: Iterable[tuple[AgreementKey, Entry]]) -> None:
    rows = [
        {
            "organisation": organisation,
            "agreement_id": agreement_id,
            **{name: getattr(entry, name) for name in Entry.__dataclass_fields__},
        }
        for (organisation, agreement_id), entry in appended
    ]
    await connection.execute(_INSERT_ENTRY, rows)


def _stored(row: Any) -> StoredAgreement:
    return StoredAgreement(row.organisation, row.correlation_id, row.head, Agreement.model_validate_json(row.snapshot))


def _stored_or_none(row: Any) -> StoredAgreement | None:
    return None if row is None else _stored(row)
