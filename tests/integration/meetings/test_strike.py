"""§ 36: October is struck, November takes its items and the promised follow-up, and one updated notice goes out."""

import asyncio
from typing import Any

import httpx
import pytest

from services.meetings.meeting.commands import TakenOver
from shared.events import MeetingChanged, NoticeIssued, NoticeWithdrawn
from shared.service import Service
from tests.integration.meetings.test_agenda import add, meeting, move, titles
from tests.integration.meetings.test_meetings import MEETING, outbox
from tests.integration.meetings.test_notices import done, names
from tests.integration.meetings.test_replies import board_of, facts

WISH = {
    "reason": "Mötet krockar med förbundsmötet.",
    "ends": "2022-11-25T15:30",
    "mode": "digital",
    "place": "Digitalt",
    "note": "Oktobermötet utgår.",
    "add": [{"title": "Uppföljning av stadgefrågan", "kind": "discussion"}],
}


async def prepared(api: httpx.AsyncClient) -> tuple[str, str, dict[str, Any]]:
    """Both meetings were noticed; one item of October's stands on its agenda, and one left it to wait."""
    await board_of(api, standing_items=[{"title": "Ekonomi"}])
    october = await meeting(api, "2022-10-28", place="Forsby", mode="physical")
    november = await meeting(api, place="Forsby", mode="physical")
    await add(api, october, "Strategi", kind="decision")
    tabled = await add(api, october, "Stadgar")
    await move(api, tabled, how="tabled")
    for one in (october, november):
        await done(api, one, "issue")
    return october, november, {**WISH, "to_meeting_id": november}


async def look(api: httpx.AsyncClient, meeting_id: str, wish: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post(f"/meetings/{meeting_id}/strike/check", json=wish)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_what_was_shown_is_what_happens_and_each_is_told_once(service: Service, api: httpx.AsyncClient) -> None:
    october, november, wish = await prepared(api)
    before = await outbox(service)
    shown = await look(api, october, wish)
    assert await outbox(service) == before
    assert await titles(api, november) == [], "it has not even begun"
    assert [(one["title"], one["how"]) for one in shown["items"]] == [
        ("Strategi", "moved"),
        ("Stadgar", "taken_up"),
        ("Uppföljning av stadgefrågan", "added"),
    ]
    assert (shown["stays"], shown["clashes"]) == (["Ekonomi"], [])
    assert [(one["field"], one["before"], one["after"]) for one in shown["changes"]] == [
        ("ends", "2022-11-25T15:00", "2022-11-25T15:30"),
        ("mode", "physical", "digital"),
        ("place", "Forsby", "Digitalt"),
    ]

    answer = await api.post(f"/meetings/{october}/strike", json={**wish, "digest": shown["digest"]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["told"] == shown["told"]
    assert await titles(api, november) == ["Ekonomi", "Strategi", "Stadgar", "Uppföljning av stadgefrågan"]
    rows = (await outbox(service))[len(before) :]
    assert [row.attributes["type"].split(".")[-2] for row in rows] == [
        "item-moved",
        "item-moved",
        "meeting-changed",
        "meeting-cancelled",
        "notice-withdrawn",
        "notice-issued",
    ]
    [withdrawn] = await facts(service, NoticeWithdrawn)
    updated = (await facts(service, NoticeIssued))[-1]
    assert (withdrawn.meeting_id, updated.meeting_id, updated.kind) == (october, november, "updated")
    instead = withdrawn.taken_over_by
    assert instead is not None
    assert (instead.meeting_id, instead.starts, instead.ends, instead.place, instead.mode) == (
        november,
        "2022-11-25T13:00",
        "2022-11-25T15:30",
        "Digitalt",
        "digital",
    ), "as it is after the strike"
    assert set(updated.changes) == {"time", "place", "mode", "agenda"}
    assert updated.note == "Oktobermötet utgår."
    assert [(one.title, one.came_from) for one in updated.agenda] == [
        ("Ekonomi", None),
        ("Strategi", "2022-10-28"),
        ("Stadgar", "2022-10-28"),
        ("Uppföljning av stadgefrågan", None),
    ]
    told = [(one["news"], one["name"].split()[0]) for one in shown["told"]]
    assert told == [("struck", name) for name in names(withdrawn)] + [("changed", name) for name in names(updated)]
    assert len(told) == len(set(told))


async def test_the_struck_meeting_names_the_one_that_took_its_items_over(
    service: Service, api: httpx.AsyncClient
) -> None:
    october, november, wish = await prepared(api)
    await look(api, october, wish)
    assert (await api.get(f"/meetings/{october}")).json()["taken_over_by"] is None, "only looked at"
    assert (await api.post(f"/meetings/{october}/strike", json=wish)).is_success
    assert (await api.get(f"/meetings/{october}")).json()["taken_over_by"] == november
    meetings = service.commands.meetings
    struck, there = [await meetings.meeting("default", one) for one in (october, november)]
    assert await meetings.taken_over("default", struck) == TakenOver(there, [])
    assert await meetings.taken_over("default", there) == TakenOver(None, [struck])


async def test_without_items_that_go_along_nobody_hears_that_they_do(service: Service, api: httpx.AsyncClient) -> None:
    october, _, wish = await prepared(api)
    assert (await api.post(f"/meetings/{october}/strike", json={**wish, "items": []})).is_success
    assert (await api.get(f"/meetings/{october}")).json()["taken_over_by"] is None
    [withdrawn] = await facts(service, NoticeWithdrawn)
    assert withdrawn.taken_over_by is None


async def test_what_nobody_was_told_of_is_struck_in_silence(service: Service, api: httpx.AsyncClient) -> None:
    await board_of(api)
    october, november = await meeting(api, "2022-10-28"), await meeting(api)
    shown = await look(api, october, {"to_meeting_id": november, "reason": "Krock"})
    assert (shown["items"], shown["changes"], shown["told"]) == ([], [], [])
    assert (
        await api.post(f"/meetings/{october}/strike", json={"to_meeting_id": november, "reason": "Krock"})
    ).is_success
    assert await facts(service, NoticeWithdrawn) == []
    assert await facts(service, MeetingChanged) == []


async def test_who_chooses_takes_only_those_items_along(api: httpx.AsyncClient) -> None:
    october, november, wish = await prepared(api)
    [tabled] = (await api.get("/agenda-items")).json()["items"]
    shown = await look(api, october, {**wish, "items": [tabled["id"]], "add": []})
    assert ([one["title"] for one in shown["items"]], shown["stays"]) == (["Stadgar"], ["Ekonomi", "Strategi"])
    stranger = await add(api, november, "Övrigt")
    answer = await api.post(f"/meetings/{october}/strike", json={**wish, "items": [stranger["id"]]})
    assert answer.status_code == 409
    assert "neither on the agenda" in answer.json()["detail"]


async def test_when_it_would_come_to_something_else_by_now_it_is_looked_at_again(
    service: Service, api: httpx.AsyncClient
) -> None:
    october, _, wish = await prepared(api)
    shown = await look(api, october, wish)
    await add(api, october, "Ny punkt")
    before = await outbox(service)
    answer = await api.post(f"/meetings/{october}/strike", json={**wish, "digest": shown["digest"]})
    assert (answer.status_code, answer.json()["detail"]) == (409, "something was changed since you looked")
    assert await outbox(service) == before
    assert (await look(api, october, wish))["digest"] == (await look(api, october, wish))["digest"]


async def test_a_longer_meeting_that_gets_in_somebodys_way_is_meant_or_not_done(api: httpx.AsyncClient) -> None:
    october, november, wish = await prepared(api)
    asked = (await api.get(f"/meetings/{november}/notice")).json()["people"][0]
    other = {"body": "Samrådet", "starts": "2022-11-25T15:00", "ends": "2022-11-25T16:00"}
    participants = [{"email": asked["email"], "name": asked["name"]}]
    invited = (await api.get("/meetings")).json()["meetings"]
    details = next(one["details"] for one in invited if one["id"] == november)
    await api.put(f"/meetings/{november}", json={**details, "participants": participants})
    await api.post("/meetings", json={**MEETING, **other, "participants": participants})
    shown = await look(api, october, wish)
    assert [(one["kind"], one["other"]) for one in shown["clashes"]] == [("people", "Samrådet")]
    refused = await api.post(f"/meetings/{october}/strike", json=wish)
    assert (refused.status_code, refused.json()["detail"]) == (409, "there are clashes (1)")
    assert (await api.post(f"/meetings/{october}/strike", json={**wish, "despite_clashes": True})).is_success


@pytest.mark.parametrize("wrong", [{"note": "\u202e"}, {"add": [{"title": ""}]}, {"ends": "2022-11-25T12:00"}])
async def test_what_is_wrong_changes_nothing(service: Service, api: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    october, november, wish = await prepared(api)
    before = await outbox(service)
    assert (await api.post(f"/meetings/{october}/strike", json={**wish, **wrong})).status_code == 422
    assert await outbox(service) == before
    assert await titles(api, november) == [], "it has not even begun"


async def test_two_who_strike_at_once_strike_it_once(service: Service, api: httpx.AsyncClient) -> None:
    october, _, wish = await prepared(api)
    answers = await asyncio.gather(*(api.post(f"/meetings/{october}/strike", json=wish) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(await facts(service, NoticeWithdrawn)) == 1
