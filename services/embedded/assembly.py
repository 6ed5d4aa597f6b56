"""The four services in one process, on a PostgreSQL and a Kafka-protocol server of their own.

One dialect and one delivery path everywhere: what runs here is what runs in production. Only the broker is different in
kind: it is a volatile pipe. The outboxes are the log; every start (and every death of the broker) publishes again what
they keep, and the inboxes drop what they know.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from services.archive import main as archive
from services.embedded.broker import EmbeddedBroker
from services.embedded.home import Home, Secrets, local_access
from services.embedded.postgres import EmbeddedPostgres
from services.embedded.topic_watch import change_of
from services.embedded.watch import PATIENCE, Patience, end_of
from services.meetings import main as meetings
from services.notifications import main as notifications
from services.signing import main as signing
from shared.auth import Access
from shared.blobs import open_blobs
from shared.clock import Clock
from shared.database import Database
from shared.logging import get_logger
from shared.messaging import outbox
from shared.messaging.broker import KafkaSettings, ensure_topics
from shared.migrations import migrate
from shared.names import SERVICES
from shared.service import Service
from shared.settings import Settings, load_settings
from shared.workers import Worker

log = get_logger(__name__)

_IDLE_PAUSE = 0.02  # seconds, see KafkaSettings
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Modes:
    """How the all-in-one process differs for people, replays and tests.

    `durable`: survive a power cut. `automatic`: mail is sent and timers fire by themselves. `patience`: with a server
    that lives and does not answer. `options`: further keyword arguments for a service's `build`, by service.
    """

    durable: bool = True
    automatic: bool = True
    patience: Patience = PATIENCE
    options: Mapping[str, Mapping[str, Any]] | None = None

    def of(self, service: str) -> Mapping[str, Any]:
        return (self.options or {}).get(service, {})


class AllInOne:
    """Owns child processes and services of one data folder; `start` and `stop`, or an asynchronous context manager."""

    def __init__(self, home: Home, *, clock: Clock, modes: Modes, overrides: Mapping[str, Any] | None = None) -> None:
        self.home = home
        self.clock = clock
        self.secrets: Secrets = home.prepare()
        self._modes = modes
        self._overrides = dict(overrides or {})
        self._patience = modes.patience
        self._postgres = EmbeddedPostgres(home.postgres, home.logs / "postgres.log", durable=modes.durable)
        self._broker = EmbeddedBroker(home.broker, home.logs / "broker.log")
        self._supervisors = (
            Worker("broker-supervisor", self._restart_dead_broker, drain=0.01),
            Worker("postgres-supervisor", self._restart_dead_postgres, drain=0.01),
        )
        self._starts_over = False
        self.services: dict[str, Service] = {}
        self.settings: Settings
        self.access: Access

    async def __aenter__(self) -> "AllInOne":
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Children first, then schemas and topics, then the services. Raises JusteraError."""
        await self._postgres.start()
        await self._broker.start()
        self.settings = self._make_settings()
        secure = self.settings.public_url.startswith("https:")
        self.access = local_access(self.secrets, self.settings.organisation, secure=secure)
        for name in SERVICES:
            await self._prepare_database(name)
        await ensure_topics(self._kafka)
        self.services = self._build()
        await self._republish_all()
        for service in self.services.values():
            await service.start(self._kafka)
        for supervisor in self._supervisors:
            supervisor.start()

    async def stop(self) -> None:
        for supervisor in self._supervisors:
            await supervisor.stop()
        await asyncio.gather(*(service.stop() for service in self.services.values()))
        await self._broker.stop()
        await self._postgres.stop()

    @property
    def _kafka(self) -> KafkaSettings:
        return KafkaSettings(self._broker.bootstrap, idle_pause=_IDLE_PAUSE, alone=True)

    def _make_settings(self) -> Settings:
        made = self.secrets
        return load_settings(
            **{
                "database_url": self._postgres.url("justera_SERVICE").replace("SERVICE", "{service}"),
                "kafka": self._broker.bootstrap,
                "blobs": f"file:{self.home.blobs}",
                "link_keys": SecretStr(made.link_keys),
                "copy_link_keys": SecretStr(made.copy_link_keys),
                "member_link_keys": SecretStr(made.member_link_keys),
                "bounce_keys": SecretStr(made.bounce_keys),
                "event_keys": SecretStr(made.event_keys),
                "seal_test_authority": self.home.seal,
                **self._overrides,
            }
        )

    async def _prepare_database(self, service: str) -> None:
        await self._postgres.ensure_database(f"justera_{service}")
        database = Database(self.settings.database_url_of(service), command_seconds=None)
        try:
            await migrate(database.engine, service)
        finally:
            await database.close()

    def _build(self) -> dict[str, Service]:
        parts: dict[str, Any] = {
            "clock": self.clock,
            "access": self.access,
            "blobs": open_blobs(self.settings.blobs),
        }
        of, settings, automatic = self._modes.of, self.settings, self._modes.automatic
        built = (
            meetings.build(settings, **parts, timers=automatic, **of("meetings")),
            signing.build(settings, **parts, timers=automatic, **of("signing")),
            notifications.build(settings, **parts, deliver_automatically=automatic, **of("notifications")),
            archive.build(settings, **parts, **of("archive")),
        )
        return {service.name: service for service in built}

    async def _republish_all(self) -> None:
        for service in self.services.values():
            async with service.database.transaction() as connection:
                await outbox.republish(connection, since=_EPOCH)

    async def _restart_dead_broker(self) -> None:
        """A live consumer's position would skip what is published anew, so all messaging starts over."""
        if not self._starts_over:
            end = await self._end_of_broker()
            log.warning("embedded.broker_died", end=end)
        self._starts_over = True  # until all of it is done: whatever fails on the way, it is begun anew
        await asyncio.gather(*(service.stop_messaging() for service in self.services.values()))
        await self._broker.start()
        await ensure_topics(self._kafka)
        await self._republish_all()
        for service in self.services.values():
            service.start_messaging(self._kafka)
        self._starts_over = False

    async def _end_of_broker(self) -> str:
        """Return once it has ended; one whose topics somebody else changed is ended."""
        changed = asyncio.ensure_future(change_of(self._broker.bootstrap, every=self._patience.every))
        ended = asyncio.ensure_future(end_of(self._broker, self._patience))
        try:
            await asyncio.wait({changed, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return ended.result()
            log.warning("embedded.topics_changed", what=changed.result())
            self._broker.kill()
            return await ended
        finally:
            changed.cancel()
            ended.cancel()

    async def _restart_dead_postgres(self) -> None:
        """It recovers what it acknowledged, and the services try until they reach it again."""
        end = await end_of(self._postgres, self._patience)
        log.warning("embedded.postgres_died", end=end)
        await self._postgres.start_again()
