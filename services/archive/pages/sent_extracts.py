"""The page behind the link to an extract that somebody was mailed: what it is, the sealed file, how to check it.

It lies under the same path as the links to sealed copies, which proxies and logs cut tokens from.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.archive.pages.by_link import OF_NOBODY, LinkPages, State, add_pages, pdf, to_page
from shared import links
from shared.clock import Clock
from shared.forwarding import Proxies
from shared.keys import KeyRing
from shared.row_security import act_for
from shared.web import Language, Look

_BY_LINK = "whoever was mailed the link may fetch the extract"
_TEMPLATES = {
    State.OPEN: "copy/extract.html",
    State.CLOSED: "copy/extract_closed.html",
    State.ENDED: "copy/extract_ended.html",
}


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

    @property
    def ended(self) -> bool:
        """The sender ended the link, or sent another one after it."""
        return self.sent.ended or self.version != self.sent.version


class SentExtractPages(LinkPages):
    def __init__(
        self, look: Look, clock: Clock, extracts: SentExtracts, keys: KeyRing, *, trusted_proxies: Proxies
    ) -> None:
        super().__init__(look, clock, keys, trusted_proxies)
        self._extracts = extracts

    def add_to(self, router: APIRouter) -> None:
        path = "/copies/{token}/extract"
        add_pages(router, _BY_LINK, {path: self.sent_extract_page, f"{path}.pdf": self.sent_extract_pdf})

    async def sent_extract_page(self, request: Request, token: str) -> Response:
        try:
            opened = await self._open(token)
        except OF_NOBODY:
            return self._unknown(request)
        sent, state = opened.sent, self._state(opened.sent.opens_until, ended=opened.ended)
        replaced = opened.version < sent.version and not sent.ended
        return self._page(
            request, state, _TEMPLATES, sent.language, size=sent.size, sent=sent, token=token, replaced=replaced
        )

    async def sent_extract_pdf(self, request: Request, token: str) -> Response:
        """The sealed bytes; a link that is closed or not ours leads to the page that says so."""
        try:
            opened = await self._open(token)
        except OF_NOBODY:
            return to_page(request, "sent_extract_page", token)
        if self._state(opened.sent.opens_until, ended=opened.ended) is not State.OPEN:
            return to_page(request, "sent_extract_page", token)
        name, content = await self._extracts.pdf(opened.organisation, opened.agreement_id, opened.number)
        return pdf(content, f"{name}.pdf")

    async def _open(self, token: str) -> _Opened:
        """Raises BadLink, NotFound."""
        link = links.read(self._keys, links.EXTRACT, token)
        act_for(link.organisation)
        agreement_id, number, holder = links.parts_of_extract_link(link.subject)
        sent = await self._extracts.sent_extract(link.organisation, agreement_id, number, holder)
        return _Opened(link.organisation, agreement_id, number, link.version, sent)
