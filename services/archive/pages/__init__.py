"""The page behind the mailed link to a sealed copy."""

from fastapi import APIRouter, FastAPI

from services.archive.pages.copies import Copies, CopyPages, SealedCopy
from shared.clock import Clock
from shared.forwarding import Proxies
from shared.keys import KeyRing
from shared.settings import Settings
from shared.web import Look, page_route

__all__ = ["Copies", "SealedCopy", "include_pages"]


def include_pages(app: FastAPI, *, settings: Settings, clock: Clock, copies: Copies, copy_link_keys: KeyRing) -> None:
    """Add the pages to the service's app. `copy_link_keys`: those that the mailed links are derived under."""
    look = Look(__name__, settings)
    router = APIRouter(route_class=page_route(look), include_in_schema=False)
    CopyPages(look, clock, copies, copy_link_keys, trusted_proxies=Proxies.of(settings)).add_to(router)
    app.include_router(router)
