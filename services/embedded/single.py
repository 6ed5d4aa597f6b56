"""One service in a process of its own, on Kafka and PostgreSQL from the configuration."""

import asyncio
import base64
import binascii
import importlib
import socket
import ssl
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.embedded.server import serve
from shared import tracing
from shared.auth import Access, TokenFile
from shared.clock import SystemClock
from shared.collector import keep_code_from_the_collector
from shared.database_refusals import refusal_of
from shared.errors import JusteraError, Unavailable
from shared.http import problem
from shared.logging import get_logger
from shared.messaging.broker import KafkaSettings
from shared.messaging.signatures import parse_event_keys
from shared.migrations import is_current, is_guarded
from shared.names import SERVICES
from shared.pass_access import PassAccess
from shared.passes import STAFFED
from shared.service import Service
from shared.settings import BadConfiguration, Settings
from shared.web.page_route import wants_a_page

log = get_logger(__name__)

_LOOK_SECONDS = 1.0  # for a database that is away


def _builder(name: str) -> Callable[..., Service]:
    """Imports its service when it is called: a process holds the code of the one service that it runs."""

    def build(settings: Settings, **parts: Any) -> Service:
        service: Service = importlib.import_module(f"services.{name}.main").build(settings, **parts)
        return service

    return build


BUILDERS: Mapping[str, Callable[..., Service]] = {name: _builder(name) for name in SERVICES}


def kafka_settings(settings: Settings, client_id: str) -> KafkaSettings:
    """Raises BadConfiguration."""
    return KafkaSettings(
        settings.kafka,
        client_id=client_id,
        replication_factor=settings.kafka_replication_factor,
        tls=_kafka_tls(settings),
        username=settings.kafka_username,
        password=settings.secret("kafka_password") if settings.kafka_username else "",
    )


def configured_access(name: str, settings: Settings) -> Access:
    """Tokens from the token file as it stands. People log in to signing, whose sessions are under the session key; to
    other services' pages by its passes. Raises BadConfiguration."""
    tokens = TokenFile(settings.tokens_file) if settings.tokens_file is not None else ()
    if name in STAFFED:
        ring = parse_event_keys(settings.secret("event_keys")).ring("signing", name)
        return PassAccess(tokens, name, ring, public_url=settings.public_url)
    key = _session_key(settings) if name == "signing" else None
    return Access(tokens, key, secure=settings.public_url.startswith("https:"))


def build_service(name: str, settings: Settings, listener: socket.socket | None = None) -> Service:
    """`listener`: where it will answer. Raises BadConfiguration."""
    if name == "signing":
        settings.secret("session_key")  # without one, the first signer to open a link would find out
    parts: dict[str, Any] = {
        "clock": SystemClock(),
        "access": configured_access(name, settings),
    }
    if name != "notifications":  # mails hold links, no documents: five megabytes of a store's client less
        from shared.blobs import open_blobs

        parts["blobs"] = open_blobs(settings.blobs)
    if name == "notifications" and listener is not None:
        parts["instance"] = f"{socket.gethostname()}:{listener.getsockname()[1]}"  # nobody else listens there
    return BUILDERS[name](settings, **parts)


async def run_service(name: str, settings: Settings, listener: socket.socket) -> None:
    """Until SIGINT or SIGTERM. Raises BadConfiguration when the schema is not this version's.

    A bug that ends it stands in the log: a container's files are gone with it.
    """
    try:
        await _run(name, settings, listener)
    except JusteraError:
        raise
    except Exception:
        log.exception("service.crashed", service=name)
        raise


async def _run(name: str, settings: Settings, listener: socket.socket) -> None:
    tracing.configure(name)
    service = build_service(name, settings, listener)
    kafka = kafka_settings(settings, f"justera-{name}")
    later = None if await _has_schema(service) else asyncio.create_task(_start_later(service, kafka))
    if later is None:
        await service.start(kafka)
    keep_code_from_the_collector()
    try:
        await _beside(later, serve(public_app(service, settings.public_url), listener))
    finally:
        await service.stop()


async def _start_later(service: Service, kafka: KafkaSettings) -> None:
    """When the database answers. No work may begin on the schema of another version. Raises BadConfiguration."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if await _has_schema(service, tell=False):
            await service.start(kafka)
            return


async def _beside(later: asyncio.Task[None] | None, serving: Coroutine[Any, Any, None]) -> None:
    """Serve to the end, which is also where `later` fails."""
    served = asyncio.create_task(serving)
    try:
        if later is not None:
            await asyncio.wait({served, later}, return_when=asyncio.FIRST_COMPLETED)
            if later.done():
                later.result()
        await served
    finally:
        for task in (served, later):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait({task})


AT_THE_ROOT = ("/health/live", "/health/ready", "/metrics")


def public_app(service: Service, public_url: str) -> ASGIApp:
    """The service's app below the path at which people reach it, `/signing`; at the root health and metrics alone.

    So an ingress passes requests on as they are, and neighbours in the cluster call the same addresses as people.
    Were the API at the root too, `/meetings/…` could be the service meetings or its meetings.
    """
    below = f"{urlsplit(public_url).path.rstrip('/')}/{service.name}"
    probes = [Route(path, service.app) for path in AT_THE_ROOT]
    return Starlette(routes=[Mount(below, service.app), *probes, Mount("", _Elsewhere(service, below))])


class _Elsewhere:
    """Whatever is not below the service's name: a page that says so to a browser, a problem to a program."""

    def __init__(self, service: Service, below: str) -> None:
        self._app = service.app
        self._below = below
        self._told = problem(
            404, "not-found", "nothing is here", hint=f"{service.name} answers below {below}: see {below}/docs"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if wants_a_page(Headers(scope=scope), scope["method"]):
            nowhere = f"{self._below}/nowhere"
            await self._app({**scope, "root_path": self._below, "path": nowhere}, receive, send)
        else:
            await self._told(scope, receive, send)


async def _has_schema(service: Service, *, tell: bool = True) -> bool:
    """False while the database is away, which may come later: readiness tells, and the log when it is to `tell`. A
    wrong password, an old schema, or a user above the tables' policies does not mend itself.

    Raises BadConfiguration.
    """
    try:
        current = await is_current(service.database.engine, service.name)
        guarded = await is_guarded(service.database.engine)
    except Exception as error:
        refusal = refusal_of(error, service.name, service.database.engine.url)
        if refusal is None:
            raise
        if not isinstance(refusal, Unavailable):
            raise refusal from error
        if tell:
            log.warning("database.away", service=service.name, reason=refusal.message)
        return False
    if not current:
        raise BadConfiguration(
            f"the database of {service.name} is not at this version's schema", hint="run: justera migrate"
        )
    if not guarded:
        user = service.database.engine.url.username
        raise BadConfiguration(
            f"{service.name} reaches its database as {user}, whom no row-level security binds: a superuser, or one "
            "with BYPASSRLS",
            hint='docs/operations.md, "Install", says how to make one who owns the database and no more',
        )
    return True


def _kafka_tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.kafka_tls:
        return None
    try:
        return ssl.create_default_context(cafile=settings.kafka_ca)
    except OSError as error:  # ssl.SSLError is one
        raise BadConfiguration(f"JUSTERA_KAFKA_CA: {settings.kafka_ca} cannot be read as certificates") from error


def _session_key(settings: Settings) -> bytes | None:
    if settings.session_key is None:
        return None
    try:
        key = base64.b64decode(settings.session_key.get_secret_value(), validate=True)
    except binascii.Error as error:
        raise BadConfiguration("JUSTERA_SESSION_KEY is not base64") from error
    if len(key) < 32:
        raise BadConfiguration("JUSTERA_SESSION_KEY needs at least 32 bytes")
    return key
