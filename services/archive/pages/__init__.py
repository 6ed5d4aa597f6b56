"""The pages behind the mailed links to a sealed copy and to an extract; and where extracts are made and sent."""

from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI

from services.archive.pages.copies import Copies, CopyPages, SealedCopy
from services.archive.pages.extracts import ExtractPages, Extracts
from services.archive.pages.sent_extracts import SentExtract, SentExtractPages, SentExtracts
from shared.auth import Access
from shared.clock import Clock
from shared.forwarding import Proxies
from shared.keys import KeyRing
from shared.pass_access import PassAccess
from shared.routes import include
from shared.settings import Settings
from shared.web import Look, page_route
from shared.web.pass_pages import include_pass_door

__all__ = ["Copies", "Extracts", "SealedCopy", "SentExtract", "SentExtracts", "include_pages"]


def include_pages(
    app: FastAPI,
    *,
    settings: Settings,
    access: Access,
    clock: Clock,
    copies: Copies,
    extracts: Extracts,
    sent_extracts: SentExtracts,
    copy_link_keys: KeyRing,
) -> None:
    """Add the pages to the service's app: those of extracts where browsers can be logged in.

    `copy_link_keys`: those that the mailed links are derived under.
    """
    look = Look(__name__, settings)
    router = APIRouter(route_class=page_route(look), include_in_schema=False)
    proxies = Proxies.of(settings)
    SentExtractPages(look, clock, sent_extracts, copy_link_keys, trusted_proxies=proxies).add_to(router)
    CopyPages(look, clock, copies, copy_link_keys, trusted_proxies=proxies).add_to(router)
    if isinstance(access, PassAccess):
        include_pass_door(router, access, start=f"{urlsplit(settings.public_url).path.rstrip('/')}/signing/overview")
    if access.takes_sessions:
        ExtractPages(look, access, extracts).add_to(router)
    include(app, router)
