"""The notice board on a real database: posted, corrected, taken down; and nothing that is masked goes anywhere."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.auth import Role
from shared.clock import ManualClock
from shared.events import (
    AgreementCompleted,
    BlobRef,
    DocumentSigned,
    MinutesPosted,
    Person,
    PublicationDeadlineMissed,
    PublicationDeadlineNeared,
)
from shared.service import Service
from tests.integration.meetings.test_bodies import BOARD, person, put_in, seat
from tests.integration.meetings.test_decisions import BUDGET, HEAD, TRAVEL, fire
from tests.integration.meetings.test_meetings import MEETING, NOW, TOKENS, draft, outbox, schedule
from tests.integration.signing.flow import message
from tests.support.locks import waits_for_a_lock

OLOF = [{"kind": "name", "text": "Olof Berg"}]


@pytest.fixture
def clock(service: Service) -> ManualClock:
    """The service's own."""
    found = service.commands.publications._clock
    assert isinstance(found, ManualClock)
    return found


@pytest.fixture
async def committee(api: httpx.AsyncClient) -> str:
    """A municipality's body, with its secretary and chair."""
    body = await put_in(api, "/bodies", {"details": BOARD["details"] | {"rules": {"deadline_profile": "municipality"}}})
    maja = await person(api, "Maja Lind", email="maja.lind@norrdalen.example")
    olof = await person(api, "Olof Berg", email="olof.berg@bjorka.example")
    await seat(api, body, maja, "secretary")
    await seat(api, body, olof, "chair")
    return body


def completed(agreement: str) -> AgreementCompleted:
    """Signing tells that everyone has signed."""
    blob = BlobRef(sha256="0" * 64, size=1, media_type="application/pdf")
    return AgreementCompleted(
        agreement_id=agreement,
        meeting_id="m",
        document_name="Protokoll",
        document=blob,
        render_input=blob,
        template_version="2",
        recipients=(Person(email="maja.lind@norrdalen.example"),),
        language="sv",
        timezone="Europe/Stockholm",
    )


async def sign(service: Service, agreement: str, *, organisation: str = "default") -> None:
    """Signing tells that two have signed, and that this is everyone."""
    signing: list[Any] = [
        DocumentSigned(
            agreement_id=agreement,
            request_id=f"r{place}",
            place=place,
            email=f"secret{place}@norrdalen.example",
            name=name,
            ip="192.0.2.7",
            role=role,
            document_sha256="0" * 64,
            language="sv",
            document_name="Protokoll",
        )
        for place, (role, name) in enumerate((("secretary", "Maja Lind"), ("chair", "Olof Berg")))
    ]
    for fact in (*signing, completed(agreement)):
        await service.gates[0].behind.handle([message(fact, NOW, key=agreement, organisation=organisation)])


async def drafted(service: Service, api: httpx.AsyncClient, *, signed: bool = True) -> str:
    meeting = await schedule(api)
    answer = await draft(api, meeting, HEAD + BUDGET + TRAVEL)
    assert answer.status_code == 201, answer.text
    if signed:
        await sign(service, answer.json()["agreement_id"])
        await fire(service)
    return meeting


async def post(api: httpx.AsyncClient, meeting: str, masks: list[dict[str, Any]]) -> httpx.Response:
    looked = await api.post(f"/meetings/{meeting}/publication/preview", json={"masks": masks})
    assert looked.status_code == 200, looked.text
    to_post = {"masks": masks, "confirmed": looked.json()["pin"]}
    return await api.post(f"/meetings/{meeting}/publication", json=to_post)


async def test_what_is_posted_again_under_its_key_is_posted_once(
    service: Service, api: httpx.AsyncClient, committee: str
) -> None:
    meeting = await drafted(service, api)
    pin = (await api.post(f"/meetings/{meeting}/publication/preview", json={"masks": OLOF})).json()["pin"]
    to_post = {"masks": OLOF, "confirmed": pin}
    first, again = [
        await api.post(f"/meetings/{meeting}/publication", json=to_post, headers={"idempotency-key": "once"})
        for _ in range(2)
    ]
    assert (first.status_code, again.content) == (200, first.content), first.text
    assert [name for name, _ in await facts(service)] == ["minutes-posted"]


async def facts(service: Service) -> list[tuple[str, str]]:
    rows = [row for row in await outbox(service) if row.topic == "meetings.publication"]
    return [(row.attributes["type"].split(".")[-2], row.data) for row in rows]


async def read(service: Service, ref: dict[str, Any]) -> bytes:
    content: bytes = await service.commands.publications._blobs.get("default", BlobRef.model_validate(ref))
    return content


async def test_signed_minutes_are_posted_without_what_is_masked_and_taken_down_on_their_day(
    service: Service, api: httpx.AsyncClient, committee: str, clock: ManualClock
) -> None:
    meeting = await drafted(service, api)
    waiting = (await api.get(f"/meetings/{meeting}/publication")).json()
    assert (waiting["status"], waiting["adjusted_on"], waiting["post_by"]) == ("draft", "2022-09-26", "2022-09-28")
    answer = await post(api, meeting, OLOF)
    assert answer.status_code == 200, answer.text
    posted = answer.json()
    assert (posted["status"], posted["edition"], posted["id"]) == ("posted", 1, waiting["id"])
    assert (posted["appeal_until"], posted["remove_on"]) == ("2022-10-17", "2022-10-18")
    html = (await read(service, posted["posted"]["html"])).decode()
    assert "Maja Lind" in html
    assert "Olof" not in html
    assert b"Olof" not in await read(service, posted["posted"]["document"])

    [(name, data)] = await facts(service)
    assert name == "minutes-posted"
    assert MinutesPosted.from_json(data).masks == 1
    assert "Olof" not in data
    assert "192.0.2.7" not in data
    clock.move_to(NOW + timedelta(days=30))
    await fire(service)
    assert (await api.get(f"/meetings/{meeting}/publication")).json()["status"] == "removed"
    assert [name for name, _ in await facts(service)] == ["minutes-posted", "minutes-posting-removed"]


async def test_a_correction_has_the_same_address_and_other_files(
    service: Service, api: httpx.AsyncClient, committee: str
) -> None:
    meeting = await drafted(service, api)
    first = (await post(api, meeting, [])).json()
    second = (await post(api, meeting, OLOF)).json()
    assert (second["id"], second["edition"], second["remove_on"]) == (first["id"], 2, first["remove_on"])
    assert {second["posted"][one]["sha256"] for one in ("pdf", "html", "document")}.isdisjoint(
        {first["posted"][one]["sha256"] for one in ("pdf", "html", "document")}
    )


async def test_nothing_is_posted_that_nobody_looked_at_or_that_not_everyone_signed(
    service: Service, api: httpx.AsyncClient, committee: str
) -> None:
    unsigned = await drafted(service, api, signed=False)
    refused = await api.post(f"/meetings/{unsigned}/publication/preview", json={"masks": []})
    assert refused.status_code == 409
    refused = await api.post(f"/meetings/{unsigned}/publication", json={"masks": [], "confirmed": "x"})
    assert refused.status_code == 409
    assert await facts(service) == []


async def test_two_who_post_one_at_a_time_the_second_is_told(
    service: Service, api: httpx.AsyncClient, committee: str
) -> None:
    meeting = await drafted(service, api)
    pin = (await api.post(f"/meetings/{meeting}/publication/preview", json={"masks": OLOF})).json()["pin"]
    other = await api.post(f"/meetings/{meeting}/publication", json={"masks": [], "confirmed": pin})
    assert other.status_code == 409, "a mask less than was looked at"
    to_post = {"masks": OLOF, "confirmed": pin, "version": 0}
    assert (await api.post(f"/meetings/{meeting}/publication", json=to_post)).status_code == 200
    again = await api.post(f"/meetings/{meeting}/publication", json=to_post)
    assert again.status_code == 409
    assert "meanwhile" in again.text
    removed = await api.post(f"/meetings/{meeting}/publication/remove", json={"reason": "Fel.", "version": 0})
    assert removed.status_code == 409
    removed = await api.post(f"/meetings/{meeting}/publication/remove", json={"version": 1})
    assert removed.status_code == 422, "before its time it needs a reason"
    removed = await api.post(f"/meetings/{meeting}/publication/remove", json={"reason": "Fel.", "version": 1})
    assert removed.json()["status"] == "removed"


async def test_who_reads_posts_nothing(service: Service, api: httpx.AsyncClient, committee: str) -> None:
    meeting = await drafted(service, api)
    api.headers["authorization"] = f"Bearer {TOKENS[Role.AUDITOR]}"
    assert (await api.get(f"/meetings/{meeting}/publication")).status_code == 200
    assert (await api.post(f"/meetings/{meeting}/publication/preview", json={"masks": []})).status_code == 403
    assert (await api.post(f"/meetings/{meeting}/publication", json={"confirmed": "x"})).status_code == 403
    assert (await api.post(f"/meetings/{meeting}/publication/remove", json={})).status_code == 403


async def test_that_minutes_are_signed_in_time_is_watched_from_the_calendar_on(
    service: Service, api: httpx.AsyncClient, committee: str, clock: ManualClock
) -> None:
    meeting = await schedule(api)
    other = await schedule(api)
    assert (await api.post(f"/meetings/{other}/cancel", json={"reason": "Ställs in."})).status_code == 200
    for day in range(20):
        clock.move_to(NOW + timedelta(days=day))
        await fire(service)
    found = [json.loads(data) for _, data in await facts(service)]
    assert {(one["meeting_id"], one["deadline"], one["due"]) for one in found} == {(meeting, "adjust", "2022-10-07")}
    assert [name for name, _ in await facts(service)] == ["publication-deadline-neared", "publication-deadline-missed"]


@pytest.mark.parametrize("by_file", [False, True], ids=["api", "register"])
async def test_a_body_that_is_registered_with_a_deadline_has_it_for_the_meetings_that_it_takes_over(
    service: Service, api: httpx.AsyncClient, by_file: bool
) -> None:
    meeting = await schedule(api)
    assert (await api.get(f"/meetings/{meeting}/publication")).status_code == 404
    if by_file:
        said = {"text": f"bodies: {{b: {{name: {MEETING['body']}, kind: board, adjust_days: 14}}}}"}
        answer = await api.post("/register", json=said)
    else:
        body = {"name": MEETING["body"], "kind": "board", "rules": {"adjust_days": 14}}
        answer = await api.post("/bodies", json={"details": body})
    assert answer.is_success, answer.text
    assert (await api.get(f"/meetings/{meeting}/publication")).json()["adjust_by"] == "2022-10-07"


async def test_of_a_meeting_that_is_moved_after_a_warning_another_one_comes_in_time(
    service: Service, api: httpx.AsyncClient, committee: str, clock: ManualClock
) -> None:
    meeting = await schedule(api)
    clock.move_to(NOW + timedelta(days=9))
    await fire(service)
    moved = MEETING | {"starts": "2022-11-25T13:00:00", "ends": "2022-11-25T15:00:00"}
    assert (await api.put(f"/meetings/{meeting}", json=moved)).status_code == 200
    assert (await api.get(f"/meetings/{meeting}/publication")).json()["adjust_by"] == "2022-12-09"
    clock.move_to(NOW + timedelta(days=75))
    await fire(service)
    told = [PublicationDeadlineNeared.from_json(data).due for _, data in await facts(service)]
    assert told == ["2022-10-07", "2022-12-09"]
    assert (await api.put(f"/meetings/{meeting}", json=moved | {"body": "Ingen nämnd"})).status_code == 200
    assert (await api.get(f"/meetings/{meeting}/publication")).json()["adjust_by"] is None
    clock.move_to(NOW + timedelta(days=90))
    await fire(service)
    assert len(await facts(service)) == 2, "of a body that the register does not know"


async def test_minutes_that_are_signed_at_one_time_are_all_waited_for(
    service: Service, api: httpx.AsyncClient, committee: str
) -> None:
    meetings, agreements = [], []
    for first in (28, 30):
        meetings.append(await schedule(api))
        head = HEAD.replace("first_paragraph: 28", f"first_paragraph: {first}")
        answer = await draft(api, meetings[-1], head + BUDGET + TRAVEL)
        assert answer.status_code == 201, answer.text
        agreements.append(answer.json()["agreement_id"])
    batch = [message(completed(one), NOW, key=one, organisation="default") for one in reversed(agreements)]
    await service.gates[0].behind.handle(batch)
    found = [(await api.get(f"/meetings/{one}/publication")).json() for one in meetings]
    assert [one["post_by"] for one in found] == ["2022-09-28", "2022-09-28"]


async def test_who_looks_at_minutes_waits_for_a_timer_that_fires_before_the_publication_is_locked(
    service: Service, api: httpx.AsyncClient, committee: str
) -> None:
    meeting = await drafted(service, api)
    async with service.database.transaction() as fires:
        await fires.exec_driver_sql("SELECT 1 FROM timer WHERE kind = 'publication-due' FOR UPDATE")
        looks = asyncio.create_task(api.post(f"/meetings/{meeting}/publication/preview", json={"masks": []}))
        await waits_for_a_lock(service.database)
        await fires.exec_driver_sql("SELECT 1 FROM publication FOR UPDATE NOWAIT")
    assert (await looks).status_code == 200


async def test_a_deadline_is_told_to_the_secretary_and_missed_to_the_chair_too(
    service: Service, api: httpx.AsyncClient, committee: str, clock: ManualClock
) -> None:
    await drafted(service, api)
    for day in range(10):
        clock.move_to(NOW + timedelta(days=day))
        await fire(service)
        await fire(service)
    [near, missed] = await facts(service)
    assert [near[0], missed[0]] == ["publication-deadline-neared", "publication-deadline-missed"]
    told = PublicationDeadlineNeared.from_json(near[1])
    assert (told.deadline, told.due, [one.name for one in told.people]) == ("post", "2022-09-28", ["Maja Lind"])
    told_late = PublicationDeadlineMissed.from_json(missed[1])
    assert sorted(one.name or "" for one in told_late.people) == ["Maja Lind", "Olof Berg"]
    assert json.loads(missed[1])["body"] == "Styrelsen"
