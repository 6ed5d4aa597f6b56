"""What every service's HTTP side has: problem details, a guard (`shared.guard`), health, its API's documentation.

Errors are RFC 9457 problem details. Liveness depends on nothing (a blip of Kafka must not restart the fleet); readiness
asks the database and Kafka, with a time limit.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml
from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from starlette.exceptions import HTTPException

from shared import invalid
from shared.auth import Access, public
from shared.database import is_transient
from shared.errors import JusteraError, Unavailable
from shared.guard import Guard, Uploads
from shared.logging import get_logger
from shared.messaging.answers import StillRunning
from shared.organisations import KnownOrganisations, Standings
from shared.routes import LazyRoute
from shared.web.api_docs import include_api_docs
from shared.web.assets import include_static
from shared.web.page_route import nowhere, too_large

log = get_logger(__name__)

PROBLEM = "application/problem+json"
_CHECK_SECONDS = 5.0
_DATA_EXCEPTION = "22"  # SQLSTATE class (PostgreSQL manual, appendix A)

Check = Callable[[], Awaitable[None]]


def create_app(
    title: str,
    *,
    description: str,
    access: Access,
    max_body_bytes: int,
    checks: Mapping[str, Check],
    examples: Traversable | None = None,
    uploads: Sequence[Uploads] = (),
    known_organisations: KnownOrganisations | None = None,
) -> FastAPI:
    """A service's app without its own routes. `checks`: what readiness asks, by name; each raises when it fails.

    `examples`: YAML, an example by the name of its schema, for the documentation. `uploads`: which routes take files.
    `known_organisations`: which organisations are refused; without, none is.
    """
    app = _DocumentedApp(
        title=title,
        description=description,
        version="0.1.0",
        responses=_PROBLEM_RESPONSES,
        redirect_slashes=False,  # a redirect would repeat the Host that was sent, and a link's token
        docs_url=None,  # FastAPI's own pages load their scripts from a public network
        redoc_url=None,
        # Its own spans hold path and query, its logs exceptions' messages: `shared.tracing` has ours.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.router.route_class = LazyRoute
    app.state.access = access
    app.state.examples = examples
    app.add_exception_handler(JusteraError, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    for infrastructure in (SQLAlchemyError, KafkaError, OSError):
        app.add_exception_handler(infrastructure, _on_infrastructure)
    app.add_exception_handler(Exception, _on_bug)
    if known_organisations is not None:
        app.add_middleware(Standings, known_organisations=known_organisations)
    app.add_middleware(Guard, max_body_bytes=max_body_bytes, problem=problem, uploads=uploads, page=too_large)
    _add_health(app, checks)
    include_static(app)
    include_api_docs(app)
    return app


class Problem(BaseModel):
    """RFC 9457 problem details: what was wrong, and where known what to do."""

    type: str = Field(description="urn:justera:problem:<kind>, the same for the same kind of problem")
    title: str
    status: int
    detail: str
    hint: str | None = Field(None, description="what to do")
    errors: list[dict[str, str]] | None = Field(None, description="each thing that is wrong: `where` and `what`")


class _DocumentedApp(FastAPI):
    """Its OpenAPI document says what every operation may answer when it refuses."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        for operations in document.get("paths", {}).values():
            for operation in operations.values():
                _summarise(operation)
        for name, example in self._examples().items():
            if schema := document["components"]["schemas"].get(name):
                schema["examples"] = [example]
        return document

    def _examples(self) -> dict[str, Any]:
        """By the schemas' names: those of every service, and the service's own."""
        own = getattr(self.state, "examples", None)
        return {
            name: example
            for file in (files("shared") / "examples.yaml", own)
            if file is not None
            for name, example in yaml.safe_load(file.read_text(encoding="utf-8")).items()
        }


def _summarise(operation: dict[str, Any]) -> None:
    """The first sentence of a route's docstring is its summary, where it has no other than its function's name."""
    made_up = operation["summary"].lower().replace(" ", "_")
    if operation["operationId"].startswith(f"{made_up}_") and (text := operation.pop("description", "")):
        first, _, rest = " ".join(text.split()).partition(". ")
        operation["summary"] = first.rstrip(".")
        if rest:
            operation["description"] = rest


def _problem_response(description: str) -> dict[str, Any]:
    return {"description": description, "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


_PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": _problem_response("Refused, and nothing was changed: `type` and `detail` say why"),
    503: _problem_response("A part that this depends on does not answer: try again soon"),
}


# For the documentation of a route that answers 201 with a Location.
CREATED: dict[int | str, dict[str, Any]] = {
    201: {"headers": {"Location": {"description": "the path of what was made", "schema": {"type": "string"}}}}
}


def problem(status: int, slug: str, detail: str, **extra: object) -> Response:
    """RFC 9457: `type` names the kind of problem, `detail` says what was wrong here."""
    body = {
        "type": f"urn:justera:problem:{slug}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **{name: value for name, value in extra.items() if value},
    }
    # What was sent may come back in the detail: half of a surrogate pair has no UTF-8 form.
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", errors="replace")
    return Response(text, status, media_type=PROBLEM)


def _add_health(app: FastAPI, checks: Mapping[str, Check]) -> None:
    @app.get("/health/live", include_in_schema=False, dependencies=[public("orchestrators probe it")])
    async def live() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @app.get("/health/ready", include_in_schema=False, dependencies=[public("orchestrators probe it")])
    async def ready() -> Response:
        failed = {name: why for name, check in checks.items() if (why := await _failure(check))}
        if failed:
            return problem(503, "not-ready", "; ".join(f"{name}: {why}" for name, why in failed.items()))
        return PlainTextResponse("ok\n")


async def _failure(check: Check) -> str:
    """Why a check fails; empty when it does not."""
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except Exception as error:
        return error.message if isinstance(error, JusteraError) else type(error).__name__
    return ""


def refusal(error: JusteraError) -> Response:
    """With the headers that tell a client how to go on."""
    response = problem(error.status, error.slug, error.message, hint=error.hint)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["www-authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        response.headers["retry-after"] = "5"
    elif isinstance(error, StillRunning):
        response.headers["retry-after"] = "1"
    return response


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, JusteraError)  # noqa: S101  (registered for this class alone)
    return refusal(error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problems = [
        {"where": ".".join(str(part) for part in one["loc"]), "what": invalid.what(one)} for one in error.errors()[:20]
    ]
    detail = "; ".join(f"{one['where']}: {one['what']}" for one in problems[:3])
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-input", detail, errors=problems)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    response = nowhere(request, error.status_code) or problem(error.status_code, "http", str(error.detail))
    response.headers.update(error.headers or {})
    return response


async def _on_infrastructure(request: Request, error: Exception) -> Response:
    """Trouble that no handler expected: passing, or a value that PostgreSQL cannot hold, or else a bug."""
    if is_transient(error) or isinstance(error, KafkaError):
        log.warning("http.unavailable", error=type(error).__name__)
        return await _on_refusal(request, Unavailable("a part we depend on does not answer", hint="try again soon"))
    if isinstance(error, DBAPIError) and str(getattr(error.orig, "sqlstate", "")).startswith(_DATA_EXCEPTION):
        return problem(422, "invalid-input", "a value holds what cannot be stored (NUL, say) or is out of range")
    raise error


async def _on_bug(request: Request, error: Exception) -> Response:
    log.exception("http.bug", path=request.scope.get("route_path", ""), error=type(error).__name__)
    return problem(500, "bug", "something went wrong on our side; nothing was changed")
