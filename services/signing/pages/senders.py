"""What the sender's pages share: who may open them, how they are shown, and where a form leads back to."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.signing.agreement import Status
from services.signing.commands import SigningCommands
from services.signing.queries import SigningQueries
from services.signing.views import AgreementOverview, PlaceOverview, RequestOverview
from shared.auth import Access, Role, requires
from shared.errors import NotFound
from shared.web import Field, Language, Look, path_for, small_form

READER = requires(*Role)
SENDER = requires(Role.SECRETARY)
CHANGEABLE = frozenset({Status.READY, Status.OUT})


class SendersPages:
    """`caller` gives a request's IP address."""

    def __init__(
        self,
        look: Look,
        access: Access,
        commands: SigningCommands,
        queries: SigningQueries,
        caller: Callable[[Request], str],
    ) -> None:
        self._look = look
        self._access = access
        self._commands = commands
        self._queries = queries
        self._caller = caller

    def _page(
        self, request: Request, template: str, *, fields: list[Field] | None = None, **facts: Any
    ) -> HTMLResponse:
        wrong = any(field.error for field in fields or [])
        language = self._look.preferred(request)
        return self._look.page(
            request,
            template,
            language,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
            csrf=self._access.csrf_token(self._access.cookie_of(request)),
            role_name=lambda role: self._role_name(role, language),
            fields={field.name: field for field in fields or []},
            **facts,
        )

    def _role_name(self, role: str, language: Language) -> str:
        key = f"role.{role}"
        return self._look.texts.text(language, key) if self._look.texts.has(key) else role


def get(router: APIRouter, path: str, handler: Callable[..., Any]) -> None:
    router.add_api_route(path, handler, methods=["GET"], response_model=None)


def post(router: APIRouter, path: str, handler: Callable[..., Any]) -> None:
    router.add_api_route(path, handler, methods=["POST"], response_model=None, dependencies=[small_form])


def asked(agreement: AgreementOverview, request_id: str) -> tuple[PlaceOverview, RequestOverview]:
    """Raises NotFound."""
    for place in agreement.places:
        for one in place.requests:
            if one.request_id == request_id:
                return place, one
    raise NotFound("this request to sign does not exist")


def back(request: Request, agreement_id: str, done: str) -> Response:
    path = path_for(request, "overview_agreement", agreement_id=agreement_id)
    return RedirectResponse(f"{path}?done={done}", HTTPStatus.SEE_OTHER)
