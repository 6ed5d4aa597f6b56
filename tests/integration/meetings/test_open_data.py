"""Open data on a real database: a stranger's client walks all of it, and finds nothing that is not public."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.embedded.single import public_app
from services.meetings.oparl.oparl import Kind
from shared.names import DEFAULT_URL
from shared.service import Service
from tests.integration.meetings.test_agenda import add, meeting
from tests.integration.meetings.test_bodies import person, put_in, seat
from tests.integration.meetings.test_meetings import MEETING, NOW
from tests.integration.meetings.test_notices import done
from tests.integration.meetings.test_publications import drafted, post
from tests.oparl.client import Stranger, Walk

SYSTEM = f"{DEFAULT_URL}/meetings/oparl"
LISTS = [kind.value for kind in Kind if kind is not Kind.SYSTEM]


@pytest.fixture
async def outside(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever is on the network, as the service is reached there."""
    transport = httpx.ASGITransport(app=public_app(service, DEFAULT_URL), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport) as client:
        yield client


@pytest.fixture
def stranger(outside: httpx.AsyncClient) -> Stranger:
    return Stranger(outside)


async def body(api: httpx.AsyncClient, name: str, *, public: bool = True, **rules: Any) -> str:
    details = {"name": name, "kind": "board", "rules": {"public": public} | rules}
    return await put_in(api, "/bodies", {"details": details})


async def association(api: httpx.AsyncClient) -> dict[str, str]:
    """Two public bodies with a person in both, and three meetings called, one of them cancelled again."""
    ids = {"board": await body(api, "Styrelsen"), "committee": await body(api, "Arbetsutskottet", language="en")}
    for name, role in (
        ("Olof Berg", "chair"),
        ("Maja Lind", "secretary"),
        ("Nils Ek", "member"),
        ("Eva Ros", "member"),
    ):
        first = name.split()[0]
        ids[first] = await person(api, name, municipality="Björka", party="S")
        await seat(api, ids["board"], ids[first], role)
    await seat(api, ids["committee"], ids["Olof"], "member", begins="2022-01-01")
    for name, day, organ in (
        ("november", "2022-11-25", "Styrelsen"),
        ("december", "2022-12-09", "Styrelsen"),
        ("called off", "2022-12-16", "Arbetsutskottet"),
    ):
        ids[name] = await meeting(api, day, body=organ, title=f"Möte {day}")
        await add(api, ids[name], "Budget", kind="decision", background="Det interna underlaget")
        await add(api, ids[name], "Strategi")
        await done(api, ids[name], "issue", note="Anteckning till de kallade")
    assert (await api.post(f"/meetings/{ids['called off']}/cancel", json={"reason": "Sjukdom"})).status_code < 300
    return ids


def names(walk: Walk, kind: str) -> set[str]:
    return {one["name"] for one in walk.of(kind)}


async def test_a_stranger_walks_the_whole_association(api: httpx.AsyncClient, stranger: Stranger) -> None:
    ids = await association(api)
    walk = await stranger.walk(SYSTEM)
    assert names(walk, "Body") == {"Justera"}
    assert names(walk, "Organization") == {"Styrelsen", "Arbetsutskottet"}
    assert names(walk, "Person") == {"Olof Berg", "Maja Lind", "Nils Ek", "Eva Ros"}
    assert len(walk.of("Membership")) == 5
    assert {one["role"] for one in walk.of("Membership")} == {"Ordförande", "Sekreterare", "Ledamot", "Member"}
    cancelled = {one["id"].rpartition("/")[2]: one["cancelled"] for one in walk.of("Meeting")}
    assert cancelled == {ids["november"]: False, ids["december"]: False, ids["called off"]: True}
    assert len(walk.of("AgendaItem")) == 6
    board = walk.things[f"{SYSTEM}/organization/{ids['board']}"]
    assert len(walk.lists[board["meeting"]]) == 2, "the organization's own"
    for word in ("@", "norrdalen.example", "Björka", "interna", "Anteckning", "Sjukdom", '"S"'):
        assert word not in walk.text


async def test_what_changed_is_found_and_what_is_the_same_is_not_sent_again(
    service: Service, api: httpx.AsyncClient, outside: httpx.AsyncClient, stranger: Stranger
) -> None:
    ids = await association(api)
    before = await stranger.walk(SYSTEM)
    address = f"{SYSTEM}/meeting/{ids['november']}"
    known = await outside.get(address)
    for asked in ({"if-none-match": known.headers["etag"]}, {"if-modified-since": known.headers["last-modified"]}):
        same = await outside.get(address, headers=asked)
        assert (same.status_code, same.content) == (304, b"")
    service.commands.meetings._clock.move_to(NOW + timedelta(days=1))
    since = (NOW + timedelta(hours=1)).isoformat()
    assert (await outside.get(f"{SYSTEM}/meeting", params={"modified_since": since})).json()["data"] == []

    await api.put(f"/meetings/{ids['november']}", json=MEETING | _times("2022-11-25") | {"place": "Hemlig ort"})
    assert (await outside.get(address, headers={"if-none-match": known.headers["etag"]})).status_code == 304
    await done(api, ids["november"], "update")
    changed = await outside.get(address, headers={"if-none-match": known.headers["etag"]})
    assert changed.json()["location"]["description"] == "Hemlig ort"
    found = (await outside.get(f"{SYSTEM}/meeting", params={"modified_since": since})).json()["data"]
    assert [one["id"] for one in found] == [address]
    assert found[0]["created"] == before.things[address]["created"]
    assert datetime.fromisoformat(found[0]["modified"]) > NOW


async def test_nothing_that_is_not_public_is_reached_by_any_way(
    service: Service, api: httpx.AsyncClient, outside: httpx.AsyncClient, stranger: Stranger
) -> None:
    public = await association(api)
    hidden = await body(api, "Hemliga gruppen", public=False)
    alone, former = await person(api, "Sven Hemlig"), await person(api, "Rut Hemlig")
    tries = {
        "a body that is not public": ("organization", hidden),
        "who sits only there": ("person", alone),
        "their place": ("membership", await seat(api, hidden, alone, "chair")),
        "who left": ("person", former),
        "a place that ended": (
            "membership",
            await seat(api, public["board"], former, "member", begins="2020-01-01", ends="2022-09-25"),
        ),
    }
    unheard = await meeting(api, "2023-01-20", body="Styrelsen", title="Hemligt möte")
    await add(api, unheard, "Hemlig punkt")
    told_date = await meeting(api, "2023-02-20", body="Styrelsen", title="Hemligt möte")
    await done(api, told_date, "preliminary")
    theirs = await meeting(api, "2023-03-20", body="Hemliga gruppen", title="Hemligt möte")
    await done(api, theirs, "issue")
    for what, meeting_id in (("not called", unheard), ("only its date", told_date), ("of a hidden body", theirs)):
        for kind in ("meeting", "location"):
            tries[f"a meeting, {what}, {kind}"] = (kind, meeting_id)
        tries[f"its items, {what}"] = ("agendaItem", f"{meeting_id}-1")
    later = await add(api, public["november"], "Hemlig punkt")
    tries["an item that nobody was told of"] = ("agendaItem", f"{public['november']}-3")
    tries["an item by its own id"] = ("agendaItem", later["id"])
    for what, (kind, thing_id) in tries.items():
        answer = await stranger.get(f"{SYSTEM}/{kind}/{thing_id}")
        assert answer.status_code == 404, what
        assert "emlig" not in answer.text, what
    assert (await stranger.get(f"{SYSTEM}/organization/{hidden}/meeting")).status_code == 404

    walk = await stranger.walk(SYSTEM)
    said = walk.text + (await stranger.walk(SYSTEM, modified_since="2000-01-01T00:00:00+00:00")).text
    assert "emlig" not in said
    assert not [thing_id for _, thing_id in tries.values() if f'{thing_id}"' in said]


async def test_another_organisation_is_not_there(service: Service, api: httpx.AsyncClient, stranger: Stranger) -> None:
    ids = await association(api)
    async with service.database.transaction() as connection:
        for table in ("body", "membership", "person", "meeting", "notice", "register"):
            await connection.execute(text(f"UPDATE {table} SET organisation = 'other'"))
    assert (await stranger.get(f"{SYSTEM}/body/other")).status_code == 404
    for kind, thing_id in (("organization", "board"), ("person", "Olof"), ("meeting", "november")):
        assert (await stranger.get(f"{SYSTEM}/{kind}/{ids[thing_id]}")).status_code == 404
    walk = await stranger.walk(SYSTEM)
    assert {one["type"].rpartition("/")[2] for one in walk.things.values()} == {"System", "Body"}


async def test_what_is_public_no_longer_is_gone_at_once_and_its_going_is_told(
    api: httpx.AsyncClient, outside: httpx.AsyncClient, stranger: Stranger
) -> None:
    ids = await association(api)
    before = await stranger.walk(SYSTEM)
    gone_of = {"Styrelsen", "Maja Lind", "Nils Ek", "Eva Ros", "Möte 2022-11-25", "Möte 2022-12-09"}
    change = {"name": "Styrelsen", "kind": "board", "rules": {"public": False}}
    assert (await api.put(f"/bodies/{ids['board']}", json=change)).status_code == 200

    marks = []
    for address, thing in before.things.items():
        now = (await stranger.get(address)).json()
        if thing.get("name") in gone_of:
            assert set(now) == {"id", "type", "created", "modified", "deleted"}, thing
            assert (now["deleted"], now["created"]) == (True, thing["created"])
            marks.append(now["id"])
    assert len(marks) == len(gone_of)
    walk = await stranger.walk(SYSTEM)
    assert names(walk, "Organization") == {"Arbetsutskottet"}
    assert names(walk, "Person") == {"Olof Berg"}
    assert not [name for name in gone_of if name in walk.text]

    told = []
    for kind in LISTS:
        found = (await outside.get(f"{SYSTEM}/{kind}", params={"modified_since": "2022-09-26T00:00:00Z"})).json()
        told += [one["id"] for one in found["data"] if one.get("deleted")]
    assert set(marks) <= set(told)


async def test_minutes_are_there_as_posted_and_without_what_is_masked(
    service: Service, api: httpx.AsyncClient, outside: httpx.AsyncClient, stranger: Stranger
) -> None:
    """Signed is not published; what is masked is not in the meeting's name either; removed is gone."""
    await body(api, "Styrelsen")
    held = await drafted(service, api)
    signed = await stranger.walk(SYSTEM)
    assert (len(signed.of("Meeting")), signed.of("Paper"), signed.of("File")) == (1, [], [])
    publication = (await api.get(f"/meetings/{held}/publication")).json()["id"]
    for address in (f"/file/{publication}", f"/file/{publication}/content", f"/paper/{publication}"):
        assert (await stranger.get(SYSTEM + address)).status_code == 404

    await post(api, held, [{"kind": "name", "text": "Styrelsen"}])
    walk = await stranger.walk(SYSTEM)
    [file], [paper], [meeting] = walk.of("File"), walk.of("Paper"), walk.of("Meeting")
    assert meeting["resultsProtocol"]["id"] == paper["mainFile"]["id"] == file["id"]
    assert meeting["name"] == "[maskerat] sammanträder"
    shown, fetched = await stranger.get(file["accessUrl"]), await stranger.get(file["downloadUrl"])
    assert shown.content == fetched.content
    assert (len(shown.content), shown.headers["content-type"]) == (file["size"], "application/pdf")
    assert fetched.headers["content-disposition"].startswith("attachment; filename")
    assert not shown.headers["content-disposition"].startswith("attachment")
    same = await outside.get(file["accessUrl"], headers={"if-none-match": shown.headers["etag"]})
    assert same.status_code == 304

    version = (await api.get(f"/meetings/{held}/publication")).json()["version"]
    removed = await api.post(f"/meetings/{held}/publication/remove", json={"version": version, "reason": "Fel fil"})
    assert removed.status_code == 200, removed.text
    assert (await stranger.get(file["accessUrl"])).status_code == 410
    assert (await stranger.get(file["downloadUrl"])).status_code == 410
    for gone in (file, paper):
        assert (await stranger.get(gone["id"])).json()["deleted"] is True
    after = await stranger.walk(SYSTEM)
    assert (after.of("File"), after.of("Paper")) == ([], [])
    assert after.of("Meeting")[0]["name"] == "[maskerat] sammanträder", "what was masked stays so"


async def test_what_cannot_be_asked_is_refused(outside: httpx.AsyncClient) -> None:
    refused = {
        "/meeting?modified_since=2022-09-26": 422,
        "/meeting?modified_since=0001-01-01T00:00:00%2B14:00": 422,
        "/meeting?elementsPerPage=0": 422,
        "/meeting?after=nowhere": 422,
        "/meeting?after=WyIyMDIyLTA5LTI2IiwgIngiXQ": 422,
        "/secret": 404,
        "/system": 404,
        "/system/default": 404,
        "/meeting/%00": 400,
        "/meeting/" + "x" * 500: 404,
        "/meeting/%F0%9F%98%80": 404,
    }
    for asked, status in refused.items():
        answer = await outside.get(SYSTEM + asked)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), asked
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await outside.request(method, f"{SYSTEM}/meeting")).status_code == 405


def _times(day: str) -> dict[str, str]:
    return {"starts": f"{day}T13:00", "ends": f"{day}T15:00", "title": f"Möte {day}"}
