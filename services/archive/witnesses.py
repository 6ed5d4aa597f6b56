"""What the journal has of one agreement: the events that its history is compared with."""

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.archive.comparison import Witness
from services.archive.journal import findable
from services.archive.tables import JOURNAL
from shared.events import Envelope, topics
from shared.events.base import TYPE_PREFIX
from shared.events.envelope import readable_attributes
from shared.messaging.message import headers_from_json

_TYPES = {topics.SIGNING: f"{TYPE_PREFIX}.signing.", topics.NOTIFICATIONS: f"{TYPE_PREFIX}.notifications."}
_COLUMNS = tuple(JOURNAL.c[name] for name in ("topic", "time", "headers", "body"))


async def of_agreement(connection: AsyncConnection, completed: Envelope) -> list[Witness]:
    """The events of the agreement of `completed` and of its mails, in the journal's order.

    Signing's are found by the agreement, those about its mails by the chain they belong to and the agreement's key.
    """
    of_chain = (JOURNAL.c.correlation_id == findable(completed.correlation_id)) & (JOURNAL.c.key == completed.key)
    statement = (
        select(*_COLUMNS)
        .where(
            JOURNAL.c.organisation == completed.organisation,
            JOURNAL.c.topic.in_(_TYPES),
            JOURNAL.c.readable,
            JOURNAL.c.authentic,
            or_(JOURNAL.c.subject == findable(completed.subject), of_chain),
        )
        .order_by(JOURNAL.c.id)
    )
    rows = await connection.execute(statement)
    events = [(row, readable_attributes(headers_from_json(row.headers))) for row in rows]
    return [_witness(row, said) for row, said in events if _is_of(row, said, completed)]


def _is_of(row: Any, said: dict[str, str], completed: Envelope) -> bool:
    """The columns are cut to what an index takes: what the event said decides."""
    return said["type"].startswith(_TYPES[row.topic]) and said.get("partitionkey") == completed.key


def _witness(row: Any, said: dict[str, str]) -> Witness:
    return Witness(
        event_id=said["id"],
        type=said["type"],
        time=row.time,
        sequence=int(said["sequence"]),
        payload=None if row.body is None else row.body.decode(),
        head=said.get("historyhead"),
    )
