"""What every HTTP side does with problems, bodies that are too large, forwarded addresses, and probes."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DBAPIError

from shared import http
from shared.auth import Access, public
from shared.database import VersionConflict
from shared.errors import Refused, Unavailable
from shared.guard import SECURITY_HEADERS, Guard, Uploads
from shared.http import create_app

LIMIT = 1000


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str


class DatabaseSays(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def _database_error(sqlstate: str) -> DBAPIError:
    return DBAPIError("SELECT :name", {"name": "Karin Ek"}, DatabaseSays(sqlstate))


ERRORS: dict[str, Exception] = {
    "refused": Refused("it is not their turn", hint="wait"),
    "unavailable": Unavailable("the database does not answer"),
    "kafka": KafkaConnectionError(),
    "network": ConnectionResetError(),
    "conflict": VersionConflict(),
    "deadlock": _database_error("40P01"),
    "nul": _database_error("22021"),
    "syntax": _database_error("42601"),
    "bug": KeyError("x"),
}


async def _fails() -> None:
    raise Unavailable("it is asleep")


async def _hangs() -> None:
    await asyncio.sleep(60)


def _app(**checks: Any) -> FastAPI:
    app = create_app("Test", description="", access=Access((), None), max_body_bytes=LIMIT, checks=checks)

    @app.post("/items", dependencies=[public("a test")])
    async def post(item: Item) -> Item:
        return item

    @app.get("/raise/{name}", dependencies=[public("a test")])
    async def fail(name: str) -> None:
        raise ERRORS[name]

    return app


async def test_an_address_that_takes_files_takes_larger_bodies() -> None:
    uploads = (Uploads(re.compile("/files$"), 5 * LIMIT, 4 * LIMIT), Uploads(re.compile("/words$"), 3 * LIMIT, LIMIT))
    app = create_app("Test", description="", access=Access((), None), max_body_bytes=LIMIT, checks={}, uploads=uploads)

    @app.post("/{where}", dependencies=[public("a test")])
    async def take(request: Request) -> int:
        return len(await request.body())

    async def pieces(number: int) -> AsyncIterator[bytes]:
        for _ in range(number):
            yield bytes(LIMIT)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test.example") as client:
        for path, most in (("/files", 5), ("/words", 3), ("/others", 1)):
            for content in (lambda n: bytes(n * LIMIT), pieces):
                assert (await client.post(path, content=content(most))).json() == most * LIMIT
                assert (await client.post(path, content=content(most + 1))).status_code == 413


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test.example") as client:
        yield client


@pytest.mark.parametrize(
    ("name", "status", "slug"),
    [
        ("refused", 409, "refused"),
        ("unavailable", 503, "unavailable"),
        ("kafka", 503, "unavailable"),
        ("network", 503, "unavailable"),
        ("deadlock", 503, "unavailable"),
        ("nul", 422, "invalid-input"),
        ("syntax", 500, "bug"),
        ("bug", 500, "bug"),
    ],
)
async def test_every_error_is_a_problem(client: httpx.AsyncClient, name: str, status: int, slug: str) -> None:
    answer = await client.get(f"/raise/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["type"] == f"urn:justera:problem:{slug}"
    assert answer.json()["status"] == status
    assert ("retry-after" in answer.headers) == (status == 503)
    assert "Karin" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/items", 405), ("GET", "/a%00b", 400), ("GET", "/items?x=%00", 400)],
)
async def test_the_frameworks_refusals_are_problems_too(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("body", ["{", '{"name": 7}', '{"name": "a", "\\ud800": 1}', "\x00"])
async def test_a_malformed_body_is_told_where_it_is_wrong(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post("/items", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "body" in answer.json()["detail"]


async def test_the_largest_body_passes_and_a_larger_one_is_refused(client: httpx.AsyncClient) -> None:
    frame = len(json.dumps({"name": ""}))
    for size, status in ((LIMIT, 200), (LIMIT + 1, 413)):
        body = json.dumps({"name": "x" * (size - frame)})
        answer = await client.post("/items", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == status


@pytest.mark.parametrize("declared", [None, "1", "99999999999999999999999"])
async def test_a_body_is_counted_while_it_arrives(declared: str | None) -> None:
    """Whatever its length is said to be, and without reading all of it."""
    sent: list[dict[str, Any]] = []
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 100
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    if declared is not None:
        headers.append((b"content-length", declared.encode()))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/items",
        "raw_path": b"/items", "query_string": b"", "headers": headers, "client": ("192.0.2.1", 1), "scheme": "http",
        "server": ("test.example", 80), "root_path": "",
    }  # fmt: skip
    async with asyncio.timeout(5):
        await _app()(scope, receive, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 413
    assert taken <= LIMIT + 200


async def test_every_answer_bears_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/nowhere", "/raise/refused", "/docs"):
        answer = await client.get(path)
        for name in SECURITY_HEADERS:
            assert name in answer.headers, (path, name)
    assert "cdn" not in (await client.get("/nowhere")).headers["content-security-policy"]


async def test_liveness_depends_on_nothing_and_readiness_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_CHECK_SECONDS", 0.05)
    transport = httpx.ASGITransport(_app(database=_fails, kafka=_hangs))
    async with httpx.AsyncClient(transport=transport, base_url="http://test.example") as client:
        assert (await client.get("/health/live")).status_code == 200
        ready = await client.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["detail"] == "database: it is asleep; kafka: TimeoutError"


async def test_head_is_answered_as_get_without_a_body(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/raise/refused", "/nowhere"):
        asked, whole = await client.head(path), await client.get(path)
        assert (asked.status_code, asked.headers["content-type"]) == (whole.status_code, whole.headers["content-type"])
        assert asked.headers["content-length"] == whole.headers["content-length"]
        assert asked.content == b""


async def test_a_slash_too_many_redirects_nowhere(client: httpx.AsyncClient) -> None:
    """A redirect would say where by the Host that was sent, and repeat a link's token."""
    answer = await client.get("/raise/refused/", headers={"host": "elsewhere.example"})
    assert (answer.status_code, answer.headers.get("location")) == (409, None)
    assert "elsewhere" not in answer.text
    assert (await client.get("//")).status_code == 404


async def test_a_body_that_stops_arriving_is_given_up() -> None:
    app = Guard(_app(), LIMIT, http.problem, body_seconds=0.05)
    sent: list[dict[str, Any]] = []
    first = True

    async def receive() -> dict[str, Any]:
        nonlocal first
        if not first:
            await asyncio.Event().wait()
        first = False
        return {"type": "http.request", "body": b"{", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/items",
        "raw_path": b"/items", "query_string": b"", "headers": [(b"content-type", b"application/json")],
        "client": ("192.0.2.1", 1), "scheme": "http", "server": ("test.example", 80), "root_path": "",
    }  # fmt: skip
    async with asyncio.timeout(5):
        await app(scope, receive, send)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
