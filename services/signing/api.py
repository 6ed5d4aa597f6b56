"""The HTTP API of agreements. Thin: commands and queries do the work.

The caller's organisation limits what is seen; any of its secretaries may act for an agreement's sender.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.signing.agreement import Status
from services.signing.commands import Revoked, SigningCommands
from services.signing.queries import MOST, SigningQueries
from services.signing.views import AgreementOverview, AgreementPage
from shared.auth import Principal, Role, requires
from shared.forwarding import Proxies, client_ip
from shared.idempotency import Once
from shared.rendering.report import Report, as_text
from shared.routes import LazyRoute
from shared.text import MAX_EMAIL, MAX_NAME, MAX_REASON

AgreementId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,128}$", description="the transaction id, 44 base64url characters")
]
_READS = requires(Role.SECRETARY, Role.OPERATOR, Role.AUDITOR)
_CHANGES = requires(Role.SECRETARY)
_NEW_LINK = (
    "once the agreement is completed: mail a new link to the sealed copy to who has signed, and to the sender. Before "
    "the end, who has not signed is mailed a new one in any case"
)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewAlternate(_Body):
    """Who may sign as well, and for whom."""

    original: str = Field(max_length=MAX_EMAIL, description="the address that was asked to sign for the place")
    email: str = Field(max_length=MAX_EMAIL, description="the address that may sign for it too")
    name: str | None = Field(
        default=None, max_length=MAX_NAME, description="their name, if known; otherwise they state it when signing"
    )


class Cancellation(_Body):
    reason: str = Field(max_length=MAX_REASON, description="stands in the audit report")


class Correction(_Body):
    """Which address was wrong, and what it is to be."""

    original: str = Field(max_length=MAX_EMAIL, description="the address that was asked and has not signed")
    email: str = Field(max_length=MAX_EMAIL, description="the address to ask instead")


class Addressed(_Body):
    email: str = Field(max_length=MAX_EMAIL, description="the address of the signer whom it is about")


class Revocation(Addressed):
    """Whose links end."""

    new_link: bool = Field(default=False, description=_NEW_LINK)


class RevocationOfAll(_Body):
    """The links of everyone end."""

    new_link: bool = Field(default=False, description=_NEW_LINK)


class Extension(_Body):
    expires: AwareDatetime = Field(description="the new deadline, with its zone; later than the one that holds now")


def router(commands: SigningCommands, queries: SigningQueries, *, trusted_proxies: Proxies) -> APIRouter:
    routes = APIRouter(prefix="/agreements", tags=["agreements"], route_class=LazyRoute)
    _add_reading(routes, queries)
    _add_changing(routes, commands, queries, trusted_proxies)
    _add_remedies(routes, commands, queries, trusted_proxies)
    return routes


def _add_reading(routes: APIRouter, queries: SigningQueries) -> None:
    @routes.get("", summary="List agreements, the newest first")
    async def list_agreements(
        status: Annotated[Status | None, Query(description="only those in this status")] = None,
        waits_on_bounce: Annotated[
            bool, Query(description="only those that wait for someone whom no mail reached: the sender must act")
        ] = False,
        cursor: Annotated[str | None, Query(max_length=400, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
        principal: Principal = _READS,
    ) -> AgreementPage:
        return await queries.agreements(
            principal.organisation, status=status, waits_on_bounce=waits_on_bounce, cursor=cursor, most=limit
        )

    @routes.get("/{agreement_id}", summary="Show an agreement: its status, whose turn it is and since when")
    async def show_agreement(agreement_id: AgreementId, principal: Principal = _READS) -> AgreementOverview:
        return await queries.agreement(principal.organisation, agreement_id)

    @routes.get(
        "/{agreement_id}/history",
        summary="Fetch history.json: every entry, chained by hashes; check it with `justera verify`",
        response_class=Response,
        responses={200: {"content": {"application/json": {}}}},
    )
    async def fetch_history(agreement_id: AgreementId, principal: Principal = _READS) -> Response:
        data = await queries.history(principal.organisation, agreement_id)
        return Response(data, media_type="application/json")

    @routes.get(
        "/{agreement_id}/report",
        summary="Read the audit report, as text or, line by line, as JSON",
        response_model=Report,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def read_report(
        agreement_id: AgreementId,
        language: Annotated[
            Literal["sv", "en"] | None, Query(description="by default the agreement's own language")
        ] = None,
        form: Annotated[Literal["json", "text"], Query(alias="format")] = "text",
        principal: Principal = _READS,
    ) -> Report | Response:
        report = await queries.report(principal.organisation, agreement_id, language)
        return PlainTextResponse(as_text(report)) if form == "text" else report


def _add_changing(
    routes: APIRouter, commands: SigningCommands, queries: SigningQueries, trusted_proxies: Proxies
) -> None:
    @routes.post(
        "/{agreement_id}/send", response_model=AgreementOverview, summary="Send it off: the first signer is asked"
    )
    async def send_off(agreement_id: AgreementId, once: Once, principal: Principal = _CHANGES) -> Response:
        return await once.answer(
            principal, commands.send_off(principal.organisation, agreement_id), queries.overview_of
        )

    @routes.post(
        "/{agreement_id}/cancel", response_model=AgreementOverview, summary="Withdraw it: nobody can sign any more"
    )
    async def cancel(
        agreement_id: AgreementId, body: Cancellation, request: Request, once: Once, principal: Principal = _CHANGES
    ) -> Response:
        ip = client_ip(request, trusted_proxies)
        return await once.answer(
            principal, commands.cancel(principal.organisation, agreement_id, body.reason, ip=ip), queries.overview_of
        )

    @routes.post(
        "/{agreement_id}/remind",
        response_model=AgreementOverview,
        summary="Remind everyone who may sign now, but not where the last mail bounced",
    )
    async def remind(agreement_id: AgreementId, once: Once, principal: Principal = _CHANGES) -> Response:
        return await once.answer(principal, commands.remind(principal.organisation, agreement_id), queries.overview_of)


def _add_remedies(
    routes: APIRouter, commands: SigningCommands, queries: SigningQueries, trusted_proxies: Proxies
) -> None:
    def revoked(done: Revoked) -> AgreementOverview:
        return queries.overview_of(done.state, ended=done.ended_links)

    @routes.post(
        "/{agreement_id}/alternates",
        response_model=AgreementOverview,
        summary="Let another address sign for a place; the original still may",
    )
    async def add_alternate(
        agreement_id: AgreementId, body: NewAlternate, request: Request, once: Once, principal: Principal = _CHANGES
    ) -> Response:
        return await once.answer(
            principal,
            commands.add_alternate(
                principal.organisation,
                agreement_id,
                body.original,
                body.email,
                name=body.name,
                ip=client_ip(request, trusted_proxies),
            ),
            queries.overview_of,
        )

    @routes.post(
        "/{agreement_id}/correct-address",
        response_model=AgreementOverview,
        summary="Ask at another address instead; links to the old one end",
    )
    async def correct_address(
        agreement_id: AgreementId, body: Correction, request: Request, once: Once, principal: Principal = _CHANGES
    ) -> Response:
        ip = client_ip(request, trusted_proxies)
        return await once.answer(
            principal,
            commands.correct_address(principal.organisation, agreement_id, body.original, body.email, ip=ip),
            queries.overview_of,
        )

    @routes.post(
        "/{agreement_id}/ask-again",
        response_model=AgreementOverview,
        summary="Mail the request once more to an address whose mail bounced",
    )
    async def ask_again(
        agreement_id: AgreementId, body: Addressed, once: Once, principal: Principal = _CHANGES
    ) -> Response:
        return await once.answer(
            principal, commands.ask_again(principal.organisation, agreement_id, body.email), queries.overview_of
        )

    @routes.post(
        "/{agreement_id}/revoke-link",
        response_model=AgreementOverview,
        summary="End the links mailed to a person, also after the agreement's end",
    )
    async def revoke_link(
        agreement_id: AgreementId, body: Revocation, request: Request, once: Once, principal: Principal = _CHANGES
    ) -> Response:
        ip = client_ip(request, trusted_proxies)
        return await once.answer(
            principal,
            commands.revoke_link(principal.organisation, agreement_id, body.email, new_link=body.new_link, ip=ip),
            revoked,
        )

    @routes.post(
        "/{agreement_id}/revoke-links",
        response_model=AgreementOverview,
        summary="End the links mailed to everyone, also after the agreement's end",
    )
    async def revoke_links(
        agreement_id: AgreementId, body: RevocationOfAll, request: Request, once: Once, principal: Principal = _CHANGES
    ) -> Response:
        ip = client_ip(request, trusted_proxies)
        return await once.answer(
            principal,
            commands.revoke_link(principal.organisation, agreement_id, None, new_link=body.new_link, ip=ip),
            revoked,
        )

    @routes.post(
        "/{agreement_id}/extend",
        response_model=AgreementOverview,
        summary="Give the signers more time, while there is some left",
    )
    async def extend(
        agreement_id: AgreementId, body: Extension, request: Request, once: Once, principal: Principal = _CHANGES
    ) -> Response:
        ip = client_ip(request, trusted_proxies)
        return await once.answer(
            principal, commands.extend(principal.organisation, agreement_id, body.expires, ip=ip), queries.overview_of
        )
