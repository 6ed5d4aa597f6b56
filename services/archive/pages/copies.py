"""The sealed copy, for whoever holds the mailed link, while the link is open."""

from collections.abc import Mapping
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
from shared.rendering.file_names import fetched_as, sealed_name
from shared.web import Language, Look, path_for, wrong_guesses
from shared.web.page_route import problem_page

SHARED_COPY = "copy"
"""The purpose of links that an earlier version mailed: one for everybody, until its ninety days are over."""

_BY_LINK = "whoever was mailed the link may fetch the copy"


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


class CopyPages:
    def __init__(self, look: Look, clock: Clock, copies: Copies, keys: KeyRing, *, trusted_proxies: Proxies) -> None:
        self._look = look
        self._clock = clock
        self._copies = copies
        self._keys = keys
        self._trusted_proxies = trusted_proxies
        self._bad_links = wrong_guesses(burst=60, per_second=0.5)

    def add_to(self, router: APIRouter) -> None:
        for path, handler in (("/copies/{token}", self.copy_page), ("/copies/{token}/copy.pdf", self.copy_pdf)):
            router.add_api_route(path, handler, methods=["GET"], response_model=None, dependencies=[public(_BY_LINK)])

    async def copy_page(self, request: Request, token: str) -> Response:
        try:
            opened = await self._open(token)
        except (BadLink, NotFound):
            self._bad_links.spend(network_key(client_ip(request, self._trusted_proxies)))
            return problem_page(self._look, request, BadLink.slug, HTTPStatus.NOT_FOUND)
        copy = opened.copy
        template = "copy/ended.html" if opened.ended else "copy/copy.html"
        if copy.opens_until <= self._clock.now() and not opened.ended:
            template = "copy/closed.html"
        return self._look.page(
            request,
            template,
            copy.language,
            status=HTTPStatus.OK if template == "copy/copy.html" else HTTPStatus.GONE,
            copy=copy,
            token=token,
            size=readable.size(copy.size, copy.language),
        )

    async def copy_pdf(self, request: Request, token: str) -> Response:
        """The sealed bytes; a link that is closed or not ours leads to the page that says so."""
        try:
            opened = await self._open(token)
        except (BadLink, NotFound):
            return RedirectResponse(path_for(request, "copy_page", token=token), HTTPStatus.SEE_OTHER)
        copy = opened.copy
        if opened.ended or copy.opens_until <= self._clock.now():
            return RedirectResponse(path_for(request, "copy_page", token=token), HTTPStatus.SEE_OTHER)
        content = await self._copies.pdf(opened.organisation, opened.agreement_id)
        headers = {"content-disposition": fetched_as(sealed_name(copy.document_name, copy.language))}
        return Response(content, media_type="application/pdf", headers=headers)

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
        copy = await self._copies.copy(link.organisation, agreement_id)
        opens_from = await self._copies.links_from(link.organisation, agreement_id)
        ended = link.version < opens_from.get(holder, links.FIRST_VERSION) if holder else bool(opens_from)
        return _Opened(link.organisation, agreement_id, copy, ended)
