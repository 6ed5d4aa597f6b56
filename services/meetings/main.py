"""The wiring of the meetings service."""

from functools import partial
from importlib.resources import files

from services.meetings import subscribers
from services.meetings.agenda import api as agenda_api
from services.meetings.agenda.coming_back import ComingBack
from services.meetings.agenda.commands import AgendaCommands
from services.meetings.annex import api as annex_api
from services.meetings.annex.commands import AnnexCommands
from services.meetings.attachment import api as attachment_api
from services.meetings.attachment.commands import AttachmentCommands
from services.meetings.body import api as body_api
from services.meetings.body.commands import BodyCommands
from services.meetings.commands import MeetingsCommands
from services.meetings.decision import api as decision_api
from services.meetings.decision.commands import DecisionCommands
from services.meetings.decision.entering import Entering
from services.meetings.holdings import HOLDINGS
from services.meetings.letterhead import api as letterhead_api
from services.meetings.letterhead.commands import LetterheadCommands
from services.meetings.manuscript import api as manuscript_api
from services.meetings.manuscript.commands import ManuscriptCommands, drawing_press
from services.meetings.manuscript.forward import ForwardCommands
from services.meetings.meeting import api as meeting_api
from services.meetings.meeting.commands import MeetingCommands
from services.meetings.member.queries import MemberQueries
from services.meetings.minutes import api as minutes_api
from services.meetings.minutes.adjusting import AdjustCommands
from services.meetings.minutes.commands import MinutesCommands
from services.meetings.minutes.queries import MinutesQueries
from services.meetings.minutes.unlocking import UnlockCommands
from services.meetings.minutes.word_package import MAX_WORD
from services.meetings.minutes.word_reading import word_reader
from services.meetings.notice import api as notice_api
from services.meetings.notice.commands import NoticeCommands
from services.meetings.notice.deadlines import NoticeDeadlines
from services.meetings.oparl import api as oparl_api
from services.meetings.oparl.oparl import Addresses
from services.meetings.oparl.queries import OpenQueries
from services.meetings.organisation import api as organisation_api
from services.meetings.organisation.commands import OrganisationCommands
from services.meetings.pages import include_pages
from services.meetings.papers import api as papers_api
from services.meetings.papers.commands import PapersCommands
from services.meetings.person import api as person_api
from services.meetings.person.commands import PersonCommands
from services.meetings.plan import api as plan_api
from services.meetings.plan.commands import PlanCommands
from services.meetings.poll import api as poll_api
from services.meetings.poll.commands import PollCommands
from services.meetings.proposal import api as proposal_api
from services.meetings.proposal.commands import ProposalCommands
from services.meetings.publication import api as publication_api
from services.meetings.publication.commands import PublicationCommands
from services.meetings.publication.on_time import PublicationDeadlines
from services.meetings.publication.queries import BoardQueries
from services.meetings.register import api as register_api
from services.meetings.register.commands import RegisterCommands
from services.meetings.reply import api as reply_api
from services.meetings.reply.commands import ReplyCommands
from services.meetings.review import api as review_api
from services.meetings.review.commands import ReviewCommands
from services.meetings.sitting import api as sitting_api
from services.meetings.sitting.commands import SittingCommands
from services.meetings.strike import api as strike_api
from services.meetings.strike.commands import StrikeCommands
from services.meetings.task import api as task_api
from services.meetings.task.coming_back import TaskComingBack
from services.meetings.task.commands import TaskCommands
from services.meetings.task.deadlines import TaskDeadlines
from services.meetings.transaction import MeetingsTransaction
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
from shared.pass_access import PassAccess
from shared.passed_sessions import PassedSessions
from shared.rendering.press import Press
from shared.routes import include
from shared.service import Service
from shared.settings import Settings
from shared.timers import TimerWorker
from shared.wakeup import Wakeup
from shared.web import offer_pages
from shared.web.forms import meetings_uploads


def build(settings: Settings, *, clock: Clock, access: Access, blobs: BlobStore, timers: bool = True) -> Service:
    """Build the service without starting anything.

    `timers=False`: notices do not go out by themselves, nor are decisions entered, as in a replay.
    """
    database = Database(
        settings.database_url_of("meetings"), pool_size=settings.database_pool, application_name="justera-meetings"
    )
    event_keys = parse_event_keys(settings.secret("event_keys"))
    wakeup = Wakeup()
    member_link_keys = parse_keys(settings.secret("member_link_keys"), "JUSTERA_MEMBER_LINK_KEYS")
    unit_of_work = UnitOfWork(database, partial(MeetingsTransaction, sealing=member_link_keys), wakeup)
    known_organisations = KnownOrganisations(database, settings.organisation)
    press, words, drawing = Press(), word_reader(), drawing_press()
    agendas = AgendaCommands(unit_of_work, clock)
    attachments = AttachmentCommands(unit_of_work, clock, blobs, press, largest=settings.max_attachment_bytes)
    versions = MinutesQueries(unit_of_work, blobs)
    minutes = MinutesCommands(unit_of_work, clock, blobs, press, words)
    manuscripts = ManuscriptCommands(unit_of_work, clock, press, drawing)
    adjusting = AdjustCommands(unit_of_work, clock, blobs, press)
    on_time = {
        **NoticeDeadlines(clock).handlers(),
        **ComingBack(agendas, clock).handlers(),
        **Entering(blobs).handlers(),
        **TaskDeadlines(clock).handlers(),
        **TaskComingBack(agendas, clock).handlers(),
        **PublicationDeadlines(clock).handlers(),
    }
    commands = MeetingsCommands(
        meetings=MeetingCommands(unit_of_work, clock),
        versions=versions,
        decisions=DecisionCommands(unit_of_work),
        unlocking=UnlockCommands(unit_of_work, clock, blobs),
        minutes=minutes,
        adjusting=adjusting,
        manuscripts=manuscripts,
        forward=ForwardCommands(unit_of_work, manuscripts, minutes, adjusting),
        bodies=BodyCommands(unit_of_work, clock),
        people=PersonCommands(unit_of_work, clock),
        register=RegisterCommands(unit_of_work, clock),
        plans=PlanCommands(unit_of_work, clock),
        agendas=agendas,
        strikes=StrikeCommands(unit_of_work, clock, agendas),
        attachments=attachments,
        annexes=AnnexCommands(unit_of_work, clock, blobs, attachments),
        proposals=ProposalCommands(unit_of_work, clock),
        papers=PapersCommands(
            unit_of_work,
            clock,
            blobs,
            press,
            organisation_name=settings.organisation_name,
            name_of=known_organisations.name_of,
        ),
        letterhead=LetterheadCommands(unit_of_work, clock, press),
        replies=ReplyCommands(unit_of_work, clock),
        sittings=SittingCommands(unit_of_work, clock),
        reviews=ReviewCommands(unit_of_work, clock, versions),
        notices=NoticeCommands(unit_of_work, clock),
        polls=PollCommands(unit_of_work, clock),
        members=MemberQueries(unit_of_work, clock),
        timers=TimerWorker(unit_of_work, clock, on_time),
        tasks=TaskCommands(unit_of_work, clock, agendas),
        publications=PublicationCommands(unit_of_work, clock, blobs, press),
        board=BoardQueries(unit_of_work, blobs, clock),
        organisations=OrganisationCommands(unit_of_work, clock, known_organisations, settings.organisation),
    )
    open_data = OpenQueries(
        unit_of_work,
        clock,
        organisation=settings.organisation,
        name=settings.organisation_name,
        blobs=blobs,
        addresses=Addresses(
            f"{settings.public_url.rstrip('/')}/meetings/oparl", f"{settings.public_url.rstrip('/')}/meetings"
        ),
        license_url=settings.open_data_license,
    )
    if isinstance(access, PassAccess):
        access.passed = PassedSessions(database)
    gate = Gate(
        subscribers.inbound(unit_of_work), database, event_keys.verifier("meetings"), Freshness(settings.retention)
    )
    app = create_app(
        "Justera meetings",
        description="Bodies and who sits in them; their meetings and agendas; drafting minutes.",
        access=access,
        max_body_bytes=settings.max_body_bytes,
        uploads=meetings_uploads(settings, MAX_WORD),
        checks={"database": database.ping, "kafka": lambda: service.check_messaging()},
        known_organisations=known_organisations,
        examples=files("services.meetings") / "examples.yaml",
    )
    include(app, meeting_api.router(commands.meetings))
    include(
        app,
        minutes_api.router(
            commands.minutes,
            commands.versions,
            commands.unlocking,
            commands.adjusting,
            trusted_proxies=Proxies.of(settings),
            public_url=settings.public_url,
        ),
    )
    include(app, decision_api.router(commands.decisions))
    include(app, manuscript_api.router(commands.manuscripts))
    include(app, body_api.router(commands.bodies))
    include(app, person_api.router(commands.people, commands.bodies))
    include(app, register_api.router(commands.register))
    include(app, plan_api.router(commands.plans))
    include(app, agenda_api.router(commands.agendas))
    include(app, strike_api.router(commands.strikes))
    include(app, attachment_api.router(commands.attachments))
    include(app, annex_api.router(commands.annexes))
    include(app, papers_api.router(commands.papers))
    include(app, letterhead_api.router(commands.letterhead))
    include(app, proposal_api.router(commands.proposals))
    include(app, reply_api.router(commands.replies))
    include(app, sitting_api.router(commands.sittings))
    include(app, review_api.router(commands.reviews))
    include(app, notice_api.router(commands.notices))
    include(app, poll_api.router(commands.polls))
    include(app, task_api.router(commands.tasks))
    include(app, publication_api.router(commands.publications))
    own = organisation_api.OwnOrganisation(id=settings.organisation, name=settings.organisation_name)
    include(app, organisation_api.router(commands.organisations, own))
    include(app, oparl_api.router(open_data, Proxies.of(settings)))
    include_pages(
        app,
        settings=settings,
        access=access,
        commands=commands,
        member_link_keys=member_link_keys,
        clock=clock,
    )
    service = Service(
        "meetings",
        app,
        database,
        wakeup,
        event_keys.signer("meetings"),
        organisation=settings.organisation,
        subscriptions=[subscribers.subscription(gate)],
        gates=[gate],
        workers=[press, words, drawing, *([commands.timers] if timers else [])],
        commands=commands,
        eraser=Eraser(database, HOLDINGS, blobs, settings.retention),
        retention_seconds=settings.retention.total_seconds(),
    )
    offer_pages(app, settings)
    include_operations(service)
    return service
