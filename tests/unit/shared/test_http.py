"""What every HTTP side does with problems, bodies that are too large, forwarded addresses, and probes."""

import asyncio
import json
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
from shared.http import client_ip, create_app

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
        for name in http.SECURITY_HEADERS:
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


def _request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 1) if peer else None})


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "recorded"),
    [
        ("192.0.2.7", (), "", "192.0.2.7"),
        ("192.0.2.7", ("198.51.100.1",), "", "192.0.2.7"),
        ("10.0.0.1", ("198.51.100.1",), "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.1, 10.0.0.2",), "10.0.0.0/8", "198.51.100.1"),
        # The client's own header comes first; the proxy's, below it, is the one that counts.
        ("10.0.0.1", ("203.0.113.9", "198.51.100.1"), "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.1", ("unknown",), "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", ("203.0.113.9, unknown, 10.0.0.2",), "10.0.0.0/8", "10.0.0.2"),
        ("10.0.0.1", (), "10.0.0.0/8", "10.0.0.1"),
        ("::ffff:10.0.0.1", ("2001:db8::5",), "10.0.0.0/8", "2001:db8::5"),
        ("2001:DB8:0::1", (), "", "2001:db8::1"),
        ("10.0.0.1", ("fe80::1%<b>x</b>",), "10.0.0.0/8", "fe80::1"),
        (None, ("198.51.100.1",), "10.0.0.0/8", "0.0.0.0"),
    ],
)
def test_the_address_that_a_history_records(
    peer: str | None, forwarded: tuple[str, ...], trusted: str, recorded: str
) -> None:
    assert client_ip(_request(peer, *forwarded), trusted) == recorded
