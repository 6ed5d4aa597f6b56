"""The meetings service on a real database: numbering under concurrency, its API, its schema."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.meetings.main import build
from services.meetings.minutes import commands
from services.meetings.tables import MeetingsTable
from shared.auth import Access, Role, TokenRecord, token_hash, undeclared_routes
from shared.blobs import open_blobs
from shared.clock import ManualClock
from shared.events import AgreementCancelled, AgreementExpired, Event, ProtocolDrafted, SigningDeclined
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.messaging.tables import MessagingTable
from shared.migrations import drift
from shared.names import DEFAULT_URL
from shared.passed_sessions import PassedTable
from shared.rendering.press import Limits
from shared.service import Service
from shared.settings import Settings
from tests.integration.signing.flow import message
from tests.support.postgres import Postgres

NOW = datetime(2022, 9, 26, 8, 41, 44, tzinfo=UTC)
TOKENS = {role: f"token of the {role}" for role in Role}
MEETING = {
    "body": "Styrelsen",
    "title": "Styrelsen sammanträder",
    "place": "Digitalt",
    "starts": "2022-09-23T13:00",
    "ends": "2022-09-23T15:00",
}
DRAFTING = {
    "sender": {"name": "Karin Ek", "email": "karin.ek@norrdalen.example"},
    "signers": [
        {"role": "secretary", "name": "Maja Lind", "email": "maja.lind@norrdalen.example"},
        {"role": "chair", "email": "olof.berg@bjorka.example"},
    ],
}


def minutes(*, first: int | None = None, paragraphs: int = 3, body: str = "Styrelsen") -> str:
    start = f"first_paragraph: {first}\n" if first else ""
    return f"""---
title: Protokoll styrelsen
body: {body}
place: Digitalt
starts: 2022-09-23T13:00
ends: 2022-09-23T15:00
present: [{{name: Olof Berg, role: ordförande}}]
secretary: Maja Lind
adjuster: Sven Dahl
{start}---
""" + "".join(f"## Ärende {number}\nText.\n" for number in range(paragraphs))


@pytest.fixture
async def service(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Service]:
    url = await postgres.create_database("meetings")
    settings = Settings(
        database_url=url, event_keys=SecretStr(new_event_keys()), member_link_keys=SecretStr(new_keys())
    )
    tokens = tuple(
        TokenRecord(name=role, role=role, organisation="default", sha256=token_hash(token))
        for role, token in TOKENS.items()
    )
    made = build(
        settings, clock=ManualClock(NOW), access=Access(tokens, bytes(32)), blobs=open_blobs(f"file:{tmp_path}")
    )
    yield made
    await made.database.close()


@pytest.fixture
async def api(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {TOKENS[Role.SECRETARY]}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://meetings", headers=headers) as client:
        yield client


async def schedule(api: httpx.AsyncClient) -> str:
    return str((await api.post("/meetings", json=MEETING)).json()["id"])


async def draft(api: httpx.AsyncClient, meeting_id: str, text: str, **drafting: Any) -> httpx.Response:
    body = {"markdown": text, "drafting": DRAFTING | drafting}
    return await api.post(f"/meetings/{meeting_id}/minutes", json=body)


async def outbox(service: Service) -> list[Any]:
    async with service.database.transaction() as connection:
        return list(
            (await connection.execute(text("SELECT topic, key, attributes, data FROM outbox ORDER BY id"))).all()
        )


async def test_the_schema_is_what_the_code_says(service: Service) -> None:
    assert (
        await drift(service.database.engine, [MessagingTable.metadata, PassedTable.metadata, MeetingsTable.metadata])
        == []
    )


def test_every_route_declares_who_may_call_it(service: Service) -> None:
    assert undeclared_routes(service.app.routes) == []


async def test_a_meeting_from_schedule_to_minutes(service: Service, api: httpx.AsyncClient) -> None:
    meeting_id = await schedule(api)
    changed = await api.put(f"/meetings/{meeting_id}", json=MEETING | {"place": "Forsby"})
    assert changed.json()["details"]["place"] == "Forsby"
    drafted = await draft(api, meeting_id, minutes(first=28))
    assert drafted.status_code == 201, drafted.text
    assert (drafted.json()["first_paragraph"], drafted.json()["last_paragraph"]) == (28, 30)
    assert len(drafted.json()["agreement_id"]) == 44

    rows = await outbox(service)
    assert [row.attributes["type"].split(".")[-2] for row in rows] == [
        "meeting-scheduled",
        "meeting-changed",
        "protocol-drafted",
    ]
    assert [row.attributes["sequence"] for row in rows] == ["1", "2", "3"]
    assert {row.key for row in rows} == {meeting_id}
    fact = ProtocolDrafted.from_json(rows[-1].data)
    html = await api.get(f"/meetings/{meeting_id}/minutes.html")
    assert html.headers["content-type"] == "text/html; charset=utf-8"
    assert "script" not in html.headers["content-security-policy"]
    assert "§ 28 Ärende 0" in html.text
    pdf = await api.get(f"/meetings/{meeting_id}/minutes.pdf")
    assert pdf.content.startswith(b"%PDF-")
    assert len(pdf.content) == fact.pdf.size


async def test_a_body_may_begin_its_numbers_anew_at_each_meeting(service: Service, api: httpx.AsyncClient) -> None:
    body = {"name": MEETING["body"], "kind": "board", "rules": {"numbering": "meeting"}}
    assert (await api.post("/bodies", json={"details": body})).status_code == 201
    first, second = await schedule(api), await schedule(api)
    answers = [await draft(api, first, minutes(paragraphs=3)), await draft(api, second, minutes(paragraphs=2))]
    spans = [(one.json()["first_paragraph"], one.json()["last_paragraph"]) for one in answers]
    assert spans == [(1, 3), (1, 2)]
    assert (await draft(api, await schedule(api), minutes(first=28))).status_code == 409
    assert (await draft(api, await schedule(api), minutes(first=1))).status_code == 201
    await ended(service, answers[0].json()["agreement_id"])
    again = await draft(api, first, minutes(paragraphs=4))
    assert (again.json()["version"], again.json()["last_paragraph"]) == (2, 4)


async def ended(service: Service, agreement_id: str) -> None:
    """The agreement about them was declined."""
    async with service.database.transaction() as connection:
        await connection.execute(
            text("UPDATE minutes SET ended = 'declined' WHERE agreement_id = :id"), {"id": agreement_id}
        )


async def test_numbers_run_on_without_gap_or_double_when_many_draft_at_once(api: httpx.AsyncClient) -> None:
    meetings = [await schedule(api) for _ in range(8)]
    lengths = [1, 2, 3, 4, 1, 2, 3, 4]
    answers = await asyncio.gather(
        *(draft(api, meeting, minutes(paragraphs=length)) for meeting, length in zip(meetings, lengths, strict=True))
    )
    spans = sorted((one.json()["first_paragraph"], one.json()["last_paragraph"]) for one in answers)
    numbers = [number for first, last in spans for number in range(first, last + 1)]
    assert numbers == list(range(1, sum(lengths) + 1))


async def test_two_processes_that_draft_at_once_number_without_gap_or_double(
    service: Service, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process takes the numbers while this one renders: it renders once more, with the next ones."""
    ours, theirs = await schedule(api), await schedule(api)
    inner = commands.set_minutes
    rendered: list[int] = []

    async def overtaken(*given: Any, **named: Any) -> bytes:
        rendered.append(given[2].paragraphs[0].number)
        if len(rendered) == 1:
            service.commands.minutes._turns.clear()  # as another process has turns of its own
            assert (await draft(api, theirs, minutes(paragraphs=2))).json()["first_paragraph"] == 1
        return await inner(*given, **named)

    monkeypatch.setattr(commands, "set_minutes", overtaken)
    drafted = await draft(api, ours, minutes())
    assert (drafted.json()["first_paragraph"], drafted.json()["last_paragraph"]) == (3, 5)
    assert rendered == [1, 1, 3]


async def test_no_row_is_locked_while_a_document_is_set(
    service: Service, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting_id = await schedule(api)
    inner = commands.set_minutes

    async def looked_at(*given: Any, **named: Any) -> bytes:
        async with service.database.transaction() as connection:
            await connection.execute(text("SELECT * FROM meeting FOR UPDATE NOWAIT"))
            await connection.execute(text("SELECT * FROM numbering FOR UPDATE NOWAIT"))
            others = text("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
            assert (await connection.execute(others)).scalar_one() == 0
        return await inner(*given, **named)

    monkeypatch.setattr(commands, "set_minutes", looked_at)
    assert (await draft(api, meeting_id, minutes())).status_code == 201


async def test_what_cannot_be_set_is_refused_with_the_line_of_its_paragraph(
    service: Service, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.commands.minutes._press, "_limits", Limits(seconds=0.7))
    meeting_id = await schedule(api)
    refused = await draft(api, meeting_id, f"{minutes()}## Ärende X\n{'ord och mening ' * 60_000}\n## Ärende Y\n")
    assert refused.status_code == 422
    assert refused.json()["detail"] == "line 17: the document takes more than 0.7 seconds to set as a PDF"
    assert (await draft(api, meeting_id, minutes())).json()["first_paragraph"] == 1


async def test_a_refused_draft_uses_no_number(api: httpx.AsyncClient) -> None:
    first, second = await schedule(api), await schedule(api)
    assert (await draft(api, first, minutes(first=28))).status_code == 201
    gap = await draft(api, second, minutes(first=40))
    assert (gap.status_code, gap.json()["detail"]) == (
        409,
        "first_paragraph: § 40 would leave a gap; the body's next paragraph is § 31",
    )
    again = await draft(api, first, minutes())
    assert again.json()["detail"] == "minutes of this meeting have been drafted already"
    assert (await draft(api, second, minutes())).json()["first_paragraph"] == 31


async def end(
    service: Service, agreement_id: str, event: type[Event] = AgreementCancelled, *, organisation: str = "default"
) -> None:
    """Signing tells that the agreement ended."""
    said = {"agreement_id": agreement_id, "request_id": "r", "place": 1, "email": "o@b.example", "name": None}
    fact = event(**said, by=DRAFTING["sender"], reason="§ 2 är fel", ip="192.0.2.1", role="chair")
    await service.gates[0].behind.handle([message(fact, NOW, key=agreement_id, organisation=organisation)])


@pytest.mark.parametrize("ending", [AgreementCancelled, SigningDeclined, AgreementExpired])
async def test_minutes_whose_agreement_ended_are_drafted_anew_with_the_same_numbers(
    service: Service, api: httpx.AsyncClient, ending: type[Event]
) -> None:
    meeting_id, later = await schedule(api), await schedule(api)
    first = (await draft(api, meeting_id, minutes(first=28))).json()
    assert (await draft(api, later, minutes())).json()["first_paragraph"] == 31
    refused = await draft(api, meeting_id, minutes())
    assert (refused.status_code, refused.json()["detail"]) == (409, "minutes of this meeting have been drafted already")
    await end(service, "another agreement", ending)
    assert (await draft(api, meeting_id, minutes())).status_code == 409
    await end(service, first["agreement_id"], ending)
    fewer = await draft(api, meeting_id, minutes(paragraphs=2))
    assert "later minutes go on from there: 2 paragraphs do not fit" in fewer.json()["detail"]
    again = (await draft(api, meeting_id, minutes())).json()
    assert (again["first_paragraph"], again["last_paragraph"], again["version"]) == (28, 30, 2)
    assert again["replaces"] == first["agreement_id"] != again["agreement_id"]
    assert again["document_name"] == f"{first['document_name']} (version 2)"
    fact = ProtocolDrafted.from_json((await outbox(service))[-1].data)
    assert (fact.version, fact.replaces, fact.document_name) == (2, first["agreement_id"], again["document_name"])
    assert (await draft(api, meeting_id, minutes())).status_code == 409, "the second one may be signed"
    assert (await draft(api, await schedule(api), minutes())).json()["first_paragraph"] == 34, "as if nothing happened"
    pdf = await api.get(f"/meetings/{meeting_id}/minutes.pdf")
    assert hashlib.sha256(pdf.content).hexdigest() == again["pdf_sha256"], "the last version's"


async def test_the_last_minutes_of_the_year_may_grow_and_the_next_ones_go_on_from_there(
    service: Service, api: httpx.AsyncClient
) -> None:
    meeting_id = await schedule(api)
    first = (await draft(api, meeting_id, minutes())).json()
    await end(service, first["agreement_id"])
    again = (await draft(api, meeting_id, minutes(paragraphs=5))).json()
    assert (again["first_paragraph"], again["last_paragraph"]) == (1, 5)
    await end(service, again["agreement_id"])
    third = (await draft(api, meeting_id, minutes(paragraphs=4))).json()
    assert (third["version"], third["last_paragraph"], third["replaces"]) == (3, 4, again["agreement_id"])
    assert (await draft(api, await schedule(api), minutes())).json()["first_paragraph"] == 5


async def test_bad_input_changes_nothing(service: Service, api: httpx.AsyncClient) -> None:
    meeting_id = await schedule(api)
    before = await outbox(service)
    double = [DRAFTING["signers"][0], DRAFTING["signers"][0]]
    domains = ("Björkå.example", "xn--bjrk-toa3h.example")
    spelt = [one | {"email": f"maja.lind@{domain}"} for one, domain in zip(DRAFTING["signers"], domains, strict=True)]
    answers = [
        await draft(api, meeting_id, "no front matter"),
        await draft(api, meeting_id, minutes(body="Nämnden")),
        await draft(api, meeting_id, minutes(), signers=double),
        await draft(api, meeting_id, minutes(), signers=spelt),
        await draft(api, meeting_id, minutes(), signers=[]),
        await draft(api, meeting_id, minutes(), timezone="Mars/Olympus"),
        await draft(api, meeting_id, minutes(), transaction_id="short"),
        await draft(api, meeting_id, minutes(), colour="red"),
        await draft(api, "nowhere", minutes()),
        await api.post("/meetings", json=MEETING | {"starts": "2022-09-23T13:00+02:00"}),
        await api.post("/meetings", content=b"{", headers={"content-type": "application/json"}),
        await api.put(f"/meetings/{meeting_id}", json={}),
        await api.post(f"/meetings/{meeting_id}/cancel", json={"reason": " "}),
        await api.get("/meetings", params={"after": "x"}),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
    assert await outbox(service) == before


@pytest.mark.parametrize(("role", "status"), [(Role.AUDITOR, 403), (Role.OPERATOR, 403), (None, 401)])
async def test_only_a_secretary_schedules(api: httpx.AsyncClient, role: Role | None, status: int) -> None:
    api.headers["authorization"] = f"Bearer {TOKENS[role]}" if role else "Bearer nonsense"
    assert (await api.post("/meetings", json=MEETING)).status_code == status


async def test_a_body_over_the_limit_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post("/meetings", content=b" " * (2 * 1024 * 1024 + 1))
    assert answer.status_code == 413


async def test_what_was_made_says_where_it_is(api: httpx.AsyncClient) -> None:
    made = await api.post("/meetings", json=MEETING)
    assert (await api.get(made.headers["location"])).json() == made.json()
    drafted = await draft(api, made.json()["id"], minutes())
    assert (await api.get(drafted.headers["location"])).content.startswith(b"%PDF-")
    agreement = drafted.json()["agreement_id"]
    assert drafted.json()["agreement_url"] == f"{DEFAULT_URL}/signing/agreements/{agreement}"
