"""Versions of minutes and what differs between them, over HTTP."""

import httpx

from shared.events import AgreementCancelled
from shared.service import Service
from tests.integration.meetings.test_meetings import draft, end, minutes, schedule


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


async def test_versions_that_are_not_there_are_not_found(api: httpx.AsyncClient) -> None:
    meeting_id = await schedule(api)
    assert (await draft(api, meeting_id, minutes())).status_code == 201
    for path in (f"{meeting_id}/minutes/versions/1/difference/2", "nowhere/minutes/versions/1/difference/1"):
        assert (await api.get(f"/meetings/{path}")).status_code == 404
    assert (await api.get(f"/meetings/{meeting_id}/minutes/versions/0/difference/1")).status_code == 422
