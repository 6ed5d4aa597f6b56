"""The public notice board (anslagstavla): who reads it is known by nothing, and gets no cookie.

Each address is in one language. Answers may be kept by who reads them, and are asked for anew each time (`no-cache`):
what was taken down or corrected is gone at once.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from email.utils import format_datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.meeting.meeting import YEARS
from services.meetings.member.feed import is_known, is_of
from services.meetings.pages.office import is_id
from services.meetings.publication.addresses import FOLDERS, archive_of, posting_of
from services.meetings.publication.atom import MEDIA_TYPE, Entry, feed
from services.meetings.publication.publication import Status
from services.meetings.publication.queries import Board, BoardQueries, Posting, Removed
from services.meetings.publication.store import Sought
from shared.auth import public
from shared.errors import NotFound
from shared.forwarding import Proxies, client_ip, network_key
from shared.readable import day, weekday
from shared.rendering.html import content_policy
from shared.rendering.minutes import Language
from shared.settings import Settings
from shared.web import Look, RateLimit

_NOBODY = "-"  # the id of no body
_EVERYONE = "what is on the notice board is for everyone"
_MOST_IN_FEED = 200
_MOST_IN_ARCHIVE = 50
_LONGEST_WORDS, _MOST_WORDS = 200, 10  # characters; so many words are looked for


class BoardPages:
    """`organisation`: the one whose board this is; nothing of another's is looked for."""

    def __init__(self, look: Look, queries: BoardQueries, settings: Settings) -> None:
        self._look = look
        self._queries = queries
        self._organisation = settings.organisation
        self._organisation_name = settings.organisation_name
        self._address = f"{settings.public_url.rstrip('/')}/meetings"
        self._proxies = Proxies.of(settings)
        # A person reads some pages; a program that fetches everything each minute reads too many.
        self._visits = RateLimit(burst=120, per_second=2, backstop=RateLimit(burst=600, per_second=60))

    def add_to(self, router: APIRouter) -> None:
        for language, folder in FOLDERS.items():
            self._get(router, folder, self.board, f"board_{language}")
            self._get(router, f"{folder}/atom.xml", self.board_feed, f"board_feed_{language}")
            self._get(router, archive_of(language), self.board_archive, f"board_archive_{language}")
            self._get(router, f"{folder}/{{publication_id}}", self.board_posting, f"board_posting_{language}")
            self._get(router, f"{folder}/{{publication_id}}/pdf", self.board_pdf, f"board_pdf_{language}")
            self._get(router, f"{folder}/{{publication_id}}/html", self.board_html, f"board_html_{language}")

    def _get(self, router: APIRouter, path: str, handler: Callable[..., Any], name: str) -> None:
        anyone = public(_EVERYONE, self._organisation)
        router.add_api_route(path, handler, methods=["GET"], response_model=None, name=name, dependencies=[anyone])

    async def board(self, request: Request) -> Response:
        self._visit(request)
        language = _language(request)
        found = await self._queries.board(self._organisation)
        page = self._look.page(request, "board/board.html", language, postings=found.postings, **_about(language))
        return _kept(request, bytes(page.body), "text/html; charset=utf-8", None, language=language)

    async def board_archive(
        self, request: Request, year: str = "", body: str = "", words: str = "", after: str = ""
    ) -> Response:
        """What was posted and may still be read; what cannot be looked for is found nowhere."""
        self._visit(request)
        language = _language(request)
        asked = {"year": year, "body": body, "words": words}
        sought, place = _sought(year, body, words), _place_of(after)
        if sought is None or (after and place is None):
            sought, place = Sought(body_id=_NOBODY), None
        found = await self._queries.archive(self._organisation, sought, after=place, most=_MOST_IN_ARCHIVE)
        given = {name: value for name, value in asked.items() if value}
        following = urlencode(given | {"after": _text_of(*found.next)}) if found.next else ""
        page = self._look.page(
            request,
            "board/archive.html",
            language,
            found=found,
            asked=asked,
            filtered=bool(given),
            following=following,
            **_about(language),
        )
        return _kept(request, bytes(page.body), "text/html; charset=utf-8", None, language=language)

    async def board_feed(self, request: Request) -> Response:
        self._visit(request)
        language = _language(request)
        found = await self._queries.board(self._organisation, most=_MOST_IN_FEED)
        return _kept(request, self._feed(found, language), MEDIA_TYPE, None)

    async def board_posting(self, request: Request, publication_id: str) -> Response:
        self._visit(request)
        language = _language(request)
        try:
            found = await self._posting(publication_id)
        except Removed:
            return self._gone(request, language)
        page = self._look.page(
            request,
            "board/posting.html",
            language,
            posting=found,
            publication=found.publication,
            in_archive=found.publication.status is Status.ARCHIVED,
            removed_on=found.publication.day(found.publication.removed_at or _edited(found)),
            edited_on=found.publication.day(_edited(found)),
            address=f"{self._address}{posting_of(publication_id, language)}",
            **_about(language),
        )
        # What is in the archive says so since it was taken from the board.
        changed_at = max(_edited(found), found.publication.removed_at or _edited(found))
        return _kept(request, bytes(page.body), "text/html; charset=utf-8", changed_at, language=language)

    async def board_pdf(self, request: Request, publication_id: str) -> Response:
        self._visit(request)
        _required(publication_id)
        try:
            found, content = await self._queries.file(self._organisation, publication_id, "pdf")
        except Removed:
            return self._gone(request, _language(request))
        name = quote(f"{found.posted.title}.pdf", safe="")
        headers = {"content-disposition": f"inline; filename*=UTF-8''{name}"}
        return _kept(request, content, "application/pdf", _edited(found), headers)

    async def board_html(self, request: Request, publication_id: str) -> Response:
        """The file as it is; nothing in it runs, or is loaded from elsewhere."""
        self._visit(request)
        _required(publication_id)
        try:
            found, content = await self._queries.file(self._organisation, publication_id, "html")
        except Removed:
            return self._gone(request, _language(request))
        headers = {"content-security-policy": content_policy(content.decode())}
        return _kept(request, content, "text/html; charset=utf-8", _edited(found), headers)

    async def _posting(self, publication_id: str) -> Posting:
        _required(publication_id)
        return await self._queries.posting(self._organisation, publication_id)

    def _visit(self, request: Request) -> None:
        """Raises TooMany."""
        self._visits.spend(network_key(client_ip(request, self._proxies)))

    def _gone(self, request: Request, language: Language) -> Response:
        """It says nothing of what stood there."""
        headers = {"cache-control": "no-store"}
        return self._look.page(
            request, "board/gone.html", language, status=HTTPStatus.GONE, headers=headers, **_about(language)
        )

    def _feed(self, board: Board, language: Language) -> bytes:
        folder = f"{self._address}{FOLDERS[language]}"

        def text(key: str, **values: object) -> str:
            return self._look.texts.text(language, key, **values)

        def summary(one: Posting) -> str:
            publication = one.publication
            said = [text("board.of", body=one.body, day=day(publication.held_on, language))]
            if publication.appeal_until:
                said.append(text("board.appeal_short", day=weekday(publication.appeal_until, language)))
            if publication.is_corrected:
                said.append(text("board.corrected"))
            return " ".join(said)

        entries = [
            Entry(
                publication_id=one.publication.id,
                title=one.posted.title,
                summary=summary(one),
                body=one.body,
                language=one.posted.language,
                posted_at=one.publication.posted_at or board.changed_at,
                edited_at=_edited(one),
                page=f"{folder}/{one.publication.id}",
                pdf=f"{folder}/{one.publication.id}/pdf",
                pdf_size=one.posted.pdf.size,
            )
            for one in board.postings
        ]
        return feed(
            entries,
            title=f"{text('board.title')}, {self._organisation_name}",
            language=language,
            author=self._organisation_name,
            updated=board.changed_at,
            own_address=f"{folder}/atom.xml",
            page_address=folder,
        )


def _about(language: Language) -> dict[str, Any]:
    """What every page of the board is given."""
    return {"other": "en" if language == "sv" else "sv"}


def _sought(year: str, body: str, words: str) -> Sought | None:
    """None for what cannot be there."""
    if not words.isprintable() or len(words) > _LONGEST_WORDS or (body and not is_id(body)):
        return None
    if year and not (year.isascii() and year.isdigit() and len(year) == 4 and int(year) in YEARS):
        return None
    return Sought(int(year) if year else None, body or None, tuple(words.split()[:_MOST_WORDS]))


def _text_of(day: date, publication_id: str) -> str:
    return f"{day.isoformat()}.{publication_id}"


def _place_of(after: str) -> tuple[date, str] | None:
    """Behind which it goes on; None for what is no place."""
    day, _, publication_id = after.partition(".")
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return None
    return (found, publication_id) if is_id(publication_id) else None


def _language(request: Request) -> Language:
    route: str = request.scope["route"].path
    return "en" if FOLDERS["en"] in route else "sv"


def _required(publication_id: str) -> None:
    if not is_id(publication_id):
        raise NotFound("there is no such posting")


def _edited(found: Posting) -> datetime:
    return found.publication.edited_at or datetime.now(UTC)


def _kept(
    request: Request,
    content: bytes,
    media_type: str,
    changed_at: datetime | None,
    headers: dict[str, str] | None = None,
    *,
    language: Language | None = None,
) -> Response:
    """With what tells whether it is the same still (RFC 9110, sections 8.8 and 13). `changed_at`: None for a list, of
    which its tag alone tells."""
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    moment = changed_at.astimezone(UTC) if changed_at else None
    found = {
        "etag": tag,
        **({"last-modified": format_datetime(moment, usegmt=True)} if moment else {}),
        "cache-control": "public, no-cache",
        **({"content-language": language} if language else {}),
        **(headers or {}),
    }
    if _is_same(request, tag, moment):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=found)
    return Response(content, media_type=media_type, headers=found)


def _is_same(request: Request, tag: str, moment: datetime | None) -> bool:
    """The tag decides where one is given (section 13.2.2)."""
    if (tags := request.headers.get("if-none-match")) is not None:
        return is_known(tag, tags)
    return is_of(moment, request.headers.get("if-modified-since", ""))
