"""The HTTP API of the archive. Thin: queries, commands and the journal's reader do the work.

The caller's organisation limits what is seen.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.archive.commands import ArchiveCommands
from services.archive.extract import MOST_EXTRACTS, Extract, ExtractWanted
from services.archive.extract_sending import Sending, SendingWanted, Sent
from services.archive.extracts import Extracts
from services.archive.journal_reader import LONGEST_WAIT, JournalFilter, JournalPage, types_named
from services.archive.journal_reader import MOST as MOST_EVENTS
from services.archive.queries import MOST, ProtocolPage, ProtocolView, State
from services.archive.seal import Sealer
from shared.auth import Principal, Role, requires
from shared.http import CREATED
from shared.idempotency import Once
from shared.rendering.file_names import fetched_as, sealed_name
from shared.routes import LazyRoute
from shared.web import path_for

AgreementId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,128}$", description="the transaction id, 44 base64url characters")
]
_Number = Annotated[int, Path(ge=1, le=MOST_EXTRACTS)]
_Id = Annotated[str | None, Query(max_length=250)]
_READS = requires(Role.SECRETARY, Role.OPERATOR, Role.AUDITOR)
_CERTIFIES = requires(Role.SECRETARY)
_OPERATES = requires(Role.OPERATOR)
_AUDITS = requires(Role.OPERATOR, Role.AUDITOR)


class Acceptance(BaseModel):
    reason: str = Field(
        min_length=10, max_length=1000, description="what was found out; it stands in the manifest for ever"
    )


class SealView(BaseModel):
    """The certificate that documents are sealed with now. `ends`: after that, nothing can be sealed with it."""

    holder: str
    sha256: str = Field(description="of the certificate in DER: what `justera verify --sealed-by` pins")
    ends: datetime
    test: bool = Field(description="of a test authority: proves nothing to others")


class ExtractsMade(BaseModel):
    """Of one agreement's minutes, in the order in which they were made."""

    extracts: list[Extract]


def router(commands: ArchiveCommands, sealer: Callable[[], Sealer]) -> APIRouter:
    routes = APIRouter(route_class=LazyRoute)
    _add_protocols(routes, commands)
    _add_extracts(routes, commands.extracts)
    _add_seal(routes, sealer)
    _add_journal(routes, commands)
    return routes


def _add_seal(routes: APIRouter, sealer: Callable[[], Sealer]) -> None:
    @routes.get(
        "/seal",
        tags=["protocols"],
        summary="Show the certificate that documents are sealed with, and when it ends",
        dependencies=[_READS],
    )
    async def show_seal() -> SealView:
        now = sealer()
        digest = now.certificate.sha256.hex()
        return SealView(holder=now.holder, sha256=digest, ends=now.ends, test=now.is_test)


def _add_protocols(routes: APIRouter, commands: ArchiveCommands) -> None:
    queries = commands.queries

    @routes.get("/protocols", tags=["protocols"], summary="List archived protocols, or those that wait or failed")
    async def list_protocols(
        state: Annotated[
            State,
            Query(
                description="`waiting`: will be archived; `failed`: given up until retried; `refused`: its history is "
                "not what the journal has"
            ),
        ] = "archived",
        cursor: Annotated[str | None, Query(max_length=400, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
        principal: Principal = _READS,
    ) -> ProtocolPage:
        return await queries.protocols(principal.organisation, state, cursor=cursor, most=limit)

    @routes.get("/protocols/{agreement_id}", tags=["protocols"], summary="Show where a completed agreement's copy is")
    async def show_protocol(agreement_id: AgreementId, principal: Principal = _READS) -> ProtocolView:
        return await queries.protocol(principal.organisation, agreement_id)

    @routes.get(
        "/protocols/{agreement_id}/copy",
        tags=["protocols"],
        summary="Fetch the sealed copy; check it with `justera verify`",
        response_class=Response,
        responses={200: {"content": {"application/pdf": {}}}},
    )
    async def fetch_copy(agreement_id: AgreementId, principal: Principal = _READS) -> Response:
        copy = await queries.copy(principal.organisation, agreement_id)
        content = await queries.pdf(principal.organisation, agreement_id)
        name = sealed_name(copy.document_name, copy.language)
        return Response(content, media_type="application/pdf", headers={"content-disposition": fetched_as(name)})

    @routes.get(
        "/protocols/{agreement_id}/manifest",
        tags=["protocols"],
        summary="Fetch the manifest: names, sizes and checksums of all that was stored, and the seal's certificate",
        response_class=Response,
        responses={200: {"content": {"application/json": {}}}},
    )
    async def fetch_manifest(agreement_id: AgreementId, principal: Principal = _READS) -> Response:
        content = await queries.manifest(principal.organisation, agreement_id)
        return Response(content, media_type="application/json")

    @routes.post(
        "/protocols/{agreement_id}/retry",
        tags=["protocols"],
        summary="Archive an agreement whose archiving failed, once the cause is mended",
        response_model=ProtocolView,
    )
    async def retry(agreement_id: AgreementId, once: Once, principal: Principal = _OPERATES) -> Response:
        return await once.answer(principal, commands.retry_job(principal.organisation, agreement_id))

    @routes.post(
        "/protocols/{agreement_id}/accept",
        tags=["protocols"],
        summary="Archive an agreement whose history is not what the journal has, once someone has looked and says why",
        response_model=ProtocolView,
    )
    async def accept(
        agreement_id: AgreementId, body: Acceptance, once: Once, principal: Principal = _OPERATES
    ) -> Response:
        accepting = commands.accept_history(principal.organisation, agreement_id, by=principal.name, reason=body.reason)
        return await once.answer(principal, accepting)


def _add_extracts(routes: APIRouter, extracts: Extracts) -> None:
    @routes.get(
        "/protocols/{agreement_id}/extracts", tags=["protocols"], summary="List the certified extracts of minutes"
    )
    async def list_extracts(agreement_id: AgreementId, principal: Principal = _READS) -> ExtractsMade:
        return ExtractsMade(extracts=await extracts.made(principal.organisation, agreement_id))

    @routes.post(
        "/protocols/{agreement_id}/extracts",
        tags=["protocols"],
        summary="Make an extract of one paragraph of signed minutes, certified and sealed",
        status_code=201,
        response_model=Extract,
        responses=CREATED,
    )
    async def certify_extract(
        agreement_id: AgreementId,
        wanted: ExtractWanted,
        request: Request,
        once: Once,
        principal: Principal = _CERTIFIES,
    ) -> Response:
        making = extracts.certify(principal.organisation, agreement_id, wanted, asked_by=principal.name)
        return await once.answer(
            principal,
            making,
            status=201,
            location=lambda made: path_for(
                request, "fetch_extract", agreement_id=made.agreement_id, number=str(made.number)
            ),
        )

    @routes.get(
        "/protocols/{agreement_id}/extracts/{number}",
        tags=["protocols"],
        summary="Fetch a sealed extract; check it with `justera verify`",
        response_class=Response,
        responses={200: {"content": {"application/pdf": {}}}},
    )
    async def fetch_extract(
        agreement_id: AgreementId,
        number: _Number,
        principal: Principal = _READS,
    ) -> Response:
        name, content = await extracts.pdf(principal.organisation, agreement_id, number)
        return extract_answer(name, content)

    @routes.get(
        "/protocols/{agreement_id}/extracts/{number}/sendings",
        tags=["protocols"],
        summary="List whom an extract was sent to, and what became of their mails and links",
    )
    async def list_sendings(agreement_id: AgreementId, number: _Number, principal: Principal = _READS) -> Sent:
        return Sent(sendings=await extracts.sent(principal.organisation, agreement_id, number))

    @routes.post(
        "/protocols/{agreement_id}/extracts/{number}/sendings",
        tags=["protocols"],
        summary="Mail a person a link of their own to an extract, for the first time or again",
        status_code=201,
        response_model=Sending,
    )
    async def send_extract(
        agreement_id: AgreementId,
        number: _Number,
        wanted: SendingWanted,
        once: Once,
        principal: Principal = _CERTIFIES,
    ) -> Response:
        sending = extracts.send(principal.organisation, agreement_id, number, wanted, asked_by=principal.name)
        return await once.answer(principal, sending, status=201)

    @routes.post(
        "/protocols/{agreement_id}/extracts/{number}/sendings/{holder}/end",
        tags=["protocols"],
        summary="End the link to an extract that a person was mailed",
        response_model=Sending,
    )
    async def end_extract_link(
        agreement_id: AgreementId,
        number: _Number,
        holder: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="of the sending")],
        once: Once,
        principal: Principal = _CERTIFIES,
    ) -> Response:
        return await once.answer(principal, extracts.end_link(principal.organisation, agreement_id, number, holder))


def extract_answer(name: str, content: bytes) -> Response:
    """A file that a browser keeps."""
    return Response(content, media_type="application/pdf", headers={"content-disposition": fetched_as(f"{name}.pdf")})


def _add_journal(routes: APIRouter, commands: ArchiveCommands) -> None:
    @routes.get(
        "/events",
        tags=["journal"],
        summary="Read the journal of every event, oldest first: follow it by `wait`, read back by `before`",
    )
    async def read_events(
        request: Request,
        after: Annotated[str, Query(max_length=40, description="`next` of the page before")] = "0",
        before: Annotated[
            str | None,
            Query(max_length=40, description="`end`, or `previous` of the page before: the last events before it"),
        ] = None,
        subject: Annotated[_Id, Query(description="the aggregate that the events are of")] = None,
        about: Annotated[_Id, Query(description="as `subject`, with what belongs to it: an agreement's mails")] = None,
        correlation: Annotated[_Id, Query(description="the first aggregate of the chain: a meeting")] = None,
        kind: Annotated[
            _Id,
            Query(
                alias="type", description="a short name (SignatureRequested), a full type, or a full type's beginning"
            ),
        ] = None,
        since: Annotated[
            datetime | None, Query(description="events from this time on; UTC when no zone is given")
        ] = None,
        until: Annotated[datetime | None, Query(description="events before this time")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = 100,
        wait: Annotated[
            float, Query(ge=0, le=LONGEST_WAIT, description="seconds to wait for an event when there is none yet")
        ] = 0,
        principal: Principal = _AUDITS,
    ) -> JournalPage:
        asked = JournalFilter(
            subject=subject,
            about=about,
            correlation=correlation,
            types=types_named(kind) if kind else None,
            since=_placed(since),
            until=_placed(until),
        )
        if before is not None:
            return await commands.journal.page_back(
                principal.organisation, asked, before=before, after=after, most=limit
            )
        return await commands.journal.wait_for_page(
            principal.organisation, asked, after=after, most=limit, seconds=wait, gone=request.is_disconnected
        )


def _placed(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
