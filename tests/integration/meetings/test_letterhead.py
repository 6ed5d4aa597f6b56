"""A letterhead is saved, stands on the minutes drafted then, and on no others."""

import asyncio
import base64

import httpx

from shared.events import ProtocolDrafted
from shared.rendering.minutes import CURRENT_TEMPLATE
from shared.service import Service
from tests.integration.meetings.test_meetings import draft, minutes, outbox, schedule
from tests.unit.meetings.test_letterhead import png, svg


def letterhead(content: bytes) -> dict[str, object]:
    logo = {"content": base64.b64encode(content).decode(), "alt": "Norrdalens märke"}
    return {"colour": "#7a1f5f", "foot": "Storgatan 1, Granvik", "logo": logo}


async def test_a_letterhead_stands_on_minutes_drafted_from_then_on(service: Service, api: httpx.AsyncClient) -> None:
    before = await schedule(api)
    assert (await api.get("/letterhead")).status_code == 404
    assert (await draft(api, before, minutes())).status_code == 201
    saved = await api.put("/letterhead", json=letterhead(svg('<path d="M0 0h4v4z"/>')))
    assert saved.status_code == 200, saved.text
    assert saved.json()["logo"] == {"type": "svg", "alt": "Norrdalens märke"}
    after = await schedule(api)
    assert (await draft(api, after, minutes())).status_code == 201
    assert "Norrdalens märke" not in (await api.get(f"/meetings/{before}/minutes.html")).text
    html = (await api.get(f"/meetings/{after}/minutes.html")).text
    assert 'alt="Norrdalens märke"' in html
    assert "Storgatan 1, Granvik" in html
    assert (await api.get("/letterhead/sample.pdf")).content.startswith(b"%PDF-")
    assert (await api.delete("/letterhead")).status_code == 204
    assert (await api.get("/letterhead")).status_code == 404
    fact = ProtocolDrafted.from_json((await outbox(service))[-1].data)
    assert fact.template_version == str(CURRENT_TEMPLATE)


async def test_a_logo_that_cannot_be_set_is_refused_when_it_is_given(api: httpx.AsyncClient) -> None:
    damaged = png()[:33] + b"\0" * 40
    refused = await api.put("/letterhead", json=letterhead(damaged))
    assert refused.status_code == 422
    assert refused.json()["detail"] == "logo: cannot be set on a page"
    assert (await api.get("/letterhead")).status_code == 404


async def test_who_changes_one_that_somebody_else_changed_meanwhile_is_told(api: httpx.AsyncClient) -> None:
    details = {"colour": "#7a1f5f", "foot": "Storgatan 1, Granvik"}
    mark = (await api.put("/letterhead?seen=none", json=details)).json()["mark"]
    late = await api.put("/letterhead?seen=none", json={"colour": "#1f3a5f"})
    assert (late.status_code, late.json()["detail"]) == (409, "the letterhead was changed by someone else meanwhile")
    assert (await api.put("/letterhead", params={"seen": mark}, json={**details, "foot": "Granvik"})).status_code == 200
    assert (await api.delete("/letterhead", params={"seen": mark})).status_code == 409
    assert (await api.get("/letterhead")).json()["foot"] == "Granvik"


async def test_of_two_who_make_the_first_one_at_once_one_is_told(api: httpx.AsyncClient) -> None:
    saved = [api.put("/letterhead?seen=none", json={"foot": foot}) for foot in ("Granvik", "Forsby")]
    assert sorted([answer.status_code for answer in await asyncio.gather(*saved)]) == [200, 409]
