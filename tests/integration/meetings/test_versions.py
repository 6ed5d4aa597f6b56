"""Versions of minutes and what differs between them, over HTTP."""

from datetime import timedelta

import httpx

from shared.events import AgreementCancelled, Person, ProtocolUnlocked, SignatureRequested
from shared.service import Service
from tests.integration.meetings.test_elections import signed
from tests.integration.meetings.test_meetings import NOW, draft, end, minutes, outbox, schedule
from tests.integration.signing.flow import message


async def test_what_a_new_version_changed_is_told_paragraph_by_paragraph(
    service: Service, api: httpx.AsyncClient
) -> None:
    meeting_id = await schedule(api)
    first = (await draft(api, meeting_id, minutes(first=28))).json()
    await end(service, first["agreement_id"], AgreementCancelled)
    text = minutes().replace("place: Digitalt", "place: Granvik").replace("## Ärende 1", "## Ärende ett")
    assert (await draft(api, meeting_id, text)).status_code == 201
    found = await api.get(f"/meetings/{meeting_id}/minutes/versions/1/difference/2")
    assert found.status_code == 200, found.text
    told = found.json()
    assert (told["before"], told["after"]) == (1, 2)
    assert {"change": "added", "text": "Granvik"} in [piece for line in told["front"] for piece in line["pieces"]]
    assert [(one["number"], one["change"], one["heading_before"]) for one in told["paragraphs"]] == [
        (28, "same", "Ärende 0"),
        (29, "changed", "Ärende 1"),
        (30, "same", "Ärende 2"),
    ]


async def test_minutes_that_their_document_sent_are_known_to_be_out(service: Service, api: httpx.AsyncClient) -> None:
    meeting_id = await schedule(api)
    drafted = (await draft(api, meeting_id, minutes(first=28))).json()
    asked = SignatureRequested(
        agreement_id=drafted["agreement_id"],
        request_id="request-1",
        version=1,
        place=1,
        role="chair",
        purpose="first",
        email="olof.berg@bjorka.example",
        name=None,
        language="sv",
        document_name="Protokoll",
        sender=Person(email="karin.ek@norrdalen.example"),
        expires="2022-10-26T00:00:00.000000Z",
    )
    for later in (timedelta(0), timedelta(days=2)):  # the second signer's
        sent = message(asked, NOW + later, key=drafted["agreement_id"], organisation="default")
        await service.gates[0].behind.handle([sent])
    [version] = await service.commands.minutes.versions("default", meeting_id)
    assert version.released_at == NOW


async def test_minutes_are_unlocked_once_and_their_text_comes_back(service: Service, api: httpx.AsyncClient) -> None:
    meeting_id = await schedule(api)
    unlock = f"/meetings/{meeting_id}/minutes/unlock"
    assert (await api.post(unlock, json={"reason": "Fel"})).status_code == 404
    first = (await draft(api, meeting_id, minutes(first=28))).json()
    assert (await api.post(unlock, json={"reason": " "})).status_code == 422
    unlocked = await api.post(unlock, json={"reason": "§ 29 är fel"})
    assert unlocked.status_code == 200, unlocked.text
    assert unlocked.json() == {
        "meeting_id": meeting_id,
        "version": 1,
        "agreement_id": first["agreement_id"],
        "markdown": minutes(first=28),
        "is_draft": True,
    }
    again = (await api.get(f"/meetings/{meeting_id}/manuscript")).json()
    assert (again["version"], again["source"], "## Ärende 1" in again["markdown"]) == (1, "text", True)
    fact = ProtocolUnlocked.from_json((await outbox(service))[-1].data)
    assert (fact.agreement_id, fact.version, fact.reason) == (first["agreement_id"], 1, "§ 29 är fel")
    again = await api.post(unlock, json={"reason": "Fel"})
    assert (again.status_code, again.json()["detail"]) == (409, "these minutes are being unlocked already")
    assert (await draft(api, meeting_id, minutes())).status_code == 409, "signing has not withdrawn it yet"
    await end(service, first["agreement_id"], AgreementCancelled)
    assert (await api.post(unlock, json={"reason": "Fel"})).status_code == 409
    second = (await draft(api, meeting_id, minutes())).json()
    assert (second["version"], second["first_paragraph"], second["replaces"]) == (2, 28, first["agreement_id"])


async def test_a_draft_that_is_there_stays_when_minutes_are_unlocked(service: Service, api: httpx.AsyncClient) -> None:
    meeting_id = await schedule(api)
    await draft(api, meeting_id, minutes())
    newer = minutes().replace("## Ärende 1", "## Ärende ett")
    assert (await api.put(f"/meetings/{meeting_id}/manuscript", json={"markdown": newer})).status_code == 200
    unlocked = (await api.post(f"/meetings/{meeting_id}/minutes/unlock", json={"reason": "Fel"})).json()
    assert (unlocked["markdown"], unlocked["is_draft"]) == (minutes(), False)
    assert "## Ärende ett" in (await api.get(f"/meetings/{meeting_id}/manuscript")).json()["markdown"]


async def test_minutes_that_everyone_signed_are_not_unlocked(service: Service, api: httpx.AsyncClient) -> None:
    meeting_id = await schedule(api)
    drafted = (await draft(api, meeting_id, minutes())).json()
    await signed(service, drafted["agreement_id"])
    before = len(await outbox(service))
    refused = await api.post(f"/meetings/{meeting_id}/minutes/unlock", json={"reason": "Fel"})
    assert (refused.status_code, refused.json()["detail"]) == (409, "everyone has signed these minutes: they stand")
    assert len(await outbox(service)) == before


async def test_versions_that_are_not_there_are_not_found(api: httpx.AsyncClient) -> None:
    meeting_id = await schedule(api)
    assert (await draft(api, meeting_id, minutes())).status_code == 201
    for path in (f"{meeting_id}/minutes/versions/1/difference/2", "nowhere/minutes/versions/1/difference/1"):
        assert (await api.get(f"/meetings/{path}")).status_code == 404
    assert (await api.get(f"/meetings/{meeting_id}/minutes/versions/0/difference/1")).status_code == 422
