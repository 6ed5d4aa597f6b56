"""The register of organisations: what it tells, and how the doors of a suspended one close and open."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from services.meetings.main import build
from shared.auth import Access, Role, TokenRecord, token_hash
from shared.blobs import open_blobs
from shared.clock import ManualClock
from shared.keys import new_keys, parse_keys
from shared.links import calendar_link, issue, member_link
from shared.messaging.signatures import new_event_keys
from shared.service import Service
from shared.settings import Settings
from shared.timers import Timer, TimerWorker, set_timers
from tests.integration.meetings.test_meetings import outbox
from tests.support.postgres import Postgres

NOW = datetime(2022, 9, 26, 8, 41, 44, tzinfo=UTC)
OWN, OTHER, THIRD = "default", "norrdalen", "bjorka"
NEW = {"id": OTHER, "details": {"name": "Kommunalförbundet Norrdalen", "language": "sv"}}
RING = new_keys()


@pytest.fixture
async def service(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Service]:
    url = await postgres.create_database("meetings")
    settings = Settings(database_url=url, event_keys=SecretStr(new_event_keys()), member_link_keys=SecretStr(RING))
    tokens = [
        TokenRecord(name=role, role=role, organisation=of, sha256=token_hash(f"{of} {role}"))
        for of in (OWN, OTHER, THIRD)
        for role in Role
    ]
    made = build(
        settings, clock=ManualClock(NOW), access=Access(tokens, bytes(32)), blobs=open_blobs(f"file:{tmp_path}")
    )
    yield made
    await made.database.close()


def client(service: Service, of: str, role: Role = Role.OPERATOR) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=service.app, raise_app_exceptions=False),
        base_url="http://meetings",
        headers={"authorization": f"Bearer {of} {role}"},
    )


@pytest.fixture
async def operator(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with client(service, OWN) as api:
        yield api


async def post(api: httpx.AsyncClient, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await api.post(path, json={} if body is None else body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_what_becomes_of_it_is_told_among_its_own_facts(service: Service, operator: httpx.AsyncClient) -> None:
    await post(operator, "/organisations", NEW, 201)
    changed = await operator.put(f"/organisations/{OTHER}?version=1", json={"name": "Norrdalen", "language": "en"})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    await post(operator, f"/organisations/{OTHER}/suspend", {"reason": "uppsagt"})
    listed = (await operator.get("/organisations")).json()
    assert listed["own"] == {"id": OWN, "name": "Justera"}
    assert [(one["id"], one["standing"], one["reason"]) for one in listed["organisations"]] == [
        (OTHER, "suspended", "uppsagt")
    ]
    await post(operator, f"/organisations/{OTHER}/resume")
    rows = await outbox(service)
    assert [row.attributes["type"].split(".")[-2] for row in rows] == [
        *("organisation-added", "organisation-changed", "organisation-suspended", "organisation-resumed")
    ]
    assert {(row.topic, row.key, row.attributes["organisation"]) for row in rows} == {
        ("meetings.organisation", OTHER, OTHER)
    }
    assert [row.attributes["sequence"] for row in rows] == ["1", "2", "3", "4"]


async def test_what_cannot_be_is_refused(operator: httpx.AsyncClient) -> None:
    await post(operator, "/organisations", {**NEW, "id": "No"}, 422)
    await post(operator, "/organisations", {**NEW, "id": OWN}, 409)
    await post(operator, f"/organisations/{OWN}/suspend", {}, 409)
    await post(operator, f"/organisations/{OTHER}/suspend", {}, 404)
    await post(operator, "/organisations", NEW, 201)
    await post(operator, "/organisations", NEW, 409)
    await post(operator, f"/organisations/{OTHER}/resume", {}, 409)
    late = await operator.put(f"/organisations/{OTHER}?version=7", json=NEW["details"])
    assert late.status_code == 409


@pytest.mark.parametrize(("of", "role"), [(OTHER, Role.OPERATOR), (OWN, Role.SECRETARY), (OWN, Role.AUDITOR)])
async def test_it_is_for_operators_of_the_installation_alone(service: Service, of: str, role: Role) -> None:
    async with client(service, of, role) as api:
        assert (await api.get("/organisations")).status_code == 403
        await post(api, "/organisations", NEW, 403)
        await post(api, f"/organisations/{THIRD}/suspend", {}, 403)
        await post(api, f"/organisations/{THIRD}/erase", {"confirm": THIRD}, 403)


async def test_a_suspended_ones_doors_close_and_open_and_nothing_is_lost(
    service: Service, operator: httpx.AsyncClient
) -> None:
    ring = parse_keys(RING, "KEYS")
    async with client(service, OTHER, Role.SECRETARY) as api, client(service, THIRD, Role.SECRETARY) as third:
        details = {"name": "Maja Lind", "email": "maja.lind@norrdalen.example"}
        person = await post(api, "/people", {"details": details}, 201)
        board = await post(api, "/bodies", {"details": {"name": "Styrelsen", "kind": "board"}}, 201)
        seat = {"person_id": person["id"], "role": "secretary"}
        await post(api, f"/bodies/{board['id']}/memberships", seat, 201)
        own_page = f"/my/{issue(ring, member_link(OTHER, person['id'], 1))}"
        feed = f"/calendar/{issue(ring, calendar_link(OTHER, person['id'], 1))}"
        visit = await api.get(own_page)
        assert visit.status_code == 303
        start = visit.headers["location"]
        await post(operator, "/organisations", NEW, 201)
        await post(operator, f"/organisations/{OTHER}/suspend")
        for path in ("/people", "/office/meetings", own_page, start, feed):
            for accept in ("application/json", "text/html"):
                closed = await api.get(path, headers={"accept": accept, "accept-language": "sv"})
                assert closed.status_code == 403, path
                assert "Maja Lind" not in closed.text
        page = await api.get(own_page, headers={"accept": "text/html", "accept-language": "sv"})
        assert "Stängt tills vidare" in page.text
        problem = (await api.get("/people")).json()
        assert problem["type"] == "urn:justera:problem:organisation-suspended"
        await post(api, "/people", {"details": details}, 403)
        assert (await third.get("/people")).status_code == 200
        assert (await api.get("/health/live")).status_code == 200
        await post(operator, f"/organisations/{OTHER}/resume")
        assert (await api.get(start)).status_code == 200
        assert [one["details"]["name"] for one in (await api.get("/people")).json()["people"]] == ["Maja Lind"]


async def test_its_name_is_at_the_head_of_its_pages_alone(service: Service, operator: httpx.AsyncClient) -> None:
    await post(operator, "/organisations", NEW, 201)
    heads = {}
    for of in (OTHER, THIRD, OWN):
        async with client(service, of, Role.SECRETARY) as api:
            page = await api.get("/office/bodies", headers={"accept": "text/html"})
            assert page.status_code == 200, page.text
            heads[of] = re.search(r"<title>.* – (.*)</title>", page.text)
    assert {of: head and head[1] for of, head in heads.items()} == {
        OTHER: "Kommunalförbundet Norrdalen",
        THIRD: "Justera",
        OWN: "Justera",
    }


async def test_its_timers_wait_and_go_on(service: Service, operator: httpx.AsyncClient) -> None:
    await post(operator, "/organisations", NEW, 201)
    await post(operator, f"/organisations/{OTHER}/suspend")
    due = NOW - timedelta(hours=1)
    async with service.database.transaction() as connection:
        await set_timers(connection, [Timer(OTHER, "k", "early", due), Timer(THIRD, "k", "late", NOW)])
    fired: list[tuple[str, datetime]] = []

    async def note(_: Any, timer: Timer) -> None:
        fired.append((timer.subject, timer.due_at))

    unit_of_work = service.commands.timers._unit_of_work
    worker: TimerWorker[Any] = TimerWorker(unit_of_work, ManualClock(NOW), {"k": note})
    assert await worker.fire_one()
    assert not await worker.fire_one()
    assert fired == [("late", NOW)]
    await post(operator, f"/organisations/{OTHER}/resume")
    assert await worker.fire_one()
    assert fired == [("late", NOW), ("early", due)]
