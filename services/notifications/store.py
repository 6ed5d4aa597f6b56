"""SQL over deliveries and what mails need to know of an agreement. Bulk statements: their number does not grow.

Leases are by the database's clock, so that mailers on machines whose clocks differ agree on them.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ARRAY, Float, Integer, Row, Select, Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import TIMESTAMP, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.delivery import (
    ASKING,
    POINTLESS,
    REQUESTS,
    SUPERSEDED,
    Delivery,
    Facts,
    NewDelivery,
    Status,
)
from services.notifications.messages import Purpose
from services.notifications.tables import AGREEMENT, DELIVERY
from shared.database import among_pairs, pairs
from shared.events import Person
from shared.ids import new_id
from shared.text import email_key, same_email

AgreementKey = tuple[str, str]  # organisation, agreement id
DeliveryKey = tuple[str, str]  # organisation, delivery id

_TEXTS = ARRAY(Text)
_MOMENTS = ARRAY(TIMESTAMP(timezone=True))
_KEPT_COLUMNS = (
    *("organisation", "id", "agreement_id", "purpose", "recipient", "request_id", "request_version", "cause_id"),
    *("correlation_id", "facts", "created_at", "status", "version", "attempts", "claim", "sent_at", "bounced_at"),
    *("last_status", "last_diagnostic", "last_report"),
)
_AGE = func.extract("epoch", func.clock_timestamp() - DELIVERY.c.queued_at).label("age")
_COLUMNS = (*(DELIVERY.c[name] for name in _KEPT_COLUMNS), _AGE)
_RETURNED = ", ".join(f"delivery.{name}" for name in _KEPT_COLUMNS)

# A lease that has ended is contested first, and taken over half a lease later: its holder may have sent the mail, and
# could not say so while the database was away or its disk full. Where we can write, it can now, too.
_CLAIM_DUE = text(
    f"""
    UPDATE delivery SET
        claim = CASE WHEN due.free THEN :claim ELSE delivery.claim END,
        contested = NOT due.free,
        lease_until = clock_timestamp() + make_interval(secs => CASE WHEN due.free THEN :lease ELSE :lease / 2.0 END)
    FROM (
        SELECT organisation, id, claim IS NULL OR contested AS free FROM delivery
        WHERE status = 'waiting' AND due_at <= clock_timestamp()
          AND (lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE delivery.organisation = due.organisation AND delivery.id = due.id
    RETURNING {_RETURNED}, extract(epoch FROM clock_timestamp() - delivery.queued_at) AS age, due.free
    """  # noqa: S608  (column names of our own)
)
_CLAIM_ONE = text(
    f"""
    UPDATE delivery SET claim = :claim, lease_until = clock_timestamp() + make_interval(secs => :lease)
    WHERE organisation = :organisation AND id = :id AND status = 'waiting'
      AND (lease_until IS NULL OR lease_until < clock_timestamp())
    RETURNING {_RETURNED}, extract(epoch FROM clock_timestamp() - queued_at) AS age
    """  # noqa: S608
)
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

# The mails of the request that was signed through stay, reminders apart: completion waits for what became of them.
_WITHDRAW = text(
    """
    UPDATE delivery SET status = 'withdrawn', changed_at = clock_timestamp()
    FROM unnest(:organisations, :agreements, :places, :kept, :requests, :versions)
        AS ended (organisation, agreement_id, place, kept, request_id, below_version)
    WHERE delivery.organisation = ended.organisation AND delivery.agreement_id = ended.agreement_id
      AND delivery.status = 'waiting' AND delivery.purpose = ANY(:asking)
      AND (ended.place IS NULL OR delivery.place = ended.place)
      AND (delivery.request_id <> ended.kept OR delivery.purpose = 'reminder')
      AND (ended.request_id IS NULL
           OR (delivery.request_id = ended.request_id AND delivery.request_version < ended.below_version))
    """
).bindparams(
    *(bindparam(name, type_=_TEXTS) for name in ("organisations", "agreements", "kept", "requests", "asking")),
    *(bindparam(name, type_=ARRAY(Integer)) for name in ("places", "versions")),
)

_WITHDRAW_COPIES = text(
    """
    UPDATE delivery SET status = 'withdrawn', changed_at = clock_timestamp()
    FROM unnest(:organisations, :agreements, :recipients, :versions)
        AS ended (organisation, agreement_id, recipient_key, below_version)
    WHERE delivery.organisation = ended.organisation AND delivery.agreement_id = ended.agreement_id
      AND delivery.status = 'waiting' AND delivery.purpose = :archived
      AND delivery.recipient_key = ended.recipient_key AND delivery.request_version < ended.below_version
    """
).bindparams(
    *(bindparam(name, type_=_TEXTS) for name in ("organisations", "agreements", "recipients")),
    bindparam("versions", type_=ARRAY(Integer)),
)

_WITHDRAW_NOTICES = text(
    """
    UPDATE delivery SET status = 'withdrawn', changed_at = clock_timestamp()
    FROM unnest(:organisations, :meetings, :people, :versions)
        AS ended (organisation, meeting_id, person_id, below_version)
    WHERE delivery.organisation = ended.organisation AND delivery.agreement_id = ended.meeting_id
      AND delivery.status = 'waiting' AND delivery.request_version < ended.below_version
      AND CASE WHEN ended.person_id IS NULL THEN delivery.purpose = ANY(:pointless)
               ELSE delivery.request_id = ended.person_id AND delivery.purpose = ANY(:superseded) END
    """
).bindparams(
    *(bindparam(name, type_=_TEXTS) for name in ("organisations", "meetings", "people", "pointless", "superseded")),
    bindparam("versions", type_=ARRAY(Integer)),
)

_AGREEMENTS = select(AGREEMENT).where(among_pairs(AGREEMENT.c.organisation, AGREEMENT.c.agreement_id))
_LOCK = (
    select(*_COLUMNS)
    .where(among_pairs(DELIVERY.c.organisation, DELIVERY.c.id))
    .order_by(DELIVERY.c.organisation, DELIVERY.c.id)
    .with_for_update(of=DELIVERY)
)
_INSERT_DELIVERY = insert(DELIVERY).on_conflict_do_nothing().inline()


@dataclass(slots=True)
class AgreementContext:
    """What a mail's own event does not carry. `sender` is None until AgreementCreated has been seen.

    `people`: whom mails about it may go to, by `email_key`, and its sender; None until it was made known.
    `asked`: of an agreement that an earlier version took in, which did not keep its people, the ids of the requests
    that have asked somebody; else None.
    `copy_links`: by `email_key` too, the version of the next link to the sealed copy, of those whose links were ended.
    """

    sender: Person | None = None
    timezone: str = "UTC"
    others: dict[str, Person] = field(default_factory=dict)
    people: set[str] | None = None
    asked: set[str] | None = None
    copy_links: dict[str, int] = field(default_factory=dict)

    def copy_version(self, address: str) -> int | None:
        """Of the next link to the sealed copy, of someone whose links were ended; else None."""
        return self.copy_links.get(email_key(address))

    def let_in(self, *addresses: str) -> None:
        """Mails about the agreement may go there from now on."""
        if self.people is not None:
            self.people.update(map(email_key, addresses))

    def let_in_if_first(self, request_id: str, address: str) -> bool:
        """Of an older agreement, whom a request asks first is one of its people: nobody named them before. Whether this
        let somebody in."""
        if self.asked is None or request_id in self.asked:
            return False
        self.asked.add(request_id)
        self.let_in(address)
        return True

    def let_out(self, address: str) -> None:
        """It was a mistake: no mail goes there any more, unless the sender has it."""
        if self.people is not None and self.sender is not None and not same_email(address, self.sender.email):
            self.people.discard(email_key(address))

    def knows(self, address: str) -> bool:
        """Whether a mail may go there: to people of an agreement that was made known, and to nobody else."""
        if self.sender is None or self.people is None:
            return False
        return email_key(address) in self.people or same_email(address, self.sender.email)


@dataclass(frozen=True, slots=True)
class Ended:
    """Mails asking for this place (None: any) are to be withdrawn, but for those of the request `kept`.

    With `request_id`, only those of that request whose link is of a version before `below_version`.
    """

    organisation: str
    agreement_id: str
    place: int | None = None
    kept: str = ""
    request_id: str | None = None
    below_version: int = 0


@dataclass(frozen=True, slots=True)
class EndedCopies:
    """Mails to this recipient with a link to the sealed copy of an earlier version are to be withdrawn."""

    organisation: str
    agreement_id: str
    recipient: str
    below_version: int


@dataclass(frozen=True, slots=True)
class EndedNotices:
    """Mails about the meeting of an earlier `sequence` are to be withdrawn: those to this person that a later notice
    makes untrue; without one, those to anybody that nobody needs when the meeting does not take place."""

    organisation: str
    meeting_id: str
    person_id: str | None
    below_version: int


async def agreements(
    connection: AsyncConnection, keys: Collection[AgreementKey]
) -> dict[AgreementKey, AgreementContext]:
    """Those that are known. One statement."""
    if not keys:
        return {}
    rows = await connection.execute(_AGREEMENTS, pairs(keys))
    return {(row.organisation, row.agreement_id): _context(row) for row in rows}


async def save_agreements(
    connection: AsyncConnection, changed: Sequence[tuple[AgreementKey, AgreementContext]]
) -> None:
    """Insert, or add to what is there. Sorted, so that transactions that share agreements queue up."""
    if not changed:
        return
    rows = [
        {
            "organisation": organisation,
            "agreement_id": agreement_id,
            "sender": context.sender.model_dump(mode="json") if context.sender else None,
            "timezone": context.timezone,
            "others": {request: person.model_dump(mode="json") for request, person in context.others.items()},
            "people": None if context.people is None else sorted(context.people),
            "asked": None if context.asked is None else sorted(context.asked),
            "copy_links": context.copy_links,
        }
        for (organisation, agreement_id), context in sorted(changed, key=lambda one: one[0])
    ]
    statement = insert(AGREEMENT)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=["organisation", "agreement_id"],
        set_={
            "sender": func.coalesce(new.sender, AGREEMENT.c.sender),
            "timezone": new.timezone,
            "others": AGREEMENT.c.others.op("||")(new.others),
            "people": func.coalesce(new.people, AGREEMENT.c.people),
            "asked": func.coalesce(new.asked, AGREEMENT.c.asked),
            "copy_links": AGREEMENT.c.copy_links.op("||")(new.copy_links),
        },
    )
    await connection.execute(upsert, rows)


async def insert_deliveries(connection: AsyncConnection, deliveries: Sequence[NewDelivery]) -> None:
    """One row for each cause, recipient and purpose; those that are there already stay as they are."""
    if deliveries:
        await connection.execute(_INSERT_DELIVERY, [_row(one) for one in deliveries])


async def withdraw(connection: AsyncConnection, ended: Sequence[Ended]) -> None:
    """Mails that nobody needs to get any more are not sent; one that is under way may still arrive."""
    if not ended:
        return
    await connection.execute(
        _WITHDRAW,
        {
            "organisations": [one.organisation for one in ended],
            "agreements": [one.agreement_id for one in ended],
            "places": [one.place for one in ended],
            "kept": [one.kept for one in ended],
            "requests": [one.request_id for one in ended],
            "versions": [one.below_version for one in ended],
            "asking": sorted(purpose.value for purpose in ASKING),
        },
    )


async def withdraw_copies(connection: AsyncConnection, ended: Sequence[EndedCopies]) -> None:
    """A link that opens nothing any more is not mailed."""
    if ended:
        await connection.execute(
            _WITHDRAW_COPIES,
            {
                "organisations": [one.organisation for one in ended],
                "agreements": [one.agreement_id for one in ended],
                "recipients": [email_key(one.recipient) for one in ended],
                "versions": [one.below_version for one in ended],
                "archived": Purpose.ARCHIVED.value,
            },
        )


async def withdraw_notices(connection: AsyncConnection, ended: Sequence[EndedNotices]) -> None:
    """Nobody gets an old time after a new one; a mail that is under way may still arrive."""
    if ended:
        await connection.execute(
            _WITHDRAW_NOTICES,
            {
                "organisations": [one.organisation for one in ended],
                "meetings": [one.meeting_id for one in ended],
                "people": [one.person_id for one in ended],
                "versions": [one.below_version for one in ended],
                "superseded": sorted(purpose.value for purpose in SUPERSEDED),
                "pointless": sorted(purpose.value for purpose in POINTLESS),
            },
        )


async def claim_due(connection: AsyncConnection, *, claim: str, lease: float, most: int) -> list[Delivery]:
    """Lease the mails that are due longest for `lease` seconds; those that another holds are skipped.

    A lease that ended is contested; a later call finds the mail when its holder has not come back by then.
    """
    rows = await connection.execute(_CLAIM_DUE, {"claim": claim, "lease": lease, "most": most})
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
    query = select(*_COLUMNS).where(DELIVERY.c.organisation == key[0], DELIVERY.c.id == key[1])
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
    query = select(*_COLUMNS).where(DELIVERY.c.organisation == organisation)
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
    return select(*_COLUMNS).where(
        DELIVERY.c.organisation == organisation, DELIVERY.c.recipient_key == email_key(address)
    )


def _context(row: Row[Any]) -> AgreementContext:
    return AgreementContext(
        sender=Person.model_validate(row.sender) if row.sender else None,
        timezone=row.timezone,
        others={request: Person.model_validate(person) for request, person in row.others.items()},
        people=None if row.people is None else set(row.people),
        asked=None if row.asked is None else set(row.asked),
        copy_links=dict(row.copy_links),
    )


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
