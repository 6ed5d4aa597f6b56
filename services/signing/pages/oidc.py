"""Logging in at the organisation's own provider, by OpenID Connect: to it, back from it, and out of it."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from services.signing import oidc
from services.signing.identities import LoginIdentities
from services.signing.oidc import ATTEMPT_SECONDS, Attempt, NoAccount, ProviderRefused
from services.signing.oidc_client import OidcClient
from services.signing.pages.passes import asked_of
from shared.auth import HOST_PREFIX, Access, public
from shared.errors import NotAuthenticated, NotFound
from shared.forwarding import network_key
from shared.web import Look, path_for, wrong_guesses

_COOKIE = "justera_oidc"
_PURPOSE = "oidc"


class OidcPages:
    """`caller` gives a request's IP address. `public_url`: that of signing."""

    def __init__(
        self,
        look: Look,
        access: Access,
        client: OidcClient,
        identities: LoginIdentities,
        caller: Callable[[Request], str],
        public_url: str,
    ) -> None:
        self._look = look
        self._access = access
        self._client = client
        self._identities = identities
        self._caller = caller
        self._root = public_url
        self._failed = wrong_guesses(burst=10, per_second=0.1)
        self._cookie = HOST_PREFIX + _COOKIE if access.secure else _COOKIE

    def add_to(self, router: APIRouter) -> None:
        def get(path: str, handler: Callable[..., object], why: str) -> None:
            router.add_api_route(path, handler, methods=["GET"], response_model=None, dependencies=[public(why)])

        get("/login/oidc", self.oidc_begin, "whoever is not logged in begins here")
        get("/login/oidc/back", self.oidc_back, "the provider's word is the proof")
        get("/login/oidc/out", self.oidc_out, "leads to the provider's own page")

    async def oidc_begin(self, request: Request) -> Response:
        """By a link, not by a form: no form of ours may lead to another site."""
        attempt, provider = oidc.new_attempt(asked_of(request)), await self._client.provider()
        address = oidc.authorization_address(
            provider, attempt, client_id=self._client.client_id, redirect_uri=self._back
        )
        response = RedirectResponse(address, HTTPStatus.SEE_OTHER)
        signed = self._access.sign(_PURPOSE, attempt.model_dump(), ATTEMPT_SECONDS)
        secure = self._access.secure
        response.set_cookie(
            self._cookie, signed, ATTEMPT_SECONDS, path="/", secure=secure, httponly=True, samesite="lax"
        )
        return response

    async def oidc_back(self, request: Request) -> Response:
        """The provider's answer for a session, in the browser that asked for it."""
        try:
            attempt = self._attempt(request)
            one = await self._client.somebody(request.query_params, attempt, redirect_uri=self._back)
            principal = await self._identities.account(one)
        except (ProviderRefused, NoAccount):
            self._failed.spend(network_key(self._caller(request)))
            raise
        goes_on = path_for(request, "login_pass") + attempt.asked if attempt.asked else path_for(request, "overview")
        response = RedirectResponse(goes_on, HTTPStatus.SEE_OTHER)
        await self._access.log_in(principal, request, response)
        response.delete_cookie(self._cookie, path="/", secure=self._access.secure, httponly=True, samesite="lax")
        return response

    async def oidc_out(self, request: Request) -> Response:
        """By a link on the page that tells who has logged out, since people may want to stay logged in elsewhere."""
        provider, back = await self._client.provider(), f"{self._root}/login"
        if not (address := oidc.logout_address(provider, client_id=self._client.client_id, back=back)):
            raise NotFound("the provider has no page to log out")
        return RedirectResponse(address, HTTPStatus.SEE_OTHER)

    @property
    def _back(self) -> str:
        return f"{self._root}/login/oidc/back"

    def _attempt(self, request: Request) -> Attempt:
        """Raises ProviderRefused."""
        try:
            return Attempt.model_validate(self._access.verify(_PURPOSE, request.cookies.get(self._cookie, "")))
        except (NotAuthenticated, ValidationError) as error:
            raise ProviderRefused("the login began elsewhere, or too long ago", hint="log in again") from error
