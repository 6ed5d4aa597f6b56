"""Sittings on a real database: recorded step by step, told as facts, corrected, and once however often it is sent."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.meetings.sitting.history import replay
from shared.clock import ManualClock
from shared.events import ItemDecided, NoticeIssued, PersonArrived, RollCalled, SittingOpened, StepWithdrawn, VoteTaken
from shared.service import Service
from tests.integration.meetings.test_agenda import meeting
from tests.integration.meetings.test_meetings import outbox
from tests.integration.meetings.test_replies import board_of, facts, reply

DAY = "2022-11-25"
DURING = datetime(2022, 11, 25, 13, 30, tzinfo=UTC)  # half past two in Stockholm


def at(service: Service, moment: datetime) -> None:
    clock = service.commands.sittings._clock
    assert isinstance(clock, ManualClock)
    clock.move_to(moment)


def step(do: str, minute: int | None = None, **said: Any) -> dict[str, Any]:
    return {"do": do, **({} if minute is None else {"at": f"{DAY}T13:{minute:02}"}), **said}


@dataclass
class Room:
    """A board's meeting in its hour. `ids`: of people by first name; `items`: of the agenda's two."""

    service: Service
    api: httpx.AsyncClient
    meeting_id: str
    ids: dict[str, str]
    items: list[str]
    said: int = 0

    async def open(self, *present: str) -> httpx.Response:
        at(self.service, DURING)
        body = {"present": [self.ids[one] for one in present], "at": f"{DAY}T13:00"}
        return await self.api.post(f"/meetings/{self.meeting_id}/sitting", json=body)

    async def say(self, *steps: dict[str, Any], seen: int | None = None, **more: Any) -> httpx.Response:
        """`more`: of each entry."""
        entries = []
        for one in steps:
            self.said += 1
            entries.append({"key": f"key-{self.said}", "step": one, **more})
        return await self.post(entries, seen=seen)

    async def post(self, entries: list[dict[str, Any]], seen: int | None = None) -> httpx.Response:
        body = {"steps": entries, "seen": seen}
        return await self.api.post(f"/meetings/{self.meeting_id}/sitting/steps", json=body)

    async def now(self) -> dict[str, Any]:
        return dict((await self.api.get(f"/meetings/{self.meeting_id}/sitting")).json())

    def serving(self, now: dict[str, Any]) -> dict[str, str | None]:
        first = {person_id: name for name, person_id in self.ids.items()}
        return {first[one["person_id"]]: first.get(one["instead_of"]) for one in now["serving"]}


@pytest.fixture
async def room(service: Service, api: httpx.AsyncClient) -> Room:
    ids, meeting_id = await board_of(api), await meeting(api)
    items = []
    for title, kind in (("Delårsrapport", "decision"), ("Val av ombud", "election")):
        made = await api.post(f"/meetings/{meeting_id}/agenda/items", json={"title": title, "kind": kind})
        items.append(made.json()["id"])
    return Room(service, api, meeting_id, ids, items)


async def test_a_sitting_is_recorded_from_the_roll_call_to_its_end(room: Room) -> None:
    answer = await room.open("Olof", "Maja", "Anna", "Per")
    assert (answer.status_code, answer.headers["location"]) == (201, f"/meetings/{room.meeting_id}/sitting")
    assert room.serving(answer.json()) == {"Olof": None, "Maja": None, "Anna": "Nils"}
    assert (answer.json()["has_quorum"], answer.json()["presiding"]) == (True, room.ids["Olof"])
    begun = await room.say(
        step("adjusters_chosen", 1, people=[room.ids["Maja"]]), step("item_begun", 2, item_id=room.items[0])
    )
    assert begun.json()["sitting"]["items"][0]["title"] == "Delårsrapport"
    await room.say(
        step("proposal_made", 3, text="Godkänna"), step("proposal_made", 3, text="Avslå", person_id=room.ids["Maja"])
    )
    await room.say(step("arrived", 4, person_id=room.ids["Nils"]))
    ballots = [
        {"person_id": room.ids[who], "choice": how} for who, how in (("Olof", "yes"), ("Maja", "no"), ("Nils", "yes"))
    ]
    await room.say(step("vote_taken", 5, yes=1, no=2, ballots=ballots))
    decided = step("decided", 6, text="Styrelsen beslutar att godkänna", proposal=1, how="vote")
    await room.say(decided, step("reserved", 6, person_id=room.ids["Maja"]), step("item_ended", 6))
    closed = await room.say(step("closed", 30))
    assert (closed.status_code, closed.json()["sitting"]["status"], closed.json()["version"]) == (200, "closed", 12)

    [opened], [called] = await facts(room.service, SittingOpened), await facts(room.service, RollCalled)
    assert (opened.quorum, opened.adjusters, [one.name for one in opened.roll][:2]) == (
        2,
        1,
        ["Olof Berg", "Maja Lind"],
    )
    assert [one.instead_of for one in called.serving] == [None, None, room.ids["Nils"]]
    [came], [vote] = await facts(room.service, PersonArrived), await facts(room.service, VoteTaken)
    assert (came.item_id, came.at) == (room.items[0], "2022-11-25T13:04")
    assert (vote.result, vote.by, vote.presiding) == (1, "votes", room.ids["Olof"])
    [told] = await facts(room.service, ItemDecided)
    assert (told.text, len(told.serving)) == ("Styrelsen beslutar att godkänna", 3)
    rows = [row for row in await outbox(room.service) if row.topic == "meetings.sitting"]
    assert [(row.key, row.attributes["sequence"]) for row in rows] == [(room.meeting_id, str(n + 1)) for n in range(12)]


async def test_who_said_that_they_come_are_there_when_nobody_says_otherwise(room: Room) -> None:
    for who in ("Olof", "Maja"):
        assert (await reply(room.api, room.meeting_id, room.ids[who], "coming")).status_code == 200
    early = await room.api.post(f"/meetings/{room.meeting_id}/sitting", json={})
    assert (early.status_code, early.json()["detail"]) == (409, "the meeting is to come, on 2022-11-25 at 13:00")
    at(room.service, DURING)
    opened = await room.api.post(f"/meetings/{room.meeting_id}/sitting", json={})
    assert room.serving(opened.json()) == {"Olof": None, "Maja": None}
    assert opened.json()["sitting"]["opened_at"] == "2022-11-25T14:30:00"
    again = await room.open("Olof")
    assert (again.status_code, again.json()["detail"]) == (409, "the sitting has been opened already")


async def test_who_declines_while_the_sitting_goes_on_has_no_substitute_called_by_mail(room: Room) -> None:
    assert (await room.api.post(f"/meetings/{room.meeting_id}/notice/issue", json={})).status_code == 200
    assert (await room.open("Olof", "Maja", "Nils")).status_code == 201
    assert (await reply(room.api, room.meeting_id, room.ids["Maja"], "absent")).json()["answer"] == "absent"
    assert [one.kind for one in await facts(room.service, NoticeIssued)] == ["notice"]


async def test_what_is_sent_twice_is_recorded_once(room: Room) -> None:
    await room.open("Olof", "Maja")
    entry = {"key": "a-key", "step": step("arrived", 5, person_id=room.ids["Nils"])}
    answers = await asyncio.gather(*(room.post([entry]) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await room.now())["version"] == 3
    both = await room.post([entry, {"key": "other", "step": step("closed", 9)}], seen=3)
    assert (both.status_code, both.json()["version"]) == (200, 4)
    other = await room.post([{"key": "a-key", "step": step("closed", 9)}])
    assert (other.status_code, other.json()["detail"]) == (409, "key: another step was recorded under it")


async def test_two_who_record_at_once_are_told(room: Room) -> None:
    await room.open("Olof", "Maja")
    await room.say(step("arrived", 5, person_id=room.ids["Nils"]), seen=2)
    second = await room.say(step("departed", 6, person_id=room.ids["Maja"]), seen=2)
    assert (second.status_code, second.json()["detail"]) == (409, "someone else recorded something meanwhile")
    answers = await asyncio.gather(*(room.say(step("item_begun", 7, item_id=one)) for one in room.items))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_what_cannot_be_is_refused_and_nothing_of_it_is_kept(room: Room) -> None:
    assert (await room.say(step("closed"))).json()["detail"] == "the sitting has not been opened"
    assert (await room.api.get(f"/meetings/{room.meeting_id}/sitting")).status_code == 404
    await room.open("Olof", "Maja")
    for steps, detail in (
        ([step("departed", 1, person_id=room.ids["Nils"])], "Nils Ek is not there, and cannot leave"),
        ([step("item_begun", 1, item_id="nowhere")], "there is no item nowhere on the agenda"),
        (
            [step("adjusters_chosen", 1, people=[room.ids["Olof"], room.ids["Maja"]])],
            "people: the body wants 1 adjuster, and 2 are named",
        ),
        (
            [
                step("departed", 1, person_id=room.ids["Maja"]),
                step("item_begun", 1, item_id=room.items[0]),
                step("decided", 1, text="Ja"),
            ],
            "there is no quorum: 1 of the 2 needed decide",
        ),
        ([step("closed", 59) | {"at": "2022-11-25T15:00"}], "at: is still to come"),
    ):
        answer = await room.say(*steps)
        assert answer.json()["detail"] == detail
    assert (await room.now())["version"] == 2
    assert len([row for row in await outbox(room.service) if row.topic == "meetings.sitting"]) == 2


async def test_a_time_before_what_was_recorded_last_belongs_to_another_place(room: Room) -> None:
    """Who came while an item was up is of that item; what holds is in the order of its times."""
    await room.open("Olof", "Maja")
    begun = step("item_begun", 10, item_id=room.items[0])
    await room.say(begun, step("decided", 20, text="Ja"), step("item_ended", 21))
    await room.say(step("item_begun", 25, item_id=room.items[1]))
    came = step("arrived", 15, person_id=room.ids["Nils"])
    for late in (came, step("item_ended", 24), step("adjourned", 5)):
        answer = await room.say(late)
        assert (answer.status_code, "is before 13:25" in answer.json()["detail"]) == (422, True)
    assert (await room.say(came, after=4, reason="Glömdes")).status_code == 422, "the decision was at 13.20"
    assert (await room.say(came, after=3, reason="Glömdes")).status_code == 200
    assert (await room.say(step("item_ended", 25))).status_code == 200, "in the same minute"
    assert (await room.say(step("closed", 24))).status_code == 422
    await room.say(step("closed"))
    wrong = await room.say(step("item_begun", 19, item_id=room.items[1]), corrects=6, reason="Fel tid")
    assert wrong.status_code == 422
    kept = await room.say(step("item_begun", 25, item_id=room.items[1]), corrects=6, reason="Samma tid")
    assert kept.status_code == 200


async def test_a_time_after_what_follows_belongs_to_another_place(room: Room) -> None:
    """What is put in or corrected: refused with the step that follows, which may be corrected with it."""
    await room.open("Olof", "Maja")
    begun = step("item_begun", 10, item_id=room.items[0])
    await room.say(begun, step("decided", 20, text="Ja"), step("item_ended", 21))
    came = step("arrived", 30, person_id=room.ids["Nils"])
    late = await room.say(came, after=2, reason="Glömdes")
    assert (late.status_code, late.json()["detail"]) == (
        409,
        "at: 13:30 is after 13:10, the time of step 3 (item_begun), which follows",
    )
    assert "say a time until 13:10" in late.json()["hint"]
    assert (await room.say(step("decided", 25, text="Ja"), corrects=4, reason="Fel tid")).status_code == 409
    assert (await room.now())["version"] == 5
    at_ten = await room.say(step("arrived", 10, person_id=room.ids["Nils"]), after=2, reason="Glömdes")
    assert at_ten.status_code == 200, "in the same minute"
    both = [
        {"key": "a", "step": step("decided", 25, text="Ja"), "corrects": 4, "reason": "Fel tid"},
        {"key": "b", "step": step("item_ended", 26), "corrects": 5, "reason": "Fel tid"},
    ]
    assert (await room.post(both)).status_code == 200, "what follows is corrected with it"


async def test_a_correction_without_a_time_has_that_of_the_step_that_it_names(room: Room) -> None:
    await room.open("Olof", "Maja")
    await room.say(step("item_begun", 10, item_id=room.items[0]), step("decided", 20, text="Ja"))
    await room.say(step("item_ended", 21))
    await room.say(step("decided", text="Nej"), corrects=4, reason="Fel ord")
    await room.say(step("arrived", person_id=room.ids["Nils"]), after=3, reason="Glömdes")
    kept = (await room.api.get(f"/meetings/{room.meeting_id}/sitting/steps")).json()["steps"]
    assert [one["step"]["at"] for one in kept[-2:]] == [f"{DAY}T13:20:00", f"{DAY}T13:10:00"]


async def test_a_mistake_is_corrected_and_both_are_kept(room: Room) -> None:
    await room.open("Olof", "Maja")
    await room.say(step("arrived", 5, person_id=room.ids["Nils"]))
    unsaid = await room.say(step("withdrawn", 5), corrects=3)
    assert (unsaid.status_code, unsaid.json()["detail"]) == (422, "reason: say why the step is corrected")
    gone = await room.say(step("withdrawn"), corrects=3, reason="Det var Per")
    assert room.serving(gone.json()) == {"Olof": None, "Maja": None}
    put = await room.say(step("arrived", 4, person_id=room.ids["Per"]), corrects=3, reason="Det var Per")
    assert room.serving(put.json()) == {"Olof": None, "Maja": None, "Per": "Nils"}
    kept = (await room.api.get(f"/meetings/{room.meeting_id}/sitting/steps")).json()["steps"]
    assert [(one["number"], one["step"]["do"], one["corrects"]) for one in kept[2:]] == [
        (3, "arrived", None),
        (4, "withdrawn", 3),
        (5, "arrived", 3),
    ]
    assert kept[2]["recorded_by"]
    [withdrawn] = await facts(room.service, StepWithdrawn)
    assert (withdrawn.corrects, withdrawn.reason) == (3, "Det var Per")
    state = (await room.service.commands.sittings.scene("default", room.meeting_id)).state
    assert replay(await room.service.commands.sittings.steps("default", room.meeting_id)) == state
