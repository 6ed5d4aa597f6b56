"""The HTTP API of minutes: thin; the rules are in `minutes`, the work in `commands`."""

from datetime import datetime
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.minutes.adjusting import AdjustCommands
from services.meetings.minutes.at_once import Adjusted
from services.meetings.minutes.commands import MinutesCommands
from services.meetings.minutes.declared import DeclaredElection
from services.meetings.minutes.difference import Difference
from services.meetings.minutes.drafting import DraftedMinutes, Drafting
from services.meetings.minutes.minutes import MAX_MINUTES
from services.meetings.minutes.queries import MinutesQueries
from services.meetings.minutes.unlocking import UnlockCommands, Unlocked
from services.meetings.minutes.word_package import MAX_WORD
from shared.errors import TooLarge
from shared.forwarding import Proxies, client_ip
from shared.http import CREATED
from shared.idempotency import Once
from shared.rendering.html import content_policy
from shared.routes import LazyRoute
from shared.web import path_for


class MinutesToDraft(BaseModel):
    """The minutes as Markdown with YAML front matter, and who signs them in which order."""

    model_config = ConfigDict(extra="forbid")

    markdown: str = Field(max_length=MAX_MINUTES)
    drafting: Drafting


class Drafted(BaseModel):
    """`agreement_id` names the agreement that signing makes of it; `agreement_url` is where signing's API shows it."""

    meeting_id: str
    agreement_id: str
    agreement_url: str
    document_name: str
    first_paragraph: int
    last_paragraph: int
    pdf_sha256: str
    version: int = Field(description="above 1 where one before was not signed by everyone")
    replaces: str | None = Field(description="the agreement about the version before")


class ParagraphToApprove(BaseModel):
    """`seen`: the version of the minutes in writing that was looked at; refused when it is another now."""

    model_config = ConfigDict(extra="forbid")

    seen: int = Field(ge=1)
    drafting: Drafting


class ApprovedAtOnce(BaseModel):
    """A paragraph that was put forward on its own, before the rest of its minutes. `state`: out (to be signed), signed,
    or how its agreement ended; `first_held`, `last_held`: the numbers that the meeting's minutes have with it."""

    agreement_id: str
    document_name: str
    paragraph: int
    first_held: int
    last_held: int
    drafted_at: datetime
    signed_at: datetime | None
    state: Literal["out", "signed", "declined", "cancelled", "expired"]


class ApprovedParagraphs(BaseModel):
    """The latest first."""

    paragraphs: list[ApprovedAtOnce]


class UnlockReason(BaseModel):
    """`reason`: told to those who were asked to sign."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=4000)
    at_once: str | None = Field(
        None, max_length=60, description="the agreement about a paragraph that is approved at once, if it is that"
    )


class UnlockedMinutes(BaseModel):
    """`version`: the one that is withdrawn. `markdown`: what it was drafted of, to be edited; null where that was not
    kept. `is_draft`: whether it is the meeting's `manuscript` again, as it is where there was none."""

    meeting_id: str
    version: int
    agreement_id: str
    markdown: str | None
    is_draft: bool


class MinutesFromWord(BaseModel):
    """`markdown`: to be looked at, mended and drafted. `not_kept`: what of the document is not in it."""

    markdown: str
    not_kept: list[str]


class Elections(BaseModel):
    """Of the last version of the meeting's minutes, in their order."""

    elections: list[DeclaredElection]


VersionNumber = Annotated[int, Path(ge=1, le=100_000)]

_WORD_BODY = {
    "requestBody": {
        "required": True,
        "description": "the Word document as it is",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def router(
    commands: MinutesCommands,
    queries: MinutesQueries,
    unlocking: UnlockCommands,
    adjusting: AdjustCommands,
    *,
    trusted_proxies: Proxies,
    public_url: str,
) -> APIRouter:
    """`public_url`: where all services are reached."""
    routes = APIRouter(tags=["meetings"], route_class=LazyRoute)

    @routes.post("/meetings/{meeting_id}/minutes", status_code=201, response_model=Drafted, responses=CREATED)
    async def draft_minutes(
        meeting_id: str, body: MinutesToDraft, request: Request, once: Once, caller: Secretary
    ) -> Response:
        """Number and render the minutes. An agreement to sign them then stands ready in signing.

        Once the agreement about them was declined, cancelled or expired, they may be drafted anew with its numbers.
        """
        ip = client_ip(request, trusted_proxies)
        return await once.answer(
            caller,
            commands.draft_minutes(caller.organisation, meeting_id, body.markdown, body.drafting, ip=ip),
            view,
            status=201,
            location=lambda drafted: path_for(request, "original_pdf", meeting_id=drafted.meeting_id),
        )

    def view(drafted: DraftedMinutes) -> Drafted:
        return Drafted(
            meeting_id=drafted.meeting_id,
            agreement_id=drafted.agreement_id,
            agreement_url=f"{public_url.rstrip('/')}/signing/agreements/{drafted.agreement_id}",
            document_name=drafted.document_name,
            first_paragraph=drafted.first_paragraph,
            last_paragraph=drafted.last_paragraph,
            pdf_sha256=drafted.pdf.sha256,
            version=drafted.version,
            replaces=drafted.replaces,
        )

    @routes.post(
        "/meetings/{meeting_id}/manuscript/paragraphs/{paragraph_id}/at-once",
        status_code=201,
        response_model=Drafted,
        responses=CREATED,
    )
    async def approve_paragraph_at_once(
        meeting_id: str, paragraph_id: str, body: ParagraphToApprove, request: Request, once: Once, caller: Secretary
    ) -> Response:
        """Put one paragraph of the minutes in writing forward, before the rest (omedelbar justering).

        It is numbered, and sent to its first signer. The minutes as a whole have it word for word, and wait until
        everyone has signed.
        """
        ip = client_ip(request, trusted_proxies)
        adjust = adjusting.adjust(
            caller.organisation, meeting_id, paragraph_id, body.drafting, written=body.seen, ip=ip
        )
        return await once.answer(
            caller,
            adjust,
            view,
            status=201,
            location=lambda drafted: path_for(request, "list_approved_at_once", meeting_id=drafted.meeting_id),
        )

    @routes.get("/meetings/{meeting_id}/minutes/at-once")
    async def list_approved_at_once(meeting_id: str, caller: Reader) -> ApprovedParagraphs:
        """The paragraphs that were put forward on their own."""
        found = await adjusting.of_meeting(caller.organisation, meeting_id)
        return ApprovedParagraphs(paragraphs=[_approved(one) for one in found])

    @routes.post("/meetings/{meeting_id}/minutes/unlock", response_model=UnlockedMinutes)
    async def unlock_minutes(
        meeting_id: str, body: UnlockReason, request: Request, once: Once, caller: Secretary
    ) -> Response:
        """Open minutes again that were drafted, or are out for signature. Their agreement is withdrawn, and those who
        were asked to sign are told; the next version has the same numbers."""
        ip = client_ip(request, trusted_proxies)
        return await once.answer(
            caller,
            unlocking.unlock(caller.organisation, meeting_id, body.reason, ip=ip, at_once=body.at_once),
            unlocked,
        )

    def unlocked(made: Unlocked) -> UnlockedMinutes:
        return UnlockedMinutes(
            meeting_id=made.meeting_id,
            version=made.version,
            agreement_id=made.agreement_id,
            markdown=made.markdown,
            is_draft=made.is_draft,
        )

    @routes.post("/meetings/{meeting_id}/minutes/word", openapi_extra=_WORD_BODY)
    async def read_word_document(meeting_id: str, request: Request, caller: Secretary) -> MinutesFromWord:
        """Read a Word document (.docx) as the Markdown of the meeting's minutes. Nothing is drafted or kept."""
        content = bytearray()
        async for piece in request.stream():
            content += piece
            if len(content) > MAX_WORD:
                raise TooLarge(f"a Word document has at most {MAX_WORD // 1024**2} MiB")
        found = await commands.from_word(caller.organisation, meeting_id, bytes(content))
        return MinutesFromWord(markdown=found.markdown, not_kept=list(found.not_kept))

    @routes.get("/meetings/{meeting_id}/elections")
    async def list_elections(meeting_id: str, caller: Reader) -> Elections:
        """The elections that the meeting's minutes declare, and whether they took effect."""
        return Elections(elections=await commands.elections(caller.organisation, meeting_id))

    @routes.post("/meetings/{meeting_id}/elections/seat", response_model=Elections)
    async def seat_again(meeting_id: str, once: Once, caller: Secretary) -> Response:
        """Try again what was refused when everyone had signed, once the register no longer is in its way."""
        seating = commands.seat_again(caller.organisation, meeting_id)
        return await once.answer(caller, seating, lambda found: Elections(elections=found))

    pdf_responses: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}

    @routes.get("/meetings/{meeting_id}/minutes.pdf", response_class=Response, responses=pdf_responses)
    async def original_pdf(meeting_id: str, caller: Reader) -> Response:
        """The unsigned original."""
        pdf = await commands.original_pdf(caller.organisation, meeting_id)
        return Response(pdf, media_type="application/pdf")

    html_responses: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}}}

    @routes.get("/meetings/{meeting_id}/minutes.html", response_class=Response, responses=html_responses)
    async def original_html(meeting_id: str, caller: Reader) -> Response:
        """The same words as an HTML file, which programs that read aloud or enlarge take better than pages."""
        return html_answer(await commands.as_html(caller.organisation, meeting_id))

    @routes.get("/meetings/{meeting_id}/minutes/versions/{before}/difference/{after}")
    async def compare_versions(
        meeting_id: str, before: VersionNumber, after: VersionNumber, caller: Reader
    ) -> Difference:
        """What one version of the minutes took away from another and added, paragraph by paragraph."""
        return await queries.difference(caller.organisation, meeting_id, before, after)

    return routes


def _approved(one: Adjusted) -> ApprovedAtOnce:
    state = one.ended or ("signed" if one.signed_at else "out")
    return ApprovedAtOnce(
        agreement_id=one.agreement_id,
        document_name=one.document_name,
        paragraph=one.paragraph,
        first_held=one.first,
        last_held=one.last,
        drafted_at=one.drafted_at,
        signed_at=one.signed_at,
        state=cast(Literal["out", "signed", "declined", "cancelled", "expired"], state),
    )


def html_answer(html: str) -> Response:
    """Nothing in it runs, or is loaded from elsewhere."""
    headers = {"content-security-policy": content_policy(html)}
    return Response(html.encode("utf-8", "replace"), media_type="text/html", headers=headers)
