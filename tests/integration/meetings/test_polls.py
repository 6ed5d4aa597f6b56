"""Date polls on a real database: who is asked, one change of the meeting, one end, whoever asks for it at once."""

import asyncio

import httpx
import pytest

from services.meetings.poll.poll import Can
from shared.errors import Refused
from shared.events import (
    DatePollClosed,
    DatePollOpened,
    DatePollUnreached,
    MeetingChanged,
    NoticeIssued,
    NoticeWithdrawn,
)
from shared.service import Service
from tests.integration.meetings.test_agenda import meeting
from tests.integration.meetings.test_mail_news import bounced, bring
from tests.integration.meetings.test_meetings import outbox
from tests.integration.meetings.test_notices import names
from tests.integration.meetings.test_replies import board_of, facts

FIRST, SECOND = "20221125T1300-20221125T1500", "20221202T1300-20221202T1530"
NEW = {
    "times": [
        {"starts": "2022-12-02T13:00", "ends": "2022-12-02T15:30"},
        {"starts": "2022-11-25T13:00", "ends": "2022-11-25T15:00"},
    ],
    "answer_by": "2022-10-14",
    "note": "Oktobermötet krockar.",
}


async def opened(api: httpx.AsyncClient) -> tuple[dict[str, str], str, str]:
    """A board's people, the meeting in October that needs another date, and the poll about it."""
    ids, october = await board_of(api), await meeting(api, "2022-10-28")
    answer = await api.post(f"/meetings/{october}/date-polls", json=NEW)
    assert answer.status_code == 201, answer.text
    poll = answer.json()["poll"]["id"]
    assert answer.headers["location"] == f"/date-polls/{poll}"
    return ids, october, poll


async def said(api: httpx.AsyncClient, poll: str, person: str, *cans: str) -> httpx.Response:
    times = dict(zip((FIRST, SECOND), cans, strict=True))
    return await api.put(f"/date-polls/{poll}/answers/{person}", json={"times": times})


async def test_the_chosen_date_is_one_change(service: Service, api: httpx.AsyncClient) -> None:
    ids, october, poll = await opened(api)
    [fact] = await facts(service, DatePollOpened)
    assert (fact.poll_id, fact.meeting_id, fact.body_id, fact.title) == (poll, october, ids["body"], fact.title)
    assert {one.person_id for one in fact.people} == {ids[name] for name in ("Olof", "Maja", "Nils", "Sara")}
    await said(api, poll, ids["Olof"], "cannot", "can")
    await said(api, poll, ids["Maja"], "can", "if_need_be")
    await said(api, poll, ids["Nils"], "can", "cannot")
    await said(api, poll, ids["Nils"], "cannot", "can")
    shown = (await api.get(f"/date-polls/{poll}")).json()
    best = shown["times"][0]
    assert (best["key"], best["can"], best["if_need_be"], best["cannot"], best["unsaid"], best["has_quorum"]) == (
        SECOND,
        [ids["Olof"], ids["Nils"]],
        [ids["Maja"]],
        [],
        [ids["Sara"]],
        True,
    )
    before = await outbox(service)
    chosen = await api.post(f"/date-polls/{poll}/choose", json={"time": SECOND})
    assert (chosen.status_code, chosen.json()["poll"]["status"]) == (200, "chosen")
    moved = (await api.get(f"/meetings/{october}")).json()["details"]
    assert (moved["starts"], moved["ends"]) == ("2022-12-02T13:00:00", "2022-12-02T15:30:00")
    [changed], [closed] = await facts(service, MeetingChanged), await facts(service, DatePollClosed)
    assert (changed.starts, closed.chosen.key, closed.people) == ("2022-12-02T13:00", SECOND, ())
    [told] = await facts(service, NoticeIssued)  # nobody had heard of the meeting
    assert (told.kind, told.starts, len(told.people)) == ("preliminary", "2022-12-02T13:00", 4)
    assert len(await outbox(service)) == len(before) + 3
    late = await said(api, poll, ids["Sara"], "can", "can")
    assert (late.status_code, late.json()["detail"]) == (409, "a date was chosen already")


async def test_who_was_told_gets_one_updated_notice(service: Service, api: httpx.AsyncClient) -> None:
    _, october, poll = await opened(api)
    assert (await api.post(f"/meetings/{october}/notice/issue", json={})).status_code == 200
    before = await outbox(service)
    await api.post(f"/date-polls/{poll}/choose", json={"time": FIRST})
    *_, told = await facts(service, NoticeIssued)
    assert (told.kind, told.changes, told.before_starts, told.starts) == (
        "updated",
        ("time",),
        "2022-10-28T13:00",
        "2022-11-25T13:00",
    )
    assert sorted(row.attributes["type"].split(".")[-2] for row in (await outbox(service))[len(before) :]) == sorted(
        ["meeting-changed", "notice-issued", "date-poll-closed"]
    )


async def test_who_hears_by_the_notice_that_it_is_cancelled_hears_it_once(
    service: Service, api: httpx.AsyncClient
) -> None:
    _, october, _ = await opened(api)
    await api.post(f"/meetings/{october}/notice/issue", json={})
    await api.post(f"/meetings/{october}/cancel", json={"reason": "Krock"})
    [closed], [withdrawn] = await facts(service, DatePollClosed), await facts(service, NoticeWithdrawn)
    assert (closed.reason, closed.people, len(withdrawn.people)) == ("Krock", (), 4)


async def test_whoever_ends_it_at_once_ends_it_once(service: Service, api: httpx.AsyncClient) -> None:
    _, october, poll = await opened(api)
    asked = [api.post(f"/date-polls/{poll}/choose", json={"time": key}) for key in (FIRST, SECOND, FIRST, SECOND)]
    asked += [api.post(f"/date-polls/{poll}/call-off", json={"reason": "Nej"}) for _ in range(2)]
    answers = await asyncio.gather(*asked)
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409, 409]
    [closed] = await facts(service, DatePollClosed)
    assert len(await facts(service, MeetingChanged)) == (1 if closed.chosen else 0)
    found = (await api.get(f"/meetings/{october}")).json()["details"]["starts"]
    assert found == (f"{closed.chosen.starts}:00" if closed.chosen else "2022-10-28T13:00:00")


async def test_a_meeting_has_one_open_poll(service: Service, api: httpx.AsyncClient) -> None:
    _, october, poll = await opened(api)
    again = await asyncio.gather(*(api.post(f"/meetings/{october}/date-polls", json=NEW) for _ in range(2)))
    assert {one.status_code for one in again} == {409}
    await api.post(f"/date-polls/{poll}/call-off", json={"reason": "Fel dagar."})
    again = await asyncio.gather(*(api.post(f"/meetings/{october}/date-polls", json=NEW) for _ in range(3)))
    assert sorted(one.status_code for one in again) == [201, 409, 409]
    listed = (await api.get(f"/meetings/{october}/date-polls")).json()["polls"]
    assert [one["status"] for one in listed] == ["open", "called_off"]


@pytest.mark.parametrize("how", ["cancelled", "struck"])
async def test_who_cancels_the_meeting_ends_its_poll(service: Service, api: httpx.AsyncClient, how: str) -> None:
    ids, october, poll = await opened(api)
    if how == "cancelled":
        answer = await api.post(f"/meetings/{october}/cancel", json={"reason": "Krock"})
    else:
        november = await meeting(api, "2022-11-25")
        answer = await api.post(f"/meetings/{october}/strike", json={"to_meeting_id": november, "reason": "Krock"})
    assert answer.status_code == 200
    [closed] = await facts(service, DatePollClosed)
    assert (closed.chosen, closed.reason, len(closed.people)) == (None, "Krock", 4)
    late = await said(api, poll, ids["Maja"], "can", "can")
    assert (late.status_code, late.json()["detail"]) == (409, "the date poll was called off")
    assert (await api.post(f"/date-polls/{poll}/choose", json={"time": FIRST})).status_code == 409


async def test_a_mail_that_did_not_arrive_is_told_to_chair_and_secretary(
    service: Service, api: httpx.AsyncClient
) -> None:
    ids, _, poll = await opened(api)
    asked = {"purpose": "date-poll"}
    await bring(service, bounced(poll, ids["Maja"], **asked), bounced(poll, ids["Maja"], **asked))
    [fact] = await facts(service, DatePollUnreached)
    assert (fact.poll_id, fact.name, fact.email) == (poll, "Maja Lind", "maja@norrdalen.example")
    assert (fact.status, fact.diagnostic, names(fact)) == ("5.1.1", "550 5.1.1 no such user", ["Olof", "Sara"])
    sara = {"purpose": "date-poll-called-off", "recipient": "sara@norrdalen.example"}
    await bring(service, bounced(poll, ids["Sara"], **sara))
    assert names((await facts(service, DatePollUnreached))[1]) == ["Olof"], "not to the address that bounced"
    people = (await api.get(f"/date-polls/{poll}")).json()["people"]
    assert {one["name"]: one["unreached"] for one in people if one["unreached"]} == {
        "Maja Lind": "550 5.1.1 no such user",
        "Sara Falk": "550 5.1.1 no such user",
    }
    assert (await api.post(f"/date-polls/{poll}/choose", json={"time": FIRST})).status_code == 200


async def test_bounces_that_say_nothing_about_who_is_asked_are_left(service: Service, api: httpx.AsyncClient) -> None:
    ids, october, poll = await opened(api)
    before = await outbox(service)
    asked = {"purpose": "date-poll"}
    await bring(
        service,
        bounced(poll, "unknown", **asked),
        bounced("unknown", ids["Maja"], **asked),
        bounced(october, ids["Maja"], **asked),
        bounced(poll, ids["Anna"], recipient="anna@norrdalen.example", **asked),  # a substitute, whom nobody asked
        bounced(poll, ids["Maja"], recipient="gammal@norrdalen.example", **asked),
        bounced(poll, ids["Maja"], purpose="date-poll-unreached"),
        bounced(poll, ids["Maja"], purpose="notice"),
        bounced(poll, ids["Maja"], request_id=None, **asked),
    )
    assert await outbox(service) == before


async def test_what_cannot_be_is_refused_and_changes_nothing(service: Service, api: httpx.AsyncClient) -> None:
    ids, october, poll = await opened(api)
    before = await outbox(service)
    unknown = await meeting(api, "2022-11-11", body="Okänd")
    refused = [
        await api.post(f"/meetings/{unknown}/date-polls", json=NEW),
        await api.post("/meetings/unknown/date-polls", json=NEW),
        await api.post(f"/meetings/{october}/date-polls", json=NEW | {"times": []}),
        await said(api, poll, ids["Anna"], "can", "can"),
        await api.put(f"/date-polls/{poll}/answers/{ids['Maja']}", json={"times": {"x": "can"}}),
        await api.put(f"/date-polls/{poll}/answers/{ids['Maja']}", json={"times": {FIRST: "maybe"}}),
        await api.post(f"/date-polls/{poll}/choose", json={"time": "x"}),
        await api.post(f"/date-polls/{poll}/call-off", json={"reason": " "}),
        await api.get("/date-polls/unknown"),
        await api.get(f"/meetings/{october}/date-proposals", params={"first": "2023-01-02", "last": "2022-01-01"}),
    ]
    assert [one.status_code for one in refused] == [409, 404, 422, 409, 422, 422, 422, 422, 404, 422]
    assert len(await outbox(service)) == len(before) + 1  # the other meeting


@pytest.mark.parametrize("window", [{"first": "9999-12-31"}, {"last": "9999-12-31"}, {"first": "2033-01-01"}], ids=str)
async def test_days_beyond_ten_years_are_refused(api: httpx.AsyncClient, window: dict[str, str]) -> None:
    await board_of(api)
    october = await meeting(api, "2022-10-28")
    answer = await api.get(f"/meetings/{october}/date-proposals", params=window)
    assert answer.status_code == 422, answer.text
    assert next(iter(window)) in answer.json()["detail"]


async def test_days_are_proposed_that_most_can(service: Service, api: httpx.AsyncClient) -> None:
    ids, october, poll = await opened(api)
    for day in ("2022-10-07", "2022-11-11"):
        await meeting(api, day)
    other = (await api.post("/bodies", json={"details": {"name": "Utskottet", "kind": "committee"}})).json()["id"]
    await api.post(f"/bodies/{other}/memberships", json={"person_id": ids["Olof"], "role": "chair"})
    await meeting(api, "2022-11-18", body="Utskottet")
    await service.commands.polls.answer("default", poll, ids["Maja"], {FIRST: Can.NO, SECOND: Can.YES})
    window = {"first": "2022-11-04", "last": "2022-12-02"}
    found = (await api.get(f"/meetings/{october}/date-proposals", params=window)).json()
    assert found["people"] == 4
    starts = [one["starts"] for one in found["times"]]
    assert starts[0] == "2022-12-02T13:00:00"  # a Friday, as usual, on which nobody is away
    assert "2022-11-11T13:00:00" not in starts  # they meet then anyway
    more = (await api.get(f"/meetings/{october}/date-proposals", params=window | {"first": "2022-11-25"})).json()
    away = {one["starts"]: one["away"] for one in more["times"]}
    assert away["2022-11-25T13:00:00"] == [{"person_id": ids["Maja"], "name": "Maja Lind", "why": None}]
    week = {"first": "2022-11-18", "last": "2022-11-18"}
    [busy] = (await api.get(f"/meetings/{october}/date-proposals", params=week)).json()["times"]
    assert [one["why"] for one in busy["away"]] == ["Utskottet 13:00–15:00"]


async def test_who_is_not_asked_answers_nothing(service: Service, api: httpx.AsyncClient) -> None:
    _, _, poll = await opened(api)
    with pytest.raises(Refused):
        await service.commands.polls.answer("default", poll, "stranger", {FIRST: Can.YES})
    assert (await service.commands.polls.asking("elsewhere", "stranger")) == []
