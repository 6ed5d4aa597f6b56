"""Bodies and people on a real database: one person in several bodies, terms, and those who leave."""

import asyncio
from typing import Any

import httpx
import pytest

from shared.auth import Role
from shared.events import ProtocolDrafted
from shared.service import Service
from tests.integration.meetings.test_meetings import MEETING, TOKENS, draft, minutes, outbox, schedule

BOARD = {"details": {"name": "Styrelsen", "kind": "board"}}
TO_COME = {"starts": "2022-11-25T13:00", "ends": "2022-11-25T15:00"}
NAMES = ("förbundsstyrelsen", "Styrelsen")
COMMITTEE = {"details": {"name": "Arbetsutskottet", "kind": "committee"}}


async def put_in(api: httpx.AsyncClient, path: str, body: dict[str, Any]) -> str:
    answer = await api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def person(api: httpx.AsyncClient, name: str, **details: str) -> str:
    address = f"{name.split()[0].lower()}@norrdalen.example"
    return await put_in(api, "/people", {"details": {"name": name, "email": address, **details}})


async def seat(api: httpx.AsyncClient, body_id: str, person_id: str, role: str, **term: Any) -> str:
    return await put_in(api, f"/bodies/{body_id}/memberships", {"person_id": person_id, "role": role, **term})


async def names_in(api: httpx.AsyncClient, body_id: str, **query: str) -> list[str]:
    sitting = (await api.get(f"/bodies/{body_id}", params=query)).json()
    return [member["name"] for member in sitting["members"]]


async def test_one_person_in_two_bodies_with_roles_and_terms(service: Service, api: httpx.AsyncClient) -> None:
    board, committee = await put_in(api, "/bodies", BOARD), await put_in(api, "/bodies", COMMITTEE)
    olof, maja = await person(api, "Olof Berg", party="S"), await person(api, "Maja Lind")
    await seat(api, board, maja, "member", begins="2019-01-01", ends="2022-10-31")
    await seat(api, board, olof, "chair", begins="2023-01-01")
    await seat(api, committee, olof, "member")

    assert await names_in(api, board) == ["Maja Lind"]  # it is September 2022
    assert await names_in(api, board, on="2023-02-24") == ["Olof Berg"]
    assert (await api.get(f"/bodies/{board}")).json()["quorum"] == 1
    career = (await api.get(f"/people/{olof}")).json()
    assert [place["body"]["details"]["name"] for place in career["places"]] == ["Styrelsen", "Arbetsutskottet"]

    rows = await outbox(service)
    told = [(row.topic, row.attributes["type"].split(".")[-2], row.attributes["sequence"]) for row in rows]
    assert told[-3:] == [
        ("meetings.body", "membership-begun", "2"),
        ("meetings.body", "membership-begun", "3"),
        ("meetings.body", "membership-begun", "2"),
    ]
    assert ("meetings.person", "person-registered", "1") in told
    assert {row.key for row in rows[-3:]} == {board, committee}


async def test_who_leaves_stays_in_old_minutes_as_they_were(service: Service, api: httpx.AsyncClient) -> None:
    board = await put_in(api, "/bodies", BOARD)
    olof, sven = await person(api, "Olof Berg"), await person(api, "Sven Dahl")
    await seat(api, board, olof, "chair")
    await seat(api, board, sven, "member", begins="2022-12-01")
    meeting_id = await schedule(api)
    assert (await draft(api, meeting_id, minutes(first=28))).status_code == 201
    before = (await api.get(f"/meetings/{meeting_id}/minutes.pdf")).content
    fact = ProtocolDrafted.from_json((await outbox(service))[-1].data)

    assert (await api.post(f"/people/{olof}/leave", json={"on": "2022-10-15"})).json() == {"ended": 1}
    assert (await api.post(f"/people/{sven}/leave", json={})).json() == {"ended": 1}
    assert (await api.post(f"/people/{olof}/leave", json={"on": "2022-10-20"})).json() == {"ended": 0}
    renamed = await api.put(f"/people/{olof}", json={"name": "Olof Nyberg", "email": "olof@norrdalen.example"})
    assert renamed.json()["version"] == 2

    assert await names_in(api, board, on="2022-10-15") == ["Olof Nyberg"]
    assert await names_in(api, board, on="2022-10-16") == []
    assert await names_in(api, board, on="2022-12-02") == []  # who had not begun never sat
    after = (await api.get(f"/meetings/{meeting_id}/minutes.pdf")).content
    assert after == before
    assert len(after) == fact.pdf.size


async def test_a_place_is_changed_and_ended(service: Service, api: httpx.AsyncClient) -> None:
    board, maja = await put_in(api, "/bodies", BOARD), await person(api, "Maja Lind")
    held = await seat(api, board, maja, "substitute")
    basis = {"body": "Styrelsen", "year": 2022, "paragraph": 33}
    path = f"/bodies/{board}/memberships/{held}"
    changed = await api.put(path, json={"person_id": maja, "role": "member", "basis": basis})
    assert changed.json()["seat"]["basis"] == basis
    assert (await api.post(f"{path}/end", json={"on": "2022-09-30"})).status_code == 204
    assert await names_in(api, board, on="2022-10-01") == []
    ever = (await api.get(f"/bodies/{board}/memberships")).json()["memberships"]
    assert [(one["name"], one["membership"]["seat"]["ends"]) for one in ever] == [("Maja Lind", "2022-09-30")]

    closed = await api.post(f"/bodies/{board}/close", json={"on": "2022-12-31"})
    assert (closed.json()["closed"], closed.json()["version"]) == ("2022-12-31", 5)
    types = [row.attributes["type"].split(".")[-2] for row in await outbox(service)]
    assert types[2:] == ["membership-begun", "membership-changed", "membership-ended", "body-closed"]


async def test_bad_input_changes_nothing(service: Service, api: httpx.AsyncClient) -> None:
    board, maja = await put_in(api, "/bodies", BOARD), await person(api, "Maja Lind")
    olof = await person(api, "Olof Berg")
    held = await seat(api, board, maja, "chair")
    before = await outbox(service)
    members = f"/bodies/{board}/memberships"
    refused = [
        (409, await api.post("/bodies", json={"details": {"name": " STYRELSEN", "kind": "board"}})),
        (409, await api.post("/bodies", json={"key": "styrelsen", **COMMITTEE})),
        (422, await api.post("/bodies", json={"key": "Å", **COMMITTEE})),
        (422, await api.post("/bodies", json={"details": {"name": "Nätverk", "kind": "club"}})),
        (422, await api.post("/bodies", json={"details": {"name": "a\0b", "kind": "board"}})),
        (409, await api.post("/people", json={"details": {"name": "Maja L", "email": "MAJA@norrdalen.example"}})),
        (409, await api.post("/people", json={"key": "maja-lind", "details": {"name": "Maja L"}})),
        (422, await api.post("/people", json={"details": {"name": "Maja", "email": "maja"}})),
        (409, await api.put(f"/people/{olof}", json={"name": "Olof Berg", "email": "maja@norrdalen.example"})),
        (409, await api.put(f"/people/{olof}?version=2", json={"name": "Olof"})),
        (409, await api.put(f"/bodies/{board}?version=9", json=BOARD["details"])),
        (404, await api.put("/bodies/nowhere", json=BOARD["details"])),
        (404, await api.post(members, json={"person_id": "nobody", "role": "member"})),
        (409, await api.post(members, json={"person_id": olof, "role": "chair"})),
        (422, await api.post(members, json={"person_id": olof, "role": "king"})),
        (422, await api.post(members, json={"person_id": olof, "role": "member", "begins": "2023-02-30"})),
        (404, await api.post("/bodies/nowhere/memberships", json={"person_id": olof, "role": "member"})),
        (404, await api.post(f"{members}/nothing/end", json={})),
        (422, await api.put(f"{members}/{held}", json={"person_id": olof, "role": "member"})),
        (404, await api.post("/people/nobody/leave", json={})),
        (422, await api.get("/people", params={"after": "x"})),
    ]
    assert [answer.status_code for _, answer in refused] == [status for status, _ in refused]
    assert all(answer.json()["detail"] for _, answer in refused)
    assert await outbox(service) == before


async def test_two_who_want_one_place_at_once(api: httpx.AsyncClient) -> None:
    board = await put_in(api, "/bodies", BOARD)
    people = [await person(api, f"Person{number} Lind") for number in range(4)]
    wanted = [{"person_id": one, "role": "chair"} for one in people]
    answers = await asyncio.gather(*(api.post(f"/bodies/{board}/memberships", json=one) for one in wanted))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_people_come_by_the_last_word_of_their_name(api: httpx.AsyncClient) -> None:
    for name in ("Maja Öberg", "Anna Åström", "Karin Zetterberg", "Bo Ek"):
        await person(api, name)
    first = (await api.get("/people", params={"limit": 3})).json()
    assert [one["details"]["name"] for one in first["people"]] == ["Bo Ek", "Karin Zetterberg", "Anna Åström"]
    rest = (await api.get("/people", params={"limit": 3, "after": first["next"]})).json()
    assert [one["details"]["name"] for one in rest["people"]] == ["Maja Öberg"]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR])
async def test_only_a_secretary_changes_the_register(api: httpx.AsyncClient, role: Role) -> None:
    board = await put_in(api, "/bodies", BOARD)
    api.headers["authorization"] = f"Bearer {TOKENS[role]}"
    assert (await api.post("/people", json={"details": {"name": "Maja Lind"}})).status_code == 403
    assert (await api.post(f"/bodies/{board}/close", json={})).status_code == 403
    assert (await api.get("/bodies")).json()["bodies"][0]["key"] == "styrelsen"


async def test_a_body_that_is_renamed_keeps_its_meetings_items_and_numbers(
    service: Service, api: httpx.AsyncClient
) -> None:
    """Also what was of it before the register knew it. Who takes the old name gets nothing of it."""
    held = await schedule(api)
    assert (await api.get(f"/meetings/{held}")).json()["body_id"] is None
    board = await put_in(api, "/bodies", BOARD)
    next_one = str((await api.post("/meetings", json=MEETING | TO_COME)).json()["id"])
    item = (await api.post(f"/meetings/{next_one}/agenda/items", json={"title": "Strategi"})).json()
    await api.post(f"/agenda-items/{item['id']}/move", json={"how": "tabled"})
    assert (await draft(api, held, minutes(paragraphs=3))).status_code == 201

    renamed = {"details": BOARD["details"] | {"name": "Förbundsstyrelsen"}}
    assert (await api.put(f"/bodies/{board}", json=renamed["details"])).status_code == 200
    other = await put_in(api, "/bodies", BOARD)
    assert {(await api.get(f"/meetings/{one}")).json()["body_id"] for one in (held, next_one)} == {board}
    waiting = [(await api.get("/agenda-items", params={"body": name})).json()["items"] for name in NAMES]
    assert [[one["id"] for one in found] for found in waiting] == [[item["id"]], []]
    numbered = await draft(api, next_one, minutes(paragraphs=2, body="Förbundsstyrelsen"))
    assert (numbered.json()["first_paragraph"], numbered.json()["last_paragraph"]) == (4, 5)

    anew = str((await api.post("/meetings", json=MEETING)).json()["id"])
    assert (await api.get(f"/meetings/{anew}")).json()["body_id"] == other
    assert (await draft(api, anew, minutes(paragraphs=1))).json()["first_paragraph"] == 1


async def test_a_register_that_renames_a_body_keeps_what_is_its(api: httpx.AsyncClient) -> None:
    await put_in(api, "/bodies", {"key": "board", **BOARD})
    held = await schedule(api)
    assert (await draft(api, held, minutes(paragraphs=3))).status_code == 201
    register = "bodies: {board: {name: Förbundsstyrelsen, kind: board}}"
    applied = await api.post("/register", json={"text": register, "format": "yaml"})
    assert applied.status_code == 200, applied.text
    later = MEETING | {"body": "Förbundsstyrelsen"}
    anew = str((await api.post("/meetings", json=later)).json()["id"])
    drafted = await draft(api, anew, minutes(paragraphs=1, body="Förbundsstyrelsen"))
    assert drafted.json()["first_paragraph"] == 4, drafted.text
