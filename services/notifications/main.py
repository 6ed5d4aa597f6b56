"""The wiring of notifications: the only place that knows all its parts."""

from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING

from services.notifications import api, subscribers
from services.notifications.background import inbox_bounces, report_inlets
from services.notifications.commands import NotificationsCommands
from services.notifications.delivery.composing import Composer, composer_of
from services.notifications.delivery.mailer import Mailer, MailerSettings, Transport
from services.notifications.delivery.transport import SmtpSettings, SmtpTransport
from services.notifications.holdings import HOLDINGS
from services.notifications.inbox.transport import InboxMails, InboxTransport
from services.notifications.pages import include_pages
from services.notifications.report.bounces import DeliveryReports
from services.notifications.transaction import NotificationsTransaction
from shared.auth import Access
from shared.clock import Clock
from shared.database import Database
from shared.erasing import Eraser
from shared.http import create_app
from shared.messaging.freshness import Freshness
from shared.messaging.gate import Gate
from shared.messaging.signatures import parse_event_keys
from shared.messaging.transaction import UnitOfWork
from shared.operations import include_operations
from shared.organisations import KnownOrganisations
from shared.routes import include
from shared.service import Background, Service
from shared.settings import Settings
from shared.wakeup import Wakeup
from shared.web import offer_pages

if TYPE_CHECKING:
    from shared.blobs import BlobStore

NAME = "notifications"


def build(
    settings: Settings,
    *,
    clock: Clock,
    access: Access,
    blobs: "BlobStore | None" = None,
    transport: Transport | None = None,
    show_mail: bool = False,
    deliver_automatically: bool = True,
    mailer_settings: MailerSettings | None = None,
    instance: str | None = None,
) -> Service:
    """Build the service without starting anything.

    Mail goes out by SMTP as `settings` say, or through `transport`; with `show_mail` it is kept in a table and shown on
    a page, as embedded mode does. `deliver_automatically=False`: mails wait until a command delivers them, as in a
    replay. `blobs` is taken as by every service and not used: mails hold links, no documents.

    `instance` names this process among those on the same database. Started again under that name, which no other may
    bear meanwhile, it sends at once what it had in hand when it was killed.

    Raises BadConfiguration. The service's `commands` is a NotificationsCommands.
    """
    database = Database(
        settings.database_url_of(NAME), pool_size=settings.database_pool, application_name=f"justera-{NAME}"
    )
    wakeup, mailer_wakeup = Wakeup(), Wakeup()
    unit_of_work = UnitOfWork(database, partial(NotificationsTransaction, mailer_wakeup=mailer_wakeup), wakeup)
    known_organisations = KnownOrganisations(database, settings.organisation)
    composer = composer_of(settings, known_organisations)
    how = mailer_settings or MailerSettings()
    if transport is None:
        transport = _transport(settings, database, clock, composer, how, known_organisations, show_mail=show_mail)
    mailer = Mailer(
        unit_of_work,
        clock,
        composer,
        transport,
        mailer_wakeup,
        how,
        automatic=deliver_automatically,
        instance=instance,
        known_organisations=known_organisations,
    )
    reports = DeliveryReports(unit_of_work, clock, composer, settings.organisation, known_organisations)
    commands = NotificationsCommands(
        unit_of_work, clock, composer, mailer, mailer_wakeup, reports, settings.organisation
    )
    event_keys = parse_event_keys(settings.secret("event_keys"))
    gate = Gate(subscribers.inbound(unit_of_work), database, event_keys.verifier(NAME), Freshness(settings.retention))
    workers: list[Background] = [mailer, *report_inlets(settings, reports)]
    if show_mail:
        workers.append(inbox_bounces(database, commands.report_simulated_bounce))

    app = create_app(
        "Justera notifications",
        description="The mails about an agreement: what was sent to whom, when, and what became of it.",
        access=access,
        max_body_bytes=settings.max_body_bytes,
        checks={"database": database.ping, "kafka": lambda: service.check_messaging()},
        known_organisations=known_organisations,
        examples=files("services.notifications") / "examples.yaml",
    )
    include(app, api.router(commands))
    if show_mail:
        include_pages(app, settings=settings, mails=InboxMails(database, composer, settings.organisation))
    service = Service(
        NAME,
        app,
        database,
        wakeup,
        event_keys.signer(NAME),
        organisation=settings.organisation,
        subscriptions=[subscribers.subscription(gate)],
        workers=workers,
        gates=[gate],
        eraser=Eraser(database, HOLDINGS, None, settings.retention),
        retention_seconds=settings.retention.total_seconds(),
        commands=commands,
    )
    if deliver_automatically:
        service.pending = commands.count_waiting
    service.unread = commands.count_unread
    offer_pages(app, settings)
    include_operations(service)
    return service


def _transport(
    settings: Settings,
    database: Database,
    clock: Clock,
    composer: Composer,
    how: MailerSettings,
    known: KnownOrganisations,
    *,
    show_mail: bool,
) -> Transport:
    if show_mail:
        return InboxTransport(database, clock, composer, known)
    password = settings.smtp_password
    return SmtpTransport(
        SmtpSettings(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            username=settings.smtp_username,
            password=password.get_secret_value() if password else None,
            local_hostname=composer.mail_domain,
            connections=how.connections,
        )
    )
