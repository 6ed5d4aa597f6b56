"""The wiring of the archive: the only place that knows all its parts."""

from functools import partial
from importlib.resources import files

from services.archive import api, subscribers
from services.archive.archiving import Archiving
from services.archive.commands import ArchiveCommands
from services.archive.extracts import Extracts
from services.archive.holdings import HOLDINGS
from services.archive.journal import Journal
from services.archive.journal_months import JournalMonths
from services.archive.journal_reader import JournalReader
from services.archive.pages import include_pages
from services.archive.queries import ArchiveQueries
from services.archive.seal import Sealer
from services.archive.transaction import ArchiveTransaction
from shared.auth import Access
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.database import Database
from shared.erasing import Eraser
from shared.http import create_app
from shared.keys import parse_keys
from shared.messaging.freshness import Freshness
from shared.messaging.gate import Gate
from shared.messaging.signatures import parse_event_keys
from shared.messaging.transaction import UnitOfWork
from shared.operations import include_operations
from shared.organisations import KnownOrganisations
from shared.pass_access import PassAccess
from shared.passed_sessions import PassedSessions
from shared.rendering.press import Press
from shared.routes import include
from shared.service import Service
from shared.settings import Settings
from shared.wakeup import Wakeup
from shared.web import offer_pages

NAME = "archive"


def build(settings: Settings, *, clock: Clock, access: Access, blobs: BlobStore) -> Service:
    """The service's `commands` is an ArchiveCommands; `pending` counts documents that are still to be archived.

    Raises BadConfiguration when the keys of the mailed links are missing; starting it does for the seal's.
    """
    copy_link_keys = parse_keys(settings.secret("copy_link_keys"), "JUSTERA_COPY_LINK_KEYS")
    database = Database(
        settings.database_url_of(NAME), pool_size=settings.database_pool, application_name=f"justera-{NAME}"
    )
    outbox_wakeup, jobs_waiting = Wakeup(), Wakeup()
    unit_of_work = UnitOfWork(database, partial(ArchiveTransaction, jobs_waiting=jobs_waiting), outbox_wakeup)
    queries = ArchiveQueries(database, blobs)
    event_keys = parse_event_keys(settings.secret("event_keys"))
    if isinstance(access, PassAccess):
        access.passed = PassedSessions(database)
    gate = Gate(subscribers.inbound(unit_of_work), database, event_keys.verifier(NAME), Freshness(settings.retention))
    journal = Journal(database, settings.organisation, event_keys.verifier(NAME), Freshness(settings.retention))
    months = JournalMonths(database)
    press = Press()
    archiving = Archiving(unit_of_work, blobs, partial(Sealer.from_settings, settings), clock, jobs_waiting, press)
    extracts = Extracts(unit_of_work, queries, blobs, press, lambda: archiving.sealer, clock)
    commands = ArchiveCommands(unit_of_work, queries, JournalReader(database), jobs_waiting, extracts)

    app = create_app(
        "Justera archive",
        description="Sealed copies of what was signed, and the journal of every event.",
        access=access,
        max_body_bytes=settings.max_body_bytes,
        checks={"database": database.ping, "kafka": lambda: service.check_messaging()},
        known_organisations=KnownOrganisations(database, settings.organisation),
        examples=files("services.archive") / "examples.yaml",
    )
    include(app, api.router(commands, lambda: archiving.sealer))
    include_pages(
        app,
        settings=settings,
        access=access,
        clock=clock,
        copies=queries,
        extracts=extracts,
        sent_extracts=extracts,
        copy_link_keys=copy_link_keys,
    )
    service = Service(
        NAME,
        app,
        database,
        outbox_wakeup,
        event_keys.signer(NAME),
        organisation=settings.organisation,
        subscriptions=subscribers.subscriptions(gate, journal),
        workers=[archiving, press, months],
        gates=[gate],
        pending=queries.count_waiting,
        given_up=queries.count_failed,
        seal_ends=lambda: archiving.sealer.ends,
        journal_ends=months.ends,
        eraser=Eraser(database, HOLDINGS, blobs, settings.retention),
        retention_seconds=settings.retention.total_seconds(),
        commands=commands,
    )
    offer_pages(app, settings)
    include_operations(service)
    return service
