"""What each service knows of the installation's organisations: a small table, folded from the facts of meetings.

Its key is `id`, since it is the installation's own: no row is of one organisation's people. An organisation that is not
in it is active: tokens and data may be older than the register. See
docs/decisions/0093-an-organisation-is-suspended-at-three-doors.md.
"""

import asyncio
import time
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.database import Database
from shared.errors import Unavailable
from shared.events import (
    OrganisationAdded,
    OrganisationChanged,
    OrganisationErased,
    OrganisationResumed,
    OrganisationSuspended,
)
from shared.logging import get_logger
from shared.messaging.inbound import Handlers
from shared.messaging.tables import ORGANISATION
from shared.messaging.transaction import Received, Transaction
from shared.names import Standing
from shared.suspension import Known, OwnMail, knowing

log = get_logger(__name__)

KNOWN_SECONDS = 2.0
"""How long a process goes by what it read last: so much later than in the table a suspension is felt at its doors."""

_READ_SECONDS = 2.0
_STATE = select(func.count(), func.sum(ORGANISATION.c.version))  # another one after each fact
_ALL = select(
    *(ORGANISATION.c[name] for name in ("id", "standing", "name", "erased_at", "mail_from", "bounce_domain")),
)
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
    await _fold(transaction, received, {"standing": Standing.ACTIVE, **_details(received.event)})


async def on_changed(transaction: Transaction, received: Received[OrganisationChanged]) -> None:
    await _fold(transaction, received, _details(received.event))


def _details(event: OrganisationAdded | OrganisationChanged) -> dict[str, Any]:
    """What it tells: a release before this one tells less, and what it does not know stays."""
    return event.model_dump(exclude_unset=True)


async def on_suspended(transaction: Transaction, received: Received[OrganisationSuspended]) -> None:
    await _fold(transaction, received, {"standing": Standing.SUSPENDED, "reason": received.event.reason})


async def on_resumed(transaction: Transaction, received: Received[OrganisationResumed]) -> None:
    await _fold(transaction, received, {"standing": Standing.ACTIVE, "reason": ""})


async def on_erased(transaction: Transaction, received: Received[OrganisationErased]) -> None:
    await _fold(transaction, received, erased(received.envelope.time))


def erased(at: datetime) -> Mapping[str, Any]:
    """What is known of one that is erased: no name, no address. Whoever asks for those who are suspended finds it,
    too."""
    nothing = {"reason": "", "name": "", "mail_from": "", "bounce_domain": ""}
    return {"standing": Standing.SUSPENDED, **nothing, "erased_at": at}


EVENT_HANDLERS: Handlers[Transaction] = {
    OrganisationAdded: on_added,
    OrganisationChanged: on_changed,
    OrganisationSuspended: on_suspended,
    OrganisationResumed: on_resumed,
    OrganisationErased: on_erased,
}


class KnownOrganisations:
    """The organisations as this process knows them: one short statement each KNOWN_SECONDS in which anybody asks, and
    one more after a fact. While the database is away, what was read last holds.

    `own`: the installation's own, which is what the settings say.
    """

    def __init__(self, database: Database, own: str) -> None:
        self._database = database
        self._own = own
        self._state: tuple[int, int | None] | None = None
        self._known = Known(own, None)
        self._good_until = 0.0
        self._reading = asyncio.Lock()

    async def known(self) -> Known:
        """Whoever comes while it is read anew goes by what is known; only who comes first of all waits."""
        if time.monotonic() >= self._good_until and (self._state is None or not self._reading.locked()):
            async with self._reading:
                if time.monotonic() >= self._good_until:
                    await self._read()
        return self._known

    async def surely(self) -> Known:
        """As `known`. Raises Unavailable before it could be read at all."""
        found = await self.known()
        if found.suspended is None:
            raise Unavailable("the database does not answer", hint="try again in a moment")
        return found

    def name_of(self, organisation: str) -> str:
        """As people write it, by what was read last; empty for the installation's own, and for one that nobody
        added: theirs is that of the settings."""
        return self._known.name_of(organisation)

    def mail_from_of(self, organisation: str) -> str:
        """The address that its mails are from, by what was read last; empty where it is that of the settings."""
        return self._known.mail_of(organisation).mail_from

    def bounce_domain_of(self, organisation: str) -> str:
        """The domain of its mails' return paths, by what was read last; empty where it is that of the settings."""
        return self._known.mail_of(organisation).bounce_domain

    @property
    def bounce_domains(self) -> Collection[str]:
        """Those that are some organisation's own, by what was read last."""
        return {found for one in self._known.mails.values() if (found := one.bounce_domain)}

    @property
    def served(self) -> Collection[str]:
        """All, the own one first, by what was read last."""
        return (self._own, *self._known.names)

    def is_erased(self, organisation: str) -> bool:
        """By what was read last."""
        return organisation in self._known.erased

    def forget(self) -> None:
        """A fact was told here: the next request reads anew."""
        self._good_until = 0.0

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS), self._database.single() as connection:
                count, versions = (await connection.execute(_STATE)).one()
                if (count, versions) != self._state:
                    rows = (await connection.execute(_ALL)).all()
                    suspended = frozenset(row.id for row in rows if row.standing == Standing.SUSPENDED)
                    self._known = Known(
                        self._own,
                        suspended,
                        names={row.id: row.name for row in rows},
                        erased=frozenset(row.id for row in rows if row.erased_at is not None),
                        mails={row.id: OwnMail(row.mail_from, row.bounce_domain) for row in rows},
                    )
                    self._state = (count, versions)
        except Exception as error:
            log.warning("organisations.not_read", error=type(error).__name__)
        self._good_until = time.monotonic() + KNOWN_SECONDS


class Standings:
    """Before an app: each request knows who is suspended, and what organisations are called. Probes and static files
    ask nobody, and know of none."""

    def __init__(self, app: ASGIApp, known_organisations: KnownOrganisations) -> None:
        self._app = app
        self._known_organisations = known_organisations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _asks_nobody(scope):
            with knowing(Known("", None)):
                await self._app(scope, receive, send)
            return
        with knowing(await self._known_organisations.known()):
            await self._app(scope, receive, send)


def _asks_nobody(scope: Scope) -> bool:
    """Below the service's own address: an organisation, or an installation's address, may be called `health`, too."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")).startswith(("/health/", "/static/"))
