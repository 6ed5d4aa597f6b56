"""Paragraphs that are approved at once, by the API: who signed them, which version they are, and their decisions."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.events import AgreementCancelled, ProtocolDrafted, ProtocolUnlocked
from shared.service import Service
from tests.integration.meetings.test_bodies import BOARD, put_in
from tests.integration.meetings.test_decisions import HEAD, TRAVEL, fire
from tests.integration.meetings.test_meetings import DRAFTING, draft, end, outbox, schedule
from tests.integration.meetings.test_publications import sign

SIGNATORY = "## Firmatecknare\n### Beslut\nStyrelsen beslutar att Olof Berg tecknar firman.\n"


async def approve(api: httpx.AsyncClient, meeting: str, heading: str) -> dict[str, Any]:
    """A paragraph of what is written, put forward on its own."""
    at = f"/meetings/{meeting}/manuscript"
    there = (await api.get(at)).json()
    [paragraph] = [one["id"] for one in there["paragraphs"] if one["heading"] == heading]
    asked = {"seen": there["version"], "drafting": DRAFTING}
    made = await api.post(f"{at}/paragraphs/{paragraph}/at-once", json=asked)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"/meetings/{meeting}/minutes/at-once"
    return dict(made.json())


async def written(api: httpx.AsyncClient) -> str:
    meeting = await schedule(api)
    put = await api.put(f"/meetings/{meeting}/manuscript", json={"markdown": HEAD + TRAVEL + SIGNATORY})
    assert put.status_code == 200, put.text
    return meeting


async def states(api: httpx.AsyncClient, meeting: str) -> list[tuple[int, str]]:
    found = (await api.get(f"/meetings/{meeting}/minutes/at-once")).json()["paragraphs"]
    return [(one["paragraph"], one["state"]) for one in found]


async def test_a_paragraph_is_put_forward_again_as_its_next_version(service: Service, api: httpx.AsyncClient) -> None:
    meeting = await written(api)
    first = await approve(api, meeting, "Firmatecknare")
    assert (first["first_paragraph"], first["last_paragraph"], first["version"]) == (29, 29, 1)
    assert await states(api, meeting) == [(29, "out")]
    asked = {"reason": "Fel namn", "at_once": first["agreement_id"]}
    unlocked = await api.post(f"/meetings/{meeting}/minutes/unlock", json=asked)
    assert (unlocked.status_code, unlocked.json()["version"]) == (200, 1), unlocked.text
    await end(service, first["agreement_id"], AgreementCancelled)
    other = await approve(api, meeting, "Resor")
    again = await approve(api, meeting, "Firmatecknare")
    assert (other["version"], other["replaces"]) == (1, None)
    assert (again["version"], again["replaces"]) == (2, first["agreement_id"])
    asked = {"reason": "Ändå inte", "at_once": again["agreement_id"]}
    assert (await api.post(f"/meetings/{meeting}/minutes/unlock", json=asked)).json()["version"] == 2
    facts = {row.attributes["type"].split(".")[-2]: row.data for row in await outbox(service)}
    told = ProtocolDrafted.from_json(facts["protocol-drafted"])
    assert (told.version, told.replaces, told.at_once) == (2, first["agreement_id"], True)
    assert told.document_name.endswith("(version 2)")
    assert ProtocolUnlocked.from_json(facts["protocol-unlocked"]).version == 2


async def test_what_has_the_number_now_is_no_version_of_what_had_it(service: Service, api: httpx.AsyncClient) -> None:
    meeting = await written(api)
    first = await approve(api, meeting, "Firmatecknare")
    asked = {"reason": "Fel namn", "at_once": first["agreement_id"]}
    assert (await api.post(f"/meetings/{meeting}/minutes/unlock", json=asked)).status_code == 200
    await end(service, first["agreement_id"], AgreementCancelled)
    there = (await api.get(f"/meetings/{meeting}/manuscript")).json()
    put = {"markdown": HEAD + SIGNATORY + TRAVEL, "seen": there["version"]}
    assert (await api.put(f"/meetings/{meeting}/manuscript", json=put)).status_code == 200
    other = await approve(api, meeting, "Resor")
    assert (other["first_paragraph"], other["version"], other["replaces"]) == (29, 1, None)
    assert not other["document_name"].endswith("(version 2)")


async def test_the_minutes_name_who_signed_and_not_who_was_asked(service: Service, api: httpx.AsyncClient) -> None:
    meeting = await written(api)
    made = await approve(api, meeting, "Firmatecknare")
    await sign(
        service, made["agreement_id"]
    )  # as secretary Maja Lind and as chair Olof Berg, of whom no name was known
    assert (await draft(api, meeting, HEAD + TRAVEL + SIGNATORY)).status_code == 201
    page = (await api.get(f"/meetings/{meeting}/minutes.html")).text
    assert "Paragrafen justerades omedelbart 26 september 2022 av Maja Lind och Olof Berg." in page


@pytest.mark.parametrize("late", ["the paragraph", "the whole"])
async def test_decisions_are_entered_in_any_order(service: Service, api: httpx.AsyncClient, late: str) -> None:
    """A timer that could not be fired is tried again, and others are fired before it."""
    await put_in(api, "/bodies", BOARD)
    meeting = await written(api)
    alone = (await approve(api, meeting, "Firmatecknare"))["agreement_id"]
    await sign(service, alone)
    whole = (await draft(api, meeting, HEAD + TRAVEL + SIGNATORY)).json()["agreement_id"]
    await sign(service, whole)
    async with service.database.transaction() as connection:
        await connection.execute(
            text("UPDATE timer SET due_at = due_at + interval '1 second' WHERE subject = :late"),
            {"late": alone if late == "the paragraph" else whole},
        )
        await connection.execute(text("UPDATE timer SET due_at = due_at - interval '1 minute'"))
    await fire(service)
    found = (await api.get("/decisions")).json()["decisions"]
    assert [(one["paragraph"], one["agreement_id"]) for one in found] == [(28, whole), (29, alone)]
    async with service.database.transaction() as connection:
        left = (await connection.execute(text("SELECT kind FROM timer WHERE kind = 'minutes-signed'"))).all()
    assert left == []
