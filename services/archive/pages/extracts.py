"""The pages where a secretary makes extracts of archived minutes (which paragraph, and who certifies it) and sends one
to whom it is for; and what became of those that were sent.

Whom extracts of the same body's minutes went to before, and who sent and certified them, is offered.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Protocol

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from services.archive.extract import LONGEST_NAME, MOST_EXTRACTS, Extract, ExtractWanted, clean_certifier
from services.archive.extract_sending import Sending, SendingWanted
from services.archive.pages.copies import SealedCopy
from shared.auth import Access, Principal, Role, requires
from shared.events import Person
from shared.ids import new_id
from shared.links import LINKS_OPEN
from shared.rendering.file_names import fetched_as
from shared.text import MAX_EMAIL, MAX_NAME, clean_mailbox, clean_name, email_key
from shared.web import Field, Look, form_text, path_for, small_form, text_error

_READER = requires(*Role)
_SECRETARY = requires(Role.SECRETARY)
_Number = Annotated[int, Path(ge=1, le=MOST_EXTRACTS)]

LANGUAGES = ("sv", "en")
_KEY = re.compile("[A-Za-z0-9-]{1,60}")
_SENDING = (
    ("name", clean_name, MAX_NAME),
    ("email", clean_mailbox, MAX_EMAIL),
    ("sender_name", clean_name, MAX_NAME),
    ("sender_email", clean_mailbox, MAX_EMAIL),
)


class Extracts(Protocol):
    """What can be done with the archive's minutes. All raise NotFound for an agreement that is not archived."""

    async def copy(self, organisation: str, agreement_id: str) -> SealedCopy: ...

    async def paragraphs(self, organisation: str, agreement_id: str) -> list[tuple[int, str]]: ...

    async def made(self, organisation: str, agreement_id: str) -> list[Extract]: ...

    async def pdf(self, organisation: str, agreement_id: str, number: int) -> tuple[str, bytes]: ...

    async def certify(
        self, organisation: str, agreement_id: str, wanted: ExtractWanted, *, asked_by: str
    ) -> Extract: ...

    async def extract(self, organisation: str, agreement_id: str, number: int) -> Extract: ...

    async def sent(self, organisation: str, agreement_id: str, number: int) -> list[Sending]: ...

    async def send(
        self,
        organisation: str,
        agreement_id: str,
        number: int,
        wanted: SendingWanted,
        *,
        asked_by: str,
        form_key: str | None = None,
    ) -> Sending: ...

    async def end_link(self, organisation: str, agreement_id: str, number: int, holder: str) -> Sending: ...

    async def people_before(self, organisation: str, agreement_id: str) -> list[tuple[Person, Person]]:
        """Whom extracts of the same body's minutes went to and who sent them, the last first."""
        ...

    async def certifiers_before(self, organisation: str) -> list[str]:
        """The last first."""
        ...


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
        people = f"{path}/{{number}}/people"
        router.add_api_route(people, self.extract_people, methods=["GET"], response_model=None)
        for ending, handler in (("", self.extract_send), ("/{holder}/end", self.extract_end)):
            router.add_api_route(
                people + ending, handler, methods=["POST"], response_model=None, dependencies=[small_form]
            )

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

    async def extract_pdf(self, agreement_id: str, number: _Number, principal: Principal = _READER) -> Response:
        name, content = await self._extracts.pdf(principal.organisation, agreement_id, number)
        headers = {"content-disposition": fetched_as(f"{name}.pdf")}
        return Response(content, media_type="application/pdf", headers=headers)

    async def extract_people(
        self, request: Request, agreement_id: str, number: _Number, done: str = "", principal: Principal = _READER
    ) -> Response:
        return await self._people_page(request, principal, agreement_id, number, done=done)

    async def extract_send(
        self, request: Request, agreement_id: str, number: _Number, principal: Principal = _SECRETARY
    ) -> Response:
        fields = []
        for name, clean, longest in _SENDING:
            typed = await form_text(request, name)
            error = text_error(clean, typed, longest=longest)
            fields.append(Field(name, typed, error and f"{name}_{error}"))
        language = await form_text(request, "language")
        fields.append(Field("language", language if language in LANGUAGES else LANGUAGES[0]))
        if any(field.error for field in fields):
            return await self._people_page(request, principal, agreement_id, number, fields)
        wanted = SendingWanted.model_validate({field.name: field.value for field in fields})
        key = await form_text(request, "key")
        await self._extracts.send(
            principal.organisation,
            agreement_id,
            number,
            wanted,
            asked_by=principal.name,
            form_key=key if _KEY.fullmatch(key) else None,
        )
        return self._to_people(request, agreement_id, number, "sent")

    async def extract_end(
        self, request: Request, agreement_id: str, number: _Number, holder: str, principal: Principal = _SECRETARY
    ) -> Response:
        await self._extracts.end_link(principal.organisation, agreement_id, number, holder)
        return self._to_people(request, agreement_id, number, "ended")

    def _to_people(self, request: Request, agreement_id: str, number: _Number, done: str) -> Response:
        page = path_for(request, "extract_people", agreement_id=agreement_id, number=str(number))
        return RedirectResponse(f"{page}?done={done}", HTTPStatus.SEE_OTHER)

    async def _people_page(
        self,
        request: Request,
        principal: Principal,
        agreement_id: str,
        number: int,
        fields: Sequence[Field] = (),
        *,
        done: str = "",
    ) -> Response:
        organisation = principal.organisation
        extract = await self._extracts.extract(organisation, agreement_id, number)
        before = await self._extracts.people_before(organisation, agreement_id)
        copy = await self._extracts.copy(organisation, agreement_id)
        if not fields:
            sender = before[0][1] if before else Person(email="", name="")
            fields = [
                Field("name"),
                Field("email"),
                Field("sender_name", sender.name or ""),
                Field("sender_email", sender.email),
                Field("language", copy.language),
            ]
        return self._look.page(
            request,
            "extract/people.html",
            self._look.preferred(request),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if any(field.error for field in fields) else HTTPStatus.OK,
            csrf=self._access.csrf_token(self._access.cookie_of(request)),
            may_send=principal.role is Role.SECRETARY,
            agreement_id=agreement_id,
            copy=copy,
            extract=extract,
            sent=await self._extracts.sent(organisation, agreement_id, number),
            recipients=_offered([recipient for recipient, _ in before]),
            senders=_offered([sender for _, sender in before]),
            fields={field.name: field for field in fields},
            key=new_id(),
            longest_name=MAX_NAME,
            longest_email=MAX_EMAIL,
            days=LINKS_OPEN.days,
            done=done if done in ("sent", "ended") else "",
        )

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
            certifiers=[(one, "") for one in await self._extracts.certifiers_before(principal.organisation)],
            done=done,
        )


def _offered(people: Sequence[Person]) -> list[Person]:
    """Each address once, as it was used last."""
    last: dict[str, Person] = {}
    for person in people:
        last.setdefault(email_key(person.email), person)
    return list(last.values())
