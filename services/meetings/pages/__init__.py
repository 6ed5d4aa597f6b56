"""The web pages of meetings: the office with its meetings, bodies and people; the members' own; the notice board."""

from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI

from services.meetings.commands import MeetingsCommands
from services.meetings.pages.agendas import AgendaPages
from services.meetings.pages.annexes import AnnexPages
from services.meetings.pages.attachments import AttachmentPages
from services.meetings.pages.board import BoardPages
from services.meetings.pages.bodies import BodyPages
from services.meetings.pages.decisions import DecisionPages
from services.meetings.pages.files import FilePages
from services.meetings.pages.letterhead import LetterheadPages
from services.meetings.pages.manuscript_fields import ManuscriptFieldPages
from services.meetings.pages.manuscript_forward import ManuscriptForwardPages
from services.meetings.pages.manuscript_word import ManuscriptWordPages
from services.meetings.pages.manuscripts import ManuscriptPages
from services.meetings.pages.meetings import MeetingPages
from services.meetings.pages.members import MemberPages
from services.meetings.pages.notices import NoticePages
from services.meetings.pages.own import Visits
from services.meetings.pages.own_meetings import OwnMeetingPages
from services.meetings.pages.own_polls import OwnPollPages
from services.meetings.pages.own_proposals import OwnProposalPages
from services.meetings.pages.own_reviews import OwnReviewPages
from services.meetings.pages.own_start import OwnStartPages
from services.meetings.pages.papers import PapersPages
from services.meetings.pages.people import PeoplePages
from services.meetings.pages.polls import PollPages
from services.meetings.pages.proposals import ProposalPages
from services.meetings.pages.publishing import PublishPages
from services.meetings.pages.reviews import ReviewPages
from services.meetings.pages.room import RoomPages
from services.meetings.pages.sitting_corrections import SittingCorrectionPages
from services.meetings.pages.sittings import SittingPages
from services.meetings.pages.strikes import StrikePages
from services.meetings.pages.tasks import TaskPages
from services.meetings.pages.unlocking import UnlockPages
from services.meetings.pages.versions import VersionPages
from shared.auth import Access
from shared.clock import Clock
from shared.forwarding import Proxies
from shared.keys import KeyRing
from shared.pass_access import PassAccess
from shared.routes import include
from shared.settings import Settings
from shared.web import Look, page_route
from shared.web.pass_pages import include_pass_door


def include_pages(
    app: FastAPI,
    *,
    settings: Settings,
    access: Access,
    commands: MeetingsCommands,
    member_link_keys: KeyRing,
    clock: Clock,
) -> None:
    """Add the pages to the service's app: the office where browsers can be logged in, the members' own and the notice
    board everywhere.

    `member_link_keys`: those that notifications derives the members' links under.
    """
    look = Look(__name__, settings)
    router = APIRouter(route_class=page_route(look), include_in_schema=False)
    visits = Visits(commands.members, member_link_keys, secure=access.secure)
    OwnStartPages(look, commands, visits, member_link_keys, settings).add_to(router)
    for own in (OwnMeetingPages, OwnProposalPages, OwnPollPages, OwnReviewPages):
        own(look, commands, visits).add_to(router)
    BoardPages(look, commands.board, settings).add_to(router)
    if isinstance(access, PassAccess):
        include_pass_door(
            router, access, start=f"{urlsplit(settings.public_url).path.rstrip('/')}/meetings/office/meetings"
        )
    if access.takes_sessions:
        proxies = Proxies.of(settings)
        room = RoomPages(look, commands, clock, member_link_keys, proxies)
        room.add_to(router)
        SittingPages(look, access, commands, clock, room=room).add_to(router)
        _add_office(router, look, access, commands, clock, proxies)
    include(app, router)


def _add_office(
    router: APIRouter, look: Look, access: Access, commands: MeetingsCommands, clock: Clock, proxies: Proxies
) -> None:
    for pages in (
        MeetingPages,
        FilePages,
        BodyPages,
        LetterheadPages,
        MemberPages,
        PeoplePages,
        AgendaPages,
        NoticePages,
        AttachmentPages,
        AnnexPages,
        PapersPages,
        ProposalPages,
        StrikePages,
        PollPages,
        SittingCorrectionPages,
        VersionPages,
        DecisionPages,
        ManuscriptPages,
        ManuscriptFieldPages,
        ManuscriptWordPages,
        ReviewPages,
        TaskPages,
        PublishPages,
    ):
        pages(look, access, commands, clock).add_to(router)
    for sending in (ManuscriptForwardPages, UnlockPages):
        sending(look, access, commands, clock, proxies=proxies).add_to(router)
