"""Agendas on a real database: standing items, a struck meeting's items, and two who write at once."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.auth import Role
from shared.events import ItemMoved
from shared.service import Service
from tests.integration.meetings.test_meetings import MEETING, NOW, TOKENS, outbox

STANDING = [{"title": "Val av justerare", "kind": "election"}, {"title": "Ekonomi"}]


async def board(api: httpx.AsyncClient) -> None:
    details = {"name": "Styrelsen", "kind": "board", "rules": {"standing_items": STANDING}}
    assert (await api.post("/bodies", json={"details": details})).status_code == 201


async def meeting(api: httpx.AsyncClient, day: str = "2022-11-25", **details: Any) -> str:
    times = {"starts": f"{day}T13:00", "ends": f"{day}T15:00"}
    return str((await api.post("/meetings", json=MEETING | times | details)).json()["id"])


async def add(api: httpx.AsyncClient, meeting_id: str, title: str, **details: Any) -> dict[str, Any]:
    answer = await api.post(f"/meetings/{meeting_id}/agenda/items", json={"title": title, **details})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def titles(api: httpx.AsyncClient, meeting_id: str) -> list[str]:
    agenda = (await api.get(f"/meetings/{meeting_id}/agenda")).json()
    return [one["details"]["title"] for one in agenda["items"]]


async def move(api: httpx.AsyncClient, item: dict[str, Any], to: str | None = None, **how: Any) -> httpx.Response:
    return await api.post(f"/agenda-items/{item['id']}/move", json={"to_meeting_id": to, **how})


async def test_an_agenda_is_the_bodys_standing_items_until_somebody_writes_on_it(
    service: Service, api: httpx.AsyncClient
) -> None:
    await board(api)
    november = await meeting(api)
    empty = (await api.get(f"/meetings/{november}/agenda")).json()
    assert (empty["begun"], empty["items"]) == (False, [])
    assert [one["title"] for one in empty["standing"]] == ["Val av justerare", "Ekonomi"]

    made = await add(api, november, "Strategi", kind="decision", presenter="Maja Lind", minutes=20)
    assert await titles(api, november) == ["Val av justerare", "Ekonomi", "Strategi"]
    assert (await api.post(f"/meetings/{november}/agenda")).json()["standing"] == []
    assert len(await titles(api, november)) == 3, "once"
    assert (await api.get(f"/agenda-items/{made['id']}")).json() == made
    assert not [row for row in await outbox(service) if "item" in row.attributes["type"]]


async def test_what_is_new_stands_before_what_a_meeting_ends_with(api: httpx.AsyncClient) -> None:
    """Whether it is added, moved there, or taken up again."""
    standing = [{"title": title} for title in ("Val av justerare", "Övriga frågor", "Mötets avslutande")]
    await api.post(
        "/bodies", json={"details": {"name": "Styrelsen", "kind": "board", "rules": {"standing_items": standing}}}
    )
    october, november = await meeting(api, "2022-10-28"), await meeting(api)
    await add(api, november, "Strategi")
    moved, put_off = await add(api, october, "Ekonomi"), await add(api, october, "Policy")
    assert (await move(api, moved, november)).status_code == 200
    assert (await move(api, put_off, how="tabled")).status_code == 200
    assert (await move(api, put_off, november)).status_code == 200
    mine = ["Val av justerare", "Strategi", "Ekonomi", "Policy", "Övriga frågor", "Mötets avslutande"]
    assert await titles(api, november) == mine
    assert await titles(api, october) == [mine[0], *mine[-2:]]


async def test_the_notice_goes_out_by_a_workday_so_many_days_before(api: httpx.AsyncClient) -> None:
    """As the body says when it is asked: five days before Friday is a Sunday, and seven a Friday."""
    november = await meeting(api)
    path = f"/meetings/{november}/agenda"
    assert (await api.get(path)).json()["notice_by"] is None
    details = {"name": "STYRELSEN", "kind": "board", "rules": {"notice_days": 5}}
    body = (await api.post("/bodies", json={"details": details})).json()["id"]
    assert (await api.get(path)).json()["notice_by"] == "2022-11-18"
    await api.put(f"/bodies/{body}", json=details | {"rules": {"notice_days": 8}})
    assert (await api.get(path)).json()["notice_by"] == "2022-11-17"


async def test_a_meeting_is_struck_and_another_one_takes_its_items_in_one_go(
    service: Service, api: httpx.AsyncClient
) -> None:
    """§ 36: October is struck, November takes its items and the follow-up, half an hour longer and online."""
    await board(api)
    october, november = await meeting(api, "2022-10-28"), await meeting(api, mode="physical", place="Forsby")
    follow_up = await add(api, october, "Uppföljning T2")
    before = len(await outbox(service))
    wish = {"to_meeting_id": november, "reason": "Krock", "ends": "2022-11-25T15:30", "mode": "digital"}
    answer = await api.post(f"/meetings/{october}/strike", json={**wish, "place": "Digitalt"})
    assert answer.status_code == 200, answer.text
    struck = answer.json()
    assert (struck["meeting"]["status"], struck["meeting"]["reason"]) == ("cancelled", "Krock")
    details = struck["to"]["details"]
    assert (details["ends"], details["mode"], details["place"]) == ("2022-11-25T15:30:00", "digital", "Digitalt")
    assert [one["id"] for one in struck["moved"]] == [follow_up["id"]]
    assert await titles(api, november) == ["Val av justerare", "Ekonomi", "Uppföljning T2"]
    assert struck["moved"][0]["stays"][0]["meeting_id"] == october
    told = [row.attributes["type"].split(".")[-2] for row in (await outbox(service))[before:]]
    assert told == ["item-moved", "meeting-changed", "meeting-cancelled"]


async def test_a_meeting_that_cannot_be_struck_stays_with_all_its_items(
    service: Service, api: httpx.AsyncClient
) -> None:
    await board(api)
    october, november = await meeting(api, "2022-10-28"), await meeting(api)
    await add(api, october, "Uppföljning T2")
    other, gone = await meeting(api, body="Arbetsutskottet"), await meeting(api, "2022-12-16")
    await api.post(f"/meetings/{gone}/cancel", json={"reason": "Krock"})
    before = await outbox(service)
    wish = {"to_meeting_id": november, "reason": "Krock"}
    answers = [
        await api.post(f"/meetings/{october}/strike", json=wish | wrong)
        for wrong in (
            {"to_meeting_id": october},
            {"to_meeting_id": other},
            {"to_meeting_id": gone},
            {"to_meeting_id": "unknown"},
            {"reason": " "},
            {"ends": "2022-11-25T12:00"},
            {"place": "\u202e"},
        )
    ]
    assert [answer.status_code for answer in answers] == [409, 409, 409, 404, 422, 422, 422]
    assert await outbox(service) == before
    assert await titles(api, october) == ["Val av justerare", "Ekonomi", "Uppföljning T2"]
    assert await titles(api, november) == []


async def test_a_struck_meetings_items_move_to_the_next_one_with_a_trace(
    service: Service, api: httpx.AsyncClient
) -> None:
    await board(api)
    october, november = await meeting(api, "2022-10-28"), await meeting(api)
    follow_up = await add(api, october, "Uppföljning")
    await api.post(f"/meetings/{october}/cancel", json={"reason": "Krock"})
    moved = await move(api, follow_up, november, reason="Krock", version=1)
    assert moved.status_code == 200, moved.text
    assert await titles(api, november) == ["Val av justerare", "Ekonomi", "Uppföljning"]
    assert await titles(api, october) == ["Val av justerare", "Ekonomi"]
    [left] = (await api.get(f"/meetings/{october}/agenda")).json()["left"]
    assert (left["meeting_id"], left["stays"][0]["starts"]) == (november, "2022-10-28T13:00:00")
    row = (await outbox(service))[-1]
    assert (row.topic, row.key, row.attributes["sequence"]) == ("meetings.item", follow_up["id"], "2")
    fact = ItemMoved.from_json(row.data)
    assert (fact.from_meeting_id, fact.to_meeting_id, fact.reason) == (october, november, "Krock")


async def test_what_is_tabled_waits_until_it_is_taken_up(service: Service, api: httpx.AsyncClient) -> None:
    await board(api)
    held = await meeting(api, "2022-09-26", starts="2022-09-26T11:00", ends="2022-09-26T12:00")
    item = await add(api, held, "Placeringspolicy")
    service.commands.agendas._clock.move_to(NOW + timedelta(hours=3))
    assert (await move(api, item, how="referred_back")).status_code == 422
    assert (await move(api, item, how="referred_back", reason="Risken")).status_code == 200
    waiting = (await api.get("/agenda-items", params={"body": " STYRELSEN"})).json()["items"]
    assert [one["details"]["title"] for one in waiting] == ["Placeringspolicy"]
    assert (await api.get("/agenda-items", params={"body": "AU"})).json()["items"] == []
    november = await meeting(api)
    again = (await move(api, item, november)).json()
    assert [(stay["how"], stay["to_meeting_id"]) for stay in again["stays"]] == [("referred_back", november)]
    assert (await api.get("/agenda-items")).json()["items"] == []
    assert (await api.delete(f"/agenda-items/{item['id']}")).status_code == 409, "it has a trace"


async def test_two_who_write_on_one_item_are_told(api: httpx.AsyncClient) -> None:
    november = await meeting(api)
    item = await add(api, november, "Strategi")
    path = f"/agenda-items/{item['id']}"
    both = await asyncio.gather(
        *(api.put(path, params={"version": 1}, json={"title": "Strategi", "proposal": text}) for text in ("ja", "nej"))
    )
    assert sorted(one.status_code for one in both) == [200, 409]
    refused = next(one for one in both if one.status_code == 409)
    assert "changed by someone else meanwhile" in refused.json()["detail"]
    assert (await api.delete(path, params={"version": 1})).status_code == 409
    assert (await move(api, item, await meeting(api), version=1)).status_code == 409
    assert (await api.delete(path, params={"version": 2})).status_code == 204
    assert await titles(api, november) == []


async def test_many_add_and_order_at_once_and_no_item_is_lost(api: httpx.AsyncClient) -> None:
    await board(api)
    november = await meeting(api)
    await asyncio.gather(*(add(api, november, f"Ärende {number}") for number in range(8)))
    agenda = (await api.get(f"/meetings/{november}/agenda")).json()
    ids = [one["id"] for one in agenda["items"]]
    assert len(ids) == 10
    path = f"/meetings/{november}/agenda/order"
    turned = await api.put(path, json={"items": ids[::-1], "seen": ids})
    assert [one["id"] for one in turned.json()["items"]] == ids[::-1]
    for order in ({"items": ids, "seen": ids}, {"items": ids[1:]}, {"items": [*ids, "x"]}):
        assert (await api.put(path, json=order)).status_code == 409
    assert (await titles(api, november))[-2:] == ["Ekonomi", "Val av justerare"]


async def test_moves_across_each_other_do_not_wait_for_ever(api: httpx.AsyncClient) -> None:
    one, other = await meeting(api), await meeting(api, "2022-12-16")
    here = [await add(api, one, f"A{number}") for number in range(4)]
    there = [await add(api, other, f"B{number}") for number in range(4)]
    answers = await asyncio.gather(
        *(move(api, item, other) for item in here), *(move(api, item, one) for item in there)
    )
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(await titles(api, one)) == ["B0", "B1", "B2", "B3"]


async def test_bad_input_changes_nothing(service: Service, api: httpx.AsyncClient) -> None:
    held, struck, november = await meeting(api, "2022-09-23"), await meeting(api, "2022-10-28"), await meeting(api)
    await api.post(f"/meetings/{struck}/cancel", json={"reason": "Krock"})
    item = await add(api, november, "Strategi")
    before = await outbox(service)
    path = f"/agenda-items/{item['id']}"
    refused = [
        (409, await move(api, item, held)),
        (409, await move(api, item, struck)),
        (409, await move(api, item, november)),
        (404, await move(api, item, "nowhere")),
        (422, await move(api, item)),
        (422, await move(api, item, held, how="lost")),
        (409, await api.post(f"/meetings/{held}/agenda/items", json={"title": "x"})),
        (409, await api.post(f"/meetings/{struck}/agenda")),
        (404, await api.get("/meetings/nowhere/agenda")),
        (404, await api.get("/agenda-items/nowhere")),
        (422, await api.put(path, json={"title": ""})),
        (422, await api.put(path, json={"title": "x", "minutes": 0})),
        (422, await api.put(path, json={"title": "x", "background": "y" * 20_001})),
        (422, await api.put(path, json={"title": "x", "colour": "red"})),
        (400, await api.get("/agenda-items", params={"body": "a\0b"})),
    ]
    for status, answer in refused:
        assert answer.status_code == status, answer.text
        assert answer.json()["detail"]
    assert await outbox(service) == before
    assert (await api.get(path)).json() == item


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR])
async def test_only_a_secretary_writes(api: httpx.AsyncClient, role: Role) -> None:
    november = await meeting(api)
    item = await add(api, november, "Strategi")
    api.headers["authorization"] = f"Bearer {TOKENS[role]}"
    assert (await api.get(f"/meetings/{november}/agenda")).status_code == 200
    assert (await move(api, item, november)).status_code == 403
    assert (await api.delete(f"/agenda-items/{item['id']}")).status_code == 403
    assert (await api.put(f"/meetings/{november}/agenda/order", json={"items": []})).status_code == 403
