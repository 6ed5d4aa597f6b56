"""The page behind the link to an extract that somebody was mailed: what it is, the sealed file, how to check it.

It lies under the same path as the links to sealed copies, which proxies and logs cut tokens from.
"""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from shared import links, readable
from shared.auth import public
from shared.clock import Clock
from shared.errors import NotFound
from shared.forwarding import Proxies, client_ip, network_key
from shared.keys import KeyRing
from shared.links import BadLink
from shared.rendering.file_names import fetched_as
from shared.web import Language, Look, path_for, wrong_guesses
from shared.web.page_route import problem_page

_BY_LINK = "whoever was mailed the link may fetch the extract"


@dataclass(frozen=True, slots=True)
class SentExtract:
    """An extract as one person was sent it, last at `sent_at`. `version`: of the link that opens it, that of the last
    mail; `language` is that person's. `size` in bytes; times are UTC, shown in the IANA zone `timezone`."""

    document_name: str
    paragraph: int
    certified_by: str
    certified_at: datetime
    sender: str
    language: Language
    timezone: str
    version: int
    opens_until: datetime
    ended: bool
    sent_at: datetime
    test_seal: bool
    sha256: str
    size: int

    def opens(self, version: int, now: datetime) -> bool:
        return version == self.version and not self.ended and now < self.opens_until


class SentExtracts(Protocol):
    """What the archive knows of extracts that were sent. Both raise NotFound."""

    async def sent_extract(self, organisation: str, agreement_id: str, number: int, holder: str) -> SentExtract: ...

    async def pdf(self, organisation: str, agreement_id: str, number: int) -> tuple[str, bytes]: ...


@dataclass(frozen=True, slots=True)
class _Opened:
    organisation: str
    agreement_id: str
    number: int
    version: int
    sent: SentExtract


class SentExtractPages:
    def __init__(
        self, look: Look, clock: Clock, extracts: SentExtracts, keys: KeyRing, *, trusted_proxies: Proxies
    ) -> None:
        self._look = look
        self._clock = clock
        self._extracts = extracts
        self._keys = keys
        self._trusted_proxies = trusted_proxies
        self._bad_links = wrong_guesses(burst=60, per_second=0.5)

    def add_to(self, router: APIRouter) -> None:
        path = "/copies/{token}/extract"
        for ending, handler in (("", self.sent_extract_page), (".pdf", self.sent_extract_pdf)):
            router.add_api_route(
                path + ending, handler, methods=["GET"], response_model=None, dependencies=[public(_BY_LINK)]
            )

    async def sent_extract_page(self, request: Request, token: str) -> Response:
        try:
            opened = await self._open(token)
        except (BadLink, NotFound):
            self._bad_links.spend(network_key(client_ip(request, self._trusted_proxies)))
            return problem_page(self._look, request, BadLink.slug, HTTPStatus.NOT_FOUND)
        sent = opened.sent
        template = "copy/extract.html"
        if not sent.opens(opened.version, self._clock.now()):
            is_over = opened.version == sent.version and not sent.ended
            template = "copy/extract_closed.html" if is_over else "copy/extract_ended.html"
        return self._look.page(
            request,
            template,
            sent.language,
            status=HTTPStatus.OK if template == "copy/extract.html" else HTTPStatus.GONE,
            sent=sent,
            replaced=opened.version < sent.version and not sent.ended,
            token=token,
            size=readable.size(sent.size, sent.language),
        )

    async def sent_extract_pdf(self, request: Request, token: str) -> Response:
        """The sealed bytes; a link that is closed or not ours leads to the page that says so."""
        page = RedirectResponse(path_for(request, "sent_extract_page", token=token), HTTPStatus.SEE_OTHER)
        try:
            opened = await self._open(token)
        except (BadLink, NotFound):
            return page
        if not opened.sent.opens(opened.version, self._clock.now()):
            return page
        name, content = await self._extracts.pdf(opened.organisation, opened.agreement_id, opened.number)
        headers = {"content-disposition": fetched_as(f"{name}.pdf")}
        return Response(content, media_type="application/pdf", headers=headers)

    async def _open(self, token: str) -> _Opened:
        """Raises BadLink, NotFound."""
        link = links.read(self._keys, links.EXTRACT, token)
        agreement_id, number, holder = links.parts_of_extract_link(link.subject)
        sent = await self._extracts.sent_extract(link.organisation, agreement_id, number, holder)
        return _Opened(link.organisation, agreement_id, number, link.version, sent)
