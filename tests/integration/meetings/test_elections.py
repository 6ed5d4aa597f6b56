"""§ 33: minutes elect a member and a substitute of another body, and they sit there once everyone has signed."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import text

from shared.events import AgreementCompleted, AgreementExpired, BlobRef, InvitationAnswered, MembershipBegun, Person
from shared.messaging.message import RawMessage
from shared.service import Service
from tests.integration.meetings.test_bodies import BOARD, names_in, person, put_in, seat
from tests.integration.meetings.test_meetings import draft, end, minutes, outbox, schedule
from tests.integration.signing.flow import message
from tests.support.locks import waits_for_a_lock

GROUP = {"details": {"name": "Styrgruppen för gränsprogrammet", "kind": "steering_group"}}
ELECTIONS = """## Ledamot i styrgruppen

Styrelsen beslutar att utse

| Vald till | Namn | Uppdrag |
| --- | --- | --- |
| Styrgruppen för gränsprogrammet | Sven Dahl | ordinarie ledamot |
| Styrgruppen för gränsprogrammet | Petra Holm | ersättare |
"""
SIGNED = datetime(2022, 9, 28, 22, 30, tzinfo=UTC)  # in Stockholm it is the 29th


async def prepared(api: httpx.AsyncClient) -> tuple[str, str, str]:
    await put_in(api, "/bodies", BOARD)
    return await put_in(api, "/bodies", GROUP), await person(api, "Sven Dahl"), await person(api, "Petra Holm")


def completed(agreement_id: str, organisation: str = "default") -> RawMessage:
    blob = BlobRef(sha256="0" * 64, size=1, media_type="application/pdf")
    fact = AgreementCompleted(
        agreement_id=agreement_id,
        meeting_id="m",
        document_name="Protokoll",
        document=blob,
        render_input=blob,
        template_version="2",
        recipients=(Person(email="maja.lind@norrdalen.example"),),
        language="sv",
        timezone="Europe/Stockholm",
    )
    return message(fact, SIGNED, key=agreement_id, organisation=organisation)


async def signed(service: Service, agreement_id: str, organisation: str = "default") -> None:
    """Signing tells that everyone has signed."""
    sent = completed(agreement_id, organisation)
    await service.gates[0].behind.handle([sent])
    await service.gates[0].behind.handle([sent])


async def elections(api: httpx.AsyncClient, meeting_id: str) -> list[Any]:
    found: list[Any] = (await api.get(f"/meetings/{meeting_id}/elections")).json()["elections"]
    return found


async def test_who_was_elected_sits_there_when_everyone_has_signed(service: Service, api: httpx.AsyncClient) -> None:
    group, sven, petra = await prepared(api)
    meeting = await schedule(api)
    drafted = await draft(api, meeting, minutes(first=28, paragraphs=5) + ELECTIONS)
    assert drafted.status_code == 201, drafted.text
    assert await names_in(api, group) == []
    assert {one["state"] for one in await elections(api, meeting)} == {"waiting"}

    before = len(await outbox(service))
    await signed(service, drafted.json()["agreement_id"])
    rows = (await outbox(service))[before:]
    facts = [MembershipBegun.from_json(row.data) for row in rows]
    assert [(fact.person_id, fact.role, fact.begins) for fact in facts] == [
        (sven, "member", "2022-09-29"),
        (petra, "substitute", "2022-09-29"),
    ]
    assert {(fact.basis.body, fact.basis.year, fact.basis.paragraph) for fact in facts if fact.basis} == {
        ("Styrelsen", 2022, 33)
    }
    assert {row.key for row in rows} == {group}
    assert await names_in(api, group, on="2022-09-29") == ["Sven Dahl", "Petra Holm"]
    assert [(one["state"], one["paragraph"]) for one in await elections(api, meeting)] == [("seated", 33)] * 2


async def test_elections_that_come_with_news_of_mails_lock_the_register_before_any_meeting(
    service: Service, api: httpx.AsyncClient
) -> None:
    """As commands do: the other order would be a deadlock with them."""
    group, _, _ = await prepared(api)
    meeting = await schedule(api)
    drafted = (await draft(api, meeting, minutes(first=28, paragraphs=5) + ELECTIONS)).json()
    news = InvitationAnswered(
        email_id="e",
        agreement_id=meeting,
        purpose="notice",
        recipient="sven@norrdalen.example",
        request_id="sven",
        answer="coming",
        sequence=1,
    )
    batch = [message(news, SIGNED, key="m", organisation="default"), completed(drafted["agreement_id"])]
    async with service.database.transaction() as commands:
        await commands.execute(text("SELECT 1 FROM register FOR UPDATE"))
        handling = asyncio.create_task(service.gates[0].behind.handle(batch))
        await waits_for_a_lock(service.database)
        await commands.execute(text("SELECT 1 FROM meeting WHERE id = :id FOR UPDATE NOWAIT"), {"id": meeting})
    await handling
    assert await names_in(api, group, on="2022-09-29") == ["Sven Dahl", "Petra Holm"]


async def test_an_older_version_elects_nobody(service: Service, api: httpx.AsyncClient) -> None:
    group, _, petra = await prepared(api)
    meeting = await schedule(api)
    first = (await draft(api, meeting, minutes() + ELECTIONS)).json()
    await end(service, first["agreement_id"], AgreementExpired)
    assert {one["state"] for one in await elections(api, meeting)} == {"void"}
    corrected = ELECTIONS.replace("Sven Dahl | ordinarie ledamot", "Petra Holm | ledamot").rsplit("|", 4)[0].strip()
    second = await draft(api, meeting, minutes() + corrected)
    assert second.status_code == 201, second.text
    await signed(service, first["agreement_id"])
    await signed(service, second.json()["agreement_id"])
    places = (await api.get(f"/people/{petra}")).json()["places"]
    assert [place["membership"]["seat"]["role"] for place in places] == ["member"]
    assert await names_in(api, group, on="2022-10-01") == ["Petra Holm"]


async def test_whom_the_register_has_not_is_told_with_the_line_and_nothing_is_drafted(api: httpx.AsyncClient) -> None:
    await prepared(api)
    meeting = await schedule(api)
    wrong = await draft(api, meeting, minutes(first=28) + ELECTIONS.replace("Petra Holm", "Petra Holmqvist"))
    assert wrong.status_code == 422
    assert "line 25: nobody in the register is called 'Petra Holmqvist'" in wrong.json()["detail"]
    assert wrong.json()["hint"].startswith("write the name as the register has it")
    assert await elections(api, meeting) == []
    assert (await draft(api, meeting, minutes(first=28) + ELECTIONS)).json()["first_paragraph"] == 28


async def test_what_is_refused_by_then_is_kept_and_can_be_tried_again(service: Service, api: httpx.AsyncClient) -> None:
    group, sven, petra = await prepared(api)
    meeting = await schedule(api)
    chosen = ELECTIONS.replace("ordinarie ledamot", "ordförande")
    drafted = (await draft(api, meeting, minutes() + chosen)).json()
    place = await seat(api, group, petra, "chair")
    await signed(service, drafted["agreement_id"])
    sven_now, petra_now = await elections(api, meeting)
    assert (sven_now["state"], sven_now["reason"], sven_now["membership_id"]) == ("refused", "role", None)
    assert petra_now["state"] == "seated", "the others stand"

    await api.post(f"/bodies/{group}/memberships/{place}/end", json={"on": "2022-09-25"})
    again = await api.post(f"/meetings/{meeting}/elections/seat")
    assert [one["state"] for one in again.json()["elections"]] == ["seated", "seated"]
    assert (await api.get(f"/people/{sven}")).json()["places"][0]["membership"]["seat"]["role"] == "chair"


async def test_a_body_that_was_closed_by_then_takes_nobody(service: Service, api: httpx.AsyncClient) -> None:
    group, *_ = await prepared(api)
    meeting = await schedule(api)
    drafted = (await draft(api, meeting, minutes() + ELECTIONS)).json()
    await api.post(f"/bodies/{group}/close", json={})
    await signed(service, drafted["agreement_id"])
    assert [(one["state"], one["reason"]) for one in await elections(api, meeting)] == [("refused", "closed")] * 2
    assert (await api.get(f"/bodies/{group}/memberships")).json()["memberships"] == []


async def test_a_meeting_that_is_not_there_has_no_elections(api: httpx.AsyncClient) -> None:
    assert (await api.get("/meetings/none/elections")).status_code == 404
    assert (await api.post("/meetings/none/elections/seat")).status_code == 404
