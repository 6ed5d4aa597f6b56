"""The sender's overview: how each agreement stands, whose turn it is and since when, and what the sender can do."""

from collections.abc import Callable
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.signing.agreement import Status
from services.signing.commands import SigningCommands
from services.signing.ended_links import EndedLink
from services.signing.pages.senders import CHANGEABLE, READER, SENDER, SendersPages, back, get, post
from services.signing.queries import SigningQueries
from services.signing.views import AgreementOverview, PlaceOverview, RequestOverview
from shared.auth import Access, Principal, Role
from shared.clock import Clock
from shared.errors import Refused
from shared.rendering.file_names import fetched_as, original_name, sealed_name, shown_as
from shared.text import MAX_REASON, clean_reason, same_email
from shared.web import Field, Look, followed, form_text, local_time, text_error

_DONE = frozenset(
    {"sent-off", "reminded", "alternate", "cancelled", "corrected", "again", "revoked", "renewed", "ended", "extended"}
)


class OverviewPages(SendersPages):
    def __init__(
        self,
        look: Look,
        access: Access,
        commands: SigningCommands,
        queries: SigningQueries,
        caller: Callable[[Request], str],
        clock: Clock,
    ) -> None:
        super().__init__(look, access, commands, queries, caller)
        self._clock = clock

    def add_to(self, router: APIRouter) -> None:
        get(router, "/overview", self.overview)
        get(router, "/overview/{agreement_id}", self.overview_agreement)
        get(router, "/overview/{agreement_id}/document.pdf", self.overview_pdf)
        get(router, "/overview/{agreement_id}/copy.pdf", self.overview_copy)
        post(router, "/overview/{agreement_id}/send", self.overview_send)
        post(router, "/overview/{agreement_id}/remind", self.overview_remind)
        get(router, "/overview/{agreement_id}/cancel", self.overview_cancel)
        post(router, "/overview/{agreement_id}/cancel", self.overview_cancel_confirmed)

    async def overview(self, request: Request, cursor: str | None = None, principal: Principal = READER) -> Response:
        page = await self._queries.agreements(principal.organisation, cursor=cursor)
        return self._page(
            request, "overview/list.html", agreements=page.agreements, older=page.next, is_bounced=_bounced
        )

    async def overview_agreement(
        self, request: Request, agreement_id: str, done: str = "", principal: Principal = READER
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
            may_remind=_may_remind(agreement),
            unreached=_unreached,
            link_ended=partial(_link_ended, agreement),
            shown_at=self._clock.now(),
        )
        return followed(request, page)

    async def overview_pdf(self, request: Request, agreement_id: str, principal: Principal = READER) -> Response:
        agreement = await self._queries.state(principal.organisation, agreement_id)
        content = await self._queries.document(principal.organisation, agreement.document)
        name = original_name(agreement.document_name, agreement.language)
        return Response(content, media_type="application/pdf", headers={"content-disposition": shown_as(name)})

    async def overview_copy(self, request: Request, agreement_id: str, principal: Principal = READER) -> Response:
        agreement = await self._queries.state(principal.organisation, agreement_id)
        content = await self._queries.sealed_copy(principal.organisation, agreement_id)
        name = sealed_name(agreement.document_name, agreement.language)
        return Response(content, media_type="application/pdf", headers={"content-disposition": fetched_as(name)})

    async def overview_send(self, request: Request, agreement_id: str, principal: Principal = SENDER) -> Response:
        try:
            await self._commands.send_off(principal.organisation, agreement_id)
        except Refused:
            return back(request, agreement_id, "changed")
        return back(request, agreement_id, "sent-off")

    async def overview_remind(self, request: Request, agreement_id: str, principal: Principal = SENDER) -> Response:
        try:
            await self._commands.remind(principal.organisation, agreement_id)
        except Refused:
            return back(request, agreement_id, "changed")
        return back(request, agreement_id, "reminded")

    async def overview_cancel(self, request: Request, agreement_id: str, principal: Principal = SENDER) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        if agreement.status not in CHANGEABLE:
            return back(request, agreement_id, "changed")
        return self._page(request, "overview/cancel.html", agreement=agreement, fields=[Field("reason")])

    async def overview_cancel_confirmed(
        self, request: Request, agreement_id: str, principal: Principal = SENDER
    ) -> Response:
        agreement = await self._queries.agreement(principal.organisation, agreement_id)
        reason = await form_text(request, "reason")
        if error := text_error(clean_reason, reason, longest=MAX_REASON):
            fields = [Field("reason", reason, f"error.reason.{error}")]
            return self._page(request, "overview/cancel.html", agreement=agreement, fields=fields)
        try:
            await self._commands.cancel(principal.organisation, agreement_id, reason, ip=self._caller(request))
        except Refused:
            return back(request, agreement_id, "changed")
        return back(request, agreement_id, "cancelled")


def _bounced(agreement: AgreementOverview) -> bool:
    """A place cannot be signed until the sender does something."""
    return agreement.status in CHANGEABLE and any(_unreached(place) is not None for place in agreement.places)


def _may_remind(agreement: AgreementOverview) -> bool:
    """Somebody who may sign now can be reached: else a reminder would be refused."""
    if agreement.status is not Status.OUT or agreement.turn is None:
        return False
    return any(one.reminded for one in agreement.places[agreement.turn.place].requests)


def _link_ended(agreement: AgreementOverview, email: str) -> EndedLink | None:
    return next((one for one in agreement.ended_links if same_email(one.email, email)), None)


def _unreached(place: PlaceOverview) -> RequestOverview | None:
    """Whose mail bounced, with nobody asked in their stead.

    An original that bounces once more beside its alternate asks nothing new of the sender.
    """
    asked = [one for one in place.requests if one.requested_at is not None]
    if place.signed or not asked or not asked[-1].unreached:
        return None
    return asked[-1]
