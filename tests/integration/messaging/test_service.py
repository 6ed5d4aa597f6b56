"""A service among parts that come, go, or never were there: it starts, says what is missing, and stops soon."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from shared.auth import Access, Role, TokenRecord, token_hash
from shared.database import Database
from shared.http import create_app
from shared.messaging import dead_letters
from shared.messaging.broker import KafkaSettings, ensure_topics
from shared.messaging.freshness import Freshness
from shared.messaging.gate import Gate
from shared.operations import include_operations
from shared.service import Service, Subscription
from tests.integration.messaging.ledger import (
    ORGANISATION,
    SESSION_MS,
    SIGNER,
    VERIFIER,
    Ledger,
    by_key,
    each_once_in_order,
    until,
)
from tests.integration.messaging.messages import POISONS, message
from tests.support.kafka_server import RealKafka
from tests.support.processes import free_ports

KEYS = [f"meeting-{n}" for n in range(6)]
OPERATOR = {"authorization": "Bearer operator"}


def _service(ledger: Ledger) -> Service:
    access = Access(
        (TokenRecord(name="o", role=Role.OPERATOR, organisation=ORGANISATION, sha256=token_hash("operator")),), None
    )
    app = create_app(
        "Ledger",
        description="",
        access=access,
        max_body_bytes=10_000,
        checks={"database": ledger.database.ping, "kafka": lambda: service.check_messaging()},
    )
    gate = Gate(ledger.inbound(), ledger.database, VERIFIER, Freshness(timedelta(days=30)))
    service = Service(
        "meetings",
        app,
        ledger.database,
        ledger.wakeup,
        SIGNER,
        organisation=ORGANISATION,
        subscriptions=[Subscription("ledger", gate.topics, gate.handle)],
        gates=[gate],
    )
    include_operations(service)
    return service


def _client(service: Service) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://ledger.example", headers=OPERATOR)


@pytest.fixture
async def client(ledger: Ledger, topic: str) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(_service(ledger)) as client:
        yield client


async def _ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


async def test_it_starts_without_kafka_and_stops_soon(ledger: Ledger, topic: str) -> None:
    (port,) = free_ports(1)
    service = _service(ledger)
    await service.start(KafkaSettings(f"127.0.0.1:{port}"))
    await ledger.announce(["m"], [1])
    async with _client(service) as client, asyncio.timeout(10):
        assert (await client.get("/health/live")).status_code == 200
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.headers["content-type"]) == (503, "application/problem+json")
        assert "kafka" in ready.json()["detail"]
        state = (await client.get("/operations/state")).json()
        assert (state["unpublished"], state["lag"]) == (1, {"ledger": None})
    async with asyncio.timeout(10):
        await service.stop()


@pytest.mark.kafka
@pytest.mark.slow
async def test_kafka_pauses_dies_and_comes_back(ledger: Ledger, topic: str, real_kafka: RealKafka) -> None:
    kafka = KafkaSettings(real_kafka.bootstrap, session_timeout_ms=SESSION_MS)
    await ensure_topics(kafka, [topic])
    service = _service(ledger)
    await service.start(kafka)
    async with _client(service) as client:
        await until(lambda: _ready(client), what="readiness")
        real_kafka.pause()
        await ledger.announce(KEYS, range(1, 11))
        async with asyncio.timeout(12):
            assert not await _ready(client)
            assert (await client.get("/health/live")).status_code == 200
            assert (await client.get("/operations/state")).json()["lag"] == {"ledger": None}
        await asyncio.sleep(1)
        real_kafka.resume()
        assert by_key(await ledger.wait_handled(60)) == each_once_in_order(KEYS, range(1, 11))
        real_kafka.kill()
        await ledger.announce(KEYS, [11])
        assert not await _ready(client)
        await asyncio.sleep(0.5)
    async with asyncio.timeout(15):
        await service.stop()
    real_kafka.start()
    ledger = Ledger(Database(ledger.database.engine.url.render_as_string(hide_password=False)))
    again = _service(ledger)
    await again.start(kafka)
    assert by_key(await ledger.wait_handled(66)) == each_once_in_order(KEYS, range(1, 12))
    await again.stop()


async def test_without_the_database_it_answers_503_and_stops(topic: str) -> None:
    (port,) = free_ports(1)
    ledger = Ledger(Database(f"postgresql+asyncpg://nobody@127.0.0.1:{port}/none"))
    service = _service(ledger)
    await service.start(KafkaSettings(f"127.0.0.1:{port}"))
    async with _client(service) as client, asyncio.timeout(10):
        for path in ("/health/ready", "/operations/dead-letters", "/operations/state"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert (await client.get("/health/live")).status_code == 200
    async with asyncio.timeout(10):
        await service.stop()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/operations/dead-letters/99999999999999999999"),
        ("GET", "/operations/dead-letters/-1"),
        ("GET", "/operations/dead-letters/%00"),
        ("GET", "/operations/dead-letters/%ff%fe"),
        ("GET", "/operations/dead-letters?after=99999999999999999999"),
        ("GET", "/operations/dead-letters?after=%00"),
        ("GET", "/operations/%zz"),
        ("POST", "/operations/dead-letters/9999999999999999999999/retry"),
        ("POST", "/operations/dead-letters/1/drop"),
    ],
)
async def test_hostile_addresses_are_refused_as_problems(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        b'{"since": "0001-01-01T00:00:00+23:59"}',
        b'{"since": "9999-12-31T23:59:59-23:59"}',
        b'{"since": "2022-01-01T00:00:00Z", "topic": "\\ud800\\u0000"}',
        b'{"since": "2022-01-01T00:00:00Z", "\\ud800": 1}',
        b'{"since": 1e400}',
        b"\xff",
        b"[" * 9_000,
    ],
)
async def test_hostile_bodies_are_refused_as_problems(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/operations/republish", content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_operators_list_show_retry_and_drop(ledger: Ledger, client: httpx.AsyncClient) -> None:
    bad = POISONS["body is not UTF-8"](message("m", 1))
    await ledger.inbound().handle([bad, message("m", 2)])
    first, second = (await client.get("/operations/dead-letters")).json()
    assert (first["reason"], second["reason"]) == ("the body is not UTF-8", None)
    shown = (await client.get(f"/operations/dead-letters/{first['id']}")).json()
    assert shown["body"].startswith("base64:")
    assert (await client.post(f"/operations/dead-letters/{first['id']}/retry")).json() == {"count": 0}
    assert (await client.post(f"/operations/dead-letters/{first['id']}/drop")).json() == {"count": 1}
    assert (await client.post(f"/operations/dead-letters/{first['id']}/drop")).status_code == 404
    async with ledger.database.transaction() as connection:
        assert await dead_letters.count(connection) == 0
