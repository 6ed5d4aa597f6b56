"""The inbox of embedded mode: the mails that would have been sent, with links to click."""

from fastapi import APIRouter, FastAPI

from services.notifications.pages.inbox import InboxPages
from services.notifications.pages.mails import Mail, Mails
from shared.routes import include
from shared.settings import Settings
from shared.web import Look, page_route

__all__ = ["Mail", "Mails", "include_pages"]


def include_pages(app: FastAPI, *, settings: Settings, mails: Mails) -> None:
    """Add the inbox to the service's app: in embedded mode only, since every mail holds a personal link."""
    look = Look(__name__, settings)
    router = APIRouter(route_class=page_route(look), include_in_schema=False)
    InboxPages(look, mails).add_to(router)
    include(app, router)
