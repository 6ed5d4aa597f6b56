"""Services that are deployed apart: people log in to signing, and its passes open the pages of the others."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, expect
from pydantic import SecretStr

from services.archive.main import build as build_archive
from services.meetings.body.body import BodyDetails, BodyKind
from services.meetings.main import build as build_meetings
from services.meetings.subscribers import EVENT_HANDLERS
from services.signing.main import build as build_signing
from shared.auth import SESSION_COOKIE, Access
from shared.blobs import open_blobs
from shared.clock import ManualClock
from shared.events import LoginEnded
from shared.keys import new_keys
from shared.messaging.signatures import new_event_keys, parse_event_keys
from shared.pass_access import PassAccess, session_cookie_of
from shared.passed_sessions import PassedSessions, end_login
from shared.passes import PassRefused, hash_of, new_pass, write
from shared.service import Service
from shared.sessions import SessionKey
from shared.settings import Settings, load_settings
from shared.tokens import Tokens
from tests.integration.pages.site import ACCESS_TOKEN, SESSION_KEY, TOKEN, TOKENS, served
from tests.integration.signing.flow import ORGANISATION
from tests.support.postgres import Postgres

OFFICE = "/meetings/office/bodies"
MEETINGS_COOKIE = session_cookie_of("meetings", secure=False)
HTML = {"accept": "text/html"}
NO_FORM = {"csrf": ""}  # without a token of the session
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}


@dataclass
class Apart:
    """Signing, meetings and the archive with access of their own each, behind one address."""

    services: dict[str, Service]
    settings: Settings
    tokens: Tokens
    base: str = ""

    async def hear(self) -> int:
        """Meetings and the archive are told what signing published of logins; how much that was."""
        async with self.services["signing"].database.transaction() as connection:
            rows = await connection.exec_driver_sql("SELECT data FROM outbox WHERE topic = 'signing.login' ORDER BY id")
            events = [LoginEnded.from_json(row.data) for row in rows]
        for name in ("meetings", "archive"):
            async with self.services[name].database.transaction() as connection:
                for event in events:
                    await end_login(connection, event.login)
        return len(events)

    async def sql(self, service: str, statement: str) -> None:
        async with self.services[service].database.transaction() as connection:
            await connection.exec_driver_sql(statement)

    async def make_due(self) -> None:
        await self.sql("meetings", "UPDATE passed_session SET passed_at = passed_at - interval '16 minutes'")

    def pass_to(self, service: str, **changed: object) -> str:
        """A pass as signing makes one."""
        ring = parse_event_keys(self.settings.secret("event_keys")).ring("signing", service)
        key = SessionKey(ORGANISATION, TOKEN.sha256, "a session")
        made = new_pass(key, way=hash_of("way"), to=OFFICE, left=600, now=datetime.now(UTC).timestamp())
        return write(ring, service, made.model_copy(update=changed))


@pytest.fixture
async def apart(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Apart]:
    settings = load_settings(
        organisation=ORGANISATION,
        link_keys=SecretStr(new_keys()),
        copy_link_keys=SecretStr(new_keys()),
        member_link_keys=SecretStr(new_keys()),
        event_keys=SecretStr(new_event_keys()),
        seal_test_authority=tmp_path / "seal",
    )
    keys, tokens = parse_event_keys(settings.secret("event_keys")), Tokens(TOKENS)
    clock, blobs = ManualClock(datetime(2022, 9, 26, 8, 40, tzinfo=UTC)), open_blobs(f"file:{tmp_path / 'blobs'}")
    services = {}
    for name, build in (("signing", build_signing), ("meetings", build_meetings), ("archive", build_archive)):
        own = settings.model_copy(update={"database_url": await postgres.create_database(name)})
        access = (
            Access(tokens, base64.b64decode(SESSION_KEY))
            if name == "signing"
            else PassAccess(tokens, name, keys.ring("signing", name), public_url=settings.public_url)
        )
        services[name] = build(own, clock=clock, access=access, blobs=blobs)
    app = FastAPI()
    for name, service in services.items():
        app.mount(f"/{name}", service.app)
    apart = Apart(services, settings, tokens)
    async with served(app) as apart.base:
        yield apart
        await asyncio.sleep(0)
    for service in services.values():
        await service.database.close()


@pytest.fixture
async def browser_of(apart: Apart) -> AsyncIterator[httpx.AsyncClient]:
    """Without script: keeps cookies, and goes where it is sent."""
    async with httpx.AsyncClient(base_url=apart.base, timeout=60, follow_redirects=True, headers=HTML) as client:
        yield client


@pytest.fixture
async def secretary(browser_of: httpx.AsyncClient) -> httpx.AsyncClient:
    await log_in(browser_of)
    return browser_of


async def log_in(client: httpx.AsyncClient, wanted: str = OFFICE) -> httpx.Response:
    """Go to a page, and log in where that leads."""
    form = await client.get(wanted)
    action = re.search(r'<form method="post" action="([^"]+)"', form.text)
    assert action is not None, form.text
    return await client.post(action.group(1).replace("&amp;", "&"), data={"token": ACCESS_TOKEN})


def csrf_on(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found.group(1)


async def test_whoever_wants_a_page_logs_in_at_signing_and_is_back_there(browser_of: httpx.AsyncClient) -> None:
    wanted = f"{OFFICE}?q=Sk%C3%B6vde+%26+mer"
    form = await browser_of.get(wanted)
    assert form.url.path == "/signing/login"
    page = await log_in(browser_of, wanted)
    assert (page.status_code, page.url.raw_path.decode()) == (200, wanted)
    assert (await browser_of.get("/archive/extracts/none")).url.path == "/archive/extracts/none"


async def test_who_is_logged_in_to_signing_is_asked_nothing(secretary: httpx.AsyncClient) -> None:
    secretary.cookies.delete(MEETINGS_COOKIE)
    page = await secretary.get(OFFICE)
    assert (page.status_code, page.url.path) == (200, OFFICE)
    assert [answer.status_code for answer in page.history] == [303, 303, 303]


async def test_a_pass_opens_once(apart: Apart, secretary: httpx.AsyncClient) -> None:
    secretary.cookies.delete(MEETINGS_COOKIE)
    door = (await secretary.get(OFFICE)).history[-1].url
    secretary.cookies.delete(MEETINGS_COOKIE)
    again = await secretary.get(door)
    assert (again.status_code, "<h1>Inloggningen kom inte fram</h1>" in again.text) == (403, True)
    assert MEETINGS_COOKIE not in secretary.cookies


async def test_nor_in_another_browser_than_the_one_that_asked(apart: Apart, secretary: httpx.AsyncClient) -> None:
    """Nobody is logged in as someone else by a link: login CSRF."""
    fresh = apart.pass_to("meetings")
    async with httpx.AsyncClient(base_url=apart.base, headers=HTML, timeout=60) as other:
        assert (await other.get("/meetings/login/pass", params={"pass": fresh})).status_code == 403
        other.cookies.set("justera_way_meetings", "another way")
        assert (await other.get("/meetings/login/pass", params={"pass": fresh})).status_code == 403
        assert MEETINGS_COOKIE not in other.cookies
        other.cookies.set("justera_way_meetings", "way")
        assert (await other.get("/meetings/login/pass", params={"pass": fresh})).status_code == 303


async def test_nor_at_another_service(apart: Apart, browser_of: httpx.AsyncClient) -> None:
    browser_of.cookies.set("justera_way_archive", "way")
    answer = await browser_of.get("/archive/login/pass", params={"pass": apart.pass_to("meetings")})
    assert answer.status_code == 403


async def test_who_takes_no_cookies_is_told_and_not_sent_round_and_round(apart: Apart) -> None:
    async with httpx.AsyncClient(base_url=apart.base, headers=HTML, timeout=60) as client:
        assert (await client.get("/meetings/login/pass", params={"pass": "lost"})).status_code == 403


@pytest.mark.parametrize(
    "asked",
    [
        {"for": "meetings", "to": "https://evil.example/meetings/office"},
        {"for": "meetings", "to": "//evil.example/meetings/office"},
        {"for": "meetings", "to": "/archive/extracts/one"},
        {"for": "meetings", "to": "/meetings/office", "way": "short"},
        {"for": "notifications", "to": "/notifications/inbox"},
        {"for": "evil.example", "to": "/evil.example/"},
        {},
    ],
)
async def test_signing_leads_to_pages_of_services_that_it_knows_alone(
    secretary: httpx.AsyncClient, asked: dict[str, str]
) -> None:
    answer = await secretary.get(
        f"/signing/login/pass?{urlencode({'way': 'ab' * 32, **asked})}", follow_redirects=False
    )
    assert answer.status_code == 404
    assert "location" not in answer.headers


async def test_a_way_back_that_leads_elsewhere_is_not_gone(apart: Apart, browser_of: httpx.AsyncClient) -> None:
    """Even should signing vouch for it."""
    browser_of.cookies.set("justera_way_meetings", "way")
    written = apart.pass_to("meetings", to="//evil.example/")
    answer = await browser_of.get("/meetings/login/pass", params={"pass": written}, follow_redirects=False)
    assert answer.headers["location"] == "/meetings/office/meetings"


async def test_a_token_gets_no_pass(apart: Apart, browser_of: httpx.AsyncClient) -> None:
    asked = {"for": "meetings", "to": OFFICE, "way": "ab" * 32}
    headers = {"authorization": f"Bearer {ACCESS_TOKEN}"}
    assert (await browser_of.get("/signing/login/pass", params=asked, headers=headers)).status_code == 403


async def test_what_no_person_asks_for_is_answered_and_not_sent_to_log_in(browser_of: httpx.AsyncClient) -> None:
    """The API, a form whose session is over, a page's own script, a token that is wrong."""
    assert (await browser_of.get("/meetings/meetings", follow_redirects=False)).status_code == 401
    assert (
        await browser_of.post(f"{OFFICE}/new", data={"name": "Styrelsen"}, follow_redirects=False)
    ).status_code == 401
    assert (await browser_of.get(OFFICE, headers={"accept": "*/*"}, follow_redirects=False)).status_code == 401
    wrong = {"authorization": "Bearer wrong"}
    assert (await browser_of.get(OFFICE, headers=wrong, follow_redirects=False)).status_code == 401


async def test_after_a_quarter_of_an_hour_signing_is_asked_anew_and_no_form_is_lost(
    apart: Apart, secretary: httpx.AsyncClient
) -> None:
    form = await secretary.get(f"{OFFICE}/new")
    cookie = secretary.cookies[MEETINGS_COOKIE]
    await apart.make_due()
    fields = {"csrf": csrf_on(form), "name": "Styrelsen", "kind": "board"}
    sent = await secretary.post(form.url.path, data=fields, follow_redirects=False)
    assert sent.status_code != 401, "what was typed is taken"
    page = await secretary.get(OFFICE)
    assert [answer.url.path for answer in page.history] == [OFFICE, "/signing/login/pass", "/meetings/login/pass"]
    assert secretary.cookies[MEETINGS_COOKIE] == cookie, "a form in another tab keeps its token"
    assert (await secretary.get(OFFICE)).history == []


async def test_who_logged_out_at_signing_is_out_everywhere(apart: Apart, secretary: httpx.AsyncClient) -> None:
    kept = secretary.cookies[MEETINGS_COOKIE]
    logout = await secretary.post("/signing/logout", data=NO_FORM, headers=SAME_ORIGIN)
    assert logout.status_code == 200
    assert MEETINGS_COOKIE not in secretary.cookies, "in this browser at once"
    async with httpx.AsyncClient(base_url=apart.base, cookies={MEETINGS_COOKIE: kept}, timeout=60) as thief:
        assert (await thief.get(OFFICE)).status_code == 200
        assert await apart.hear() == 1
        assert (await thief.get(OFFICE)).status_code == 401
        assert (await thief.get("/meetings/bodies")).status_code == 401


async def test_the_pages_of_meetings_log_out_too_and_other_sites_do_not(secretary: httpx.AsyncClient) -> None:
    page = await secretary.get(OFFICE)
    form = re.search(r'action="([^"]*/logout)".*?</form>', page.text, re.DOTALL)
    assert form is not None
    assert form.group(1) == "/signing/logout"
    for site in ("cross-site", "same-site", "none"):
        refused = await secretary.post("/signing/logout", data=NO_FORM, headers={"sec-fetch-site": site})
        assert refused.status_code == 403
    fields = {"csrf": csrf_on(page)}
    answer = await secretary.post("/signing/logout", data=fields, headers=SAME_ORIGIN)
    assert answer.url.path == "/signing/login"
    assert (await secretary.get(OFFICE)).url.path == "/signing/login"


async def test_a_login_that_is_ended_elsewhere_ends_here(apart: Apart, secretary: httpx.AsyncClient) -> None:
    headers = {"authorization": f"Bearer {ACCESS_TOKEN}"}
    assert (await secretary.delete("/signing/sessions", headers=headers)).status_code == 204
    assert await apart.hear() == 1
    assert (await secretary.get(OFFICE)).url.path == "/signing/login"


async def test_a_pass_that_is_on_its_way_when_its_login_ends_opens_nothing(
    apart: Apart, secretary: httpx.AsyncClient
) -> None:
    secretary.cookies.delete(MEETINGS_COOKIE)
    wanted = await secretary.get(OFFICE, follow_redirects=False)
    passed = await secretary.get(wanted.headers["location"], follow_redirects=False)
    await secretary.post("/signing/logout", data=NO_FORM, headers=SAME_ORIGIN)
    await apart.hear()
    assert (await secretary.get(passed.headers["location"])).status_code == 403


async def test_a_token_that_is_taken_back_opens_no_page_any_more(apart: Apart, secretary: httpx.AsyncClient) -> None:
    """At once: each service has the list of tokens."""
    apart.tokens._records.pop(TOKEN.sha256)
    assert (await secretary.get(OFFICE)).url.path == "/signing/login"
    assert (await secretary.post(f"{OFFICE}/new", data=NO_FORM)).status_code == 401


async def test_a_session_ends_with_the_login_that_it_came_of_and_when_it_lay_idle(
    apart: Apart, secretary: httpx.AsyncClient
) -> None:
    async with apart.services["meetings"].database.transaction() as connection:
        query = "SELECT extract(epoch FROM ends_at - clock_timestamp()) FROM passed_session"
        left = float((await connection.exec_driver_sql(query)).scalar_one())
    assert 11.9 * 3600 < left <= 12 * 3600
    cookie = {MEETINGS_COOKIE: secretary.cookies[MEETINGS_COOKIE]}
    for change in ("seen_at = seen_at - interval '241 minutes'", "seen_at = clock_timestamp(), ends_at = seen_at"):
        await apart.sql("meetings", f"UPDATE passed_session SET {change}")
        async with httpx.AsyncClient(base_url=apart.base, cookies=cookie, timeout=60) as other:
            assert (await other.get("/meetings/bodies")).status_code == 401


async def test_who_logs_in_anew_has_a_new_session(apart: Apart, secretary: httpx.AsyncClient) -> None:
    """A cookie that was planted before is no way into what comes after."""
    before = secretary.cookies[MEETINGS_COOKIE]
    await secretary.post("/signing/logout", data=NO_FORM, headers=SAME_ORIGIN)
    secretary.cookies.set(MEETINGS_COOKIE, before, domain="127.0.0.1", path="/")
    await apart.hear()
    await log_in(secretary)
    assert secretary.cookies.get(MEETINGS_COOKIE) != before


async def test_the_cookie_of_signing_opens_no_other_service(apart: Apart, secretary: httpx.AsyncClient) -> None:
    cookies = dict.fromkeys((SESSION_COOKIE, MEETINGS_COOKIE), secretary.cookies[SESSION_COOKIE])
    async with httpx.AsyncClient(base_url=apart.base, cookies=cookies, timeout=60) as other:
        assert (await other.get("/meetings/bodies")).status_code == 401


async def test_of_one_pass_that_comes_twice_at_once_one_is_taken(apart: Apart) -> None:
    sessions = PassedSessions(apart.services["meetings"].database)
    key = SessionKey(ORGANISATION, TOKEN.sha256, "a session")
    one = new_pass(key, way=hash_of("way"), to=OFFICE, left=600, now=0)
    came = await asyncio.gather(*(sessions.take(one, "", f"cookie {n}") for n in range(5)), return_exceptions=True)
    assert sum(isinstance(each, PassRefused) for each in came) == 4
    assert await sessions.found(next(each for each in came if isinstance(each, str))) is not None


async def test_what_is_over_is_forgotten(apart: Apart, secretary: httpx.AsyncClient) -> None:
    await apart.sql("meetings", "UPDATE passed_session SET ends_at = clock_timestamp()")
    await apart.sql("meetings", "UPDATE refused_pass SET until = clock_timestamp()")
    assert (await secretary.get(OFFICE)).status_code == 200
    async with apart.services["meetings"].database.transaction() as connection:
        for table in ("passed_session", "refused_pass"):
            assert (await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")).scalar_one() == 1


async def test_meetings_and_the_archive_listen(apart: Apart) -> None:
    assert LoginEnded in EVENT_HANDLERS
    for name in ("meetings", "archive"):
        (topics,) = ({topic for one in apart.services[name].subscriptions for topic in one.topics},)
        assert "signing.login" in topics


@pytest.mark.browser
async def test_in_a_browser_a_form_that_stood_open_is_sent_and_the_way_is_not_seen(
    apart: Apart, browser: Browser
) -> None:
    context = await browser.new_context(locale="sv-SE")
    page = await context.new_page()
    await page.goto(apart.base + OFFICE)
    await page.fill("#token", ACCESS_TOKEN)
    await page.get_by_role("button", name="Logga in").click()
    await page.wait_for_url(f"**{OFFICE}")
    commands = apart.services["meetings"].commands
    await commands.bodies.register(ORGANISATION, BodyDetails(name="Styrelsen", kind=BodyKind.BOARD))
    await page.goto(f"{apart.base}{OFFICE}/new")
    await page.fill("#name", "Valberedningen")
    await apart.make_due()
    await page.locator("main form .button").first.click()
    await expect(page.locator("main")).to_contain_text("Valberedningen")
    await page.get_by_role("button", name="Logga ut").click()
    await page.wait_for_url("**/signing/login")
    await page.goto(apart.base + OFFICE)
    await page.wait_for_url("**/signing/login?*")
    for cookie in await context.cookies():
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    await context.close()
