"""The page where a secretary makes extracts of archived minutes: which paragraph, and who certifies it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.archive.extract import LONGEST_NAME, Extract, ExtractWanted, clean_certifier
from services.archive.pages.copies import SealedCopy
from shared.auth import Access, Principal, Role, requires
from shared.rendering.file_names import fetched_as
from shared.web import Field, Look, form_text, path_for, small_form, text_error

_READER = requires(*Role)
_SECRETARY = requires(Role.SECRETARY)


class Extracts(Protocol):
    """What can be done with the archive's minutes. All raise NotFound for an agreement that is not archived."""

    async def copy(self, organisation: str, agreement_id: str) -> SealedCopy: ...

    async def paragraphs(self, organisation: str, agreement_id: str) -> list[tuple[int, str]]: ...

    async def made(self, organisation: str, agreement_id: str) -> list[Extract]: ...

    async def pdf(self, organisation: str, agreement_id: str, number: int) -> tuple[str, bytes]: ...

    async def certify(
        self, organisation: str, agreement_id: str, wanted: ExtractWanted, *, asked_by: str
    ) -> Extract: ...


class ExtractPages:
    def __init__(self, look: Look, access: Access, extracts: Extracts) -> None:
        self._look = look
        self._access = access
        self._extracts = extracts

    def add_to(self, router: APIRouter) -> None:
        path = "/extracts/{agreement_id}"
        router.add_api_route(path, self.extracts_page, methods=["GET"], response_model=None)
        router.add_api_route(path, self.extract_make, methods=["POST"], response_model=None, dependencies=[small_form])
        router.add_api_route(f"{path}/{{number}}", self.extract_pdf, methods=["GET"], response_model=None)

    async def extracts_page(
        self, request: Request, agreement_id: str, done: str = "", principal: Principal = _READER
    ) -> Response:
        fields = [Field("paragraph"), Field("certified_by")]
        return await self._page(request, principal, agreement_id, fields, done=done == "made")

    async def extract_make(self, request: Request, agreement_id: str, principal: Principal = _SECRETARY) -> Response:
        paragraph, by = await form_text(request, "paragraph"), await form_text(request, "certified_by")
        numbers = {str(number) for number, _ in await self._extracts.paragraphs(principal.organisation, agreement_id)}
        error = text_error(clean_certifier, by, longest=LONGEST_NAME)
        fields = [
            Field("paragraph", paragraph, None if paragraph in numbers else "paragraph"),
            Field("certified_by", by, error and f"certifier_{error}"),
        ]
        if any(field.error for field in fields):
            return await self._page(request, principal, agreement_id, fields)
        wanted = ExtractWanted(paragraph=int(paragraph), certified_by=by)
        await self._extracts.certify(principal.organisation, agreement_id, wanted, asked_by=principal.name)
        page = path_for(request, "extracts_page", agreement_id=agreement_id)
        return RedirectResponse(f"{page}?done=made", HTTPStatus.SEE_OTHER)

    async def extract_pdf(self, agreement_id: str, number: int, principal: Principal = _READER) -> Response:
        name, content = await self._extracts.pdf(principal.organisation, agreement_id, number)
        headers = {"content-disposition": fetched_as(f"{name}.pdf")}
        return Response(content, media_type="application/pdf", headers=headers)

    async def _page(
        self,
        request: Request,
        principal: Principal,
        agreement_id: str,
        fields: Sequence[Field],
        *,
        done: bool = False,
    ) -> Response:
        wrong = any(field.error for field in fields)
        paragraphs = await self._extracts.paragraphs(principal.organisation, agreement_id)
        return self._look.page(
            request,
            "extract/extracts.html",
            self._look.preferred(request),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
            csrf=self._access.csrf_token(self._access.cookie_of(request)),
            may_make=principal.role is Role.SECRETARY,
            agreement_id=agreement_id,
            copy=await self._extracts.copy(principal.organisation, agreement_id),
            choices=[(str(number), f"§ {number} {heading}") for number, heading in paragraphs],
            headings=dict(paragraphs),
            made=await self._extracts.made(principal.organisation, agreement_id),
            fields={field.name: field for field in fields},
            longest=LONGEST_NAME,
            done=done,
        )
