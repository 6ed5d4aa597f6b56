"""Start page, login, logout."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.embedded.ahead import Ahead
from shared.auth import Access, Principal, Role, principal_of, public, requires
from shared.errors import NotAuthenticated
from shared.names import SERVICES
from shared.rendering.minutes import Language
from shared.web import Look, form_text, path_for, small_form

_LONGEST_TOKEN = 200
_READER = requires(*Role)
_SECRETARY = requires(Role.SECRETARY)


PrepareExample = Callable[[Language], Awaitable[str]]
LookAhead = Callable[[str], Awaitable[Ahead]]


class HomePages:
    def __init__(
        self,
        look: Look,
        access: Access,
        redeem: Callable[[str], Awaitable[Principal]],
        prepare_example: PrepareExample,
        look_ahead: LookAhead,
        *,
        invented: bool,
    ) -> None:
        self._look = look
        self._access = access
        self._redeem = redeem
        self._prepare_example = prepare_example
        self._look_ahead = look_ahead
        self._invented = invented

    def add_to(self, router: APIRouter) -> None:
        start = public("says where to log in, and shows no more before")
        login = public("the one-time token is the proof")
        router.add_api_route("/", self.home, methods=["GET"], response_model=None, dependencies=[start])
        router.add_api_route("/login", self.login, methods=["GET"], response_model=None, dependencies=[login])
        router.add_api_route(
            "/login", self.login_redeem, methods=["POST"], response_model=None, dependencies=[login, small_form]
        )
        router.add_api_route("/example", self.example, methods=["POST"], response_model=None, dependencies=[small_form])
        router.add_api_route("/logout", self.logout, methods=["POST"], response_model=None, dependencies=[small_form])

    async def home(self, request: Request) -> Response:
        language = self._look.preferred(request)
        try:
            principal = await principal_of(request)
        except NotAuthenticated:
            return self._look.page(request, "home/welcome.html", language)
        root: str = request.scope.get("root_path", "").rstrip("/")
        csrf = self._access.csrf_token(self._access.cookie_of(request))
        return self._look.page(
            request,
            "home/home.html",
            language,
            principal=principal,
            services=SERVICES,
            root=root,
            csrf=csrf,
            ahead=await self._look_ahead(principal.organisation),
            invented=self._invented,
        )

    async def login(self, request: Request, token: str = "") -> Response:
        """Nothing is redeemed by GET: browsers and scanners fetch links ahead."""
        if not token or len(token) > _LONGEST_TOKEN:
            raise NotAuthenticated("no login token was given")
        return self._look.page(request, "home/login.html", self._look.preferred(request), token=token)

    async def login_redeem(self, request: Request) -> Response:
        """The token for a session. No CSRF token is needed: only who holds the one-time token can post it."""
        token = await form_text(request, "token")
        if not token or len(token) > _LONGEST_TOKEN:
            raise NotAuthenticated("no login token was given")
        principal = await self._redeem(token)
        response = RedirectResponse(path_for(request, "home"), HTTPStatus.SEE_OTHER)
        await self._access.log_in(principal, request, response)
        return response

    async def example(self, request: Request, principal: Principal = _SECRETARY) -> Response:
        """Minutes that stand ready to be sent off, in the language of the page."""
        agreement_id = await self._prepare_example(self._look.preferred(request))
        root: str = request.scope.get("root_path", "").rstrip("/")
        return RedirectResponse(f"{root}/signing/overview/{agreement_id}", HTTPStatus.SEE_OTHER)

    async def logout(self, request: Request, principal: Principal = _READER) -> Response:
        response = RedirectResponse(path_for(request, "home"), HTTPStatus.SEE_OTHER)
        await self._access.log_out(principal, response)
        return response
