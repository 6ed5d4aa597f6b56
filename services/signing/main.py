"""The wiring of signing: the only place that knows all its parts."""

from functools import partial
from importlib.resources import files

from services.signing import api, subscribers
from services.signing.arrivals import Arrivals
from services.signing.commands import SigningCommands
from services.signing.deadlines import Deadlines
from services.signing.holdings import HOLDINGS
from services.signing.logins import LoginSessions
from services.signing.pages import include_pages
from services.signing.queries import SigningQueries
from services.signing.transaction import SigningTransaction
from shared.auth import Access
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.database import Database
from shared.erasing import Eraser
from shared.forwarding import Proxies
from shared.http import create_app
from shared.keys import parse_keys
from shared.messaging.freshness import Freshness
from shared.messaging.gate import Gate
from shared.messaging.signatures import parse_event_keys
from shared.messaging.transaction import UnitOfWork
from shared.operations import include_operations
from shared.organisations import KnownOrganisations
from shared.routes import include
from shared.service import Service
from shared.settings import Settings
from shared.timers import TimerWorker
from shared.wakeup import Wakeup
from shared.web import offer_pages

NAME = "signing"


def build(settings: Settings, *, clock: Clock, access: Access, blobs: BlobStore, timers: bool = True) -> Service:
    """`timers=False`: deadlines and reminders do not fire by themselves, as in a replay.

    Raises BadConfiguration. The service's `commands` is a SigningCommands, whose `queries` is the reading side.
    """
    database = Database(
        settings.database_url_of(NAME), pool_size=settings.database_pool, application_name=f"justera-{NAME}"
    )
    wakeup = Wakeup()
    unit_of_work = UnitOfWork(database, partial(SigningTransaction, blobs=blobs), wakeup)
    deadlines = Deadlines(clock, agreement_days=settings.agreement_days, reminder_days=settings.reminder_days)
    arrivals = Arrivals(database, seconds=settings.arrival_seconds)
    queries = SigningQueries(database, blobs, clock, deadlines, arrivals, public_url=settings.public_url)
    commands = SigningCommands(unit_of_work, clock, deadlines, queries, arrivals)
    event_keys = parse_event_keys(settings.secret("event_keys"))
    inbound = subscribers.inbound(unit_of_work, deadlines)
    gate = Gate(inbound, database, event_keys.verifier(NAME), Freshness(settings.retention))

    app = create_app(
        "Justera signing",
        description="Agreements: who signs what in which order, their history, and its audit report.",
        access=access,
        max_body_bytes=settings.max_body_bytes,
        checks={"database": database.ping, "kafka": lambda: service.check_messaging()},
        known_organisations=KnownOrganisations(database, settings.organisation),
        examples=files("services.signing") / "examples.yaml",
    )
    include(app, api.router(commands, queries, trusted_proxies=Proxies.of(settings)))
    link_keys = parse_keys(settings.secret("link_keys"), "JUSTERA_LINK_KEYS")
    access.sessions = sessions = LoginSessions(database, unit_of_work, clock)
    include_pages(
        app,
        settings=settings,
        access=access,
        commands=commands,
        queries=queries,
        link_keys=link_keys,
        sessions=sessions,
        database=database,
        pass_rings=event_keys.signer(NAME).rings,
        clock=clock,
    )
    service = Service(
        NAME,
        app,
        database,
        wakeup,
        event_keys.signer(NAME),
        organisation=settings.organisation,
        subscriptions=[subscribers.subscription(gate)],
        workers=[TimerWorker(unit_of_work, clock, deadlines.handlers())] if timers else [],
        gates=[gate],
        eraser=Eraser(database, HOLDINGS, blobs, settings.retention),
        retention_seconds=settings.retention.total_seconds(),
        commands=commands,
    )
    offer_pages(app, settings)
    include_operations(service)
    return service
