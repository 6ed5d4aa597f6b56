"""What someone typed is theirs until the server took it: over a lost connection and a closed window."""

import asyncio
import re
from datetime import datetime

import pytest
from playwright.async_api import Browser, Page, Route, expect

from services.meetings.body.body import BodyDetails, BodyKind
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.commands import Wish
from services.meetings.meeting.meeting import Mode, Occasion
from shared.auth import SESSION_COOKIE
from tests.integration.pages.members import meetings_of, member
from tests.integration.pages.site import TOKEN, Site
from tests.support.browser import accessibility_violations
from tests.unit.signing.story import AGREEMENT_ID, SECRETARY

pytestmark = pytest.mark.browser

_BACK = re.compile("Det du skrev finns kvar, tillbaka från .*Det är inte sparat än")
_KEPT = "Object.keys(localStorage).filter((key) => key.startsWith('justera-draft:')).length"


@pytest.fixture
async def page(site: Site, browser: Browser) -> Page:
    context = await browser.new_context(locale="sv-SE")
    cookie = await site.session(TOKEN)
    await context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": site.base}])
    return await context.new_page()


@pytest.fixture
async def form(site: Site) -> str:
    """The form of a new item on a meeting's agenda."""
    commands: MeetingsCommands = site.meetings.commands
    body = await commands.bodies.register(TOKEN.organisation, BodyDetails(name="Styrelsen", kind=BodyKind.BOARD))
    starts, ends = datetime(2030, 2, 1, 9), datetime(2030, 2, 1, 12)
    wish = Wish("Styrelsen sammanträder", "Forsby", starts, ends, Mode.PHYSICAL, Occasion.ORDINARY)
    meeting = await commands.meetings.schedule_for(TOKEN.organisation, body.id, wish)
    return f"{site.base}/meetings/office/meetings/{meeting.id}/agenda/new"


async def _objections(page: Page) -> list[str]:
    """Of axe, and of a narrow window: the walk of `test_looks` goes without this script."""
    await page.set_viewport_size({"width": 360, "height": 900})
    found = await accessibility_violations(page)
    if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("the page scrolls sideways")
    return found


async def test_words_survive_a_lost_connection_and_go_when_the_server_took_them(page: Page, form: str) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(form)
    await page.fill("#item_title", "Budget")
    await page.fill("#background", "Ett långt underlag, som ingen vill skriva två gånger.")
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Spara").click()
    await expect(page.get_by_role("alert")).to_contain_text("Anslutningen är borta")
    assert await page.input_value("#background") == "Ett långt underlag, som ingen vill skriva två gånger."
    assert await _objections(page) == []
    await page.context.set_offline(False)
    await page.goto(form)  # as after a closed window
    await expect(page.get_by_role("status")).to_contain_text(_BACK)
    assert await page.input_value("#item_title") == "Budget"
    assert await _objections(page) == []
    await page.get_by_role("button", name="Spara").click()
    await page.wait_for_url("**/agenda?done=*")
    assert await page.evaluate(_KEPT) == 0
    await page.goto(form)
    assert await page.input_value("#item_title") == ""
    assert complaints == []


async def test_what_came_back_can_be_thrown_away_and_goes_with_the_logout(page: Page, form: str) -> None:
    await page.goto(form)
    await page.fill("#item_title", "Budget")
    await page.goto(form)
    await page.get_by_role("button", name="Släng det jag skrev").click()
    assert await page.input_value("#item_title") == ""
    assert await page.evaluate(_KEPT) == 0
    await page.fill("#item_title", "Något annat")
    assert await page.evaluate(_KEPT) == 1
    await page.goto(f"{form.partition('/meetings/')[0]}/signing/overview")  # a page that keeps nothing itself
    await page.get_by_role("button", name="Logga ut").click()
    await page.wait_for_url(lambda url: "/overview" not in url)
    assert await page.evaluate(_KEPT) == 0


async def test_an_error_of_the_form_keeps_the_words(page: Page, form: str) -> None:
    await page.goto(form)
    await page.fill("#background", "Underlag utan rubrik")
    await page.get_by_role("button", name="Spara").click()
    await page.locator(".error-summary").wait_for()
    assert await page.input_value("#background") == "Underlag utan rubrik"
    assert await page.evaluate(_KEPT) == 1


async def test_a_form_that_is_pressed_twice_is_sent_once(page: Page, form: str) -> None:
    asked: list[str] = []
    pressed = asyncio.Event()

    async def slow(route: Route) -> None:
        if route.request.method == "HEAD":
            asked.append(route.request.url)
            await pressed.wait()
        await route.continue_()

    await page.goto(form)
    await page.route("**/drafts*.mjs*", slow)
    await page.fill("#item_title", "Budget")
    await page.get_by_role("button", name="Spara").dblclick()
    pressed.set()
    await page.wait_for_url("**/agenda?done=*")
    assert len(asked) == 1


async def test_what_a_plan_would_do_is_shown_without_a_word_of_drafts_and_outlives_a_closed_window(
    page: Page, form: str
) -> None:
    """The page that shows it asks one thing more than the form did."""
    plan = "plan: 2031\nyear: 2031\nbodies:\n  styrelsen:\n    title: Styrelsen\n    time: 09:00-12:00\n"
    plan += "    mode: digital\n    meetings:\n      - date: 2031-02-12\n"
    address = f"{form.partition('/meetings/')[0]}/meetings/office/plan"
    await page.goto(address)
    await page.fill("#text", plan)
    await page.get_by_role("button", name="Visa vad den gör").click()
    await page.get_by_label("Mejla ledamöterna?").wait_for()
    assert await page.locator(".draft").count() == 0
    await page.get_by_label("Mejla ledamöterna?").select_option("no")
    await page.goto(address)
    await expect(page.get_by_role("status")).to_contain_text(_BACK)
    assert "2031-02-12" in await page.input_value("#text")


async def test_a_members_words_survive_and_the_answer_that_a_mail_chose_stays_chosen(site: Site, page: Page) -> None:
    maja = await member(site, "Maja Lind")
    [_, coming] = await meetings_of(site)
    mail = site.own_link(maja, meeting=coming.id)
    await page.goto(mail)
    await page.get_by_label("Jag kan inte").check()
    await page.fill("#comment", "Bortrest hela veckan")
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Skicka svaret").click()
    await expect(page.get_by_role("alert")).to_contain_text("Anslutningen är borta")
    await page.context.set_offline(False)
    await page.goto(mail)  # the link of the mail, once more
    await expect(page.get_by_role("status")).to_contain_text(_BACK)
    assert await page.input_value("#comment") == "Bortrest hela veckan"
    assert await page.get_by_label("Jag kan inte").is_checked()
    assert await _objections(page) == []
    await page.goto(site.own_link(maja, meeting=coming.id, answer="coming"))
    await page.get_by_role("button", name="Ta fram det jag skrev").wait_for()
    assert await page.get_by_label("Jag kommer").is_checked()
    await page.get_by_role("button", name="Skicka svaret").click()
    await page.get_by_text("Tack, du kommer.").wait_for()
    assert await page.evaluate(_KEPT) == 0


async def test_a_signers_reason_survives_a_lost_connection_and_goes_when_it_was_taken(site: Site, page: Page) -> None:
    await site.draft(b"%PDF-1.7 what is signed")
    await site.flow.send_off()
    await page.goto(await site.link(SECRETARY))
    decline = f"{page.url}/decline"
    await page.goto(decline)
    await page.fill("#reason", "Paragraf 30 stämmer inte.")
    await page.context.set_offline(True)
    await page.locator("main form .button").click()
    await expect(page.get_by_role("alert")).to_contain_text("Anslutningen är borta")
    assert await _objections(page) == []
    await page.context.set_offline(False)
    await page.goto(decline)  # as after a closed window
    await expect(page.get_by_role("status")).to_contain_text(_BACK)
    assert await page.input_value("#reason") == "Paragraf 30 stämmer inte."
    await page.locator("main form .button").click()
    await page.wait_for_url(lambda url: "/decline" not in url)
    assert await page.evaluate(_KEPT) == 0


async def test_a_form_that_comes_back_whole_by_the_browser_is_asked_for_anew(page: Page, form: str) -> None:
    """Otherwise who saved, went back and saved again would be told that it changed meanwhile."""
    await page.goto(form)
    await page.fill("#item_title", "Budget")
    async with page.expect_navigation():
        await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await expect(page.get_by_role("status")).to_contain_text(_BACK)
    assert await page.input_value("#item_title") == "Budget", "what was typed and not saved is kept"


@pytest.mark.parametrize("gone", ["session", "login"])
async def test_words_survive_a_login_that_ended_or_was_made_anew_while_they_were_typed(
    site: Site, page: Page, form: str, gone: str
) -> None:
    await page.goto(form)
    await page.fill("#item_title", "Budget")
    await page.fill("#background", "Ett långt underlag.")
    if gone == "session":
        await page.context.clear_cookies()
    else:
        await _log_in(site, page)
    await page.get_by_role("button", name="Spara").click()
    title = {"session": "Du behöver logga in", "login": "Formuläret var för gammalt"}[gone]
    await page.get_by_role("heading", level=1, name=title).wait_for()
    await expect(page.locator("main")).to_contain_text("Det du skrev bör finnas kvar i webbläsaren.")
    if gone == "session":
        await _log_in(site, page)
    await page.go_back()
    await expect(page.get_by_role("status")).to_contain_text(_BACK)
    assert await page.input_value("#background") == "Ett långt underlag."
    await page.get_by_role("button", name="Spara").click()
    await page.wait_for_url("**/agenda?done=*")
    assert await page.evaluate(_KEPT) == 0


async def test_a_reason_to_withdraw_a_document_survives_and_goes_when_it_was_taken(site: Site, page: Page) -> None:
    await site.draft(b"%PDF-1.7 what is signed")
    await site.flow.send_off()
    await page.goto(f"{site.base}/signing/overview/{AGREEMENT_ID}/cancel")
    await page.fill("#reason", "Paragraf 30 stämmer inte.")
    await page.reload()
    await expect(page.get_by_role("status")).to_contain_text(_BACK)
    assert await page.input_value("#reason") == "Paragraf 30 stämmer inte."
    await page.locator("main form .button").click()
    await page.wait_for_url("**?done=cancelled")
    assert await page.evaluate(_KEPT) == 0


async def _log_in(site: Site, page: Page) -> None:
    """As in another tab."""
    cookie = await site.session(TOKEN)
    await page.context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": site.base}])
