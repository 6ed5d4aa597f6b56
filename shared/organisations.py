"""What each service knows of the installation's organisations: a small table, folded from the facts of meetings.

Its key is `id`, since it is the installation's own: no row is of one organisation's people. An organisation that is not
in it is active: tokens and data may be older than the register. See
docs/decisions/0093-an-organisation-is-suspended-at-three-doors.md.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.database import Database
from shared.events import OrganisationAdded, OrganisationChanged, OrganisationResumed, OrganisationSuspended
from shared.logging import get_logger
from shared.messaging.inbound import Handlers
from shared.messaging.tables import ORGANISATION
from shared.messaging.transaction import Received, Transaction
from shared.names import Standing
from shared.suspension import Known, knowing

log = get_logger(__name__)

KNOWN_SECONDS = 2.0
"""How long a process goes by what it read last: so much later than in the table a suspension is felt at its doors."""

_READ_SECONDS = 2.0
_SUSPENDED = select(ORGANISATION.c.id).where(ORGANISATION.c.standing == Standing.SUSPENDED)
# Of an organisation whose beginning a service has not seen.
_UNKNOWN: Mapping[str, Any] = {"standing": Standing.ACTIVE, "reason": "", "name": "", "language": "sv"}


async def save(
    connection: AsyncConnection, organisation: str, version: int, at: datetime, changed: Mapping[str, Any]
) -> None:
    """What a fact of this version and time changed; one that is older than what is known changes nothing."""
    statement = insert(ORGANISATION).values(id=organisation, version=version, since=at, **{**_UNKNOWN, **changed})
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={name: statement.excluded[name] for name in ("version", *changed, *_since(changed))},
        where=ORGANISATION.c.version < statement.excluded.version,
    )
    await connection.execute(statement)


def _since(changed: Mapping[str, Any]) -> tuple[str, ...]:
    return ("since",) if "standing" in changed else ()


async def _fold(transaction: Transaction, received: Received[Any], changed: Mapping[str, Any]) -> None:
    envelope = received.envelope
    await save(transaction.connection, envelope.organisation, envelope.sequence, envelope.time, changed)


async def on_added(transaction: Transaction, received: Received[OrganisationAdded]) -> None:
    event = received.event
    await _fold(transaction, received, {"standing": Standing.ACTIVE, "name": event.name, "language": event.language})


async def on_changed(transaction: Transaction, received: Received[OrganisationChanged]) -> None:
    await _fold(transaction, received, {"name": received.event.name, "language": received.event.language})


async def on_suspended(transaction: Transaction, received: Received[OrganisationSuspended]) -> None:
    await _fold(transaction, received, {"standing": Standing.SUSPENDED, "reason": received.event.reason})


async def on_resumed(transaction: Transaction, received: Received[OrganisationResumed]) -> None:
    await _fold(transaction, received, {"standing": Standing.ACTIVE, "reason": ""})


EVENT_HANDLERS: Handlers[Transaction] = {
    OrganisationAdded: on_added,
    OrganisationChanged: on_changed,
    OrganisationSuspended: on_suspended,
    OrganisationResumed: on_resumed,
}


class Suspensions:
    """Which organisations are suspended, as this process knows it: one short statement each KNOWN_SECONDS in which
    anybody asks. While the database is away, what was read last holds."""

    def __init__(self, database: Database, own: str) -> None:
        self._database = database
        self._own = own
        self._suspended: frozenset[str] | None = None
        self._good_until = 0.0
        self._reading = asyncio.Lock()

    async def known(self) -> Known:
        """Whoever comes while it is read anew goes by what is known; only who comes first of all waits."""
        if time.monotonic() >= self._good_until and (self._suspended is None or not self._reading.locked()):
            async with self._reading:
                if time.monotonic() >= self._good_until:
                    await self._read()
        return Known(self._own, self._suspended)

    def forget(self) -> None:
        """Somebody was suspended or resumed here: the next request reads anew."""
        self._good_until = 0.0

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS), self._database.single() as connection:
                self._suspended = frozenset((await connection.execute(_SUSPENDED)).scalars())
        except Exception as error:
            log.warning("organisations.not_read", error=type(error).__name__)
        self._good_until = time.monotonic() + KNOWN_SECONDS


class Standings:
    """Before an app: each request knows who is suspended. Probes and static files ask nobody, and know of none."""

    def __init__(self, app: ASGIApp, suspensions: Suspensions) -> None:
        self._app = app
        self._suspensions = suspensions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "/health/" in scope["path"] or "/static/" in scope["path"]:
            with knowing(Known("", None)):
                await self._app(scope, receive, send)
            return
        with knowing(await self._suspensions.known()):
            await self._app(scope, receive, send)
