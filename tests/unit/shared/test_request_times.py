"""Requests are counted by route and kind of answer, and no address or word of a client's becomes a series."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from prometheus_client import REGISTRY
from starlette.middleware import Middleware

from shared import tracing
from shared.guard import Guard
from shared.http import problem
from shared.request_times import RequestTimes


@pytest.fixture
def client(request: pytest.FixtureRequest) -> httpx.AsyncClient:
    app = FastAPI()
    app.add_middleware(Guard, max_body_bytes=1000, problem=problem)
    app.user_middleware.append(Middleware(RequestTimes, service=request.node.name))

    @app.get("/s/{token}")
    async def visit(token: str) -> str:
        if token == "refused":
            raise HTTPException(403)
        if token == "bug":
            raise ZeroDivisionError
        return token

    @app.get("/health/ready")
    async def probe() -> None:
        raise HTTPException(503)

    @app.get("/long")
    async def long() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"at once"
            yield b"later; counted so far: %d" % sum(_counted(request.node.name).values())

        return StreamingResponse(parts())

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://service.example")


def _total(name: str, service: str) -> float | None:
    return REGISTRY.get_sample_value(f"justera_http_{name}_total", {"service": service})


def _counted(service: str) -> dict[tuple[str, str, str], float]:
    return {
        (sample.labels["route"], sample.labels["method"], sample.labels["status"]): sample.value
        for family in REGISTRY.collect()
        if family.name == "justera_http_request_seconds"
        for sample in family.samples
        if sample.name.endswith("_count") and sample.labels["service"] == service
    }


async def test_a_request_is_counted_by_template_and_kind_of_answer(
    client: httpx.AsyncClient, request: pytest.FixtureRequest
) -> None:
    for path in ("/s/secret-1", "/s/secret-2", "/s/secret-3/", "/s/refused", "/s/bug", "/elsewhere/secret-4"):
        await client.get(path)
    await client.head("/s/secret-1")
    await client.request("SECRET", "/s/secret-1")
    assert _counted(request.node.name) == {
        ("/s/{token}", "GET", "2xx"): 4,
        ("/s/{token}", "GET", "4xx"): 1,
        ("/s/{token}", "GET", "5xx"): 1,
        ("/s/{token}", "other", "4xx"): 1,
        ("none", "GET", "4xx"): 1,
    }


async def test_failures_are_counted_from_zero_and_without_probes(
    client: httpx.AsyncClient, request: pytest.FixtureRequest
) -> None:
    """A rate does not see the first of a new series: on one that begins with a failure no alert can stand."""
    await client.get("/health/ready")
    assert [_total(name, request.node.name) for name in ("requests", "failures")] == [0, 0]
    for path in ("/s/refused", "/s/bug"):
        await client.get(path)
    assert [_total(name, request.node.name) for name in ("requests", "failures")] == [2, 1]


async def test_the_time_ends_when_the_answer_begins(client: httpx.AsyncClient) -> None:
    assert (await client.get("/long")).text.endswith("counted so far: 1")


@pytest.fixture(params=[ALWAYS_ON, ALWAYS_OFF], ids=["kept", "not kept"])
def kept(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether traces are."""
    tracing.use(TracerProvider(sampler=request.param))
    yield request.param is ALWAYS_ON
    tracing.use(None)


async def test_a_count_names_the_trace_of_its_last_request_where_that_is_kept(
    client: httpx.AsyncClient, request: pytest.FixtureRequest, kept: bool
) -> None:
    for token in ("secret", "bug"):
        await client.get(f"/s/{token}")
    named = {
        (family.name, sample.labels.get("status")): {one: len(text) for one, text in sample.exemplar.labels.items()}
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.exemplar and sample.labels["service"] == request.node.name
    }
    whole = {"trace_id": 32, "span_id": 16}
    times = {("justera_http_request_seconds", status): whole for status in ("2xx", "5xx")}
    assert named == ({**times, ("justera_http_failures", None): whole} if kept else {})
