"""The start page of the all-in-one process, and the login that its printed link opens."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI

from services.embedded.pages.home import HomePages, LookAhead, PrepareExample
from shared.auth import Access, Principal
from shared.routes import include
from shared.settings import Settings
from shared.web import Look, offer_pages, page_route


def include_pages(
    app: FastAPI,
    *,
    settings: Settings,
    access: Access,
    redeem: Callable[[str], Awaitable[Principal]],
    prepare_example: PrepareExample,
    look_ahead: LookAhead,
    invented: bool,
) -> None:
    """Add the pages to the app that the services are mounted in.

    `redeem` takes a login token, once: it raises NotAuthenticated for one that is unknown, used or expired.
    `prepare_example` makes an agreement to click through, and returns its id. `look_ahead` says what is next for a
    secretary; `invented`: whether the association is the one that greets newcomers.
    """
    look = Look(__name__, settings)
    router = APIRouter(route_class=page_route(look), include_in_schema=False)
    HomePages(look, access, redeem, prepare_example, look_ahead, invented=invented).add_to(router)
    include(app, router)
    offer_pages(app, settings)
