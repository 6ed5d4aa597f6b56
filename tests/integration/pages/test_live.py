"""The open page of an agreement follows what happens; without script it says since when it shows."""

import re

import httpx
import pytest
from playwright.async_api import Browser

from shared.auth import SESSION_COOKIE
from tests.integration.pages.site import TOKEN, Site
from tests.unit.signing.story import AGREEMENT_ID, SECRETARY

AGREEMENT = f"/signing/overview/{AGREEMENT_ID}"


@pytest.fixture
async def cookie(site: Site) -> str:
    await site.draft(b"%PDF-1.7")
    return await site.session(TOKEN)


async def test_a_page_is_sent_again_only_when_something_changed(
    site: Site, client: httpx.AsyncClient, cookie: str
) -> None:
    client.cookies.set(SESSION_COOKIE, cookie)
    page = await client.get(AGREEMENT)
    tag = page.headers["etag"]
    assert f"data-live-version={tag}" in page.text
    site.flow.tick()  # time alone is no change
    known = {"if-none-match": tag}
    same = await client.get(AGREEMENT, headers=known)
    assert (same.status_code, same.content) == (304, b"")
    await site.flow.send_off()
    changed = await client.get(AGREEMENT, headers=known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    client.cookies.clear()
    assert (await client.get(AGREEMENT, headers=known)).status_code == 401


async def test_without_script_it_says_since_when_it_shows_and_by_one_clock(
    site: Site, client: httpx.AsyncClient, cookie: str
) -> None:
    await site.flow.send_off()
    client.cookies.set(SESSION_COOKIE, cookie)
    page = (await client.get(AGREEMENT)).text
    assert re.search(r"Så här stod det till 26 sep 2022 10:4\d GMT\+2\. Ladda om", page)
    times = re.findall(r"\d\d:\d\d(?::\d\d)? (GMT\S*)", page)
    assert {time.split("<")[0].strip('.,"') for time in times} == {"GMT+2"}
    assert "GMT" in (await client.get(f"/signing/agreements/{AGREEMENT_ID}/report")).text


@pytest.mark.browser
async def test_it_changes_under_the_eyes_of_who_looks(site: Site, browser: Browser, cookie: str) -> None:
    context = await browser.new_context(locale="sv-SE")
    await context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": site.base}])
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    await page.goto(site.base + AGREEMENT)
    await page.get_by_text("Sidan följer vad som händer.").wait_for()
    await page.get_by_role("link", name="Öppna dokumentet (PDF)").focus()
    await site.flow.send_off()
    await page.get_by_text("Maja Lind ska signera nu").wait_for(timeout=15_000)
    assert await page.evaluate("document.activeElement.textContent") == "Öppna dokumentet (PDF)"
    await site.flow.sign(SECRETARY)
    await page.get_by_text("Olof Berg", exact=False).or_(page.get_by_text("ska signera nu")).first.wait_for()
    assert await page.get_by_text("Uppdaterad 26 sep 2022").is_visible()
    assert complaints == []
