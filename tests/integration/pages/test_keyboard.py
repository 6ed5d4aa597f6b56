"""Where the keyboard goes on from when a page comes back: what is wrong, what was asked for, what was moved."""

import pytest
from playwright.async_api import Locator, Page, expect

from services.meetings.agenda.agenda import ItemDetails
from services.meetings.body.body import ItemKind
from shared.auth import SESSION_COOKIE
from tests.integration.pages.site import TOKEN, Site
from tests.integration.pages.test_drafts import form as form
from tests.integration.pages.test_drafts import page as page
from tests.integration.pages.test_office import visitor as visitor
from tests.integration.pages.test_sitting_browser import opened, shortcut
from tests.integration.pages.test_sittings import Held
from tests.integration.pages.test_sittings import held as held

pytestmark = pytest.mark.browser


async def focused(page: Page) -> Locator:
    await page.wait_for_load_state()
    return page.locator(":focus")


async def test_what_is_wrong_with_a_form_has_the_focus_and_the_next_stop_leads_to_the_field(
    page: Page, form: str
) -> None:
    await page.goto(form)
    await page.locator("#item_title").focus()
    await page.keyboard.press("Enter")
    await page.locator(".error-summary").wait_for()
    await expect(await focused(page)).to_have_class("error-summary")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.keyboard.type("Budget")
    await expect(page.locator("#item_title")).to_have_value("Budget")


async def test_an_item_is_moved_down_and_up_again_without_looking_for_its_button(
    site: Site, page: Page, form: str
) -> None:
    meeting = form.split("/")[-3]
    for title in ("Ett", "Två", "Tre"):
        await site.meetings.commands.agendas.add(
            TOKEN.organisation, meeting, ItemDetails(title=title, kind=ItemKind.DECISION)
        )
    await page.goto(form.removesuffix("/new"))
    await page.get_by_role("button", name="Senare Ett").focus()
    for key, at in (
        ("Enter", "Senare Ett"),
        ("Enter", "Tidigare Ett"),
        ("Space", "Tidigare Ett"),
        ("Space", "Senare Ett"),
    ):
        async with page.expect_navigation():
            await page.keyboard.press(key)
        await expect(await focused(page)).to_have_accessible_name(at)


async def test_what_a_plan_would_do_has_the_focus(page: Page, form: str) -> None:
    plan = "plan: 2031\nyear: 2031\nbodies:\n  styrelsen:\n    title: Styrelsen\n    time: 09:00-12:00\n"
    plan += "    mode: digital\n    meetings:\n      - date: 2031-02-12\n"
    await page.goto(f"{form.partition('/office/')[0]}/office/plan")
    await page.fill("#text", plan)
    await page.get_by_role("button", name="Visa vad den gör").press("Enter")
    await page.locator("#changes").wait_for()
    await expect(await focused(page)).to_contain_text("Det här händer")
    await page.fill("#text", plan.replace("02-12", "12-24"))
    await page.get_by_role("button", name="Visa vad den gör").press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Krockar och helgdagar")
    await expect(await focused(page)).to_contain_text("Krockar och helgdagar")


async def test_the_next_speaker_is_listed_where_the_last_one_was(page: Page, held: Held) -> None:
    await opened(page, held)
    await shortcut(page, "Alt+n")
    await expect(await focused(page)).to_have_text("Ekonomi")
    for number in (1, 2):
        await page.locator("#speaker_listed-person").focus()
        for key in ("ArrowDown",) * number + ("Tab", "Enter"):
            await page.keyboard.press(key)
        await expect(page.locator("#speakers ~ ol li")).to_have_count(number)
        await expect(await focused(page)).to_have_id("speaker_listed-person")
    leaves = page.locator("form:has([name=do][value=departed]) button").nth(1)
    who = (await leaves.inner_text()).removeprefix("Går").strip()
    await leaves.press("Enter")
    await page.locator("[name=do][value=arrived]").first.wait_for(state="attached")
    await expect(await focused(page)).to_have_accessible_name(f"Kommer {who}")


async def test_a_sitting_goes_on_after_a_new_login_in_another_tab(site: Site, page: Page, held: Held) -> None:
    """What was pressed with the form of the earlier login is recorded, once, and what was typed is there."""
    await opened(page, held)
    await shortcut(page, "Alt+n")
    await page.locator("#decision").fill("Styrelsen beslutar att godkänna rapporten.")
    cookie = await site.session(TOKEN)
    await page.context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": site.base}])
    await page.locator("form:has(#decision) button").press("Enter")
    await expect(page.locator(".notice.success")).to_contain_text("Styrelsen beslutar att godkänna rapporten.")
    assert (await held.steps()).count("decided") == 1
