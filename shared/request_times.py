"""How long requests take until their answer begins, by route: the template, never an address, which may hold a token.

It stands inside the guard: what that refuses unread (too large, say) has no route, and is not counted.
"""

import time
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus

from opentelemetry.trace import INVALID_SPAN, Span
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import tracing

REQUEST_SECONDS = Histogram(
    "justera_http_request_seconds",
    "Seconds until an answer began, by route and the first digit of its status",
    ["service", "route", "method", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)

# What alerts stand on: from 0 on for each service. A rate does not see the first of a new series, and a route that
# fails once has no second.
REQUESTS = Counter("justera_http_requests", "Requests answered, without probes and scrapes", ["service"])
FAILURES = Counter("justera_http_failures", "Of those, answered by a 5xx", ["service"])

NO_ROUTE = "none"
_PROBES = ("/health/live", "/health/ready", "/metrics")
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestTimes:
    """Counts an answer when its status is known. One that failed unforeseen is a 5xx: its page is made further out."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service
        self._requests, self._failures = REQUESTS.labels(service), FAILURES.labels(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        seen = False
        answered = 0

        def see(status: int) -> None:
            nonlocal seen, answered
            seen, answered = True, int(status)
            exemplar = tracing.exemplar()
            timed = REQUEST_SECONDS.labels(self._service, route_of(scope), _method(scope), f"{status // 100}xx")
            timed.observe(time.perf_counter() - began, exemplar)
            if route_of(scope) not in _PROBES:
                self._requests.inc()
                if answered >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    self._failures.inc(exemplar=exemplar)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and not seen:
                see(message["status"])
            await send(message)

        with _traced(scope) as span:
            try:
                await self._app(scope, receive, sending)
            except Exception:
                if not seen:
                    see(HTTPStatus.INTERNAL_SERVER_ERROR)
                raise
            finally:
                if span.is_recording():
                    span.update_name(f"{_method(scope)} {route_of(scope)}")
                    span.set_attributes({"http.route": route_of(scope), "http.response.status_code": answered})
                    if answered >= HTTPStatus.INTERNAL_SERVER_ERROR:
                        tracing.failed(span, str(answered))


def _traced(scope: Scope) -> AbstractContextManager[Span]:
    """A trace begins here: one that a client names is not believed, who could put its spans into another's trace."""
    if not tracing.is_on() or scope["path"].endswith(_PROBES):
        return nullcontext(INVALID_SPAN)
    return tracing.span(_method(scope), tracing.ANSWERED, attributes={"http.request.method": _method(scope)})


def route_of(scope: Scope) -> str:
    """The template of the route that took the request, `/agreements/{agreement_id}`, or `none`."""
    return getattr(scope.get("route"), "path", NO_ROUTE)


def _method(scope: Scope) -> str:
    """Clients may send any word: each would become a series."""
    method: str = scope["method"]
    return method if method in _METHODS else "other"
