"""Tasks on a real database: given by a decision, reminded of by a timer, come back on an agenda, done."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.auth import Role
from shared.clock import ManualClock
from shared.events import TaskChanged, TaskDone, TaskDue, TaskGiven, TaskWithdrawn
from shared.service import Service
from tests.integration.meetings.test_attachments import PDF, hand_in
from tests.integration.meetings.test_bodies import BOARD, person, put_in, seat
from tests.integration.meetings.test_decisions import HEAD, TRAVEL, enter, fire
from tests.integration.meetings.test_meetings import MEETING, NOW, TOKENS, outbox

WHAT = "återkomma om tåg"
DUE = "2022-10-20"


@pytest.fixture
def clock(service: Service) -> ManualClock:
    """The service's own."""
    found = service.commands.tasks._clock
    assert isinstance(found, ManualClock)
    return found


@pytest.fixture
async def board(api: httpx.AsyncClient) -> dict[str, str]:
    body = await put_in(api, "/bodies", BOARD)
    maja = await person(api, "Maja Lind", email="maja.lind@norrdalen.example")
    olof = await person(api, "Olof Berg", email="olof.berg@bjorka.example")
    await seat(api, body, maja, "secretary")
    await seat(api, body, olof, "chair")
    return {"body": body, "maja": maja, "olof": olof}


async def given(service: Service, api: httpx.AsyncClient, **details: Any) -> dict[str, Any]:
    meeting, _ = await enter(service, api, HEAD + TRAVEL)
    answer = await api.post(f"/decisions/{meeting}/28/tasks", json={"what": WHAT, "due": DUE, **details})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def facts(service: Service) -> list[tuple[str, dict[str, Any]]]:
    rows = await outbox(service)
    named = [(row.attributes["type"].split(".")[-2], row) for row in rows]
    return [(name, json.loads(row.data)) for name, row in named if name.startswith("task-")]


async def test_a_task_from_decision_to_done(
    service: Service, api: httpx.AsyncClient, board: dict[str, str], clock: ManualClock
) -> None:
    task = await given(service, api, owner_id=board["maja"])
    assert (task["paragraph"], task["heading"], task["held_on"]) == (28, "Resor", "2022-09-23")
    [one] = (await api.get("/tasks")).json()["tasks"]
    assert (one["task"]["id"], one["owners"]) == (task["id"], ["Maja Lind"])
    of_meeting = (await api.get(f"/meetings/{task['meeting_id']}/tasks")).json()
    assert [one["task"]["id"] for one in of_meeting["given"]] == [task["id"]]

    changed = await api.put(f"/tasks/{task['id']}", json={"what": WHAT, "due": DUE, "owner_role": "chair"})
    assert changed.status_code == 200, changed.text
    assert (await api.get(f"/tasks/{task['id']}")).json()["owners"] == ["Olof Berg"]
    done = await api.post(f"/tasks/{task['id']}/done", json={"note": "Klart."})
    assert done.json()["note"] == "Klart."
    assert (await api.get("/tasks")).json()["tasks"] == []
    assert [one["task"]["id"] for one in (await api.get("/tasks?done=true")).json()["tasks"]] == [task["id"]]
    assert (await api.post(f"/tasks/{task['id']}/done", json={})).status_code == 409

    told = await facts(service)
    assert [name for name, _ in told] == ["task-given", "task-changed", "task-done"]
    [first, *_] = [row for row in await outbox(service) if "task-given" in row.attributes["type"]]
    assert (first.topic, first.key) == ("meetings.body", board["body"]), "behind the memberships that it rests on"
    assert first.attributes["subject"] == task["id"]
    assert first.attributes["correlationid"] == task["meeting_id"]
    assert TaskGiven.from_json(json.dumps(told[0][1])).owner_id == board["maja"]
    assert TaskChanged.from_json(json.dumps(told[1][1])).owner_role == "chair"
    assert TaskDone.from_json(json.dumps(told[2][1])).note == "Klart."
    clock.move_to(NOW + timedelta(days=60))
    await fire(service)
    assert len(await facts(service)) == 3, "nobody is reminded of what is done"


async def test_a_task_given_by_mistake_is_withdrawn_and_kept(
    service: Service, api: httpx.AsyncClient, board: dict[str, str], clock: ManualClock
) -> None:
    task = await given(service, api, owner_id=board["maja"])
    at = f"/tasks/{task['id']}"
    assert (await api.post(f"{at}/withdraw", json={"reason": " "})).status_code == 422
    gone = await api.post(f"{at}/withdraw", json={"reason": "Fel paragraf"})
    assert (gone.json()["withdrawn"], gone.json()["note"]) == (True, "Fel paragraf"), gone.text
    assert (await api.get("/tasks")).json()["tasks"] == []
    again = await api.post(f"{at}/done", json={})
    assert (again.status_code, again.json()["detail"]) == (409, "the task was withdrawn")
    told = await facts(service)
    assert [name for name, _ in told] == ["task-given", "task-withdrawn"]
    assert TaskWithdrawn.from_json(json.dumps(told[1][1])).reason == "Fel paragraf"
    clock.move_to(NOW + timedelta(days=60))
    await fire(service)
    assert len(await facts(service)) == 2, "nobody is reminded of what is withdrawn"


async def test_timers_remind_a_week_before_and_on_the_day_once_each(
    service: Service, api: httpx.AsyncClient, board: dict[str, str], clock: ManualClock
) -> None:
    await given(service, api, owner_role="chair")
    reminders: list[tuple[str, str]] = []
    due: list[TaskDue] = []
    for day in range(40):
        clock.move_to(NOW + timedelta(days=day))
        await fire(service)
        await fire(service)
        due = [TaskDue.from_json(json.dumps(data)) for name, data in await facts(service) if name == "task-due"]
        if len(due) > len(reminders):
            reminders.append((clock.now().date().isoformat(), due[-1].reminder))
    assert reminders == [("2022-10-13", "week"), ("2022-10-20", "day")]
    assert [one.email for one in due[-1].people] == ["olof.berg@bjorka.example"]
    assert (due[-1].what, due[-1].paragraph, due[-1].due) == (WHAT, 28, DUE)
    async with service.database.transaction() as connection:
        left = await connection.execute(text("SELECT count(*) FROM timer WHERE kind = 'task-remind'"))
        assert left.scalar_one() == 0


async def test_whose_it_is_and_whose_it_is_no_more_are_told_at_once(
    service: Service, api: httpx.AsyncClient, board: dict[str, str], clock: ManualClock
) -> None:
    task = await given(service, api, owner_role="chair")
    clock.move_to(NOW + timedelta(days=18))
    await fire(service)
    seen = (await api.get(f"/tasks/{task['id']}")).json()["task"]
    details = seen["details"] | {"owner_role": None, "owner_id": board["maja"]}
    changed = await api.put(f"/tasks/{task['id']}", json=details)
    assert changed.status_code == 200, changed.text
    told = TaskChanged.from_json(json.dumps((await facts(service))[-1][1]))
    assert [one.email for one in told.people] == ["maja.lind@norrdalen.example"]
    assert [one.email for one in told.relieved] == ["olof.berg@bjorka.example"]
    # Another text, and the same owner: nobody is told. It ends for who was told last.
    assert (await api.put(f"/tasks/{task['id']}", json=details | {"what": "annat"})).status_code == 200
    told = TaskChanged.from_json(json.dumps((await facts(service))[-1][1]))
    assert (told.what, told.people, told.relieved) == ("annat", (), ())
    gone = await api.post(f"/tasks/{task['id']}/withdraw", json={"reason": "Fel paragraf"})
    assert gone.status_code == 200, gone.text
    name, said = (await facts(service))[-1]
    assert name == "task-withdrawn"
    assert [one["email"] for one in said["people"]] == ["maja.lind@norrdalen.example"]


async def test_whoever_has_the_role_next_is_told_at_once_and_whoever_had_it_that_it_is_theirs_no_more(
    service: Service, api: httpx.AsyncClient, board: dict[str, str], clock: ManualClock
) -> None:
    """By a change of the register, and by a term that begins or is over without anybody's doing."""
    await given(service, api, owner_role="chair")
    await fire(service)
    clock.move_to(NOW + timedelta(days=18))
    await fire(service)  # Olof is reminded
    there = (await api.get(f"/bodies/{board['body']}/memberships")).json()["memberships"]
    [chair] = [one["membership"]["id"] for one in there if one["membership"]["seat"]["role"] == "chair"]
    ended = await api.post(f"/bodies/{board['body']}/memberships/{chair}/end", json={"on": "2022-10-12"})
    assert ended.is_success, ended.text
    saga = await person(api, "Saga Ek", email="saga.ek@tallmo.example")
    await seat(api, board["body"], saga, "chair", begins="2022-10-13", ends="2022-10-17")
    await fire(service)
    assert await handed_over(service) == [(["saga.ek@tallmo.example"], ["olof.berg@bjorka.example"])]
    await fire(service)
    tove = await person(api, "Tove Alm", email="tove.alm@tallmo.example")
    await seat(api, board["body"], tove, "chair", begins="2022-10-18")
    await fire(service)
    assert len(await handed_over(service)) == 1, "not before her term"
    clock.move_to(datetime(2022, 10, 18, 4, 59, tzinfo=UTC))
    await fire(service)
    assert len(await handed_over(service)) == 1, "not by night"
    clock.move_to(datetime(2022, 10, 18, 5, tzinfo=UTC))
    await fire(service)
    assert (await handed_over(service))[1:] == [(["tove.alm@tallmo.example"], ["saga.ek@tallmo.example"])]


async def handed_over(service: Service) -> list[tuple[list[str], list[str]]]:
    told = [TaskChanged.from_json(json.dumps(data)) for name, data in await facts(service) if name == "task-changed"]
    return [([one.email or "" for one in of.people], [one.email or "" for one in of.relieved]) for of in told]


async def test_who_has_the_role_is_no_news_of_a_task_from_before_that_was_known_or_that_is_done(
    service: Service, api: httpx.AsyncClient, board: dict[str, str], clock: ManualClock
) -> None:
    task = await given(service, api, owner_role="chair")
    async with service.database.transaction() as connection:
        await connection.execute(text("UPDATE task SET holders = NULL"))
    saga = await person(api, "Saga Ek", email="saga.ek@tallmo.example")
    await fire(service)
    assert await handed_over(service) == []
    assert (await api.post(f"/tasks/{task['id']}/done", json={})).is_success
    there = (await api.get(f"/bodies/{board['body']}/memberships")).json()["memberships"]
    [chair] = [one["membership"]["id"] for one in there if one["membership"]["seat"]["role"] == "chair"]
    assert (await api.post(f"/bodies/{board['body']}/memberships/{chair}/end", json={})).is_success
    await seat(api, board["body"], saga, "chair", begins="2022-10-13")
    await fire(service)
    assert await handed_over(service) == []


async def scheduled(api: httpx.AsyncClient, day: str) -> str:
    to_come = {"starts": f"{day}T13:00", "ends": f"{day}T15:00"}
    return str((await api.post("/meetings", json=MEETING | to_come)).json()["id"])


async def titles(api: httpx.AsyncClient, meeting: str) -> list[str]:
    items = (await api.get(f"/meetings/{meeting}/agenda")).json()["items"]
    return [one["details"]["title"] for one in items]


async def test_a_task_puts_itself_on_the_agenda_of_the_meeting_at_which_it_comes_back(
    service: Service, api: httpx.AsyncClient, board: dict[str, str]
) -> None:
    november, december = await scheduled(api, "2022-11-25"), await scheduled(api, "2022-12-16")
    task = await given(service, api, owner_id=board["maja"], back_on=november)
    assert await titles(api, november) == [WHAT]
    agenda = (await api.get(f"/meetings/{november}/agenda")).json()["items"]
    assert agenda[-1]["details"]["background"] == "Från § 28, 23 september 2022: Resor"
    assert (await api.get(f"/meetings/{november}/tasks")).json()["coming_back"] == []
    assert (await api.post(f"/tasks/{task['id']}/take")).status_code == 200, "it is there already"
    assert await titles(api, november) == [WHAT]
    # At another meeting: it is an item there, and leaves no trace of what nobody saw.
    moved = await back_at(api, task, december)
    assert (await titles(api, november), await titles(api, december)) == ([], [WHAT])
    assert (await api.get(f"/meetings/{november}/agenda")).json()["left"] == []
    # At none: nor is it an item. At the same one again: one item.
    left = await back_at(api, moved, None)
    assert left["item_id"] is None
    assert await titles(api, december) == []
    again = await back_at(api, left, december)
    assert await titles(api, december) == [WHAT]
    gone = await api.post(f"/tasks/{again['id']}/withdraw", json={"reason": "Fel paragraf"})
    assert (gone.status_code, gone.json()["item_id"]) == (200, None), gone.text
    assert await titles(api, december) == []


async def back_at(api: httpx.AsyncClient, task: dict[str, Any], meeting: str | None) -> dict[str, Any]:
    changed = await api.put(f"/tasks/{task['id']}", json=task["details"] | {"back_on": meeting, "back_day": None})
    assert changed.status_code == 200, changed.text
    found: dict[str, Any] = changed.json()
    return found


@pytest.mark.parametrize("how", ["written", "annexed", "noticed"])
async def test_an_item_of_a_task_that_somebody_touched_or_was_told_of_stays_and_is_one(
    service: Service, api: httpx.AsyncClient, board: dict[str, str], how: str
) -> None:
    november, december = await scheduled(api, "2022-11-25"), await scheduled(api, "2022-12-16")
    task = await given(service, api, owner_id=board["maja"], back_on=november)
    item = task["item_id"]
    if how == "written":
        written = (await api.get(f"/agenda-items/{item}")).json()["details"] | {
            "proposal": "Lägg den till handlingarna."
        }
        answer = await api.put(f"/agenda-items/{item}", json=written)
    elif how == "annexed":
        answer = await hand_in(api, f"/agenda-items/{item}/attachments", "Rapport.pdf", PDF)
    else:
        answer = await api.post(f"/meetings/{november}/notice/issue", json={})
    assert answer.status_code < 300, answer.text
    left = await back_at(api, task, None)
    assert (left["item_id"], await titles(api, november)) == (item, [WHAT])
    # Back at the same one, or on a day that is its: still one.
    again = await back_at(api, left, november)
    assert (again["item_id"], await titles(api, november)) == (item, [WHAT])
    changed = await api.put(f"/tasks/{task['id']}", json=task["details"] | {"back_on": None, "back_day": "2022-11-25"})
    assert changed.status_code == 200, changed.text
    await fire(service)
    found = (await api.get(f"/tasks/{task['id']}")).json()["task"]
    assert (found["details"]["back_on"], await titles(api, november)) == (november, [WHAT])
    # At another one: it moves along, with the trace of where it was.
    await back_at(api, found, december)
    assert (await titles(api, november), await titles(api, december)) == ([], [WHAT])
    assert len((await api.get(f"/meetings/{november}/agenda")).json()["left"]) == 1
    [moved] = [row for row in await outbox(service) if ".item-moved." in row.attributes["type"]]
    assert moved.attributes["correlationid"] == november, "of the meeting that it left"


async def test_what_an_agenda_has_no_room_for_is_suggested_there(
    service: Service, api: httpx.AsyncClient, board: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.meetings.agenda.agenda.MOST_ITEMS", 0)
    meeting = await scheduled(api, "2022-11-25")
    task = await given(service, api, owner_id=board["maja"], back_on=meeting)
    assert task["item_id"] is None
    suggested = (await api.get(f"/meetings/{meeting}/tasks")).json()["coming_back"]
    assert [one["id"] for one in suggested] == [task["id"]]
    monkeypatch.undo()
    assert (await api.post(f"/tasks/{task['id']}/take")).status_code == 200
    assert await titles(api, meeting) == [WHAT]
    assert (await api.get(f"/meetings/{meeting}/tasks")).json()["coming_back"] == []


async def suggested(api: httpx.AsyncClient, meeting: str) -> list[str]:
    return [one["id"] for one in (await api.get(f"/meetings/{meeting}/tasks")).json()["coming_back"]]


async def test_a_task_whose_item_was_removed_is_suggested_and_taken_again(
    service: Service, api: httpx.AsyncClient, board: dict[str, str]
) -> None:
    meeting = await scheduled(api, "2022-11-25")
    task = await given(service, api, owner_id=board["maja"], back_on=meeting)
    assert await suggested(api, meeting) == []
    assert (await api.delete(f"/agenda-items/{task['item_id']}")).is_success
    assert await suggested(api, meeting) == [task["id"]]
    assert (await api.post(f"/tasks/{task['id']}/take")).status_code == 200
    assert (await titles(api, meeting), await suggested(api, meeting)) == ([WHAT], [])


async def written_up(service: Service, api: httpx.AsyncClient, **details: Any) -> dict[str, Any]:
    """A task that comes back as an item which somebody has written a proposal in: it stays where it is."""
    task = await given(service, api, **details)
    written = (await api.get(f"/agenda-items/{task['item_id']}")).json()["details"] | {"proposal": "Ja."}
    assert (await api.put(f"/agenda-items/{task['item_id']}", json=written)).is_success
    return task


async def test_a_task_whose_item_stands_on_another_agenda_is_taken_from_there(
    service: Service, api: httpx.AsyncClient, board: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    november, december = await scheduled(api, "2022-11-25"), await scheduled(api, "2022-12-16")
    task = await written_up(service, api, owner_id=board["maja"], back_on=november)
    with monkeypatch.context() as full:
        full.setattr("services.meetings.agenda.agenda.MOST_ITEMS", 0)
        await back_at(api, task, december)
    assert (await titles(api, november), await titles(api, december)) == ([WHAT], [])
    assert await suggested(api, december) == [task["id"]]
    taken = await api.post(f"/tasks/{task['id']}/take")
    assert (taken.status_code, taken.json()["item"]["id"]) == (200, task["item_id"]), taken.text
    assert (await titles(api, november), await titles(api, december)) == ([], [WHAT])
    assert taken.json()["item"]["details"]["proposal"] == "Ja."
    assert await suggested(api, december) == []
    # Put off there, it waits; taken up again, it is the same item.
    tabled = await api.post(f"/agenda-items/{task['item_id']}/move", json={"how": "tabled"})
    assert tabled.is_success, tabled.text
    again = await api.post(f"/tasks/{task['id']}/take")
    assert (again.status_code, again.json()["item"]["id"]) == (200, task["item_id"]), again.text
    assert await titles(api, december) == [WHAT]


async def test_a_task_whose_item_was_at_a_meeting_that_was_held_is_taken_at_the_next(
    service: Service,
    api: httpx.AsyncClient,
    board: dict[str, str],
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    november, december = await scheduled(api, "2022-11-25"), await scheduled(api, "2022-12-16")
    task = await written_up(service, api, owner_id=board["maja"], back_on=november)
    with monkeypatch.context() as full:
        full.setattr("services.meetings.agenda.agenda.MOST_ITEMS", 0)
        await back_at(api, task, december)
        task = await back_at(api, task, november)
        clock.move_to(NOW + timedelta(days=66))
        await back_at(api, task, december)
    assert (await titles(api, november), await titles(api, december)) == ([WHAT], [])
    assert await suggested(api, december) == [task["id"]]
    assert (await api.post(f"/tasks/{task['id']}/take")).status_code == 200
    assert (await titles(api, december), await suggested(api, december)) == ([WHAT], [])


async def test_a_day_finds_no_meeting_that_is_known_by_its_bodys_name_only(
    service: Service, api: httpx.AsyncClient, board: dict[str, str], clock: ManualClock
) -> None:
    nameless = await scheduled(api, "2022-11-25")
    async with service.database.transaction() as connection:
        await connection.execute(text("UPDATE meeting SET body_id = NULL WHERE id = :id"), {"id": nameless})
    task = await given(service, api, owner_id=board["maja"], back_day="2022-11-25")
    later = await scheduled(api, "2022-12-16")
    clock.move_to(NOW + timedelta(days=40))
    await fire(service)
    assert (await api.get(f"/tasks/{task['id']}")).json()["task"]["details"]["back_on"] == later
    assert await titles(api, later) == [WHAT]


async def test_a_task_that_comes_back_on_a_day_waits_until_its_meeting_is_planned(
    service: Service, api: httpx.AsyncClient, board: dict[str, str], clock: ManualClock
) -> None:
    """As what is to be reported by 20 June 2024 is decided on in 2022."""
    task = await given(service, api, owner_id=board["maja"], back_day="2024-06-20")
    await fire(service)
    earlier = await scheduled(api, "2024-05-24")
    clock.move_to(NOW + timedelta(days=3))
    await fire(service)
    assert await titles(api, earlier) == []
    june = await scheduled(api, "2024-06-20")
    clock.move_to(NOW + timedelta(days=5))
    await fire(service)
    assert await titles(api, june) == [WHAT]
    back = (await api.get(f"/tasks/{task['id']}")).json()["task"]
    assert (back["details"]["back_on"], back["details"]["back_day"]) == (june, None)
    name, said = (await facts(service))[-1]
    assert (name, said["back_on"]) == ("task-changed", june)
    clock.move_to(NOW + timedelta(days=9))
    await fire(service)
    assert await titles(api, june) == [WHAT], "once"


async def test_what_cannot_be_is_refused_and_nothing_is_kept(
    service: Service, api: httpx.AsyncClient, board: dict[str, str]
) -> None:
    meeting, _ = await enter(service, api, HEAD + TRAVEL)
    good = {"what": WHAT, "due": DUE, "owner_id": board["maja"]}
    for wrong, status in (
        ({"owner_id": None}, 422),
        ({"owner_id": "nobody"}, 422),
        ({"due": "2022-09-01"}, 422),
        ({"back_on": "nowhere"}, 422),
        ({"back_on": meeting}, 422),  # it was held
        ({"what": " "}, 422),
    ):
        answer = await api.post(f"/decisions/{meeting}/28/tasks", json=good | wrong)
        assert answer.status_code == status, (wrong, answer.text)
    assert (await api.post(f"/decisions/{meeting}/99/tasks", json=good)).status_code == 404, "no such paragraph"
    assert (await api.get("/tasks")).json()["tasks"] == []
    assert await facts(service) == []


async def test_only_a_secretary_gives_and_the_second_of_two_is_told(
    service: Service, api: httpx.AsyncClient, board: dict[str, str]
) -> None:
    task = await given(service, api, owner_id=board["maja"])
    auditor = {"authorization": f"Bearer {TOKENS[Role.AUDITOR]}"}
    assert (await api.get("/tasks", headers=auditor)).status_code == 200
    assert (await api.post(f"/tasks/{task['id']}/done", json={}, headers=auditor)).status_code == 403
    details = {"what": "annat", "due": DUE, "owner_id": board["maja"]}
    assert (await api.put(f"/tasks/{task['id']}?version=1", json=details)).status_code == 200
    late = await api.put(f"/tasks/{task['id']}?version=1", json=details | {"what": "tredje"})
    assert late.status_code == 409


async def test_tasks_are_read_in_pages(service: Service, api: httpx.AsyncClient, board: dict[str, str]) -> None:
    task = await given(service, api, owner_id=board["maja"])
    for day in (3, 2, 1):
        details = {"what": f"nummer {day}", "due": f"2022-11-0{day}", "owner_id": board["maja"]}
        await api.post(f"/decisions/{task['meeting_id']}/28/tasks", json=details)
    seen, after = [], None
    while True:
        page = (await api.get("/tasks", params={"limit": 1} | ({"after": after} if after else {}))).json()
        seen += [one["task"]["details"]["what"] for one in page["tasks"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [WHAT, "nummer 1", "nummer 2", "nummer 3"]
