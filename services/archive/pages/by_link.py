"""What the pages behind mailed links to sealed files share: a file to fetch while the link is open, else why not."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from shared import readable
from shared.auth import public
from shared.clock import Clock
from shared.errors import NotFound
from shared.forwarding import Proxies, client_ip, network_key
from shared.keys import KeyRing
from shared.links import BadLink
from shared.rendering.file_names import fetched_as
from shared.web import Language, Look, path_for, wrong_guesses
from shared.web.page_route import problem_page

OF_NOBODY = (BadLink, NotFound)
"""What a link raises that we made for nothing that there is."""


class State(StrEnum):
    OPEN = "open"
    CLOSED = "closed"  # its days are over
    ENDED = "ended"  # the sender ended it


class LinkPages:
    def __init__(self, look: Look, clock: Clock, keys: KeyRing, proxies: Proxies) -> None:
        self._look = look
        self._clock = clock
        self._keys = keys
        self._proxies = proxies
        self._bad_links = wrong_guesses(burst=60, per_second=0.5)

    def _state(self, opens_until: datetime, *, ended: bool) -> State:
        if ended:
            return State.ENDED
        return State.OPEN if self._clock.now() < opens_until else State.CLOSED

    def _unknown(self, request: Request) -> Response:
        """Who guesses links is slowed down."""
        self._bad_links.spend(network_key(client_ip(request, self._proxies)))
        return problem_page(self._look, request, BadLink.slug, HTTPStatus.NOT_FOUND)

    def _page(
        self,
        request: Request,
        state: State,
        templates: Mapping[State, str],
        language: Language,
        *,
        size: int,
        **facts: Any,
    ) -> Response:
        """`size`: of the file, in bytes."""
        return self._look.page(
            request,
            templates[state],
            language,
            status=HTTPStatus.OK if state is State.OPEN else HTTPStatus.GONE,
            size=readable.size(size, language),
            **facts,
        )


def add_pages(router: APIRouter, why: str, pages: Mapping[str, Callable[..., Awaitable[Response]]]) -> None:
    """By path. `why` whoever has the link may read them."""
    for path, page in pages.items():
        router.add_api_route(path, page, methods=["GET"], response_model=None, dependencies=[public(why)])


def to_page(request: Request, page: str, token: str) -> Response:
    """Where a link to a file leads that is not open, or not ours: to the page that says so."""
    return RedirectResponse(path_for(request, page, token=token), HTTPStatus.SEE_OTHER)


def pdf(content: bytes, name: str) -> Response:
    return Response(content, media_type="application/pdf", headers={"content-disposition": fetched_as(name)})
