"""Errors on pages become pages: the same kinds as over the API, in the reader's words."""

from collections.abc import Callable, Coroutine
from datetime import date
from enum import Enum
from http import HTTPStatus
from typing import Any

from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared import readable
from shared.auth import Access
from shared.database import is_transient
from shared.errors import JusteraError, NotAuthenticated, Says, Unavailable
from shared.logging import get_logger
from shared.routes import LazyRoute
from shared.settings import Settings
from shared.web import forms
from shared.web.catalogue import Language
from shared.web.look import Look

log = get_logger(__name__)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def offer_pages(app: FastAPI, settings: Settings) -> None:
    """A browser that asks the app for an address that leads nowhere gets a page."""
    app.state.pages_look = Look("shared.web", settings)


def nowhere(request: Request, status: int) -> Response | None:
    """The page for an address that does not exist, or that only takes what forms send, or nothing of the kind; None
    for who wants no page, or where none is offered."""
    look: Look | None = getattr(request.app.state, "pages_look", None)
    if look is None:
        return None
    if status == HTTPStatus.METHOD_NOT_ALLOWED and _reads_html(request.headers):
        return problem_page(look, request, "form-only" if request.method == "GET" else "refused", status)
    if status == HTTPStatus.NOT_FOUND and wants_a_page(request.headers, request.method):
        return problem_page(look, request, "not-found", status)
    return None


def too_large(request: Request, most: int | None) -> Response | None:
    """The page for a form that is refused before it has arrived; None as above. `most`: bytes of a file that is taken
    there; None where none but a small one is."""
    look: Look | None = getattr(request.app.state, "pages_look", None)
    if look is None or not _reads_html(request.headers):
        return None
    said = forms.too_large(forms.LARGEST_FILE if most is None else most)
    return problem_page(look, request, "too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said)


def wants_a_page(headers: Headers, method: str) -> bool:
    """Browsers ask for HTML by name; programs for anything, or for JSON."""
    return method == "GET" and _reads_html(headers)


def _reads_html(headers: Headers) -> bool:
    return "text/html" in headers.get("accept", "").lower()


def page_route(look: Look) -> type[APIRoute]:
    """The route class for a router of pages: whatever is raised, a person reads what to do."""

    class PageRoute(LazyRoute):
        def get_route_handler(self) -> Handler:
            handle = super().get_route_handler()

            async def handle_for_people(request: Request) -> Response:
                try:
                    return await handle(request)
                except JusteraError as error:
                    if (way := _way_in(request, error)) is not None:
                        return way
                    return problem_page(look, request, error.slug, error.status, error.says)
                except RequestValidationError:
                    return problem_page(look, request, "not-found", HTTPStatus.NOT_FOUND)
                except HTTPException as error:
                    return problem_page(look, request, "refused", error.status_code)
                except ClientDisconnect:  # a form that its page took back half-way; nobody reads an answer
                    return Response(status_code=HTTPStatus.BAD_REQUEST)
                except Exception as error:
                    if is_transient(error) or isinstance(error, KafkaError):
                        log.warning("page.unavailable", route=self.path, error=type(error).__name__)
                        return problem_page(look, request, Unavailable.slug, Unavailable.status)
                    log.exception("page.bug", route=self.path, error=type(error).__name__)
                    return problem_page(look, request, "bug", HTTPStatus.INTERNAL_SERVER_ERROR)

            return handle_for_people

    return PageRoute


def _way_in(request: Request, error: JusteraError) -> Response | None:
    """To where one logs in, for who is not; None for those who came with something that is refused, a token say."""
    if error.slug != NotAuthenticated.slug or "authorization" in request.headers:
        return None
    access: Access = request.app.state.access
    return access.way_in(request)


def problem_page(look: Look, request: Request, slug: str, status: int, says: Says | None = None) -> Response:
    """What is so and what to do, by the problem's slug; an unknown slug reads as a plain refusal.

    `says`: what was in the way just now, where the reader's language has words for it.
    """
    language = look.preferred(request)
    said = "" if says is None else _said(look, language, says)
    kind = slug if look.texts.has(f"problem.{slug}.title") else "refused"
    typed = request.method == "POST" and slug == NotAuthenticated.slug
    return look.page(request, "web/problem.html", language, status=status, kind=kind, said=said, typed=typed)


def _said(look: Look, language: Language, says: Says) -> str:
    """Empty where there are no words, or where what fills them in would need words of its own."""
    if not look.texts.has(f"wrong.{says.key}") or any(isinstance(one, Enum | tuple) for one in says.values.values()):
        return ""
    values = {
        name: readable.day(value, language)
        if isinstance(value, date)
        else readable.size(value, language)
        if isinstance(value, readable.Octets)
        else value
        for name, value in says.values.items()
    }
    return look.texts.text(language, f"wrong.{says.key}", **values)
