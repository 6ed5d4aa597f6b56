"""Logging in to the overview with an access token, where no start page hands out login links."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.signing.pages.passes import asked_of
from shared.auth import Access, public
from shared.errors import NotAllowed, NotAuthenticated
from shared.forwarding import network_key
from shared.settings import Settings
from shared.web import Field, Look, form_text, path_for, small_form, wrong_guesses

_TOKEN_IS_PROOF = "the token is the proof"  # noqa: S105  (a reason, no password)


class TokenLoginPages:
    """`caller` gives a request's IP address. The session is for all services at this address."""

    def __init__(self, look: Look, access: Access, caller: Callable[[Request], str], settings: Settings) -> None:
        self._look = look
        self._access = access
        self._caller = caller
        self._provider = settings.oidc_name or urlsplit(settings.oidc_issuer).hostname or ""
        self._wrong_tokens = wrong_guesses(burst=10, per_second=0.1)

    def add_to(self, router: APIRouter) -> None:
        proof = public(_TOKEN_IS_PROOF)
        router.add_api_route("/login", self.login, methods=["GET"], response_model=None, dependencies=[proof])
        router.add_api_route(
            "/login", self.login_by_token, methods=["POST"], response_model=None, dependencies=[proof, small_form]
        )

    async def login(self, request: Request) -> Response:
        return self._page(request, Field("token"))

    async def login_by_token(self, request: Request) -> Response:
        """The token for a session. Another site cannot log its visitor in as someone else: browsers say who asks."""
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise NotAllowed("the form is not from this page")
        try:
            principal = self._access.by_token((await form_text(request, "token")).strip())
        except NotAuthenticated:
            self._wrong_tokens.spend(network_key(self._caller(request)))
            return self._page(request, Field("token", error="login.wrong"))
        asked = asked_of(request)  # by a service that the browser was on its way to
        goes_on = f"{path_for(request, 'login_pass')}{asked}" if asked else path_for(request, "overview")
        response = RedirectResponse(goes_on, HTTPStatus.SEE_OTHER)
        await self._access.log_in(principal, request, response)
        return response

    def _page(self, request: Request, field: Field) -> Response:
        """What was typed is a secret, and is not shown again."""
        status = HTTPStatus.UNPROCESSABLE_ENTITY if field.error else HTTPStatus.OK
        return self._look.page(
            request,
            "overview/login.html",
            self._look.preferred(request),
            status=status,
            field=field,
            asked=asked_of(request),
            provider=self._provider,
            out=request.query_params.get("out") == "1",
        )
