"""SQL over deliveries. Bulk statements: their number does not grow.

Leases are by the database's clock, so that mailers on machines whose clocks differ agree on them.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Float, Integer, Row, Select, Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import TIMESTAMP, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.delivery.delivery import REQUESTS, Delivery, Facts, NewDelivery, Status
from services.notifications.delivery.tables import DELIVERY
from services.notifications.letter.letter import Purpose
from shared.database import among_pairs, pairs
from shared.ids import new_id
from shared.text import email_key
from shared.turns import FIRST, Turns

DeliveryKey = tuple[str, str]  # organisation, delivery id
KNOWN = [purpose.value for purpose in Purpose]
"""A mail of another purpose is a newer release's: while pods roll, or after a step back, it is left to that one."""

_TEXTS = ARRAY(Text)
_MOMENTS = ARRAY(TIMESTAMP(timezone=True))
_KEPT_COLUMNS = (
    *("organisation", "id", "agreement_id", "purpose", "recipient", "request_id", "request_version", "cause_id"),
    *("correlation_id", "facts", "created_at", "status", "version", "attempts", "claim", "sent_at", "bounced_at"),
    *("last_status", "last_diagnostic", "last_report", "traceparent"),
)
_AGE = func.extract("epoch", func.clock_timestamp() - DELIVERY.c.queued_at).label("age")
_COLUMNS = (*(DELIVERY.c[name] for name in _KEPT_COLUMNS), _AGE)
_RETURNED = ", ".join(f"delivery.{name}" for name in _KEPT_COLUMNS)

# A lease that has ended is contested first, and taken over half a lease later: its holder may have sent the mail, and
# could not say so while the database was away or its disk full. Where we can write, it can now, too.
# MATERIALIZED: a plan that looks inside a join once a row would claim other ones each time. Mails of organisations that
# are suspended wait. The others take turns by the rule of `shared.turns`: the one that follows, and when its first mail
# is due, is found by a step of an index, whatever waits of the others.
_IS_DUE = """status = 'waiting' AND due_at <= clock_timestamp() AND purpose = ANY(:known)
          AND (lease_until IS NULL OR lease_until < clock_timestamp())"""
_CLAIM_DUE = text(
    f"""
    WITH RECURSIVE waiting (organisation, due_at) AS (
        (SELECT organisation, due_at FROM delivery
         WHERE status = 'waiting' AND organisation <> '' AND organisation > :after
         ORDER BY organisation, due_at LIMIT 1)
        UNION ALL
        SELECT next.organisation, next.due_at FROM waiting CROSS JOIN LATERAL (
            SELECT organisation, due_at FROM delivery
            WHERE status = 'waiting' AND organisation <> '' AND organisation > waiting.organisation
            ORDER BY organisation, due_at LIMIT 1
        ) AS next
    ), suspended AS MATERIALIZED (
        SELECT id FROM organisation WHERE standing = 'suspended'
    ), here AS MATERIALIZED (
        SELECT organisation FROM waiting
        WHERE due_at <= clock_timestamp() AND organisation NOT IN (SELECT id FROM suspended) LIMIT :most
    ), fair AS MATERIALIZED (
        SELECT part.* FROM here CROSS JOIN LATERAL (
            SELECT organisation, id, claim IS NULL OR contested AS free FROM delivery
            WHERE organisation = here.organisation AND organisation <> '' AND {_IS_DUE}
            ORDER BY due_at, id LIMIT (SELECT :most / greatest(1, count(*)) FROM here) FOR UPDATE SKIP LOCKED
        ) AS part
    ), longest AS MATERIALIZED (
        SELECT organisation, id, claim IS NULL OR contested AS free FROM delivery
        WHERE {_IS_DUE} AND organisation NOT IN (SELECT id FROM suspended)
          AND (organisation, id) NOT IN (SELECT organisation, id FROM fair)
        ORDER BY due_at, id LIMIT :most - (SELECT count(*) FROM fair) FOR UPDATE SKIP LOCKED
    ), due AS MATERIALIZED (
        SELECT * FROM fair UNION ALL SELECT * FROM longest
    )
    UPDATE delivery SET
        claim = CASE WHEN due.free THEN :claim ELSE delivery.claim END,
        contested = NOT due.free,
        lease_until = clock_timestamp() + make_interval(secs => CASE WHEN due.free THEN :lease ELSE :lease / 2.0 END)
    FROM due
    WHERE delivery.organisation = due.organisation AND delivery.id = due.id
    RETURNING {_RETURNED}, extract(epoch FROM clock_timestamp() - delivery.queued_at) AS age, due.free,
        (SELECT CASE WHEN count(*) = :most THEN max(organisation) ELSE '' END FROM here) AS had_their_turn
    """  # noqa: S608  (column names of our own)
).bindparams(bindparam("known", KNOWN, type_=_TEXTS), bindparam("most", type_=BigInteger))
_CLAIM_ONE = text(
    f"""
    UPDATE delivery SET claim = :claim, lease_until = clock_timestamp() + make_interval(secs => :lease)
    WHERE organisation = :organisation AND id = :id AND status = 'waiting' AND purpose = ANY(:known)
      AND (lease_until IS NULL OR lease_until < clock_timestamp())
    RETURNING {_RETURNED}, extract(epoch FROM clock_timestamp() - queued_at) AS age
    """  # noqa: S608
).bindparams(bindparam("known", KNOWN, type_=_TEXTS))
_TAKE_BACK = text(
    """
    UPDATE delivery SET claim = NULL, lease_until = NULL, contested = false
    WHERE status = 'waiting' AND starts_with(claim, :of) AND NOT starts_with(claim, :but)
    """
)
_RENEW = text(
    """
    UPDATE delivery SET lease_until = clock_timestamp() + make_interval(secs => :lease), contested = false
    WHERE status = 'waiting' AND claim = ANY(:claims)
    """
).bindparams(bindparam("claims", type_=_TEXTS))

# A lease ends with any change; `retry_in` null leaves the due time, which then says nothing any more.
_SAVE = text(
    """
    UPDATE delivery SET
        status = new.status, version = new.version, attempts = new.attempts, sent_at = new.sent_at,
        bounced_at = new.bounced_at, last_status = new.last_status, last_diagnostic = new.last_diagnostic,
        last_report = new.last_report, claim = NULL, lease_until = NULL, contested = false,
        changed_at = clock_timestamp(),
        due_at = CASE WHEN new.retry_in IS NULL THEN delivery.due_at
                 ELSE clock_timestamp() + make_interval(secs => new.retry_in) END
    FROM unnest(
        :organisations, :ids, :statuses, :versions, :attempts, :sent, :bounced, :last_statuses, :last_diagnostics,
        :last_reports, :retries
    ) AS new (
        organisation, id, status, version, attempts, sent_at, bounced_at, last_status, last_diagnostic, last_report,
        retry_in
    )
    WHERE delivery.organisation = new.organisation AND delivery.id = new.id
    """
).bindparams(
    *(
        bindparam(name, type_=_TEXTS)
        for name in ("organisations", "ids", "statuses", "last_statuses", "last_diagnostics", "last_reports")
    ),
    *(bindparam(name, type_=ARRAY(Integer)) for name in ("versions", "attempts")),
    *(bindparam(name, type_=_MOMENTS) for name in ("sent", "bounced")),
    bindparam("retries", type_=ARRAY(Float)),
)

_READ = select(*_COLUMNS).where(DELIVERY.c.purpose.in_(KNOWN))
# Of any purpose: what came back to a mail that we do not know fails, and comes again to who knows it.
_LOCK = (
    select(*_COLUMNS)
    .where(among_pairs(DELIVERY.c.organisation, DELIVERY.c.id))
    .order_by(DELIVERY.c.organisation, DELIVERY.c.id)
    .with_for_update(of=DELIVERY)
)
_INSERT_DELIVERY = insert(DELIVERY).on_conflict_do_nothing().inline()


async def insert_deliveries(connection: AsyncConnection, deliveries: Sequence[NewDelivery]) -> None:
    """One row for each cause, recipient and purpose; those that are there already stay as they are."""
    if deliveries:
        await connection.execute(_INSERT_DELIVERY, [_row(one) for one in deliveries])


async def claim_due(
    connection: AsyncConnection, *, claim: str, lease: float, most: int, turns: Turns | None = None
) -> list[Delivery]:
    """Lease mails that are due for `lease` seconds, of each organisation an equal part, of its own those that are due
    longest; those that another holds are skipped. `turns` moves on.

    A lease that ended is contested; a later call finds the mail when its holder has not come back by then.
    """
    turns = turns or Turns()
    parameters = {"claim": claim, "lease": lease, "most": most, "after": turns.after}
    rows = (await connection.execute(_CLAIM_DUE, parameters)).all()
    turns.after = rows[0].had_their_turn if rows else FIRST
    return sorted((_delivery(row) for row in rows if row.free), key=lambda delivery: delivery.id)


async def claim_one(connection: AsyncConnection, key: DeliveryKey, *, claim: str, lease: float) -> Delivery | None:
    """Lease this mail, due or not; None when it does not wait, or another holds it."""
    rows = await connection.execute(_CLAIM_ONE, {"organisation": key[0], "id": key[1], "claim": claim, "lease": lease})
    row = rows.one_or_none()
    return None if row is None else _delivery(row)


async def take_back(connection: AsyncConnection, *, of: str, but: str) -> int:
    """End the leases whose claims begin with `of` and not with `but`: their holder is dead. How many there were.

    What a dying transaction of the holder's still commits is waited for, and then holds.
    """
    done = await connection.execute(_TAKE_BACK, {"of": of, "but": but})
    return done.rowcount


async def renew(connection: AsyncConnection, claims: Collection[str], *, lease: float) -> None:
    """Prolong the leases of these claims."""
    await connection.execute(_RENEW, {"claims": sorted(claims), "lease": lease})


async def lock(connection: AsyncConnection, keys: Collection[DeliveryKey]) -> dict[DeliveryKey, Delivery]:
    """Those that exist, locked in id order until the transaction ends. One statement."""
    if not keys:
        return {}
    found = [_delivery(row) for row in await connection.execute(_LOCK, pairs(keys))]
    return {delivery.key: delivery for delivery in found}


async def save(connection: AsyncConnection, changed: Sequence[tuple[Delivery, float | None]]) -> None:
    """Write locked deliveries back, each with the seconds until its next try; their leases end."""
    if not changed:
        return
    deliveries = [delivery for delivery, _ in changed]
    await connection.execute(
        _SAVE,
        {
            "organisations": [one.organisation for one in deliveries],
            "ids": [one.id for one in deliveries],
            "statuses": [one.status.value for one in deliveries],
            "versions": [one.version for one in deliveries],
            "attempts": [one.attempts for one in deliveries],
            "sent": [one.sent_at for one in deliveries],
            "bounced": [one.bounced_at for one in deliveries],
            "last_statuses": [one.last_status for one in deliveries],
            "last_diagnostics": [one.last_diagnostic for one in deliveries],
            "last_reports": [one.last_report for one in deliveries],
            "retries": [retry_in for _, retry_in in changed],
        },
    )


async def requeue(connection: AsyncConnection, key: DeliveryKey) -> None:
    """Let it wait anew, due now, with five days before it. A lease stays: the mail may be in someone's hand."""
    now = func.clock_timestamp()
    await connection.execute(
        DELIVERY.update()
        .where(DELIVERY.c.organisation == key[0], DELIVERY.c.id == key[1])
        .values(status=Status.WAITING.value, attempts=0, sent_at=None, bounced_at=None, queued_at=now, due_at=now)
    )


async def waiting_for(connection: AsyncConnection, organisation: str, address: str) -> Delivery | None:
    """The oldest waiting mail to an address, requests before other mails."""
    query = (
        _to(organisation, address)
        .where(DELIVERY.c.status == Status.WAITING.value)
        .order_by(DELIVERY.c.purpose.in_([purpose.value for purpose in REQUESTS]).desc(), DELIVERY.c.id)
        .limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _delivery(row)


async def sent_to(connection: AsyncConnection, organisation: str, address: str) -> list[Delivery]:
    """What a mail server took for an address, the latest first."""
    query = (
        _to(organisation, address)
        .where(DELIVERY.c.sent_at.is_not(None))
        .order_by(DELIVERY.c.sent_at.desc(), DELIVERY.c.changed_at.desc())
        .limit(100)
    )
    return [_delivery(row) for row in await connection.execute(query)]


async def find(connection: AsyncConnection, key: DeliveryKey) -> Delivery | None:
    query = _READ.where(DELIVERY.c.organisation == key[0], DELIVERY.c.id == key[1])
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _delivery(row)


async def page(
    connection: AsyncConnection,
    organisation: str,
    *,
    agreement_id: str | None,
    status: Status | None,
    after: str | None,
    before: str | None = None,
    most: int,
) -> list[Delivery]:
    """In the order of queueing; `after` is the id of the last one seen. With `before`: the last ones before that id;
    of all, for an empty one."""
    query = _READ.where(DELIVERY.c.organisation == organisation)
    if agreement_id is not None:
        query = query.where(DELIVERY.c.agreement_id == agreement_id)
    if status is not None:
        query = query.where(DELIVERY.c.status == status.value)
    if after is not None:
        query = query.where(DELIVERY.c.id > after)
    if before:
        query = query.where(DELIVERY.c.id < before)
    back = before is not None
    rows = await connection.execute(query.order_by(DELIVERY.c.id.desc() if back else DELIVERY.c.id).limit(most))
    found = [_delivery(row) for row in rows]
    return found[::-1] if back else found


async def count_waiting(connection: AsyncConnection) -> int:
    """Mails that no server has taken yet: due, in hand, or put off because a server did not take them."""
    query = select(func.count()).where(DELIVERY.c.status == Status.WAITING.value)
    return int((await connection.execute(query)).scalar_one())


def _to(organisation: str, address: str) -> Select[Any]:
    return _READ.where(DELIVERY.c.organisation == organisation, DELIVERY.c.recipient_key == email_key(address))


def _row(new: NewDelivery) -> dict[str, Any]:
    return {
        "organisation": new.organisation,
        "id": new_id(),
        "agreement_id": new.agreement_id,
        "purpose": new.purpose.value,
        "recipient": new.recipient,
        "recipient_key": email_key(new.recipient),
        "request_id": new.request_id,
        "request_version": new.request_version,
        "place": new.place,
        "cause_id": new.cause_id,
        "correlation_id": new.correlation_id,
        "facts": new.facts.model_dump(mode="json"),
        "created_at": new.time,
        "status": Status.WAITING.value,
        "traceparent": new.traceparent,
    }


def _delivery(row: Row[Any]) -> Delivery:
    values = {name: getattr(row, name) for name in _KEPT_COLUMNS}
    values["purpose"] = Purpose(row.purpose)
    values["status"] = Status(row.status)
    values["facts"] = Facts.model_validate(_loaded(row.facts))
    return Delivery(**values, age=float(row.age))


def _loaded(facts: Any) -> Any:
    """JSONB comes as text from a textual statement, and parsed from one that knows the column's type."""
    return json.loads(facts) if isinstance(facts, str) else facts
