"""The signer's way: the mailed link, who asks for what, the document, the signature or the refusal, the receipt.

The link is exchanged for a cookie that opens one request only, at that request's address. Nothing is recorded by GET,
since mail scanners open links: the document is opened by POST. Every page works without script.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.signing.commands import SigningCommands
from services.signing.pages.words import words_of
from services.signing.queries import SigningQueries
from services.signing.views import RequestView
from shared import links
from shared.auth import Access, public
from shared.errors import NotAuthenticated, NotFound, Refused
from shared.forwarding import network_key
from shared.keys import KeyRing
from shared.links import BadLink
from shared.rendering.file_names import original_name, shown_as
from shared.row_security import act_for
from shared.text import MAX_NAME, MAX_REASON, clean_name, clean_reason
from shared.web import Field, Language, Look, RateLimit, form_text, path_for, small_form, text_error, wrong_guesses
from shared.web.catalogue import LANGUAGES
from shared.web.page_route import problem_page

COOKIE = "justera_signer"
COOKIE_SECONDS = 8 * 3600
LINK_PURPOSE = "sign"

_BY_LINK = "a signer is known by the mailed link"
_DOCUMENT_STATES = frozenset({"open", "signed-by-you", "completed"})


class NoVisit(NotAuthenticated):
    """The cookie of this request is missing, has ended, or belongs to another request."""

    slug: ClassVar[str] = "no-visit"
    status: ClassVar[HTTPStatus] = HTTPStatus.FORBIDDEN


@dataclass(frozen=True, slots=True)
class _Visit:
    organisation: str
    version: int
    cookie: str
    view: RequestView

    @property
    def language(self) -> Language:
        return next((language for language in LANGUAGES if language == self.view.language), LANGUAGES[0])


class SignerPages:
    """`caller` gives a request's IP address."""

    def __init__(
        self,
        look: Look,
        access: Access,
        commands: SigningCommands,
        queries: SigningQueries,
        link_keys: KeyRing,
        caller: Callable[[Request], str],
    ) -> None:
        self._look = look
        self._access = access
        self._commands = commands
        self._queries = queries
        self._link_keys = link_keys
        self._caller = caller
        self._cookie = f"__Secure-{COOKIE}" if access.secure else COOKIE
        self._bad_links = wrong_guesses(burst=60, per_second=0.5)
        self._posts = RateLimit(burst=30, per_second=0.5)

    def add_to(self, router: APIRouter) -> None:
        def get(path: str, handler: Callable[..., Any]) -> None:
            router.add_api_route(path, handler, methods=["GET"], response_model=None, dependencies=[public(_BY_LINK)])

        def post(path: str, handler: Callable[..., Any]) -> None:
            dependencies = [public(_BY_LINK), small_form]
            router.add_api_route(path, handler, methods=["POST"], response_model=None, dependencies=dependencies)

        get("/s/{token}", self.signer_link)
        get("/sign/{request_id}", self.signer_start)
        post("/sign/{request_id}/view", self.signer_view)
        get("/sign/{request_id}/document", self.signer_document)
        get("/sign/{request_id}/document.pdf", self.signer_pdf)
        post("/sign/{request_id}/sign", self.signer_sign)
        get("/sign/{request_id}/decline", self.signer_decline)
        post("/sign/{request_id}/decline", self.signer_decline_confirmed)

    async def signer_link(self, request: Request, token: str) -> Response:
        """Exchange the link for a cookie. A link that is not ours is told so, without detail."""
        try:
            link = links.read(self._link_keys, LINK_PURPOSE, token)
            act_for(link.organisation)
            view = await self._queries.request(link.organisation, link.subject, link.version)
        except (BadLink, NotFound):
            self._bad_links.spend(network_key(self._caller(request)))
            return problem_page(self._look, request, BadLink.slug, HTTPStatus.NOT_FOUND)
        claims = {"o": link.organisation, "r": view.request_id, "v": link.version}
        start = path_for(request, "signer_start", request_id=view.request_id)
        response = RedirectResponse(start, HTTPStatus.SEE_OTHER)
        response.set_cookie(
            self._cookie,
            self._access.sign("signer", claims, COOKIE_SECONDS),
            max_age=COOKIE_SECONDS,
            path=start,
            secure=self._access.secure,
            httponly=True,
            samesite="lax",
        )
        return response

    async def signer_start(self, request: Request, request_id: str) -> Response:
        """Who asks for what; or, when there is nothing to sign, how things stand."""
        visit = await self._visit(request, request_id)
        if visit.view.state in ("signed-by-you", "completed"):
            return self._page(request, visit, "signer/receipt.html")
        if visit.view.state == "declined-by-you":
            return self._page(request, visit, "signer/declined.html")
        if visit.view.state != "open":
            status = HTTPStatus.GONE if visit.view.state == "closed" else HTTPStatus.OK
            return self._page(request, visit, "signer/closed.html", status=status)
        return self._page(request, visit, "signer/start.html")

    async def signer_view(self, request: Request, request_id: str) -> Response:
        visit = await self._posted(request, request_id)
        try:
            await self._commands.view(visit.organisation, request_id, version=visit.version, ip=self._caller(request))
        except Refused:
            return _to(request, "signer_start", request_id)
        return _to(request, "signer_document", request_id)

    async def signer_document(self, request: Request, request_id: str) -> Response:
        visit = await self._visit(request, request_id)
        if visit.view.state != "open" or not visit.view.viewed:
            return _to(request, "signer_start", request_id)
        return await self._document_page(request, visit, Field("name", visit.view.name or ""))

    async def signer_pdf(self, request: Request, request_id: str) -> Response:
        """The bytes that are signed; not before the view is recorded."""
        visit = await self._visit(request, request_id)
        if visit.view.state not in _DOCUMENT_STATES or not visit.view.viewed:
            return _to(request, "signer_start", request_id)
        content = await self._queries.document(visit.organisation, visit.view.document)
        name = original_name(visit.view.document_name, visit.view.language)
        return Response(content, media_type="application/pdf", headers={"content-disposition": shown_as(name)})

    async def signer_sign(self, request: Request, request_id: str) -> Response:
        """Sign, with the name stated in the same form unless the sender gave it."""
        visit = await self._posted(request, request_id)
        if visit.view.state != "open" or not visit.view.viewed:
            return _to(request, "signer_start", request_id)
        name = None if visit.view.name_given else await form_text(request, "name")
        error = text_error(clean_name, name, longest=MAX_NAME) if name is not None else None
        if error:
            return await self._document_page(request, visit, Field("name", name or "", f"error.name.{error}"))
        with suppress(Refused):  # someone was faster, or it has ended: the start page says how things stand
            await self._commands.sign(
                visit.organisation, request_id, version=visit.version, name=name, ip=self._caller(request)
            )
            return _to(request, "signer_start", request_id, done=True)
        return _to(request, "signer_start", request_id)

    async def signer_decline(self, request: Request, request_id: str) -> Response:
        visit = await self._visit(request, request_id)
        if visit.view.state != "open":
            return _to(request, "signer_start", request_id)
        return self._form_page(request, visit, "signer/decline.html", Field("reason"))

    async def signer_decline_confirmed(self, request: Request, request_id: str) -> Response:
        visit = await self._posted(request, request_id)
        if visit.view.state != "open":
            return _to(request, "signer_start", request_id)
        reason = await form_text(request, "reason")
        if error := text_error(clean_reason, reason, longest=MAX_REASON):
            field = Field("reason", reason, f"error.reason.{error}")
            return self._form_page(request, visit, "signer/decline.html", field)
        with suppress(Refused):  # as when signing
            await self._commands.decline(
                visit.organisation, request_id, reason, version=visit.version, ip=self._caller(request)
            )
            return _to(request, "signer_start", request_id, done=True)
        return _to(request, "signer_start", request_id)

    async def _visit(self, request: Request, request_id: str) -> _Visit:
        """Raises NoVisit unless the cookie is this request's."""
        cookie = request.cookies.get(self._cookie, "")
        try:
            claims = self._access.verify("signer", cookie)
        except NotAuthenticated as error:
            raise NoVisit("the visit has ended") from error
        if claims.get("r") != request_id:
            raise NoVisit("the visit is of another request")
        act_for(claims["o"])
        view = await self._queries.request(claims["o"], request_id, claims["v"])
        return _Visit(claims["o"], claims["v"], cookie, view)

    async def _posted(self, request: Request, request_id: str) -> _Visit:
        """A visit that changes something. Raises NoVisit, NotAllowed, TooMany."""
        visit = await self._visit(request, request_id)
        self._access.check_csrf(visit.cookie, await form_text(request, "csrf"))
        self._posts.spend(request_id)
        return visit

    async def _document_page(self, request: Request, visit: _Visit, field: Field) -> Response:
        document = await self._queries.minutes(visit.organisation, visit.view.render_input)
        facts = {"document": None if document is None else words_of(document)}
        return self._form_page(request, visit, "signer/document.html", field, **facts)

    def _form_page(self, request: Request, visit: _Visit, template: str, field: Field, **facts: Any) -> Response:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if field.error else HTTPStatus.OK
        return self._page(request, visit, template, status=status, field=field, **facts)

    def _page(
        self, request: Request, visit: _Visit, template: str, *, status: int = HTTPStatus.OK, **facts: Any
    ) -> Response:
        role_key = f"role.{visit.view.role}"
        known = self._look.texts.has(role_key)
        return self._look.page(
            request,
            template,
            visit.language,
            status=status,
            view=visit.view,
            role=self._look.texts.text(visit.language, role_key) if known else visit.view.role,
            csrf=self._access.csrf_token(visit.cookie),
            **facts,
        )


def _to(request: Request, route: str, request_id: str, *, done: bool = False) -> Response:
    """`done`: what was typed is taken, and need not be kept in the browser any more."""
    address = path_for(request, route, request_id=request_id)
    return RedirectResponse(f"{address}?done" if done else address, HTTPStatus.SEE_OTHER)
