"""Mails to people who are not known as members yet: kept until their membership is heard of, a day at the most.

A notice and the membership of who gets it come by two topics, which have no common order: after an hour's standstill
one may be read long before the other. Whoever is never made known gets nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.delivery.delivery import Facts, NewDelivery
from services.notifications.delivery.store import KNOWN
from services.notifications.letter.letter import Purpose
from services.notifications.member.tables import HELD_MAIL

KEPT = timedelta(days=1)

_C = HELD_MAIL.c
_ADD = insert(HELD_MAIL).on_conflict_do_nothing().inline()
# One at a time for a body: who holds a mail and who hears of the membership must not pass each other unseen.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(body, 0)) FROM unnest(CAST(:bodies AS text[])) AS body")


async def lock(connection: AsyncConnection, bodies: Collection[tuple[str, str]]) -> None:
    """Until the transaction ends. `bodies`: organisation and id; sorted, so that those who want several queue up."""
    if bodies:
        await connection.execute(_LOCK, {"bodies": [f"held {one[0]} {one[1]}" for one in sorted(bodies)]})


async def hold(connection: AsyncConnection, body_id: str, mails: Sequence[NewDelivery]) -> None:
    """Of each the `request_id` is the person's; all are of one organisation. What nobody asked for in time goes."""
    if not mails:
        return
    await connection.execute(
        delete(HELD_MAIL).where(_C.organisation == mails[0].organisation, _C.held_at < func.clock_timestamp() - KEPT)
    )
    rows = [
        {
            "organisation": mail.organisation,
            "body_id": body_id,
            "person_id": mail.request_id,
            "cause_id": mail.cause_id,
            "purpose": mail.purpose.value,
            "mail": _written(mail),
        }
        for mail in mails
    ]
    await connection.execute(_ADD, rows)


async def let_go(connection: AsyncConnection, organisation: str, body_id: str, person_id: str) -> list[NewDelivery]:
    """The mails that were held for someone, in the order of their facts; they are held no more. Those of a purpose
    that a newer release made stay for that one."""
    query = (
        delete(HELD_MAIL)
        .where(_C.organisation == organisation, _C.body_id == body_id, _C.person_id == person_id)
        .where(_C.purpose.in_(KNOWN))
        .returning(_C.mail, _C.held_at > func.clock_timestamp() - KEPT)
    )
    found = [_read(row[0]) for row in await connection.execute(query) if row[1]]
    return sorted(found, key=lambda mail: (mail.time, mail.request_version))


async def drop(connection: AsyncConnection, organisation: str, body_id: str, about: str, purpose: Purpose) -> None:
    """What was held of these mails about one thing is untrue now: nobody gets it. `about`: their `agreement_id`."""
    await connection.execute(
        delete(HELD_MAIL).where(
            _C.organisation == organisation,
            _C.body_id == body_id,
            _C.purpose == purpose.value,
            _C.mail["agreement_id"].astext == about,
        )
    )


def _written(mail: NewDelivery) -> dict[str, Any]:
    return {
        "organisation": mail.organisation,
        "agreement_id": mail.agreement_id,
        "purpose": mail.purpose.value,
        "recipient": mail.recipient,
        "request_id": mail.request_id,
        "request_version": mail.request_version,
        "cause_id": mail.cause_id,
        "correlation_id": mail.correlation_id,
        "facts": mail.facts.model_dump(mode="json"),
        "time": mail.time.isoformat(),
    }


def _read(written: dict[str, Any]) -> NewDelivery:
    values = written | {
        "purpose": Purpose(written["purpose"]),
        "facts": Facts.model_validate(written["facts"]),
        "time": datetime.fromisoformat(written["time"]),
        "place": None,
    }
    return NewDelivery(**values)
