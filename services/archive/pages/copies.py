"""The sealed copy, for whoever holds the mailed link, while the link is open."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from shared import links
from shared.auth import public
from shared.clock import Clock
from shared.errors import NotFound
from shared.forwarding import Proxies, client_ip, network_key
from shared.keys import KeyRing
from shared.links import BadLink
from shared.rendering.file_names import fetched_as, sealed_name
from shared.web import Language, Look, path_for, wrong_guesses
from shared.web.page_route import problem_page

LINK_PURPOSE = "copy"
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
            _, copy = await self._open(token)
        except (BadLink, NotFound):
            self._bad_links.spend(network_key(client_ip(request, self._trusted_proxies)))
            return problem_page(self._look, request, BadLink.slug, HTTPStatus.NOT_FOUND)
        closed = copy.opens_until <= self._clock.now()
        return self._look.page(
            request,
            "copy/closed.html" if closed else "copy/copy.html",
            copy.language,
            status=HTTPStatus.GONE if closed else HTTPStatus.OK,
            copy=copy,
            token=token,
            size=_readable(copy.size, copy.language),
        )

    async def copy_pdf(self, request: Request, token: str) -> Response:
        """The sealed bytes; a link that is closed or not ours leads to the page that says so."""
        try:
            link, copy = await self._open(token)
        except (BadLink, NotFound):
            return RedirectResponse(path_for(request, "copy_page", token=token), HTTPStatus.SEE_OTHER)
        if copy.opens_until <= self._clock.now():
            return RedirectResponse(path_for(request, "copy_page", token=token), HTTPStatus.SEE_OTHER)
        content = await self._copies.pdf(link.organisation, link.subject)
        headers = {"content-disposition": fetched_as(sealed_name(copy.document_name, copy.language))}
        return Response(content, media_type="application/pdf", headers=headers)

    async def _open(self, token: str) -> tuple[links.Link, SealedCopy]:
        """Raises BadLink, NotFound."""
        link = links.read(self._keys, LINK_PURPOSE, token)
        return link, await self._copies.copy(link.organisation, link.subject)


def _readable(size: int, language: Language) -> str:
    """`174 kB`, `1,2 MB`: decimal units, as browsers show downloads."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))} kB"
    text = f"{size / 1_000_000:.1f} MB"
    return text.replace(".", ",") if language == "sv" else text
