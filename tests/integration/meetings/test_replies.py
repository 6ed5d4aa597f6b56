"""Replies on a real database: who is asked, what they answer, and what is refused."""

import asyncio
from typing import Any

import httpx
import pytest

from services.meetings.reply.reply import Answer, Via
from shared.events import ReplyReceived
from shared.events.base import event_class
from shared.service import Service
from tests.integration.meetings.test_agenda import meeting
from tests.integration.meetings.test_meetings import outbox

PEOPLE = {
    "Olof Berg": ("chair", "S"),
    "Maja Lind": ("member", "S"),
    "Nils Ek": ("member", "C"),
    "Anna Dal": ("substitute", "C"),
    "Per Ros": ("substitute", "S"),
    "Sara Falk": ("secretary", None),
}


async def board_of(api: httpx.AsyncClient, **rules: Any) -> dict[str, str]:
    """A board with its people; their ids by first name, and the body's as `body`."""
    details = {"name": "Styrelsen", "kind": "board", "rules": rules}
    body = (await api.post("/bodies", json={"details": details})).json()["id"]
    ids = {"body": body}
    for name, (role, party) in PEOPLE.items():
        first = name.split()[0]
        email = f"{first.lower()}@norrdalen.example"
        person = await api.post("/people", json={"details": {"name": name, "email": email, "party": party}})
        ids[first] = person.json()["id"]
        seat = {"person_id": ids[first], "role": role}
        assert (await api.post(f"/bodies/{body}/memberships", json=seat)).status_code == 201
    return ids


async def reply(api: httpx.AsyncClient, meeting_id: str, person_id: str, answer: str, **more: Any) -> httpx.Response:
    return await api.put(f"/meetings/{meeting_id}/replies/{person_id}", json={"answer": answer, **more})


async def answers(api: httpx.AsyncClient, meeting_id: str) -> dict[str, str | None]:
    found = (await api.get(f"/meetings/{meeting_id}/replies")).json()["people"]
    return {one["name"].split()[0]: one["answer"] for one in found}


async def facts(service: Service, of: type[Any]) -> list[Any]:
    """Those of a kind, in order."""
    return [of.from_json(row.data) for row in await outbox(service) if event_class(row.attributes["type"]) is of]


async def test_who_sits_in_the_body_is_asked_and_what_they_answer_is_told(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, november = await board_of(api), await meeting(api)
    assert await answers(api, november) == {"Olof": None, "Maja": None, "Nils": None, "Sara": None}
    given = await reply(api, november, ids["Maja"], "absent", comment="Bortrest")
    assert (given.status_code, given.json()["via"]) == (200, "office")
    await service.commands.replies.answer("default", november, ids["Nils"], Answer.COMING, Via.PAGE)
    await service.commands.replies.answer("default", november, ids["Nils"], Answer.COMING, Via.CALENDAR)
    await reply(api, november, ids["Maja"], "coming")
    assert await answers(api, november) == {"Olof": None, "Maja": "coming", "Nils": "coming", "Sara": None}
    told = await facts(service, ReplyReceived)
    assert [(one.person_id, one.answer, one.via, one.comment) for one in told] == [
        (ids["Maja"], "absent", "office", "Bortrest"),
        (ids["Nils"], "coming", "page", None),
        (ids["Maja"], "coming", "office", None),
    ]
    rows = [row for row in await outbox(service) if row.topic == "meetings.notice"]
    assert [(row.key, row.attributes["sequence"]) for row in rows] == [(november, str(one)) for one in (1, 2, 3)]
    mine = await service.commands.replies.of_person("default", ids["Maja"])
    assert mine[november].answer is Answer.COMING


async def test_an_answer_that_cannot_be_is_refused_and_changes_nothing(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, november, gone = await board_of(api), await meeting(api), await meeting(api, "2022-10-28")
    held = await meeting(api, "2022-09-23")
    await api.post(f"/meetings/{gone}/cancel", json={"reason": "Krock"})
    before = await outbox(service)
    refused = [
        await reply(api, november, ids["Anna"], "coming"),
        await reply(api, november, "unknown", "coming"),
        await reply(api, gone, ids["Maja"], "coming"),
        await reply(api, held, ids["Maja"], "coming"),
        await reply(api, "unknown", ids["Maja"], "coming"),
        await reply(api, november, ids["Maja"], "perhaps"),
        await reply(api, november, ids["Maja"], "absent", comment="\u202e"),
    ]
    assert [one.status_code for one in refused] == [409, 409, 409, 409, 404, 422, 422]
    assert refused[0].json()["detail"].startswith("the person is not asked")
    assert await outbox(service) == before
    assert set((await answers(api, november)).values()) == {None}


async def test_all_may_answer_at_once(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api)
    people = [ids[name] for name in ("Olof", "Maja", "Nils", "Sara")] * 2
    sent = await asyncio.gather(*(reply(api, november, one, "coming") for one in people))
    assert {one.status_code for one in sent} == {200}
    assert len(await facts(service, ReplyReceived)) == 4


@pytest.mark.parametrize("role", ["operator", "auditor"])
async def test_only_the_secretary_records_an_answer(service: Service, api: httpx.AsyncClient, role: str) -> None:
    ids, november = await board_of(api), await meeting(api)
    api.headers["authorization"] = f"Bearer token of the {role}"
    assert (await reply(api, november, ids["Maja"], "coming")).status_code == 403
    assert (await api.get(f"/meetings/{november}/replies")).status_code == 200


async def test_who_records_an_answer_over_a_newer_one_is_told(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, "2022-11-25")
    path = f"/meetings/{november}/replies"

    async def mark() -> str:
        people = (await api.get(path)).json()["people"]
        return str(next(one["mark"] for one in people if one["person_id"] == ids["Maja"]))

    async def told(answer: str, seen: str) -> int:
        given = {"answer": answer, "comment": "Ringde"}
        return (await api.put(f"{path}/{ids['Maja']}", params={"seen": seen}, json=given)).status_code

    opened = await mark()
    assert await told("coming", opened) == 200
    assert await told("absent", opened) == 409
    assert (await answers(api, november))["Maja"] == "coming"
    assert await told("absent", await mark()) == 200
