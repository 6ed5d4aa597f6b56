"""Notices on a real database: what goes out when, to whom, and what becomes of it when the meeting changes."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.meetings.notice.deadlines import NoticeDeadlines
from shared.events import NoticeIssued, NoticeReminded, NoticeWithdrawn, SeatLeftEmpty
from shared.events.base import event_class
from shared.events.notices import JOIN
from shared.service import Service
from shared.timers import TimerWorker
from tests.integration.meetings.test_agenda import add, meeting
from tests.integration.meetings.test_meetings import MEETING, outbox
from tests.integration.meetings.test_replies import answers, board_of, facts, reply

NOVEMBER = {"starts": "2022-11-25T13:00", "ends": "2022-11-25T15:00", "place": "Forsby"}
AT_EIGHT = datetime(2022, 11, 18, 7, tzinfo=UTC)  # five days before 25 November is a Sunday


async def act(api: httpx.AsyncClient, meeting_id: str, what: str, **said: Any) -> httpx.Response:
    return await api.post(f"/meetings/{meeting_id}/notice/{what}", json=said)


async def done(api: httpx.AsyncClient, meeting_id: str, what: str, **said: Any) -> dict[str, Any]:
    answer = await act(api, meeting_id, what, **said)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def change(api: httpx.AsyncClient, meeting_id: str, **details: Any) -> None:
    assert (await api.put(f"/meetings/{meeting_id}", json=MEETING | NOVEMBER | details)).status_code == 200


async def state(api: httpx.AsyncClient, meeting_id: str) -> dict[str, Any]:
    return dict((await api.get(f"/meetings/{meeting_id}/notice")).json())


def at(service: Service, moment: datetime) -> TimerWorker[Any]:
    """What fires timers, at a time."""
    commands = service.commands.notices
    commands._clock.move_to(moment)
    return TimerWorker(commands._unit_of_work, commands._clock, NoticeDeadlines(commands._clock).handlers())


def names(fact: Any) -> list[str]:
    return [one.name.split()[0] for one in fact.people]


async def order_of(service: Service) -> list[str]:
    rows = [row for row in await outbox(service) if row.topic == "meetings.notice"]
    assert [int(row.attributes["sequence"]) for row in rows] == list(range(1, len(rows) + 1))
    return [getattr(event_class(row.attributes["type"]), "__name__", "") for row in rows]


async def test_the_date_then_the_notice_then_what_changed(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api, standing_items=[{"title": "Ekonomi"}]), await meeting(api, **NOVEMBER)
    seen = await state(api, november)
    assert (seen["stage"], seen["sequence"], seen["notice_by"], seen["late"]) == ("none", 0, "2022-11-18", False)
    assert [one["name"].split()[0] for one in seen["people"]] == ["Olof", "Maja", "Nils", "Sara"]
    await api.put(f"/people/{ids['Nils']}", json={"name": "Nils Ek"})
    await done(api, november, "preliminary", note="Boka dagen")
    await add(api, november, "Strategi", kind="decision", presenter="Maja Lind", minutes=20)
    await done(api, november, "issue")
    assert (await state(api, november))["changes"] == []
    await change(api, november, place="Sandvik", starts="2022-11-25T12:00", mode="hybrid")
    assert (await state(api, november))["changes"] == ["time", "place", "mode"]
    assert len(await facts(service, NoticeIssued)) == 2, "nobody is told by a change alone"
    told = await done(api, november, "update", note="Vi börjar tidigare")
    assert (told["stage"], told["sequence"]) == ("issued", 3)
    first, second, third = await facts(service, NoticeIssued)
    assert (first.kind, first.agenda, first.note) == ("preliminary", (), "Boka dagen")
    assert (names(first), first.people[0].role, first.sequence) == (["Olof", "Maja", "Sara"], "chair", 1)
    assert [one.title for one in second.agenda] == ["Ekonomi", "Strategi"]
    assert (second.kind, second.agenda[1].minutes, second.answer_by) == ("notice", 20, "2022-11-23")
    assert (third.kind, third.changes, third.sequence) == ("updated", ("time", "place", "mode"), 3)
    assert (third.before_starts, third.before_place) == ("2022-11-25T13:00", "Forsby")
    assert (third.starts, third.mode, third.note) == ("2022-11-25T12:00", "hybrid", "Vi börjar tidigare")
    assert (await act(api, november, "update")).status_code == 409, "nothing changed since"


async def test_an_approved_notice_goes_out_on_its_day(service: Service, api: httpx.AsyncClient) -> None:
    await board_of(api)
    november, other = await meeting(api, **NOVEMBER), await meeting(api, "2022-11-24")
    approved = await done(api, november, "approve", note="Välkomna")
    assert (approved["stage"], bool(approved["approved_at"])) == ("none", True)
    worker = at(service, datetime(2022, 11, 18, 6, 59, tzinfo=UTC))
    assert not await worker.fire_one()
    assert (await state(api, other))["late"], "its latest day is the 18th too, and nobody has seen it"
    [late] = (await api.get("/late-notices")).json()["meetings"]
    assert (late["meeting_id"], late["notice_by"], late["body"]) == (other, "2022-11-18", "Styrelsen")
    worker = at(service, AT_EIGHT)
    assert await worker.fire_one()
    [fact] = await facts(service, NoticeIssued)
    assert (fact.meeting_id, fact.kind, fact.note) == (november, "notice", "Välkomna")
    assert (await state(api, november))["stage"] == "issued"
    assert not await worker.fire_one()
    assert (await done(api, other, "approve"))["stage"] == "issued", "the day has come: at once"


async def test_an_approved_notice_follows_a_meeting_that_moves(service: Service, api: httpx.AsyncClient) -> None:
    await board_of(api)
    later, sooner = await meeting(api, **NOVEMBER), await meeting(api, "2022-12-16")
    for one in (later, sooner):
        await done(api, one, "approve")
    await change(api, later, starts="2022-12-09T13:00", ends="2022-12-09T15:00")
    await change(api, sooner, starts="2022-11-24T13:00", ends="2022-11-24T15:00")
    worker = at(service, AT_EIGHT)
    while await worker.fire_one():
        pass
    assert [one.meeting_id for one in await facts(service, NoticeIssued)] == [sooner]


@pytest.mark.parametrize("known_by", ["id", "name"])
@pytest.mark.parametrize("door", ["page", "register"])
async def test_an_approved_notice_follows_the_days_of_its_body(
    service: Service, api: httpx.AsyncClient, door: str, known_by: str
) -> None:
    ids, november = await board_of(api, notice_days=3), await meeting(api, **NOVEMBER)
    if known_by == "name":
        async with service.database.transaction() as connection:
            await connection.execute(text("UPDATE meeting SET body_id = NULL"))
    await done(api, november, "approve")
    if door == "page":
        details = {"name": "Styrelsen", "kind": "board", "rules": {"notice_days": 14}}
        assert (await api.put(f"/bodies/{ids['body']}", json=details)).is_success
    else:
        register = "bodies: {styrelsen: {name: Styrelsen, kind: styrelse, notice_days: 14}}"
        assert (await api.post("/register", json={"text": register})).is_success
    eleventh = datetime(2022, 11, 11, 7, tzinfo=UTC)
    assert not await at(service, eleventh - timedelta(seconds=1)).fire_one()
    assert await at(service, eleventh).fire_one()
    assert [one.kind for one in await facts(service, NoticeIssued)] == ["notice"]


async def test_what_cannot_go_out_is_no_longer_approved_and_late(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "approve")
    for name in ("Olof", "Maja", "Nils", "Sara"):
        await api.put(f"/people/{ids[name]}", json={"name": f"{name} Ek"})
    assert await at(service, AT_EIGHT).fire_one()
    seen = await state(api, november)
    assert (seen["stage"], seen["approved_at"], seen["late"]) == ("none", None, True)
    assert (await act(api, november, "issue")).status_code == 409


async def test_a_cancelled_meeting_is_withdrawn_from_who_was_told_in_the_same_breath(
    service: Service, api: httpx.AsyncClient
) -> None:
    await board_of(api)
    told, date_only, untold = [await meeting(api, day) for day in ("2022-11-25", "2022-12-02", "2022-12-09")]
    await done(api, told, "issue")
    await done(api, date_only, "preliminary")
    await done(api, untold, "approve")
    for one in (told, date_only, untold):
        await api.post(f"/meetings/{one}/cancel", json={"reason": "Krock"})
    withdrawn = await facts(service, NoticeWithdrawn)
    assert [(one.meeting_id, one.reason, one.sequence, one.cancelled) for one in withdrawn] == [
        (told, "Krock", 2, True),
        (date_only, "Krock", 2, True),
    ]
    assert names(withdrawn[0]) == ["Olof", "Maja", "Nils", "Sara"]
    assert not await at(service, datetime(2022, 12, 6, tzinfo=UTC)).fire_one()
    for what in ("preliminary", "approve", "issue", "update"):
        assert (await act(api, told, what)).status_code == 409


async def test_a_struck_meeting_is_withdrawn_with_it(service: Service, api: httpx.AsyncClient) -> None:
    await board_of(api)
    october, november = await meeting(api, "2022-10-28"), await meeting(api, **NOVEMBER)
    for one in (october, november):
        await done(api, one, "issue")
    wish = {"to_meeting_id": november, "reason": "Krock", "ends": "2022-11-25T15:30"}
    assert (await api.post(f"/meetings/{october}/strike", json=wish)).status_code == 200
    [withdrawn] = await facts(service, NoticeWithdrawn)
    assert withdrawn.meeting_id == october


async def test_substitutes_are_called_in_order_and_released(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await reply(api, november, ids["Maja"], "absent")
    assert await facts(service, NoticeIssued) == [], "before the notice, nobody is called"
    await done(api, november, "issue")
    await reply(api, november, ids["Anna"], "absent")
    assert (await answers(api, november))["Per"] is None
    await reply(api, november, ids["Nils"], "absent")
    _, anna, per = await facts(service, NoticeIssued)
    assert [(one.kind, names(one), one.people[0].instead_of) for one in (anna, per)] == [
        ("substitute", ["Anna"], "Maja Lind"),
        ("substitute", ["Per"], "Maja Lind"),
    ]
    [empty] = await facts(service, SeatLeftEmpty)
    assert empty.person_id == ids["Nils"]
    assert (await state(api, november))["changes"] == [], "a call is no news to the others"
    await reply(api, november, ids["Maja"], "coming")
    [*_, last] = await facts(service, NoticeIssued)
    assert (names(last), last.people[0].instead_of) == (["Per"], "Nils Ek"), "he is free for the other place"
    assert (await reply(api, november, ids["Anna"], "coming")).status_code == 409
    await reply(api, november, ids["Nils"], "coming")
    [released] = await facts(service, NoticeWithdrawn)
    assert (names(released), released.cancelled) == (["Per"], False)
    assert (await reply(api, november, ids["Per"], "coming")).status_code == 409
    assert [one.sequence for one in await facts(service, NoticeIssued)] == [1, 2, 3, 4]
    assert released.sequence == 5
    await order_of(service)


async def test_another_time_asks_everybody_anew(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "issue")
    await reply(api, november, ids["Maja"], "absent")
    await reply(api, november, ids["Olof"], "coming")
    await change(api, november, place="Sandvik")
    await done(api, november, "update")
    assert (await answers(api, november))["Olof"] == "coming", "another place is no other day"
    await change(api, november, place="Sandvik", starts="2022-11-25T10:00")
    await done(api, november, "update")
    assert set((await answers(api, november)).values()) == {None}
    [*_, last] = await facts(service, NoticeIssued)
    assert sorted(names(last)) == ["Anna", "Maja", "Nils", "Olof", "Sara"]


async def test_the_notice_of_another_time_than_the_date_that_was_sent_asks_everybody_anew(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "preliminary")
    await reply(api, november, ids["Maja"], "absent")
    await change(api, november, starts="2022-11-25T10:00")
    assert (await answers(api, november))["Maja"] == "absent", "nobody was told of another time yet"
    await done(api, november, "issue")
    assert set((await answers(api, november)).values()) == {None}
    assert [one.kind for one in await facts(service, NoticeIssued)] == ["preliminary", "notice"], "no substitute"


async def test_what_was_answered_before_anybody_was_told_is_about_the_time_that_it_had(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, november, other = await board_of(api), await meeting(api, **NOVEMBER), await meeting(api, "2022-12-02")
    for one in (november, other):
        await reply(api, one, ids["Maja"], "absent")
    await change(api, november, place="Sandvik")
    assert (await answers(api, november))["Maja"] == "absent", "another place is no other day"
    await change(api, november, starts="2022-11-24T13:00", ends="2022-11-24T15:00")
    assert set((await answers(api, november)).values()) == {None}
    assert (await answers(api, other))["Maja"] == "absent"
    await done(api, november, "issue")
    assert [one.kind for one in await facts(service, NoticeIssued)] == ["notice"]


async def ended(api: httpx.AsyncClient, ids: dict[str, str], name: str, on: str = "2022-10-31") -> None:
    seats = (await api.get(f"/bodies/{ids['body']}/memberships")).json()["memberships"]
    [one] = [one["membership"] for one in seats if one["membership"]["seat"]["person_id"] == ids[name]]
    answer = await api.post(f"/bodies/{ids['body']}/memberships/{one['id']}/end", json={"on": on})
    assert answer.is_success, answer.text


async def test_who_was_sent_the_date_and_left_the_body_is_released_by_the_notice(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "preliminary")
    await ended(api, ids, "Nils")
    await done(api, november, "issue")
    [released] = await facts(service, NoticeWithdrawn)
    assert (names(released), released.cancelled, released.sequence) == (["Nils"], False, 2)
    assert names((await facts(service, NoticeIssued))[-1]) == ["Olof", "Maja", "Sara"]
    assert "Nils" not in await answers(api, november)
    await order_of(service)


@pytest.mark.parametrize("what", ["preliminary", "issue"])
async def test_who_answered_and_left_before_anybody_was_told_hears_nothing(
    service: Service, api: httpx.AsyncClient, what: str
) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await reply(api, november, ids["Nils"], "coming")
    await ended(api, ids, "Nils")
    await done(api, november, what)
    assert "Nils" not in await answers(api, november)
    await api.post(f"/meetings/{november}/cancel", json={"reason": "Krock"})
    [withdrawn] = await facts(service, NoticeWithdrawn)
    assert names(withdrawn) == ["Olof", "Maja", "Sara"]


async def test_who_left_the_body_is_no_longer_asked(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "issue")
    await ended(api, ids, "Nils")
    assert (await state(api, november))["changes"] == ["people"]
    await done(api, november, "update")
    [released] = await facts(service, NoticeWithdrawn)
    assert (names(released), released.cancelled) == (["Nils"], False)
    assert "Nils" not in await answers(api, november)


async def test_a_substitute_who_was_called_and_left_is_released_and_the_next_is_called(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    await done(api, november, "issue")
    await reply(api, november, ids["Maja"], "absent")
    await ended(api, ids, "Anna")
    await change(api, november, place="Sandvik")
    await done(api, november, "update")
    [released] = await facts(service, NoticeWithdrawn)
    assert names(released) == ["Anna"]
    *_, updated, called = await facts(service, NoticeIssued)
    assert "Anna" not in names(updated)
    assert (called.kind, names(called)) == ("substitute", ["Per"])


async def test_a_notice_goes_out_once_however_often_it_is_asked(service: Service, api: httpx.AsyncClient) -> None:
    await board_of(api)
    november = await meeting(api, **NOVEMBER)
    sent = await asyncio.gather(*(act(api, november, "issue") for _ in range(4)))
    assert sorted(one.status_code for one in sent) == [200, 409, 409, 409]
    assert len(await facts(service, NoticeIssued)) == 1
    await order_of(service)


async def test_what_cannot_be_told_is_refused_and_changes_nothing(service: Service, api: httpx.AsyncClient) -> None:
    unknown = await meeting(api, **NOVEMBER)
    answer = await act(api, unknown, "issue")
    assert (answer.status_code, (await api.get(f"/meetings/{unknown}/notice")).status_code) == (409, 404)
    assert "not in the register" in answer.json()["detail"]
    await board_of(api)
    november, held = await meeting(api, **NOVEMBER), await meeting(api, "2022-09-23")
    before = await outbox(service)
    refused = [
        await act(api, november, "update"),
        await act(api, held, "issue"),
        await act(api, held, "approve"),
        await act(api, "unknown", "issue"),
        await act(api, november, "issue", note="\u202e"),
        await act(api, november, "preliminary", note="x" * 4001),
        await act(api, november, "issue", notes="fel"),
    ]
    assert [one.status_code for one in refused] == [409, 409, 409, 404, 422, 422, 422]
    assert await outbox(service) == before
    assert (await state(api, november))["stage"] == "none"


@pytest.mark.parametrize("role", ["operator", "auditor"])
async def test_only_the_secretary_sends_notices(service: Service, api: httpx.AsyncClient, role: str) -> None:
    await board_of(api)
    november = await meeting(api, **NOVEMBER)
    api.headers["authorization"] = f"Bearer token of the {role}"
    assert {(await act(api, november, one)).status_code for one in ("preliminary", "approve", "issue", "update")} == {
        403
    }
    assert (await api.get(f"/meetings/{november}/notice")).status_code == 200


async def test_the_link_to_an_online_meeting_is_told_for_mails_alone_and_another_one_is_news(
    service: Service, api: httpx.AsyncClient
) -> None:
    link = "https://mote.norrdalen.example/styrelsen"
    await board_of(api, join_link=link)
    online, on_site = await meeting(api, **NOVEMBER, mode="digital"), await meeting(api, "2022-12-09")
    for one in (online, on_site):
        await done(api, one, "issue")
    told, without = await facts(service, NoticeIssued)
    async with service.commands.notices._unit_of_work.begin() as transaction:
        assert told.join_sealed == transaction.sealed(JOIN, f"default {online}", link)
    assert without.join_sealed is None
    assert "mote.norrdalen" not in str(await outbox(service)), "the journal keeps it for years"
    assert (await state(api, online))["changes"] == []

    [board] = (await api.get("/bodies")).json()["bodies"]
    rules = board["details"]["rules"] | {"join_link": f"{link}/2"}
    changed = await api.put(f"/bodies/{board['id']}", json=board["details"] | {"rules": rules})
    assert changed.status_code == 200, changed.text
    assert [(await state(api, one))["changes"] for one in (online, on_site)] == [["join"], []]
    await done(api, online, "update")
    assert (await facts(service, NoticeIssued))[-1].changes == ("join",)
    assert (await state(api, online))["changes"] == []


async def test_those_who_have_not_answered_are_asked_again_once_a_day(service: Service, api: httpx.AsyncClient) -> None:
    ids, november = await board_of(api), await meeting(api, **NOVEMBER)
    early = await act(api, november, "remind")
    assert (early.status_code, early.json()["detail"]) == (409, "nobody was told of the meeting yet")
    await done(api, november, "issue")
    before = await state(api, november)
    await reply(api, november, ids["Olof"], "coming")
    commands, clock = service.commands.notices, service.commands.notices._clock
    async with commands._unit_of_work.begin() as transaction:  # a mail to Nils came back
        [nils] = [one for one in await transaction.replies("default", november) if one.person_id == ids["Nils"]]
        await transaction.save_replies("default", november, [nils.model_copy(update={"unreached": "550 no such user"})])
    await api.put(f"/people/{ids['Sara']}", json={"name": "Sara Falk"})

    [shown] = (await commands.notice("default", november)).silent
    assert shown.name == "Maja Lind"
    told = await done(api, november, "remind")
    assert [one["name"] for one in told["people"]] == ["Maja Lind"]
    [fact] = await facts(service, NoticeReminded)
    assert (names(fact), fact.answer_by, fact.sequence) == (["Maja"], "2022-11-23", before["sequence"])
    assert (await state(api, november))["sequence"] == before["sequence"], "calendars have it as it is"
    asked = {
        one["name"]: one["reminded_at"] for one in (await api.get(f"/meetings/{november}/replies")).json()["people"]
    }
    assert [name for name, at_ in asked.items() if at_] == ["Maja Lind"]

    again = await act(api, november, "remind")
    assert (again.status_code, "reminded within a day" in again.json()["detail"]) == (409, True)
    clock.move_to(clock.now() + timedelta(days=1))
    assert (await act(api, november, "remind", people=[ids["Olof"]])).status_code == 409, "who was shown has answered"
    await done(api, november, "remind", people=[ids["Maja"], ids["Olof"]])
    assert [names(one) for one in await facts(service, NoticeReminded)] == [["Maja"], ["Maja"]]
    await reply(api, november, ids["Maja"], "tentative")
    clock.move_to(clock.now() + timedelta(days=2))
    assert (await act(api, november, "remind")).status_code == 409, "who does not know yet has answered"
