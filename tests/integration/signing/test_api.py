"""The HTTP API: roles, organisation, paging, forms of the report, problems."""

from collections.abc import AsyncIterator

import httpx
import pytest
from httpx import ASGITransport, AsyncClient

from shared.auth import undeclared_routes
from shared.events import SignatureRequested
from shared.history import verify_chain
from tests.integration.signing.flow import ORGANISATION, Flow
from tests.integration.signing.test_facts import drafts
from tests.support.api import as_, is_problem
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, ALTERNATE, CHAIR, SECRETARY

HERE = f"/agreements/{AGREEMENT_ID}"


@pytest.fixture
async def http(flow: Flow) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(flow.service.app, client=("203.0.113.9", 1234))
    async with AsyncClient(transport=transport, base_url="http://signing.example") as client:
        yield client


async def test_every_route_declares_who_may_call_it(flow: Flow) -> None:
    assert undeclared_routes(flow.service.app.routes) == []


async def test_remedies(flow: Flow, http: AsyncClient) -> None:
    """Of who cannot be reached, whose link is in the wrong hands, and of time that runs short."""
    await flow.draft()
    await flow.send_off()
    await flow.bounce(SECRETARY)
    bounced = (await http.get(HERE, headers=as_("auditor"))).json()
    request = bounced["places"][0]["requests"][0]
    assert (request["unreached"], request["reminded"], request["bounce_diagnostic"]) == (True, False, "550 unknown")
    assert bounced["next_reminder"] is None
    waiting = await http.get("/agreements", params={"waits_on_bounce": True}, headers=as_("auditor"))
    assert [one["agreement_id"] for one in waiting.json()["agreements"]] == [AGREEMENT_ID]
    withheld = await http.post(f"{HERE}/remind", headers=as_("secretary"))
    assert is_problem(withheld, 409, "refused")
    again = await http.post(f"{HERE}/ask-again", headers=as_("secretary"), json={"email": SECRETARY})
    assert again.json()["places"][0]["requests"][0]["unreached"] is False
    for query in ({}, {"status": "out"}, {"status": "completed"}):
        asked = {"waits_on_bounce": True, **query}
        waiting = await http.get("/agreements", params=asked, headers=as_("auditor"))
        assert waiting.json() == {"agreements": [], "next": None}
    change = {"original": SECRETARY, "email": "maja.lind@granvik.example"}
    corrected = await http.post(f"{HERE}/correct-address", headers=as_("secretary"), json=change)
    assert corrected.json()["turn"]["waiting_for"][0]["email"] == change["email"]
    revoked = await http.post(f"{HERE}/revoke-link", headers=as_("secretary"), json={"email": change["email"]})
    assert revoked.status_code == 200
    asked = [event.version for _, event in await flow.published() if isinstance(event, SignatureRequested)]
    assert asked == [1, 1, 2, 3]
    extended = await http.post(
        f"{HERE}/extend", headers=as_("secretary"), json={"expires": "2022-12-01T23:59:59+01:00"}
    )
    assert extended.json()["expires"] == "2022-12-01T22:59:59Z"
    unzoned = await http.post(f"{HERE}/extend", headers=as_("secretary"), json={"expires": "2022-12-02T23:59:59"})
    assert unzoned.status_code == 422
    for path, body in (("correct-address", change), ("revoke-link", change), ("ask-again", change)):
        assert (await http.post(f"{HERE}/{path}", headers=as_("auditor"), json=body)).status_code == 403


async def test_links_are_ended_also_after_the_end(flow: Flow, http: AsyncClient) -> None:
    await flow.all_signed()
    keyed = as_("secretary") | {"idempotency-key": "end-it"}
    one = await http.post(f"{HERE}/revoke-link", headers=keyed, json={"email": CHAIR})
    again = await http.post(f"{HERE}/revoke-link", headers=keyed, json={"email": CHAIR})
    assert again.content == one.content
    assert [(link["email"], link["version"]) for link in one.json()["ended_links"]] == [(CHAIR, 2)]
    early = await http.post(f"{HERE}/revoke-links", headers=as_("secretary"), json={"new_link": True})
    assert is_problem(early, 409, "refused")
    await flow.archived(b"%PDF-1.7 sealed")
    everyone = await http.post(f"{HERE}/revoke-links", headers=as_("secretary"), json={"new_link": True})
    assert {link["version"]: link["mailed"] for link in everyone.json()["ended_links"]} == {2: True, 3: True}
    assert len((await http.get(HERE, headers=as_("auditor"))).json()["ended_links"]) == 4
    assert (await http.post(f"{HERE}/revoke-links", headers=as_("auditor"), json={})).status_code == 403


async def test_from_sending_off_to_a_reminder_and_an_end(flow: Flow, http: AsyncClient) -> None:
    await flow.draft()
    sent = await http.post(f"{HERE}/send", headers=as_("secretary"))
    assert (sent.status_code, sent.json()["status"], sent.json()["turn"]["role"]) == (200, "out", "secretary")
    again = await http.post(f"{HERE}/send", headers=as_("secretary"))
    assert is_problem(again, 409, "refused")
    assert again.json()["detail"] == "the document has been sent off already"
    added = await http.post(
        f"{HERE}/alternates", headers=as_("secretary"), json={"original": ADJUSTER, "email": ALTERNATE}
    )
    assert [one["email"] for one in added.json()["places"][2]["requests"]] == [ADJUSTER, ALTERNATE]
    assert (await http.post(f"{HERE}/remind", headers=as_("secretary"))).status_code == 200
    ended = await http.post(f"{HERE}/cancel", headers=as_("secretary"), json={"reason": "Fel version"})
    assert (ended.json()["status"], ended.json()["turn"]) == ("cancelled", None)
    report = (await http.get(f"{HERE}/report", headers=as_("auditor"))).text
    assert "återkallade avtalet. Skäl: Fel version" in report
    assert "IP-adress: 203.0.113.9" in report


async def test_what_bears_a_key_takes_effect_once(flow: Flow, http: AsyncClient) -> None:
    await flow.draft()
    keyed = as_("secretary") | {"idempotency-key": "send-it-off"}
    sent = await http.post(f"{HERE}/send", headers=keyed)
    again = await http.post(f"{HERE}/send", headers=keyed)
    assert (again.status_code, again.content) == (200, sent.content)
    assert is_problem(await http.post(f"{HERE}/remind", headers=keyed), 422, "idempotency-key-reused")
    asked = [event for _, event in await flow.published() if isinstance(event, SignatureRequested)]
    assert len(asked) == 1


async def test_reading(flow: Flow, http: AsyncClient) -> None:
    await flow.draft()
    await flow.send_off()
    await flow.deliver(SECRETARY)
    shown = (await http.get(HERE, headers=as_("auditor"))).json()
    assert shown["turn"]["waiting_for"][0]["email"] == SECRETARY
    history = await http.get(f"{HERE}/history", headers=as_("auditor"))
    assert history.headers["content-type"] == "application/json"
    assert len(verify_chain(history.content).entries) == 3
    english = await http.get(f"{HERE}/report?language=en&format=text", headers=as_("auditor"))
    assert english.text.splitlines()[1] == "Audit Report"
    report = (await http.get(f"{HERE}/report?format=json", headers=as_("auditor"))).json()
    assert [entry["kind"] for entry in report["entries"]] == ["AgreementCreated", "EmailSent"]


async def test_who_may_not(flow: Flow, http: AsyncClient) -> None:
    await flow.draft()
    assert is_problem(await http.get(HERE), 401, "not-authenticated")
    assert is_problem(await http.post(f"{HERE}/send", headers=as_("auditor")), 403, "not-allowed")
    assert is_problem(await http.post(f"{HERE}/send", headers=as_("stranger")), 404, "not-found")
    assert (await http.get("/agreements", headers=as_("stranger"))).json() == {"agreements": [], "next": None}
    assert await flow.recorded_names() == ["AgreementCreated"]


async def test_the_list_in_pages(flow: Flow, http: AsyncClient) -> None:
    """All were drafted at one instant: the cursor must tell them apart."""
    ids, batch = await drafts(flow, 7)
    await flow.bring(*batch)
    await flow.commands.send_off(ORGANISATION, ids[3])
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await http.get("/agreements", headers=as_("auditor"), params={"limit": "3", **cursor})).json()
        found += [one["agreement_id"] for one in page["agreements"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(found) == sorted(ids)
    assert len(found) == len(ids)
    out = (await http.get("/agreements?status=out", headers=as_("auditor"))).json()
    assert [one["agreement_id"] for one in out["agreements"]] == [ids[3]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("alternates", {"original": CHAIR, "email": "no address"}),
        ("alternates", {"original": CHAIR, "email": ALTERNATE, "admin": True}),
        ("alternates", {"original": CHAIR, "email": ALTERNATE, "name": "x" * 201}),
        ("alternates", {"original": CHAIR, "email": ALTERNATE, "name": "Eve\u202e"}),
        ("cancel", {"reason": "  "}),
        ("cancel", {}),
    ],
)
async def test_malformed_bodies_change_nothing(flow: Flow, http: AsyncClient, path: str, body: object) -> None:
    await flow.draft()
    response = await http.post(f"{HERE}/{path}", headers=as_("secretary"), json=body)
    assert is_problem(response, 422, "invalid-input")
    assert await flow.recorded_names() == ["AgreementCreated"]


@pytest.mark.parametrize(
    "path",
    [
        "/agreements?cursor=MjAyMi0wOS0yNlQwODo0MDowMC4wMDAwMDBaIAA=",  # a NUL in the id
        "/agreements?cursor=ÅÄÖ",
        "/agreements?status=lost",
        "/agreements?limit=0",
        f"{HERE}/report?language=de",
    ],
)
async def test_malformed_requests(http: AsyncClient, path: str) -> None:
    assert is_problem(await http.get(path, headers=as_("auditor")), 422, "invalid-input")


async def test_a_body_over_the_limit(http: AsyncClient) -> None:
    reason = "x" * (3 * 1024 * 1024)
    response = await http.post(f"{HERE}/cancel", headers=as_("secretary"), json={"reason": reason})
    assert is_problem(response, 413, "too-large")


async def test_openapi_is_served(http: AsyncClient) -> None:
    schema: httpx.Response = await http.get("/openapi.json")
    assert "/agreements/{agreement_id}/report" in schema.json()["paths"]


async def test_an_archived_agreement_carries_the_link_of_its_copy(flow: Flow, http: AsyncClient) -> None:
    await flow.all_signed()
    assert (await http.get(HERE, headers=as_("auditor"))).json()["sealed_copy"] is None
    await flow.archived(b"%PDF-1.7 sealed")
    shown = (await http.get(HERE, headers=as_("auditor"))).json()["sealed_copy"]
    assert shown["url"].endswith(f"/archive/protocols/{AGREEMENT_ID}/copy")
    assert (shown["size"], shown["test_seal"]) == (15, True)
    listed = (await http.get("/agreements", headers=as_("auditor"))).json()["agreements"]
    assert [one["sealed_copy"] for one in listed] == [shown]
    assert (await flow.recorded_names())[-1] == "AgreementCompleted"
