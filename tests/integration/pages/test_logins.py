"""Logging in, by a link or an access token, and out; who is logged in sees where, and ends what should not be."""

import httpx
import pytest

from shared.auth import SESSION_COOKIE
from tests.integration.pages.site import ACCESS_TOKEN, AUDITOR, LOGIN, TOKEN, Site
from tests.integration.pages.visitor import Visitor

HEADERS = {"authorization": f"Bearer {ACCESS_TOKEN}"}


@pytest.fixture
async def visitor(site: Site, client: httpx.AsyncClient) -> Visitor:
    visitor = Visitor(site, client)
    await visitor.log_in()
    return visitor


async def test_a_login_link_works_once_and_only_when_pressed(site: Site, client: httpx.AsyncClient) -> None:
    visitor = Visitor(site, client)
    assert (await visitor.follow("/signing/overview")).status_code == 401
    for _ in range(3):
        await visitor.follow(f"{site.base}/login?token={LOGIN}")
    login = visitor.page
    await visitor.press("/login")
    assert visitor.heading == "Justera"
    assert (await visitor.follow("/signing/overview")).status_code == 200
    visitor.page = login
    assert (await visitor.press("/login")).status_code == 401
    assert "justera login" in visitor.page.text


@pytest.mark.parametrize("address", ["/", "/login?token=used", "/signing/overview", "/notifications/inbox"])
async def test_whoever_is_not_logged_in_is_told_both_ways(site: Site, client: httpx.AsyncClient, address: str) -> None:
    visitor = Visitor(site, client)
    await visitor.follow(address)
    if address.startswith("/login"):
        await visitor.press("/login")
    assert "justera login" in visitor.page.text
    assert '<a href="/signing/login">Logga in med åtkomstnyckel</a>' in visitor.page.text


async def test_an_access_token_logs_in_too(site: Site, client: httpx.AsyncClient) -> None:
    visitor = Visitor(site, client)
    await visitor.follow("/signing/login")
    await visitor.press("/login", token="guessed")
    assert visitor.page.status_code == 422
    assert "guessed" not in visitor.page.text
    await visitor.press("/login", token=ACCESS_TOKEN)
    assert visitor.heading == "Dokument för signering"


async def test_another_site_logs_nobody_in(site: Site, client: httpx.AsyncClient) -> None:
    headers = {"sec-fetch-site": "cross-site"}
    answer = await client.post("/signing/login", data={"token": ACCESS_TOKEN}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_guessing_access_tokens_is_slowed_down(site: Site, client: httpx.AsyncClient) -> None:
    codes = [(await client.post("/signing/login", data={"token": str(n)})).status_code for n in range(12)]
    assert codes == [422] * 10 + [429] * 2


async def test_who_guesses_tokens_locks_nobody_out(site: Site, client: httpx.AsyncClient) -> None:
    """Who has the right one gets in from the same address."""
    for n in range(12):
        await client.post("/signing/login", data={"token": str(n)})
    assert (await client.post("/signing/login", data={"token": ACCESS_TOKEN})).status_code == 303


async def test_a_login_link_that_was_used_is_said_to_be(site: Site, client: httpx.AsyncClient) -> None:
    assert (await client.post("/login", data={"token": LOGIN})).status_code == 303
    for language, title, way in (
        ("sv", "Inloggningslänken gäller inte längre", "Kommandot justera login ger dig en ny."),
        ("en", "The login link does not work any more", "The command justera login gives you a new one."),
    ):
        again = await client.post("/login", data={"token": LOGIN}, headers={"accept-language": language})
        assert again.status_code == 401
        assert f"<h1>{title}</h1>" in again.text
        assert way in again.text
        assert "/signing/login" in again.text


async def test_logging_out_ends_the_session(visitor: Visitor) -> None:
    """On the server: whoever kept the cookie is out, too, on every page."""
    for page in ("/", "/signing/overview", "/notifications/inbox"):
        cookie = await visitor.site.session(TOKEN)
        visitor.client.cookies.clear()
        visitor.client.cookies.set(SESSION_COOKIE, cookie)
        assert (await visitor.follow(page)).status_code == 200
        await visitor.press("/logout")
        assert visitor.heading == "Justera är igång"
        visitor.client.cookies.clear()
        visitor.client.cookies.set(SESSION_COOKIE, cookie)
        for closed in ("/signing/overview", "/notifications/inbox", "/signing/agreements"):
            assert (await visitor.follow(closed)).status_code == 401
        assert (await visitor.follow("/")).text.count("logout") == 0


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
