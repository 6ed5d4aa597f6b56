"""All SQL about documents to archive and archived ones. The journal's is in `journal.py` and `journal_reader.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive.tables import ARCHIVED_PROTOCOL, ARCHIVING_JOB, ENDED_LINK
from shared.events import AgreementCompleted, BlobRef, Envelope
from shared.events.envelope import from_attributes
from shared.turns import FIRST, Turns

Position = tuple[datetime, str]  # archived at, agreement id

WAITING, FAILED, REFUSED = "waiting", "failed", "refused"

# SKIP LOCKED: several instances share the work. Moving `due_at` ahead is the lease: should this process die, the job is
# due again when it ends. The longer it has gone wrong, the longer the lease, so that a document that kills its process
# does not keep on killing it. Organisations take turns by the rule of `shared.turns`, in rounds of one.
_CLAIM = text(
    """
    WITH RECURSIVE waiting (organisation, due_at) AS (
        (SELECT organisation, due_at FROM archiving_job
         WHERE state = 'waiting' AND organisation <> '' AND organisation > :after
         ORDER BY organisation, due_at LIMIT 1)
        UNION ALL
        SELECT next.organisation, next.due_at FROM waiting CROSS JOIN LATERAL (
            SELECT organisation, due_at FROM archiving_job
            WHERE state = 'waiting' AND organisation <> '' AND organisation > waiting.organisation
            ORDER BY organisation, due_at LIMIT 1
        ) AS next
    ), here AS MATERIALIZED (
        SELECT organisation FROM waiting WHERE due_at <= clock_timestamp() LIMIT 1
    ), fair AS MATERIALIZED (
        SELECT part.* FROM here CROSS JOIN LATERAL (
            SELECT organisation, agreement_id FROM archiving_job
            WHERE organisation = here.organisation AND organisation <> ''
              AND state = 'waiting' AND due_at <= clock_timestamp()
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
        ) AS part
    ), longest AS MATERIALIZED (
        SELECT organisation, agreement_id FROM archiving_job
        WHERE state = 'waiting' AND due_at <= clock_timestamp()
        ORDER BY due_at LIMIT 1 - (SELECT count(*) FROM fair) FOR UPDATE SKIP LOCKED
    ), due AS MATERIALIZED (
        SELECT * FROM fair UNION ALL SELECT * FROM longest
    )
    UPDATE archiving_job AS job
    SET attempts = attempts + 1,
        due_at = clock_timestamp() + make_interval(secs => greatest(:lease, least(3600, power(2, attempts))))
    FROM due
    WHERE (job.organisation, job.agreement_id) = (due.organisation, due.agreement_id)
    RETURNING job.organisation, job.agreement_id, state, attempts, reason, attributes, data, differences, accepted,
        coalesce((SELECT organisation FROM here), '') AS had_its_turn
    """
).columns(attributes=JSONB, differences=JSONB, accepted=JSONB)
_POSTPONE = text(
    """
    UPDATE archiving_job
    SET state = :state, reason = :reason, differences = :differences, attempts = greatest(0, attempts + :counted),
        due_at = clock_timestamp() + make_interval(secs => :delay)
    WHERE organisation = :organisation AND agreement_id = :agreement_id
    """
).bindparams(bindparam("differences", type_=JSONB(none_as_null=True)))
_RETRY = text(
    """
    UPDATE archiving_job SET state = 'waiting', attempts = 0, due_at = clock_timestamp()
    WHERE organisation = :organisation AND agreement_id = :agreement_id
    RETURNING agreement_id
    """
)
# Only what was refused, and only for the differences that the person saw.
_ACCEPT = text(
    """
    UPDATE archiving_job
    SET state = 'waiting', attempts = 0, due_at = clock_timestamp(),
        accepted = jsonb_build_object('by', CAST(:by AS text), 'reason', CAST(:reason AS text), 'at', CAST(:at AS text),
                                      'differences', differences)
    WHERE organisation = :organisation AND agreement_id = :agreement_id AND state = 'refused'
    RETURNING agreement_id
    """
)
_JOB_COLUMNS = tuple(
    ARCHIVING_JOB.c[name]
    for name in (
        "organisation",
        "agreement_id",
        "state",
        "attempts",
        "reason",
        "attributes",
        "data",
        "differences",
        "accepted",
    )
)


@dataclass(frozen=True, slots=True)
class Job:
    """`cause` is the AgreementCompleted. `attempts` are those that failed or never ended, trouble of the infrastructure
    apart.
    """

    organisation: str
    agreement_id: str
    state: str
    attempts: int
    reason: str | None
    cause: Envelope
    differences: list[str] | None = None  # between the history and the journal, when that is why
    accepted: dict[str, Any] | None = None  # who took which differences on themselves, when, and why

    @property
    def agreement(self) -> AgreementCompleted:
        return AgreementCompleted.from_json(self.cause.data)


@dataclass(frozen=True, slots=True)
class Archived:
    organisation: str
    agreement_id: str
    meeting_id: str
    document_name: str
    language: str
    timezone: str
    correlation_id: str
    completed_at: datetime
    archived_at: datetime
    sealed: BlobRef
    manifest: BlobRef
    test_seal: bool


@dataclass(frozen=True, slots=True)
class EndedLink:
    """The holder's links to the sealed copy of versions before this one open nothing."""

    organisation: str
    agreement_id: str
    holder: str
    version: int


async def insert_jobs(connection: AsyncConnection, causes: Sequence[Envelope]) -> None:
    """A job for each AgreementCompleted; an agreement that waits already keeps its own."""
    rows = [
        {
            "organisation": cause.organisation,
            "agreement_id": cause.subject,
            "attributes": cause.attributes(),
            "data": cause.data,
        }
        for cause in causes
    ]
    await connection.execute(insert(ARCHIVING_JOB).on_conflict_do_nothing(), rows)


async def claim_job(connection: AsyncConnection, *, lease: float, turns: Turns | None = None) -> Job | None:
    """The job that is due longest of the organisation whose turn it is, leased for `lease` seconds or more; None when
    none is due. `turns` moves on."""
    turns = turns or Turns()
    row = (await connection.execute(_CLAIM, {"lease": lease, "after": turns.after})).one_or_none()
    turns.after = FIRST if row is None else row.had_its_turn
    return None if row is None else _job(row)


async def lock_job(connection: AsyncConnection, organisation: str, agreement_id: str) -> bool:
    """Hold the job's row until the transaction ends; False when it is gone."""
    statement = select(ARCHIVING_JOB.c.agreement_id).where(*_is(ARCHIVING_JOB, organisation, agreement_id))
    return (await connection.execute(statement.with_for_update())).one_or_none() is not None


async def delete_job(connection: AsyncConnection, organisation: str, agreement_id: str) -> None:
    await connection.execute(delete(ARCHIVING_JOB).where(*_is(ARCHIVING_JOB, organisation, agreement_id)))


async def postpone_job(
    connection: AsyncConnection,
    job: Job,
    *,
    reason: str,
    delay: float,
    state: str,
    counts: bool,
    differences: Sequence[str] | None = None,
) -> None:
    """Note why an attempt ended, and when the next one may begin (`delay` seconds from now).

    `counts=False`: the attempt is not held against the job.
    """
    await connection.execute(
        _POSTPONE,
        {
            "organisation": job.organisation,
            "agreement_id": job.agreement_id,
            "state": state,
            "reason": reason.replace("\0", "�")[:2000],
            "delay": delay,
            "counted": 0 if counts else -1,
            "differences": None if differences is None else list(differences),
        },
    )


async def retry_job(connection: AsyncConnection, organisation: str, agreement_id: str) -> bool:
    """Have it tried at once and with a clean slate; False when there is no such job."""
    found = await connection.execute(_RETRY, {"organisation": organisation, "agreement_id": agreement_id})
    return found.one_or_none() is not None


async def accept_job(
    connection: AsyncConnection, organisation: str, agreement_id: str, *, by: str, reason: str, at: str
) -> bool:
    """Have it tried again; the differences that are noted now do not stop it then. False when none was refused."""
    accepted = {"organisation": organisation, "agreement_id": agreement_id, "by": by, "reason": reason, "at": at}
    return (await connection.execute(_ACCEPT, accepted)).one_or_none() is not None


async def count_jobs(connection: AsyncConnection, *states: str) -> int:
    statement = select(func.count()).select_from(ARCHIVING_JOB).where(ARCHIVING_JOB.c.state.in_(states))
    return int((await connection.execute(statement)).scalar_one())


async def find_job(connection: AsyncConnection, organisation: str, agreement_id: str) -> Job | None:
    statement = select(*_JOB_COLUMNS).where(*_is(ARCHIVING_JOB, organisation, agreement_id))
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _job(row)


async def jobs(
    connection: AsyncConnection, organisation: str | None, state: str, *, after: str = "", most: int = 200
) -> list[Job]:
    """In the order of their agreements' ids; of every organisation when none is named."""
    statement = select(*_JOB_COLUMNS).where(ARCHIVING_JOB.c.state == state, ARCHIVING_JOB.c.agreement_id > after)
    if organisation is not None:
        statement = statement.where(ARCHIVING_JOB.c.organisation == organisation)
    rows = await connection.execute(statement.order_by(ARCHIVING_JOB.c.agreement_id).limit(most))
    return [_job(row) for row in rows]


async def insert_archived(connection: AsyncConnection, archived: Archived) -> bool:
    """False when the agreement is in the archive already."""
    values = {name: getattr(archived, name) for name in Archived.__dataclass_fields__}
    values["sealed"] = archived.sealed.model_dump()
    values["manifest"] = archived.manifest.model_dump()
    statement = insert(ARCHIVED_PROTOCOL).values(values).on_conflict_do_nothing()
    added = await connection.execute(statement.returning(ARCHIVED_PROTOCOL.c.agreement_id))
    return added.one_or_none() is not None


async def find_archived(connection: AsyncConnection, organisation: str, agreement_id: str) -> Archived | None:
    statement = select(ARCHIVED_PROTOCOL).where(*_is(ARCHIVED_PROTOCOL, organisation, agreement_id))
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _archived(row)


async def end_links(connection: AsyncConnection, ended: Sequence[EndedLink]) -> None:
    """Versions only rise. `ended` is sorted, so that transactions that share people queue up."""
    if not ended:
        return
    rows = [{name: getattr(one, name) for name in EndedLink.__dataclass_fields__} for one in ended]
    statement = insert(ENDED_LINK)
    upsert = statement.on_conflict_do_update(
        index_elements=["organisation", "agreement_id", "holder"],
        set_={"version": func.greatest(ENDED_LINK.c.version, statement.excluded.version)},
    )
    await connection.execute(upsert, rows)


async def ended_links(connection: AsyncConnection, organisation: str, agreement_id: str) -> dict[str, int]:
    """By holder: the version from which on their links open the copy."""
    statement = select(ENDED_LINK.c.holder, ENDED_LINK.c.version).where(*_is(ENDED_LINK, organisation, agreement_id))
    return {row.holder: row.version for row in await connection.execute(statement)}


async def archived_page(
    connection: AsyncConnection, organisation: str, *, before: Position | None, most: int
) -> list[Archived]:
    """The newest first."""
    columns = ARCHIVED_PROTOCOL.c
    statement = select(ARCHIVED_PROTOCOL).where(columns.organisation == organisation)
    if before is not None:
        statement = statement.where(tuple_(columns.archived_at, columns.agreement_id) < tuple_(*before))
    rows = await connection.execute(
        statement.order_by(columns.archived_at.desc(), columns.agreement_id.desc()).limit(most)
    )
    return [_archived(row) for row in rows]


def _is(table: Any, organisation: str, agreement_id: str) -> tuple[Any, Any]:
    return table.c.organisation == organisation, table.c.agreement_id == agreement_id


def _job(row: Any) -> Job:
    cause = from_attributes(row.attributes, row.data)
    return Job(
        row.organisation,
        row.agreement_id,
        row.state,
        row.attempts,
        row.reason,
        cause,
        differences=row.differences,
        accepted=row.accepted,
    )


def _archived(row: Any) -> Archived:
    values = dict(row._mapping)
    values["sealed"] = BlobRef.model_validate(values["sealed"])
    values["manifest"] = BlobRef.model_validate(values["manifest"])
    return Archived(**values)
