"""The web pages of signing: those of the signers, opened by the mailed link, and the sender's overview."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request

from services.signing.commands import SigningCommands
from services.signing.logins import LoginSessions
from services.signing.pages.login import TokenLoginPages
from services.signing.pages.logins import LoginPages, sessions_router
from services.signing.pages.overview import OverviewPages
from services.signing.pages.passes import PassPages
from services.signing.pages.remedies import RemedyPages
from services.signing.pages.signer import SignerPages
from services.signing.queries import SigningQueries
from shared.auth import Access
from shared.clock import Clock
from shared.database import Database
from shared.forwarding import Proxies, client_ip
from shared.keys import KeyRing
from shared.routes import include
from shared.settings import Settings
from shared.web import Look, page_route


@dataclass(frozen=True)
class _Caller:
    trusted_proxies: Proxies

    def __call__(self, request: Request) -> str:
        return client_ip(request, self.trusted_proxies)


def include_pages(
    app: FastAPI,
    *,
    settings: Settings,
    access: Access,
    commands: SigningCommands,
    queries: SigningQueries,
    link_keys: KeyRing,
    sessions: LoginSessions,
    pass_rings: Mapping[str, KeyRing],
    database: Database,
    clock: Clock,
) -> None:
    """Add the pages to the service's app. `link_keys`: those that notifications derives the signers' links under.
    `pass_rings`: by service, what passes to it are signed with."""
    look = Look(__name__, settings)
    router = APIRouter(route_class=page_route(look), include_in_schema=False)
    caller = _Caller(Proxies.of(settings))
    SignerPages(look, access, commands, queries, link_keys, caller).add_to(router)
    if settings.oidc_issuer:
        _add_provider(router, look, settings, access, database, caller)
    TokenLoginPages(look, access, caller, settings).add_to(router)
    PassPages(settings, sessions, pass_rings).add_to(router)
    LoginPages(look, access, sessions, asks_provider=bool(settings.oidc_issuer)).add_to(router)
    OverviewPages(look, access, commands, queries, caller, clock).add_to(router)
    RemedyPages(look, access, commands, queries, caller).add_to(router)
    include(app, router)
    include(app, sessions_router(sessions))


def _add_provider(
    router: APIRouter, look: Look, settings: Settings, access: Access, database: Database, caller: _Caller
) -> None:
    """Who asks no provider has no code for it in memory."""
    from services.signing.identities import LoginIdentities
    from services.signing.oidc_client import OidcClient
    from services.signing.pages.oidc import OidcPages

    ours = f"{settings.public_url.rstrip('/')}/signing"
    OidcPages(look, access, OidcClient(settings), LoginIdentities(database, access), caller, ours).add_to(router)
