"""Logging in at a certified OpenID Provider, in its own pages."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser
from pydantic import SecretStr

from services.signing import oidc_client
from services.signing.main import build
from shared.auth import Access, Role, TokenRecord
from shared.blobs import open_blobs
from shared.clock import ManualClock
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys
from shared.service import Service
from shared.settings import load_settings
from shared.tokens import Tokens
from tests.integration.pages.site import SESSION_KEY, served
from tests.integration.signing.flow import ORGANISATION
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, oidc_provider
from tests.support.postgres import Postgres
from tests.support.processes import free_ports

OVERVIEW = "/signing/overview"
BEGIN = "/signing/login/oidc"


def _account(name: str, sha256: str) -> TokenRecord:
    email = f"{name}@norrdalen.example"
    return TokenRecord(name=name, role=Role.SECRETARY, organisation=ORGANISATION, sha256=sha256, email=email)


MAJA, UNA = _account("maja", "ab" * 32), _account("una", "cd" * 32)


@dataclass
class Door:
    """Signing, and the provider that people log in to."""

    signing: Service
    tokens: Tokens
    provider: OidcProvider
    base: str

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.base, timeout=60, headers={"accept": "text/html"})


@pytest.fixture
async def door(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Door]:
    ours, theirs = free_ports(2)
    base = f"http://127.0.0.1:{ours}"
    async with oidc_provider(theirs, f"{base}/signing") as provider:
        settings = load_settings(
            database_url=await postgres.create_database("signing"),
            organisation=ORGANISATION,
            public_url=base,
            link_keys=SecretStr(new_keys()),
            event_keys=SecretStr(new_event_keys()),
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT_ID,
            oidc_client_secret=SecretStr(CLIENT_SECRET),
            oidc_name="Norrdalens inloggning",
        )
        tokens = Tokens([MAJA, UNA])
        clock, blobs = ManualClock(datetime(2022, 9, 26, 8, 40, tzinfo=UTC)), open_blobs(f"file:{tmp_path / 'blobs'}")
        signing = build(settings, clock=clock, access=Access(tokens, base64.b64decode(SESSION_KEY)), blobs=blobs)
        app = FastAPI()
        app.mount("/signing", signing.app)
        async with served(app, port=ours):
            yield Door(signing, tokens, provider, base)
            await asyncio.sleep(0)
        await signing.database.close()


async def _come_in(door: Door, name: str) -> httpx.Response:
    async with door.browser() as browser:
        return await door.provider.log_in(browser, BEGIN, name)


async def test_whoever_has_an_account_logs_in_at_the_provider(door: Door) -> None:
    async with door.browser() as browser:
        form = await browser.get("/signing/login")
        assert f'<a href="{BEGIN}"' in form.text.replace(' class="button primary"', "")
        assert "Norrdalens inloggning" in form.text
        page = await door.provider.log_in(browser, BEGIN, "maja")
        assert (page.status_code, page.url.path) == (200, OVERVIEW)
        listed = await browser.get("/signing/sessions")
        assert len(listed.json()["sessions"]) == 1


async def test_and_goes_on_to_the_service_that_sent_them(door: Door) -> None:
    asked = f"?for=meetings&to=%2Fmeetings%2Foffice%2Fbodies&way={'ab' * 32}"
    async with door.browser() as browser:
        form = await browser.get(f"/signing/login/pass{asked}", follow_redirects=True)
        begin = re.search(rf'href="({BEGIN}\?[^"]+)"', form.text)
        assert begin is not None
        page = await door.provider.log_in(browser, begin.group(1).replace("&amp;", "&"), "maja")
        assert page.url.path == "/meetings/login/pass"


async def test_who_has_no_account_or_no_verified_address_is_told_and_not_let_in(door: Door) -> None:
    for name in ("olof", "una"):
        page = await _come_in(door, name)
        assert (page.status_code, "<h1>Du har inget konto här</h1>" in page.text) == (403, True)


async def test_an_account_is_the_first_subjects_whose_address_it_was(door: Door) -> None:
    assert (await _come_in(door, "maja")).status_code == 200
    assert (await _come_in(door, "maja-successor")).status_code == 403, "another person with the same address"
    door.tokens._records[MAJA.sha256] = MAJA.model_copy(update={"email": "maja.new@norrdalen.example"})
    assert (await _come_in(door, "maja")).status_code == 200, "the same person, whatever address"


async def test_an_account_that_is_taken_away_is_out_at_once_and_a_new_one_is_taken(door: Door) -> None:
    async with door.browser() as browser:
        await door.provider.log_in(browser, BEGIN, "maja")
        door.tokens._records.pop(MAJA.sha256)
        assert (await browser.get(OVERVIEW)).status_code == 401
        assert (await browser.get(BEGIN, follow_redirects=True)).status_code == 403
        again = MAJA.model_copy(update={"sha256": "ef" * 32})
        door.tokens._records[again.sha256] = again
        assert (await browser.get(BEGIN, follow_redirects=True)).url.path == OVERVIEW


async def test_an_answer_opens_once_and_in_the_browser_that_asked(door: Door) -> None:
    async with door.browser() as browser:
        await door.provider.log_in(browser, BEGIN, "maja")
        begun = await browser.get(BEGIN, follow_redirects=False)
        kept = begun.cookies["justera_oidc"]
        back = (await browser.get(begun.headers["location"], follow_redirects=False)).headers["location"]
        assert "code=" in back
        async with door.browser() as other:
            assert (await other.get(back)).status_code == 403, "without the cookie"
            await other.get(BEGIN, follow_redirects=False)
            assert (await other.get(back)).status_code == 403, "with that of another attempt"
        assert (await browser.get(back)).status_code == 303
        browser.cookies.set("justera_oidc", kept, domain="127.0.0.1", path="/")
        refused = await browser.get(back)
        assert (refused.status_code, "<h1>Inloggningen blev inte klar</h1>" in refused.text) == (403, True)


async def test_who_changes_their_mind_at_the_provider_is_told(door: Door) -> None:
    async with door.browser() as browser:
        form = await browser.get(BEGIN, follow_redirects=True)
        abort = re.search(r'href="([^"]+/abort)"', form.text)
        assert abort is not None, form.text
        assert (
            await browser.get(f"{door.provider.issuer}{httpx.URL(abort.group(1)).path}", follow_redirects=True)
        ).status_code == 403


async def test_the_provider_may_change_its_keys(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await _come_in(door, "maja")).status_code == 200
    await door.provider.change_keys("second")
    assert (await _come_in(door, "maja")).status_code == 403, "within the minute in which it was asked"
    monkeypatch.setattr(oidc_client, "_KEYS_AGAIN_SECONDS", -1)
    assert (await _come_in(door, "maja")).status_code == 200


async def test_a_provider_that_is_away_is_told_and_tokens_are_taken_still(door: Door) -> None:
    door.provider.process.kill()
    await door.provider.process.wait()
    async with door.browser() as browser:
        assert (await browser.get(BEGIN)).status_code == 503
        assert (await browser.get("/signing/login")).status_code == 200


@pytest.mark.browser
async def test_in_a_browser_in_and_out_again(door: Door, browser: Browser) -> None:
    """Its rules about forms that lead elsewhere hold, too."""
    context = await browser.new_context(locale="sv-SE")
    page = await context.new_page()
    await page.goto(f"{door.base}/signing/login")
    await page.get_by_role("link", name="Norrdalens inloggning").click()
    await page.fill("[name=login]", "maja")
    await page.fill("[name=password]", "any")
    await page.locator("button[type=submit]").click()
    await page.locator("button[type=submit]").click()
    await page.wait_for_url(f"**{OVERVIEW}")
    await page.get_by_role("button", name="Logga ut").click()
    await page.wait_for_url("**/signing/login?out=1")
    await page.get_by_role("link", name=re.compile("Logga ut hos Norrdalens inloggning")).click()
    await page.wait_for_url(f"{door.provider.issuer}/session/end**")
    await page.locator("button[type=submit]").first.click()
    await page.wait_for_url("**/signing/login")
    await page.get_by_role("link", name="Norrdalens inloggning").click()
    await page.wait_for_selector("[name=login]")
    await context.close()
