"""Who is logged in sees where, and ends what should not be."""

import httpx
import pytest

from shared.auth import SESSION_COOKIE
from tests.integration.pages.site import ACCESS_TOKEN, AUDITOR, TOKEN, Site
from tests.integration.pages.visitor import Visitor

HEADERS = {"authorization": f"Bearer {ACCESS_TOKEN}"}


@pytest.fixture
async def visitor(site: Site, client: httpx.AsyncClient) -> Visitor:
    visitor = Visitor(site, client)
    await visitor.log_in()
    return visitor


async def _opens(site: Site, cookie: str) -> bool:
    async with httpx.AsyncClient(base_url=site.base, cookies={SESSION_COOKIE: cookie}, timeout=60) as other:
        return (await other.get("/signing/overview")).status_code == 200


async def test_logins_are_listed_and_ended_on_a_page(site: Site, visitor: Visitor) -> None:
    forgotten, stranger = await site.session(TOKEN), await site.session(AUDITOR)
    await visitor.follow("/signing/logins")
    assert visitor.page.text.count("A browser/1.0") == 1, "not the auditor's"
    assert '<p class="row-title">Okänd webbläsare</p>' in visitor.page.text
    assert "Den här webbläsaren" in visitor.page.text
    await visitor.press("/end-others")
    assert "Den är avslutad" in visitor.page.text
    assert visitor.page.text.count("A browser/1.0") == 0
    assert [await _opens(site, cookie) for cookie in (forgotten, stranger)] == [False, True]
    await visitor.press("/end")  # this browser's own
    assert visitor.heading == "Justera är igång"


async def test_and_by_the_api(site: Site, client: httpx.AsyncClient) -> None:
    one, two, strangers = await site.session(TOKEN), await site.session(TOKEN), await site.session(AUDITOR)
    listed = (await client.get("/signing/sessions", headers=HEADERS)).json()["sessions"]
    assert [(each["browser"], each["current"]) for each in listed] == [("A browser/1.0", False)] * 2
    ended = await client.delete(f"/signing/sessions/{listed[1]['id']}", headers=HEADERS)
    assert ended.status_code == 204
    assert [await _opens(site, cookie) for cookie in (one, two, strangers)] == [False, True, True]
    assert (await client.delete(f"/signing/sessions/{listed[1]['id']}", headers=HEADERS)).status_code == 404
    assert (await client.delete("/signing/sessions", headers=HEADERS)).status_code == 204
    assert [await _opens(site, cookie) for cookie in (two, strangers)] == [False, True]


async def test_nobody_ends_the_session_of_another_token(site: Site, client: httpx.AsyncClient) -> None:
    cookie = await site.session(AUDITOR)
    stranger = (await site.access.by_session(cookie)).session
    assert (await client.delete(f"/signing/sessions/{stranger}", headers=HEADERS)).status_code == 404
    assert await _opens(site, cookie)


async def test_a_login_holds_for_twelve_hours_at_most(site: Site) -> None:
    cookie = await site.session(TOKEN)
    async with site.flow.service.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE login_session SET ends_at = clock_timestamp()")
    assert not await _opens(site, cookie)
