"""Open data over HTTP: OParl 1.1, for everyone, read only. Thin; what is public is said in `oparl`."""

import base64
import hashlib
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.meetings.meeting.meeting import YEARS
from services.meetings.member.feed import is_known, is_of
from services.meetings.oparl.keeping import Kept
from services.meetings.oparl.oparl import LISTED, Kind
from services.meetings.oparl.queries import OpenQueries, Page
from services.meetings.oparl.store import Between
from shared import invalid
from shared.auth import public
from shared.errors import InvalidInput, JusteraError, NotFound
from shared.forwarding import Proxies, client_ip, network_key
from shared.http import problem, refusal
from shared.rendering.file_names import fetched_as, shown_as
from shared.routes import LazyRoute
from shared.web import RateLimit

_OPEN_TO_ALL = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "etag, last-modified, retry-after",
}
_MAY_ASK = {
    "access-control-allow-methods": "GET",
    "access-control-allow-headers": "if-none-match, if-modified-since",
    "access-control-max-age": "86400",
}
"""What a browser is told that asks whether a script may send these (https://fetch.spec.whatwg.org/#http-cors-protocol)."""
_LONGEST_ID = 100
_PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}, "description": "the file"}}
_MOST = 100


class OParlObject(BaseModel):
    """An object of OParl 1.1; its `type` names the schema that says what else it has. `deleted`: it was
    public once, and nothing of what it said is left."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="its address, for good")
    type: str = Field(description="https://schema.oparl.org/1.1/…")
    created: AwareDatetime = Field(description="when it became public")
    modified: AwareDatetime
    deleted: bool | None = None


class OParlPagination(BaseModel):
    elementsPerPage: int


class OParlLinks(BaseModel):
    """`next`: absent on the last page."""

    first: str
    self: str
    next: str | None = None


class OParlList(BaseModel):
    """A page of a list: objects in the order in which they became public, each whole."""

    data: list[OParlObject]
    pagination: OParlPagination
    links: OParlLinks


class _OpenRoute(LazyRoute):
    """Scripts of any site may read what is answered, a refusal too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_for_all(request: Request) -> Response:
            try:
                response = await handle(request)
            except JusteraError as error:
                response = refusal(error)
            except RequestValidationError as error:
                first = error.errors()[0]
                where, what = first["loc"], invalid.what(first)
                if where[0] == "path":
                    response = problem(HTTPStatus.NOT_FOUND, NotFound.slug, "there is no such list")
                else:
                    response = problem(HTTPStatus.UNPROCESSABLE_ENTITY, InvalidInput.slug, f"{where[-1]}: {what}")
            response.headers.update(_OPEN_TO_ALL)
            return response

        return handle_for_all


class _Filter:
    """What every list can be asked, kept on its further pages."""

    def __init__(
        self,
        created_since: Annotated[AwareDatetime | None, Query()] = None,
        created_until: Annotated[AwareDatetime | None, Query()] = None,
        modified_since: Annotated[
            AwareDatetime | None, Query(description="with those that are gone since, marked as `deleted`")
        ] = None,
        modified_until: Annotated[AwareDatetime | None, Query()] = None,
        elementsPerPage: Annotated[int, Query(ge=1, le=10_000, description="100 at most are given")] = _MOST,
        after: Annotated[str | None, Query(max_length=300, description="of `links.next`")] = None,
    ) -> None:
        self.between = Between(created_since, created_until, modified_since, modified_until)
        for name, at in self.between._asdict().items():
            if at is not None and at.year not in YEARS:
                raise InvalidInput(f"{name}: the year {at.year} is not one of {YEARS[0]} to {YEARS[-1]}")
        self.most = min(elementsPerPage, _MOST)
        self.after = _place_of(after)
        self._after = after

    def link(self, address: str, after: str | None) -> str:
        asked = {name: at.isoformat() for name, at in self.between._asdict().items() if at is not None}
        if self.most != _MOST:
            asked["elementsPerPage"] = str(self.most)
        if after is not None:
            asked["after"] = after
        return f"{address}?{urlencode(asked)}" if asked else address

    def view(self, address: str, page: Page, queries: OpenQueries) -> dict[str, Any]:
        links = {"first": self.link(address, None), "self": self.link(address, self._after)}
        if page.next is not None:
            links["next"] = self.link(address, _text_of(page.next))
        return {
            "data": [one.given(queries.addresses) for one in page.objects],
            "pagination": {"elementsPerPage": self.most},
            "links": links,
        }


def router(queries: OpenQueries, trusted_proxies: Proxies, limit: RateLimit | None = None) -> APIRouter:
    """`limit`: by the network that asks; None for the usual one, under which a walk never stops to wait for long."""
    limit = limit or RateLimit(burst=600, per_second=10, backstop=RateLimit(burst=3000, per_second=50))

    async def spend(request: Request) -> None:
        limit.spend(network_key(client_ip(request, trusted_proxies)))

    routes = APIRouter(tags=["open data"], prefix="/oparl", route_class=_OpenRoute)
    anyone = public("what is said to be public is for everyone", queries.organisation)

    def get(path: str, model: type[BaseModel]) -> Callable[[Any], Any]:
        return routes.get(path, response_model=model, dependencies=[anyone])

    async def page_of(request: Request, kind: Kind, asked: _Filter, owner: str | None = None) -> Response:
        await spend(request)
        page = await queries.page(kind, asked.between, owner=owner, after=asked.after, most=asked.most)
        return _answer(request, asked.view(queries.addresses.list_of(kind, owner), page, queries))

    @routes.options("", include_in_schema=False, dependencies=[anyone])
    @routes.options("/{path:path}", include_in_schema=False, dependencies=[anyone])
    async def may_ask() -> Response:
        """Of any address alike: nothing is looked for."""
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=_MAY_ASK)

    @get("", OParlObject)
    async def open_data(request: Request) -> Response:
        """Begin here with a client of OParl: the system leads to all else."""
        await spend(request)
        kept = await queries.system()
        return _answer(request, kept.given(queries.addresses), kept)

    @get("/{kind}", OParlList)
    async def list_open_data(request: Request, kind: Kind, asked: Annotated[_Filter, Depends()]) -> Response:
        """All objects of a kind: bodies as OParl calls them (the association), organizations (its bodies), people …"""
        if kind not in (Kind.BODY, *LISTED):
            raise _nothing()
        return await page_of(request, kind, asked)

    @get("/organization/{organization_id}/meeting", OParlList)
    async def list_open_meetings(
        request: Request, organization_id: str, asked: Annotated[_Filter, Depends()]
    ) -> Response:
        """The meetings of one organization."""
        return await page_of(request, Kind.MEETING, asked, _known_id(organization_id))

    async def file_of(request: Request, file_id: str, named: Callable[[str], str]) -> Response:
        await spend(request)
        kept, content = await queries.content(_known_id(file_id))
        file = kept.given(queries.addresses)
        headers = _headers(content, kept) | {"content-disposition": named(file["fileName"])}
        return _sent(request, content, file["mimeType"], headers, kept)

    @routes.get("/file/{file_id}/content", response_class=Response, responses=_PDF, dependencies=[anyone])
    async def open_file(request: Request, file_id: str) -> Response:
        """A file to look at. What was public once and is no longer is 410."""
        return await file_of(request, file_id, shown_as)

    @routes.get("/file/{file_id}/download", response_class=Response, responses=_PDF, dependencies=[anyone])
    async def keep_open_file(request: Request, file_id: str) -> Response:
        """A file to keep."""
        return await file_of(request, file_id, fetched_as)

    @get("/{kind}/{thing_id}", OParlObject)
    async def open_object(request: Request, kind: Kind, thing_id: str) -> Response:
        """An object by its address. What was public once and is no longer says so: `deleted`."""
        if kind is Kind.SYSTEM:
            raise _nothing()
        await spend(request)
        kept = await queries.object(kind, _known_id(thing_id))
        return _answer(request, kept.given(queries.addresses), kept)

    return routes


def _answer(request: Request, content: dict[str, Any], kept: Kept | None = None) -> Response:
    """JSON that may be kept, and is asked about each time: what is public no longer is not read on from a cache."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return _sent(request, text, "application/json", _headers(text, kept), kept)


def _headers(content: bytes, kept: Kept | None) -> dict[str, str]:
    headers = {"etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"', "cache-control": "public, no-cache"}
    if kept is not None:
        headers["last-modified"] = format_datetime(kept.modified.astimezone(UTC), usegmt=True)
    return headers


def _sent(
    request: Request, content: bytes, media_type: str, headers: dict[str, str], kept: Kept | None = None
) -> Response:
    if _is_known(request, headers["etag"], kept):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _is_known(request: Request, tag: str, kept: Kept | None) -> bool:
    """RFC 9110 section 13.2.2: the tag goes before the time."""
    if (tags := request.headers.get("if-none-match")) is not None:
        return is_known(tag, tags)
    modified = kept.modified.astimezone(UTC) if kept else None
    return is_of(modified, request.headers.get("if-modified-since", ""))


def _text_of(place: tuple[datetime, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([place[0].isoformat(), place[1]]).encode()).decode().rstrip("=")


def _place_of(after: str | None) -> tuple[datetime, str] | None:
    """Raises InvalidInput."""
    if after is None:
        return None
    try:
        at, thing_id = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        if not isinstance(thing_id, str):
            raise TypeError
        place = datetime.fromisoformat(at), _known_id(thing_id)
        if place[0].tzinfo is not None and place[0].year in YEARS:
            return place
    except (ValueError, TypeError, NotFound):
        pass
    raise InvalidInput("after: is no place in this list", hint="follow `links.next` of the page before")


def _known_id(text: str) -> str:
    """Raises NotFound for what cannot be an id of ours."""
    if not (0 < len(text) <= _LONGEST_ID and text.isascii() and text.replace("-", "").isalnum()):
        raise _nothing()
    return text


def _nothing() -> NotFound:
    return NotFound("there is no such object", hint="begin at the system, and follow the addresses that are given")
