"""The secretary's page of a sitting in Chromium: by shortcuts, and over a lost connection, each step once."""

import re
from datetime import datetime

import pytest
from playwright.async_api import Browser, Page, Route, expect

from shared.auth import SESSION_COOKIE
from tests.integration.pages.site import TOKEN, Site
from tests.integration.pages.test_looks import _troubles
from tests.integration.pages.test_office import visitor as visitor
from tests.integration.pages.test_sittings import Held
from tests.integration.pages.test_sittings import held as held
from tests.integration.signing.flow import ORGANISATION

pytestmark = pytest.mark.browser

SAY = re.compile("/sitting/(say|open)$")


@pytest.fixture
async def page(site: Site, browser: Browser) -> Page:
    context = await browser.new_context(locale="sv-SE")
    cookie = await site.session(TOKEN)
    await context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": site.base}])
    return await context.new_page()


async def lose(route: Route) -> None:
    """Nothing arrives."""
    await route.abort()


async def list_speaker(page: Page, name: str) -> None:
    await page.locator("#speaker_listed-person").select_option(label=name)
    await page.locator("form:has(#speaker_listed-person) button").click()


async def opened(page: Page, held: Held) -> None:
    await page.goto(f"{held.visitor.site.base}{held.at}")
    for box in await page.locator("[name=present]").all():
        await box.check()
    await page.get_by_role("button", name="Öppna sammanträdet").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sammanträdet")


async def shortcut(page: Page, keys: str) -> None:
    """Once the page's script is there."""
    await page.wait_for_load_state()
    await page.keyboard.press(keys)


async def test_items_are_taken_up_and_decided_by_keyboard(page: Page, held: Held) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await opened(page, held)
    await shortcut(page, "Alt+n")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ekonomi")
    await shortcut(page, "Alt+b")
    await page.keyboard.type("Styrelsen beslutar att godkänna rapporten.")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice.success")).to_contain_text("Styrelsen beslutar att godkänna rapporten.")
    await shortcut(page, "Alt+n")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Övrigt")
    assert complaints == []


async def test_its_pages_are_accessible_and_fit_a_phone(page: Page, held: Held) -> None:
    at = f"{held.visitor.site.base}{held.at}"
    await page.goto(at)
    troubles = await _troubles(page, "light")
    await opened(page, held)
    await shortcut(page, "Alt+n")
    await page.locator("#decision").wait_for()
    await held.visitor.follow(held.at)
    for number in ("1", "2"):
        await held.say("proposal_made", text=f"Förslag {number}")
    for path in ("", "/room", "/steps"):
        await page.goto(f"{at}{path}")
        for one in await page.locator("main details").all():
            await one.evaluate("one => { one.open = true; }")
        troubles += await _troubles(page, "light")
    assert not troubles, "\n".join(troubles)


async def test_a_step_whose_answer_was_lost_is_sent_again_and_recorded_once(page: Page, held: Held) -> None:
    await opened(page, held)
    await shortcut(page, "Alt+n")
    await page.locator("#decision").fill("Beslut som tappades bort på vägen.")
    lost = 0

    async def falter(route: Route) -> None:
        """What was asked arrives; the answer does not, once. Then nothing arrives, once."""
        nonlocal lost
        lost += 1
        if lost == 1:
            await route.fetch(max_redirects=0)
        if lost < 3:
            await route.abort()
        else:
            await route.continue_()

    await page.route(SAY, falter)
    await page.locator("form:has(#decision) button").click()
    await expect(page.locator("[data-sending]")).to_contain_text("Ingen kontakt just nu")
    await expect(page.locator(".notice.success")).to_contain_text("Beslut som tappades bort", timeout=20_000)
    assert (await held.steps()).count("decided") == 1


async def test_what_is_typed_is_there_after_the_window_was_closed(page: Page, held: Held) -> None:
    await opened(page, held)
    await shortcut(page, "Alt+n")
    await page.locator("#note").fill("Det här ville ingen skriva två gånger.")
    await page.reload()
    assert await page.input_value("#note") == "Det här ville ingen skriva två gånger."
    # Someone else's text meanwhile stands, too.
    await held.visitor.follow(held.at)
    await held.say("noted", text="Skrivet av en annan.")
    await page.reload()
    assert await page.input_value("#note") == "Skrivet av en annan.\n\nDet här ville ingen skriva två gånger."
    async with page.expect_navigation():
        await page.locator("form:has(#note) button").click()
    assert await page.evaluate("Object.keys(localStorage).length") == 0
    await expect(page.locator("#note")).to_have_value(re.compile("Skrivet av en annan"))


async def test_what_is_pressed_without_a_connection_waits_in_line(page: Page, held: Held) -> None:
    """In its order, also over a closed window: nothing that was pressed is gone, and nothing is recorded twice."""
    await opened(page, held)
    await page.route(SAY, lose)
    await shortcut(page, "Alt+n")
    person = page.locator("#speaker_listed-person")
    for name in ("Maja Lind", "Nils Ek"):
        await person.select_option(label=name)
        for _ in range(2):
            await page.locator("form:has(#speaker_listed-person) button").click()
    waits = page.locator("[data-sending]")
    await expect(waits).to_contain_text("Ingen kontakt just nu")
    await expect(waits).to_contain_text("Maja Lind; Sätt upp på talarlistan Nils Ek")
    assert await held.steps() == ["opened", "roll_called"]
    await page.reload()
    await expect(waits).to_contain_text("Nils Ek")
    await page.unroute(SAY)
    await expect(page.locator("#speakers + ol li")).to_have_count(2, timeout=20_000)
    assert await held.steps() == ["opened", "roll_called", "item_begun", "speaker_listed", "speaker_listed"]
    assert await page.evaluate("Object.keys(localStorage).length") == 0


async def test_what_waits_in_two_windows_is_lost_in_neither(page: Page, held: Held) -> None:
    """Both are closed, as by a crash; whoever opens the sitting next has what waited in both."""
    await opened(page, held)
    await page.context.route(SAY, lose)
    other = await page.context.new_page()
    await other.goto(page.url)
    for window, name in ((page, "Maja Lind"), (other, "Nils Ek")):
        await list_speaker(window, name)
        await expect(window.locator("[data-sending]")).to_contain_text("Ingen kontakt just nu")
    context, url = page.context, page.url
    await page.close()
    await other.close()
    next_one = await context.new_page()
    await next_one.goto(url)
    waits = next_one.locator("[data-sending]")
    await expect(waits).to_contain_text("Maja Lind; Sätt upp på talarlistan Nils Ek")
    await context.unroute(SAY)
    await expect(next_one.locator("#speakers + ol li")).to_have_count(2, timeout=20_000)
    assert await held.steps() == ["opened", "roll_called", "speaker_listed", "speaker_listed"]
    assert await next_one.evaluate("Object.keys(localStorage).length") == 0


async def test_what_waits_behind_a_step_that_is_refused_is_named(page: Page, held: Held) -> None:
    await opened(page, held)
    await page.route(SAY, lose)
    await list_speaker(page, "Maja Lind")
    await list_speaker(page, "Nils Ek")
    await held.visitor.follow(held.at)
    await held.say("item_begun", item=(await held.items())[0])  # by somebody else
    await page.unroute(SAY)
    notice = page.locator(".notice.warning")
    await expect(notice).to_contain_text("Något har antecknats sedan du såg sidan", timeout=20_000)
    await expect(notice).to_contain_text("Sätt upp på talarlistan Nils Ek")
    await list_speaker(page, "Nils Ek")
    await expect(page.locator("#speakers + ol li")).to_have_count(1)


@pytest.mark.parametrize(("answer", "loads"), [("<h1>Forbidden</h1>", 0), ("<main id=main>Nej</main>", 1)])
async def test_a_step_that_is_answered_403_waits_and_has_its_page_loaded_again_once_at_most(
    page: Page, held: Held, answer: str, loads: int
) -> None:
    """A proxy's own answer, not ours: nothing is loaded anew for that. Ours, as of an earlier login: once."""
    await opened(page, held)
    await page.wait_for_load_state()
    said: list[str] = []
    page.on("load", lambda _: said.append("load"))

    async def refuse(route: Route) -> None:
        said.append("post")
        await route.fulfill(status=403, content_type="text/html", body=answer)

    await page.route(SAY, refuse)
    await list_speaker(page, "Nils Ek")
    await page.wait_for_timeout(4_500)  # asked at 0, 1, 3 s, and once more where it was loaded anew
    assert said.count("load") == loads
    assert 2 <= said.count("post") <= 3 + loads
    await expect(page.locator("[data-sending]")).to_contain_text("Ingen kontakt just nu")
    await page.unroute(SAY)
    await expect(page.locator("#speakers + ol li")).to_have_count(1, timeout=20_000)
    assert await page.evaluate("Object.keys(localStorage).length") == 0


async def test_what_an_earlier_version_kept_in_one_line_is_sent(page: Page, held: Held) -> None:
    await opened(page, held)
    await page.route(SAY, lose)
    await list_speaker(page, "Maja Lind")
    await list_speaker(page, "Nils Ek")
    await expect(page.locator("[data-sending]")).to_contain_text("Nils Ek")
    await page.evaluate(
        """() => {
          const names = Object.keys(localStorage).filter((name) => name.includes(":line:"));
          const steps = names.map((name) => JSON.parse(localStorage.getItem(name))).sort((a, b) => a.at - b.at);
          const { version } = steps[0];
          delete steps[0].version;
          names.forEach((name) => localStorage.removeItem(name));
          const line = { at: Date.now(), values: [], version, steps };
          localStorage.setItem(`justera-draft:${location.pathname}:line`, JSON.stringify(line));
        }"""
    )
    await page.reload()
    waits = page.locator("[data-sending]")
    await expect(waits).to_contain_text("Maja Lind; Sätt upp på talarlistan Nils Ek")
    await page.unroute(SAY)
    await expect(page.locator("#speakers + ol li")).to_have_count(2, timeout=20_000)
    assert await held.steps() == ["opened", "roll_called", "speaker_listed", "speaker_listed"]
    assert await page.evaluate("Object.keys(localStorage).length") == 0


async def test_an_item_is_taken_up_and_decided_without_a_connection(page: Page, held: Held) -> None:
    """By keyboard, also over a page that is loaded anew: the item's forms are there before the server knows of it."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await opened(page, held)
    await page.route(SAY, lose)
    await shortcut(page, "Alt+n")
    heading = page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("Ekonomi")
    await shortcut(page, "Alt+b")
    await page.keyboard.type("Styrelsen beslutar att godkänna rapporten.")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("section[aria-labelledby=item] .notice")).to_contain_text("godkänna rapporten")
    await expect(page.locator("[data-sending]")).to_contain_text("Ta upp Ekonomi")
    await shortcut(page, "Alt+n")
    await expect(heading).to_have_text("Övrigt")
    await shortcut(page, "Alt+t")
    await page.keyboard.type("Ingen hade något övrigt")
    await page.reload()
    await expect(heading).to_have_text("Övrigt")
    await expect(page.locator("#note")).to_have_value("Ingen hade något övrigt")
    troubles = await _troubles(page, "light")
    assert not troubles, "\n".join(troubles)
    await shortcut(page, "Alt+t")
    assert await held.steps() == ["opened", "roll_called"]
    await page.unroute(SAY)
    await expect(page.locator("[data-item]").first).to_contain_text("godkänna rapporten", timeout=20_000)
    await expect(page.locator("#note")).to_be_focused()
    await page.keyboard.type(".")
    await expect(page.locator("#note")).to_have_value("Ingen hade något övrigt.")
    assert (await held.steps())[2:] == ["item_begun", "decided", "item_ended", "item_begun"]
    assert complaints == []


async def test_an_item_is_ended_and_taken_up_again_without_a_connection(page: Page, held: Held) -> None:
    """What was pressed before is something new once another step came between."""
    await opened(page, held)
    await page.route(SAY, lose)
    heading = page.get_by_role("heading", level=1)
    for title in ("Ekonomi", "Övrigt"):
        await shortcut(page, "Alt+n")
        await expect(heading).to_have_text(title)
        await shortcut(page, "Alt+e")
        await expect(heading).to_have_text("Sammanträdet")
    await page.locator("[data-item]", has_text="Ekonomi").get_by_role("button").click()
    await expect(heading).to_have_text("Ekonomi")
    await page.unroute(SAY)
    await expect(page.locator("#decision")).to_be_visible()
    await expect(page.locator("[data-sending]")).to_be_hidden(timeout=20_000)
    assert (await held.steps())[2:] == ["item_begun", "item_ended", "item_begun", "item_ended", "item_begun"]


async def test_a_sitting_is_opened_and_its_first_item_decided_without_a_connection(page: Page, held: Held) -> None:
    commands = held.visitor.site.meetings.commands
    meeting = (await commands.sittings.scene(ORGANISATION, held.meeting_id)).meeting
    today = {"starts": datetime(2022, 9, 26, 10), "ends": datetime(2022, 9, 26, 12)}  # it is 10:40
    await commands.meetings.change(ORGANISATION, held.meeting_id, meeting.details.model_copy(update=today))
    await commands.agendas.begin(ORGANISATION, held.meeting_id)
    await page.goto(f"{held.visitor.site.base}{held.at}")
    await page.route(SAY, lose)
    for name in ("Olof", "Maja"):
        await page.get_by_role("checkbox", name=re.compile(name)).check()
    await page.get_by_role("button", name="Öppna sammanträdet").click()
    heading = page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("Sammanträdet")
    await page.locator("[data-item]", has_text="Ekonomi").get_by_role("button").click()
    await expect(heading).to_have_text("Ekonomi")
    assert await page.locator("#stated-person option").all_text_contents() == ["Olof Berg", "Maja Lind"]
    await page.locator("#decision").fill("Styrelsen beslutar att anta budgeten.")
    await page.locator("form:has(#decision) button").click()
    assert await held.steps() == []
    await page.unroute(SAY)
    await expect(page.locator(".notice.success")).to_contain_text("anta budgeten", timeout=20_000)
    assert await held.steps() == ["opened", "roll_called", "item_begun", "decided"]


async def test_a_browser_that_keeps_nothing_records_each_step_once(page: Page, held: Held) -> None:
    """With storage forbidden (private windows, strict settings): what waits is there as long as the page is."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.add_init_script(
        """for (const name of ["localStorage", "sessionStorage"]) {
          Object.defineProperty(window, name, { get() { throw new DOMException("forbidden", "SecurityError"); } });
        }"""
    )
    await opened(page, held)
    await page.route(SAY, lose)
    await list_speaker(page, "Maja Lind")
    await list_speaker(page, "Nils Ek")
    await expect(page.locator("[data-sending]")).to_contain_text("Nils Ek")
    await page.unroute(SAY)
    await expect(page.locator("#speakers + ol li")).to_have_count(2, timeout=20_000)
    await shortcut(page, "Alt+n")
    await page.locator("#decision").fill("Styrelsen beslutar att godkänna rapporten.")
    await page.locator("form:has(#decision) button").click()
    await expect(page.locator(".notice.success")).to_contain_text("godkänna rapporten")
    recorded = ["opened", "roll_called", "speaker_listed", "speaker_listed", "item_begun", "decided"]
    assert await held.steps() == recorded
    assert complaints == []
