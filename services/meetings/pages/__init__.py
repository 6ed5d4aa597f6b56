"""The web pages of meetings: the office, meetings, their agendas, bodies, people, and who sits in what."""

from fastapi import APIRouter, FastAPI

from services.meetings.commands import MeetingsCommands
from services.meetings.pages.agendas import AgendaPages
from services.meetings.pages.bodies import BodyPages
from services.meetings.pages.files import FilePages
from services.meetings.pages.meetings import MeetingPages
from services.meetings.pages.members import MemberPages
from services.meetings.pages.people import PeoplePages
from shared.auth import Access
from shared.clock import Clock
from shared.settings import Settings
from shared.web import Look, page_route


def include_pages(
    app: FastAPI, *, settings: Settings, access: Access, commands: MeetingsCommands, clock: Clock
) -> None:
    """Add the pages to the service's app, where browsers can be logged in."""
    if not access.takes_sessions:
        return
    look = Look(__name__, settings)
    router = APIRouter(route_class=page_route(look), include_in_schema=False)
    for pages in (MeetingPages, FilePages, BodyPages, MemberPages, PeoplePages, AgendaPages):
        pages(look, access, commands, clock).add_to(router)
    app.include_router(router)
