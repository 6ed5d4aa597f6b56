"""The sealed copy, for whoever holds the mailed link, while the link is open."""

from collections.abc import Mapping
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
from shared.links import BadLink
from shared.rendering.file_names import sealed_name
from shared.row_security import act_for
from shared.web import Language, Look

SHARED_COPY = "copy"
"""The purpose of links that an earlier version mailed: one for everybody, until its ninety days are over."""

_BY_LINK = "whoever was mailed the link may fetch the copy"
_TEMPLATES = {State.OPEN: "copy/copy.html", State.CLOSED: "copy/closed.html", State.ENDED: "copy/ended.html"}


@dataclass(frozen=True, slots=True)
class SealedCopy:
    """`size` in bytes; times are UTC, shown in the IANA zone `timezone`."""

    document_name: str
    language: Language
    timezone: str
    archived_at: datetime
    opens_until: datetime
    sha256: str
    size: int


class Copies(Protocol):
    """What the archive knows of sealed copies. Both raise NotFound for an agreement that is not archived."""

    async def copy(self, organisation: str, agreement_id: str) -> SealedCopy: ...

    async def pdf(self, organisation: str, agreement_id: str) -> bytes: ...

    async def links_from(self, organisation: str, agreement_id: str) -> Mapping[str, int]:
        """By holder: the version from which on their links open the copy, of those whose links were ended."""
        ...


@dataclass(frozen=True, slots=True)
class _Opened:
    """`ended`: the sender ended the link."""

    organisation: str
    agreement_id: str
    copy: SealedCopy
    ended: bool


class CopyPages(LinkPages):
    def __init__(self, look: Look, clock: Clock, copies: Copies, keys: KeyRing, *, trusted_proxies: Proxies) -> None:
        super().__init__(look, clock, keys, trusted_proxies)
        self._copies = copies

    def add_to(self, router: APIRouter) -> None:
        path = "/copies/{token}"
        add_pages(router, _BY_LINK, {path: self.copy_page, f"{path}/copy.pdf": self.copy_pdf})

    async def copy_page(self, request: Request, token: str) -> Response:
        try:
            opened = await self._open(token)
        except OF_NOBODY:
            return self._unknown(request)
        copy, state = opened.copy, self._state(opened.copy.opens_until, ended=opened.ended)
        return self._page(request, state, _TEMPLATES, copy.language, size=copy.size, copy=copy, token=token)

    async def copy_pdf(self, request: Request, token: str) -> Response:
        """The sealed bytes; a link that is closed or not ours leads to the page that says so."""
        try:
            opened = await self._open(token)
        except OF_NOBODY:
            return to_page(request, "copy_page", token)
        copy = opened.copy
        if self._state(copy.opens_until, ended=opened.ended) is not State.OPEN:
            return to_page(request, "copy_page", token)
        content = await self._copies.pdf(opened.organisation, opened.agreement_id)
        return pdf(content, sealed_name(copy.document_name, copy.language))

    async def _open(self, token: str) -> _Opened:
        """Raises BadLink, NotFound.

        A shared link cannot be ended for one person alone: it ends with the first whose links are ended.
        """
        try:
            link = links.read(self._keys, links.PERSONAL_COPY, token)
            agreement_id, holder = links.parts_of_copy_link(link.subject)
        except BadLink:
            link = links.read(self._keys, SHARED_COPY, token)
            agreement_id, holder = link.subject, ""
        act_for(link.organisation)
        copy = await self._copies.copy(link.organisation, agreement_id)
        opens_from = await self._copies.links_from(link.organisation, agreement_id)
        ended = link.version < opens_from.get(holder, links.FIRST_VERSION) if holder else bool(opens_from)
        return _Opened(link.organisation, agreement_id, copy, ended)
