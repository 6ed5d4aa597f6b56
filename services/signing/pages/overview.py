"""The sender's overview: how each agreement stands, whose turn it is and since when, and what the sender can do."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.signing.agreement import Status
from services.signing.commands import SigningCommands
from services.signing.queries import SigningQueries
from services.signing.views import AgreementOverview, PlaceOverview, RequestOverview
from shared.auth import Access, Principal, Role, requires
from shared.clock import Clock
from shared.errors import NotFound, Refused
from shared.text import MAX_EMAIL, MAX_NAME, MAX_REASON, clean_email, clean_name, clean_reason, same_email
from shared.web import Field, Language, Look, followed, form_text, local_time, path_for, small_form, text_error

_READER = requires(*Role)
_SENDER = requires(Role.SECRETARY)
_DONE = frozenset({"sent-off", "reminded", "alternate", "cancelled"})
_CHANGEABLE = frozenset({Status.READY, Status.OUT})


class OverviewPages:
    """`caller` gives a request's IP address."""

    def __init__(
        self,
        look: Look,
        access: Access,
        commands: SigningCommands,
        queries: SigningQueries,
        caller: Callable[[Request], str],
        clock: Clock,
    ) -> None:
        self._look = look
        self._access = access
        self._commands = commands
        self._queries = queries
        self._caller = caller
        self._clock = clock

    def add_to(self, router: APIRouter) -> None:
        def get(path: str, handler: Callable[..., Any]) -> None:
            router.add_api_route(path, handler, methods=["GET"], response_model=None)

        def post(path: str, handler: Callable[..., Any]) -> None:
            router.add_api_route(path, handler, methods=["POST"], response_model=None, dependencies=[small_form])

        get("/overview", self.overview)
        get("/overview/{agreement_id}", self.overview_agreement)
        get("/overview/{agreement_id}/document.pdf", self.overview_pdf)
        post("/overview/{agreement_id}/send", self.overview_send)
        post("/overview/{agreement_id}/remind", self.overview_remind)
        get("/overview/{agreement_id}/cancel", self.overview_cancel)
        post("/overview/{agreement_id}/cancel", self.overview_cancel_confirmed)
        get("/overview/{agreement_id}/alternate/{request_id}", self.overview_alternate)
        post("/overview/{agreement_id}/alternate/{request_id}", self.overview_alternate_add)

    async def overview(self, request: Request, cursor: str | None = None, principal: Principal = _READER) -> Response:
        page = await self._queries.agreements(principal.organisation, cursor=cursor)
        return self._page(
            request, "overview/list.html", agreements=page.agreements, older=page.next, is_bounced=_bounced
        )

    async def overview_agreement(
        self, request: Request, agreement_id: str, done: str = "", principal: Principal = _READER
    ) -> Response:
        language = self._look.preferred(request)
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        when = partial(local_time, zone=agreement.timezone, language=language)
        report = await self._queries.report(principal.organisation, agreement_id, language, when)
        page = self._page(
            request,
            "overview/agreement.html",
            agreement=agreement,
            entries=report.entries,
            done=done if done in _DONE else "",
            changed=done == "changed",
            may_change=principal.role is Role.SECRETARY,
            unreached=_unreached,
            shown_at=self._clock.now(),
        )
        return followed(request, page)

    async def overview_pdf(self, request: Request, agreement_id: str, principal: Principal = _READER) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        content = await self._queries.document(principal.organisation, agreement_id)
        name = quote(f"{agreement.document_name}.pdf", safe="")
        headers = {"content-disposition": f"inline; filename*=UTF-8''{name}"}
        return Response(content, media_type="application/pdf", headers=headers)

    async def overview_send(self, request: Request, agreement_id: str, principal: Principal = _SENDER) -> Response:
        try:
            await self._commands.send_off(principal.organisation, agreement_id)
        except Refused:
            return _back(request, agreement_id, "changed")
        return _back(request, agreement_id, "sent-off")

    async def overview_remind(self, request: Request, agreement_id: str, principal: Principal = _SENDER) -> Response:
        try:
            await self._commands.remind(principal.organisation, agreement_id)
        except Refused:
            return _back(request, agreement_id, "changed")
        return _back(request, agreement_id, "reminded")

    async def overview_cancel(self, request: Request, agreement_id: str, principal: Principal = _SENDER) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        if agreement.status not in _CHANGEABLE:
            return _back(request, agreement_id, "changed")
        return self._page(request, "overview/cancel.html", agreement=agreement, fields=[Field("reason")])

    async def overview_cancel_confirmed(
        self, request: Request, agreement_id: str, principal: Principal = _SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        reason = await form_text(request, "reason")
        if error := text_error(clean_reason, reason, longest=MAX_REASON):
            fields = [Field("reason", reason, f"error.reason.{error}")]
            return self._page(request, "overview/cancel.html", agreement=agreement, fields=fields)
        try:
            await self._commands.cancel(principal.organisation, agreement_id, reason, ip=self._caller(request))
        except Refused:
            return _back(request, agreement_id, "changed")
        return _back(request, agreement_id, "cancelled")

    async def overview_alternate(
        self, request: Request, agreement_id: str, request_id: str, principal: Principal = _SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        place, _ = _asked(agreement, request_id)
        if agreement.status not in _CHANGEABLE or place.signed:
            return _back(request, agreement_id, "changed")
        return self._alternate_page(request, agreement, request_id, [Field("email"), Field("name")])

    async def overview_alternate_add(
        self, request: Request, agreement_id: str, request_id: str, principal: Principal = _SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        _, original = _asked(agreement, request_id)
        email, name = await form_text(request, "email"), (await form_text(request, "name")).strip()
        fields = [Field("email", email, _email_error(agreement, email)), Field("name", name, _name_error(name))]
        if any(field.error for field in fields):
            return self._alternate_page(request, agreement, request_id, fields)
        try:
            await self._commands.add_alternate(
                principal.organisation,
                agreement_id,
                original.email,
                email,
                name=name or None,
                ip=self._caller(request),
            )
        except Refused:
            return _back(request, agreement_id, "changed")
        return _back(request, agreement_id, "alternate")

    def _alternate_page(
        self, request: Request, agreement: AgreementOverview, request_id: str, fields: list[Field]
    ) -> Response:
        place, original = _asked(agreement, request_id)
        return self._page(
            request, "overview/alternate.html", agreement=agreement, place=place, original=original, fields=fields
        )

    def _page(
        self, request: Request, template: str, *, fields: list[Field] | None = None, **facts: Any
    ) -> HTMLResponse:
        wrong = any(field.error for field in fields or [])
        language = self._look.preferred(request)
        return self._look.page(
            request,
            template,
            language,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
            csrf=self._access.csrf_token(self._access.cookie_of(request)),
            role_name=lambda role: self._role_name(role, language),
            fields={field.name: field for field in fields or []},
            **facts,
        )

    def _role_name(self, role: str, language: Language) -> str:
        key = f"role.{role}"
        return self._look.texts.text(language, key) if self._look.texts.has(key) else role


def _asked(agreement: AgreementOverview, request_id: str) -> tuple[PlaceOverview, RequestOverview]:
    """Raises NotFound."""
    for place in agreement.places:
        for one in place.requests:
            if one.request_id == request_id:
                return place, one
    raise NotFound("this request to sign does not exist")


def _bounced(agreement: AgreementOverview) -> bool:
    """A place cannot be signed until the sender does something."""
    return agreement.status in _CHANGEABLE and any(_unreached(place) is not None for place in agreement.places)


def _unreached(place: PlaceOverview) -> RequestOverview | None:
    """Whose mail bounced, with nobody asked in their stead.

    An original that bounces once more beside its alternate asks nothing new of the sender.
    """
    asked = [one for one in place.requests if one.requested_at is not None]
    if place.signed or not asked or asked[-1].bounced_at is None:
        return None
    return asked[-1]


def _email_error(agreement: AgreementOverview, email: str) -> str | None:
    if error := text_error(clean_email, email, longest=MAX_EMAIL):
        return "error.email.empty" if error == "empty" else "error.email.malformed"
    asked = (one.email for place in agreement.places for one in place.requests)
    return "alternate.taken" if any(same_email(clean_email(email), other) for other in asked) else None


def _name_error(name: str) -> str | None:
    error = text_error(clean_name, name, longest=MAX_NAME) if name else None
    return f"error.name.{error}" if error else None


def _back(request: Request, agreement_id: str, done: str) -> Response:
    path = path_for(request, "overview_agreement", agreement_id=agreement_id)
    return RedirectResponse(f"{path}?done={done}", HTTPStatus.SEE_OTHER)
