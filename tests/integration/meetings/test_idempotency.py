"""`Idempotency-Key`: what is sent again takes effect once, and gets the same answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.meetings.transaction import MeetingsTransaction
from shared.auth import Role
from shared.messaging import answers
from shared.messaging.transaction import Transaction
from shared.service import Service
from tests.integration.meetings.test_meetings import DRAFTING, MEETING, api, minutes, outbox, schedule, service

__all__ = ["api", "service"]

KEY = {"idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}

PLAN = """\
plan: 2023
year: 2023
bodies:
  styrelsen: {title: Styrelsen sammanträder, time: 09:00-12:00, place: Forsby, meetings: [{date: 2023-02-24}]}
"""


@pytest.fixture
async def colleague(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Another holder of a token in the same organisation."""
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    service.app.state.access._tokens = _with_colleague(service)
    headers = {"authorization": "Bearer the colleague's"}
    async with httpx.AsyncClient(transport=transport, base_url="http://meetings", headers=headers) as client:
        yield client


def _with_colleague(service: Service) -> Any:
    from shared.auth import TokenRecord, Tokens, token_hash

    tokens = [*service.app.state.access._tokens]
    record = TokenRecord(
        name="colleague", role=Role.SECRETARY, organisation="default", sha256=token_hash("the colleague's")
    )
    return Tokens([*tokens, record])


async def test_what_is_sent_again_takes_effect_once(service: Service, api: httpx.AsyncClient) -> None:
    first = await api.post("/meetings", json=MEETING, headers=KEY)
    again = await api.post("/meetings", json=dict(reversed(MEETING.items())), headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers == first.headers
    assert (await api.get("/meetings")).json()["meetings"] == [first.json()]
    assert len(await outbox(service)) == 1


async def test_the_answer_is_the_one_that_is_given_without_a_key(api: httpx.AsyncClient) -> None:
    made = await api.post("/meetings", json=MEETING, headers=KEY)
    assert (await api.get(made.headers["location"])).content == made.content


async def test_a_key_without_quotes_is_the_same_key(api: httpx.AsyncClient) -> None:
    first = await api.post("/meetings", json=MEETING, headers=KEY)
    bare = {"idempotency-key": KEY["idempotency-key"].strip('"')}
    assert (await api.post("/meetings", json=MEETING, headers=bare)).content == first.content


async def test_what_shows_other_than_its_command_made_is_kept_as_it_was_shown(api: httpx.AsyncClient) -> None:
    register = "bodies:\n  styrelsen:\n    name: Styrelsen\n    kind: board\n    standing_items: [Val av justerare]\n"
    assert (await api.post("/register", json={"text": register})).status_code == 200
    planned = await _twice(api, "/plans", {"text": PLAN})
    assert [one["kind"] for one in planned["changes"]] == ["scheduled"]
    (meeting,) = (await api.get("/meetings")).json()["meetings"]
    begun = await _twice(api, f"/meetings/{meeting['id']}/agenda", None)
    assert [one["details"]["title"] for one in begun["items"]] == ["Val av justerare"]


async def _twice(api: httpx.AsyncClient, path: str, body: Any) -> dict[str, Any]:
    first, again = [await api.post(path, json=body, headers={"idempotency-key": path}) for _ in range(2)]
    assert (first.status_code, again.content) == (200, first.content), first.text
    told: dict[str, Any] = first.json()
    return told


async def test_another_request_under_the_key_is_refused(api: httpx.AsyncClient) -> None:
    meeting_id = (await api.post("/meetings", json=MEETING, headers=KEY)).json()["id"]
    for path, body in (
        ("/meetings", MEETING | {"place": "Forsby"}),
        (f"/meetings/{meeting_id}/cancel", {"reason": "Ingen kan"}),
    ):
        answer = await api.post(path, json=body, headers=KEY)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:justera:problem:idempotency-key-reused")
    assert (await api.get(f"/meetings/{meeting_id}")).json()["status"] == "scheduled"


async def test_while_the_first_is_at_work_the_second_is_told_so(service: Service, api: httpx.AsyncClient) -> None:
    meeting_id = await schedule(api)
    body = {"markdown": minutes(), "drafting": DRAFTING}

    async def ask() -> httpx.Response:
        return await api.post(f"/meetings/{meeting_id}/minutes", json=body, headers=KEY)

    async with service.database.transaction() as connection:
        await connection.execute(text("SELECT 1 FROM meeting FOR UPDATE"))
        both = [asyncio.create_task(ask()) for _ in range(2)]
        [told], [waiting] = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED, timeout=30)
        assert (told.result().status_code, told.result().headers["retry-after"]) == (409, "1")
        assert told.result().json()["type"] == "urn:justera:problem:request-in-progress"
    first = await waiting
    assert first.status_code == 201, first.text
    assert (await ask()).content == first.content


async def test_a_refusal_is_not_kept(api: httpx.AsyncClient) -> None:
    meeting_id = await schedule(api)
    await api.put(f"/meetings/{meeting_id}", json=MEETING | {"body": "Nämnden"})
    body = {"markdown": minutes(), "drafting": DRAFTING}
    refused = await api.post(f"/meetings/{meeting_id}/minutes", json=body, headers=KEY)
    assert refused.status_code == 409
    await api.put(f"/meetings/{meeting_id}", json=MEETING)
    drafted = await api.post(f"/meetings/{meeting_id}/minutes", json=body, headers=KEY)
    assert drafted.status_code == 201, drafted.text


async def test_an_answer_is_kept_only_with_what_it_tells(
    service: Service, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(transaction: Transaction) -> None:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(MeetingsTransaction, "flush", dies)
        assert (await api.post("/meetings", json=MEETING, headers=KEY)).status_code == 500
    assert (await api.get("/meetings")).json()["meetings"] == []
    made = await api.post("/meetings", json=MEETING, headers=KEY)
    assert (await api.get("/meetings")).json()["meetings"] == [made.json()]


async def test_a_key_is_its_callers_own(api: httpx.AsyncClient, colleague: httpx.AsyncClient) -> None:
    mine = await api.post("/meetings", json=MEETING, headers=KEY)
    theirs = await colleague.post("/meetings", json=MEETING, headers=KEY)
    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine.json()["id"]


async def test_after_a_day_the_key_is_forgotten(service: Service, api: httpx.AsyncClient) -> None:
    first = await api.post("/meetings", json=MEETING, headers=KEY)
    async with service.database.transaction() as connection:
        assert await answers.prune(connection) == 0
        await connection.execute(text("UPDATE kept_answer SET created_at = created_at - interval '25 hours'"))
    second = await api.post("/meetings", json=MEETING, headers=KEY)
    assert second.json()["id"] != first.json()["id"]
    assert (await api.post("/meetings", json=MEETING, headers=KEY)).content == second.content
    async with service.database.transaction() as connection:
        await connection.execute(text("UPDATE kept_answer SET created_at = created_at - interval '25 hours'"))
        assert await answers.prune(connection) == 1


async def test_what_is_no_key_is_refused(api: httpx.AsyncClient) -> None:
    for key in ("", '""', "ä", '"a', "a,b", "two words", "x" * 256, '"a";b=1'):
        answer = await api.post("/meetings", json=MEETING, headers={"idempotency-key": key.encode()})
        told = (answer.status_code, answer.json()["type"])
        assert told == (400, "urn:justera:problem:invalid-idempotency-key"), key


async def test_two_keys_are_none(api: httpx.AsyncClient) -> None:
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]
    assert (await api.post("/meetings", json=MEETING, headers=headers)).status_code == 400
