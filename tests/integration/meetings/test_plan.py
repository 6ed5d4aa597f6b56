"""A plan by the API: looked at, applied whole or not at all, changed, and applied again."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import text

from shared.events import MeetingChanged, MeetingScheduled, PlanAdopted
from shared.service import Service
from tests.integration.meetings.test_meetings import outbox
from tests.support.locks import waits_for_a_lock
from tests.unit.meetings.test_plan import PLAN

REGISTER = """
people:
  maja-lind: {name: Maja Lind, email: maja.lind@norrdalen.example}
  olof-berg: {name: Olof Berg, email: olof.berg@bjorka.example}
  ida-strand: {name: Ida Strand}
  sven-dahl: {name: Sven Dahl, email: sven.dahl@forsby.example}
bodies:
  styrelsen:
    name: Styrelsen
    kind: board
    members:
      - {person: olof-berg, role: chair}
      - {person: ida-strand, role: member}
      - {person: sven-dahl, role: substitute}
      - {person: maja-lind, role: secretary}
  au: {name: Arbetsutskottet, kind: committee, members: [{person: olof-berg, role: chair}]}
  forbundsmote: {name: Förbundsmötet, kind: congress, members: [{person: olof-berg, role: member}]}
"""


async def prepared(api: httpx.AsyncClient) -> None:
    assert (await api.post("/register", json={"text": REGISTER})).status_code == 200


async def check(api: httpx.AsyncClient, text: str = PLAN) -> dict[str, Any]:
    answer = await api.post("/plans/check", json={"text": text})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def apply(api: httpx.AsyncClient, text: str = PLAN, **more: Any) -> httpx.Response:
    return await api.post("/plans", json={"text": text, **more})


async def told(service: Service, after: int = 0) -> list[Any]:
    return [row for row in (await outbox(service))[after:] if row.topic == "meetings.meeting"]


async def test_the_year_goes_in_as_one_file_and_comes_out_as_its_meetings(
    service: Service, api: httpx.AsyncClient
) -> None:
    await prepared(api)
    shown = await check(api)
    assert (shown["problems"], shown["clashes"], len(shown["changes"])) == ([], [], 18)
    assert await told(service) == []
    applied = await apply(api, digest=shown["digest"])
    assert applied.json() == {"changes": shown["changes"], "clashes": []}
    rows = await told(service)
    assert {row.attributes["type"] for row in rows} == {"se.justera.meetings.meeting-scheduled.v1"}
    facts = [MeetingScheduled.from_json(row.data) for row in rows]
    board = [fact.starts for fact in facts if fact.body == "Styrelsen" and fact.occasion != "training"]
    assert board == [
        "2023-02-24T09:00",
        "2023-03-31T09:00",
        "2023-04-27T15:00",
        "2023-06-01T14:00",
        "2023-09-22T09:00",
        "2023-10-27T09:00",
        "2023-11-24T09:00",
        "2023-12-22T09:00",
    ]
    committee = [fact.starts[5:10] for fact in facts if fact.body == "Arbetsutskottet"]
    assert committee == ["02-17", "03-24", "04-12", "05-26", "09-15", "10-20", "11-17", "12-15"]
    assert {one.email for one in facts[0].participants} == {"olof.berg@bjorka.example", "maja.lind@norrdalen.example"}
    assert facts[0].reserved is not None

    assert (await check(api))["changes"] == []
    assert (await apply(api)).json() == {"changes": [], "clashes": []}
    assert await told(service) == rows


async def test_a_plan_that_changed_changes_only_what_differs(service: Service, api: httpx.AsyncClient) -> None:
    await prepared(api)
    await apply(api)
    before = len(await outbox(service))
    moved = PLAN.replace("date: 2023-10-27", "date: 2023-10-20").replace("      - date: 2023-12-22\n", "")
    shown = await check(api, moved)
    assert [(one["kind"], one["body"], one["starts"][:10]) for one in shown["changes"]] == [
        ("changed", "Styrelsen", "2023-10-20"),
        ("changed", "Arbetsutskottet", "2023-10-13"),
        ("cancelled", "Styrelsen", "2023-12-22"),
        ("cancelled", "Arbetsutskottet", "2023-12-15"),
    ]
    assert (await apply(api, moved, digest=shown["digest"])).status_code == 200
    rows = await told(service, before)
    assert [row.attributes["type"].split(".")[-2] for row in rows] == [
        "meeting-changed",
        "meeting-changed",
        "meeting-cancelled",
        "meeting-cancelled",
    ]
    assert MeetingChanged.from_json(rows[0].data).starts == "2023-10-20T09:00"
    assert (await check(api, moved))["changes"] == []


async def test_answers_to_a_meeting_that_a_plan_moves_go_with_its_old_day(
    service: Service, api: httpx.AsyncClient
) -> None:
    await prepared(api)
    await apply(api)
    made = {
        MeetingScheduled.from_json(row.data) for row in await told(service) if "scheduled" in row.attributes["type"]
    }
    days = {one.starts[:10]: one.meeting_id for one in made if one.body == "Styrelsen"}
    moves, stays = days["2023-10-27"], days["2023-12-22"]
    [maja] = [one["id"] for one in (await api.get("/people")).json()["people"] if one["details"]["name"] == "Maja Lind"]
    for one in (moves, stays):
        assert (await api.put(f"/meetings/{one}/replies/{maja}", json={"answer": "absent"})).status_code == 200
    await apply(api, PLAN.replace("date: 2023-10-27", "date: 2023-10-20"), despite_clashes=True)
    for one, answer in ((moves, None), (stays, "absent")):
        people = (await api.get(f"/meetings/{one}/replies")).json()["people"]
        assert [it["answer"] for it in people if it["person_id"] == maja] == [answer]


async def test_a_plan_waits_for_a_timer_that_fires_before_it_locks_its_meetings(
    service: Service, api: httpx.AsyncClient
) -> None:
    """The timer holds its row, and wants the meeting next: who held that and wanted the row would be a deadlock."""
    await prepared(api)
    await apply(api)
    rows = [MeetingScheduled.from_json(row.data) for row in await told(service)]
    [october] = [one.meeting_id for one in rows if one.body == "Styrelsen" and one.starts.startswith("2023-10-27")]
    approved = await api.post(f"/meetings/{october}/notice/approve", json={})
    assert approved.status_code == 200, approved.text
    async with service.database.transaction() as firing:
        held = await firing.execute(text("SELECT 1 FROM timer WHERE subject = :id FOR UPDATE"), {"id": october})
        assert held.all()
        applying = asyncio.create_task(apply(api, PLAN.replace("date: 2023-10-27", "date: 2023-10-20")))
        await waits_for_a_lock(service.database)
        await firing.execute(text("SELECT 1 FROM meeting WHERE id = :id FOR UPDATE NOWAIT"), {"id": october})
    assert (await applying).status_code == 200


async def adoptions(service: Service, after: int = 0) -> list[PlanAdopted]:
    rows = (await outbox(service))[after:]
    return [PlanAdopted.from_json(row.data) for row in rows if "plan-adopted" in row.attributes["type"]]


async def test_each_body_hears_its_plan_and_what_concerns_whom(service: Service, api: httpx.AsyncClient) -> None:
    await prepared(api)
    await apply(api)
    facts = {fact.body: fact for fact in await adoptions(service)}
    assert {body: len(fact.meetings) for body, fact in facts.items()} == {
        "Arbetsutskottet": 8,
        "Förbundsmötet": 1,
        "Styrelsen": 9,
    }
    board = facts["Styrelsen"]
    assert [(one.name, len(one.meetings)) for one in board.people] == [("Olof Berg", 9), ("Maja Lind", 9)]
    before = len(await outbox(service))
    await apply(api, PLAN.replace("date: 2023-12-22", "date: 2023-12-15"), tell=False)
    changed = {fact.body: fact for fact in await adoptions(service, before)}
    assert changed.keys() == {"Styrelsen", "Arbetsutskottet"}
    [change] = changed["Styrelsen"].changes
    assert (change.kind, change.meeting.starts) == ("changed", "2023-12-15T09:00")
    assert change.before is not None
    assert change.before.starts == "2023-12-22T09:00"
    assert [len(one.changes) for one in changed["Styrelsen"].people] == [1, 1]
    assert not changed["Styrelsen"].tell
    before = len(await outbox(service))
    await api.post(
        "/register",
        json={
            "text": REGISTER.replace("person: ida-strand, role: member", "person: sven-dahl, role: member").replace(
                "      - {person: sven-dahl, role: substitute}\n", ""
            )
        },
    )
    before = len(await outbox(service))
    await apply(api, PLAN.replace("date: 2023-12-22", "date: 2023-12-15"))
    [joined] = await adoptions(service, before)
    assert joined.changes == ()
    assert "Sven Dahl" in {one.name for one in joined.people}
    sequences = [int(row.attributes["sequence"]) for row in await outbox(service) if row.key == joined.body_id]
    assert sequences == sorted(set(sequences))


async def test_clashes_are_told_and_someone_must_mean_them(service: Service, api: httpx.AsyncClient) -> None:
    await prepared(api)
    other = {
        "body": "Nätverket",
        "title": "Möte",
        "place": "Forsby",
        "participants": [{"email": "OLOF.BERG@bjorka.example"}],
    }
    other |= {"starts": "2023-02-24T11:00", "ends": "2023-02-24T12:30"}
    await api.post("/meetings", json=other)
    text = PLAN.replace("date: 2023-11-24", "{date: 2023-12-24, weekday: any}")
    shown = await check(api, text)
    assert [(one["kind"], one["body"], one["date"]) for one in shown["clashes"]] == [
        ("people", "Styrelsen", "2023-02-24"),
        ("weekend", "Arbetsutskottet", "2023-12-17"),
        ("holiday", "Styrelsen", "2023-12-24"),
    ]
    assert shown["clashes"][0]["people"] == ["Olof Berg"]
    before = await outbox(service)
    assert (await apply(api, text)).status_code == 409
    assert await outbox(service) == before
    assert (await apply(api, text, despite_clashes=True)).status_code == 200


async def test_bad_input_changes_nothing(service: Service, api: httpx.AsyncClient) -> None:
    await prepared(api)
    digest = (await check(api))["digest"]
    before = await outbox(service)
    answers = [
        await apply(api, PLAN.replace("date: 2023-10-27", "date: 2023-10-26")),
        await apply(api, PLAN.replace("  forbundsmote:", "  unknown:")),
        await apply(api, "{"),
        await apply(api, "x" * 300_000),
        await apply(api, digest="0" * 64),
        await apply(api, PLAN.replace("2023-09-22", "2023-09-15"), digest=digest),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 409, 409]
    assert (await check(api, PLAN.replace("  forbundsmote:", "  unknown:")))["problems"] == [
        {
            "where": "bodies, unknown",
            "what": "there is no body unknown (name bodies by their keys, as the register does)",
        }
    ]
    night = "{date: 2023-03-26, weekday: any, time: 02:15-04:00, reserve: {time: 02:30-05:00, for: Rådet}}"
    assert (await check(api, PLAN.replace("date: 2023-02-24", night)))["problems"] == [
        {
            "where": "bodies, styrelsen, meetings, number 1",
            "what": "time: 02:15 does not exist on 2023-03-26 in Europe/Stockholm: the clocks are put forward then "
            "(choose another time)",
        }
    ]
    assert await outbox(service) == before


async def test_a_date_that_is_struck_leaves_the_others_what_they_are(service: Service, api: httpx.AsyncClient) -> None:
    """Also one that was moved by hand, and one that moves in the same plan."""
    await prepared(api)
    await apply(api)
    there = (await api.get("/meetings?limit=100")).json()["meetings"]
    [by_hand] = [one for one in there if one["details"]["starts"] == "2023-09-22T09:00:00"]
    hours = {"starts": "2023-09-29T09:00", "ends": "2023-09-29T12:00"}
    moved = await api.put(f"/meetings/{by_hand['id']}", json={**by_hand["details"], **hours})
    assert moved.status_code == 200, moved.text
    changed = PLAN.replace("      - date: 2023-02-24\n", "").replace("date: 2023-09-22", "date: 2023-09-29")
    shown = await check(api, changed.replace("date: 2023-10-27", "date: 2023-10-20"))
    told = [(one["kind"], one["body"], one["starts"][:10], one["by_order"]) for one in shown["changes"]]
    assert sorted(told) == [
        ("cancelled", "Arbetsutskottet", "2023-02-17", False),
        ("cancelled", "Styrelsen", "2023-02-24", False),
        ("changed", "Arbetsutskottet", "2023-09-22", True),
        ("changed", "Arbetsutskottet", "2023-10-13", True),
        ("changed", "Styrelsen", "2023-10-20", True),
    ]


async def test_a_file_that_was_copied_for_the_next_year_does_not_move_this_ones(
    service: Service, api: httpx.AsyncClient
) -> None:
    await prepared(api)
    await apply(api)
    before = await outbox(service)
    one = "- {date: 2024-02-23, title: Möte, time: 09:00-10:00, mode: digital}"
    copied = f"plan: 2023\nyear: 2024\nbodies:\n  styrelsen:\n    meetings:\n      {one}\n"
    answer = await apply(api, copied)
    assert (answer.status_code, answer.json()["detail"]) == (422, "plan: 2023 is the plan of 2023")
    assert answer.json()["hint"] == "give that of 2024 a key of its own"
    assert await outbox(service) == before
    assert (await apply(api, copied.replace("plan: 2023", "plan: 2024"))).status_code == 200


async def test_a_plan_is_of_its_year_wherever_its_meetings_were_moved(service: Service, api: httpx.AsyncClient) -> None:
    """Over the turn of the year: its own file is taken again, and one that was copied for the next year is not."""
    await prepared(api)
    one = "{key: vinter, date: 2023-12-15, title: Möte, time: 09:00-10:00, mode: digital}"
    text_of = "plan: p\nyear: 2023\nbodies:\n  styrelsen:\n    meetings:\n      - {}\n".format
    assert (await apply(api, text_of(one))).status_code == 200
    [meeting] = (await api.get("/meetings")).json()["meetings"]
    moved = {name: meeting["details"][name] for name in ("body", "title", "place", "participants", "mode", "occasion")}
    moved |= {"starts": "2024-01-12T09:00", "ends": "2024-01-12T10:00"}
    put = await api.put(f"/meetings/{meeting['id']}", json=moved)
    assert put.status_code == 200, put.text
    copied = text_of(one.replace("2023-12-15", "2024-02-23")).replace("year: 2023", "year: 2024")
    answer = await apply(api, copied)
    assert (answer.status_code, answer.json()["detail"]) == (422, "plan: p is the plan of 2023")
    assert (await check(api, text_of(one)))["problems"] == []
    assert (await apply(api, text_of(one))).status_code == 200


async def test_a_meeting_that_was_held_stays_as_it_was(service: Service, api: httpx.AsyncClient) -> None:
    await prepared(api)
    await apply(api)
    clock = service.commands.plans._clock
    clock.move_to(datetime(2023, 3, 1, 12, tzinfo=UTC))
    moved = PLAN.replace("date: 2023-02-24", "date: 2023-03-03")
    [problem, *_] = (await check(api, moved))["problems"]
    assert "the meeting of 2023-02-24 was held" in problem["what"]
    assert (await apply(api, PLAN.replace("      - date: 2023-02-24\n", ""))).status_code == 422
    left = REGISTER.replace("      - {person: maja-lind, role: secretary}\n", "")
    await api.post("/register", json={"text": left})
    changes = (await check(api))["changes"]
    assert {one["starts"][:7] for one in changes} == {f"2023-{month:02}" for month in (3, 4, 6, 9, 10, 11, 12)}
    assert all([field["field"] for field in one["fields"]] == ["participants"] for one in changes)


async def test_a_plan_of_a_body_that_was_renamed_still_knows_its_meetings(
    service: Service, api: httpx.AsyncClient
) -> None:
    await prepared(api)
    assert (await apply(api, despite_clashes=True)).status_code == 200
    renamed = REGISTER.replace("name: Styrelsen", "name: Förbundsstyrelsen")
    assert (await api.post("/register", json={"text": renamed})).status_code == 200
    assert (await check(api))["changes"] == []
    bodies = {one["key"]: one["id"] for one in (await api.get("/bodies")).json()["bodies"]}
    meetings = (await api.get("/meetings")).json()["meetings"]
    assert {one["body_id"] for one in meetings if one["details"]["body"] == "Styrelsen"} == {bodies["styrelsen"]}
