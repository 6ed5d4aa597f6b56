"""What only a browser shows: signing by keyboard alone and without script, the document's pages and its text."""

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page

from shared.rendering.minutes import BulletList, OrderedList, Paragraph, Run, Subheading, Table, Text
from shared.rendering.render import render_minutes
from tests.integration.pages.site import LOGIN, Site, letter
from tests.integration.rendering.sample import CREATED, sample_minutes
from tests.unit.signing.story import CHAIR, SECRETARY

pytestmark = pytest.mark.browser

MOST_TABS = 30


@pytest.fixture
async def page(site: Site, browser: Browser, minutes_pdf: bytes) -> Page:
    await site.draft(minutes_pdf)
    await site.flow.send_off()
    context = await browser.new_context(locale="sv-SE", viewport={"width": 390, "height": 844})
    return await context.new_page()


async def tab_to(page: Page, name: str) -> None:
    """Tab until the control of that name has the focus; every stop on the way must show it."""
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        found = await page.evaluate(
            """() => {
                const on = document.activeElement, style = getComputedStyle(on);
                const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
                const name = on.getAttribute("aria-label") ?? (on.labels?.[0] ?? on).textContent.trim();
                return {name, shown, tag: on.tagName};
            }"""
        )
        assert found["shown"] or found["tag"] == "BODY", f"no focus to be seen on {found['name']}"
        if found["name"] == name:
            return
    raise AssertionError(f"{name} cannot be reached by Tab on {page.url}")


async def test_signing_by_keyboard_alone(site: Site, page: Page) -> None:
    await site.flow.sign(SECRETARY)
    await page.goto(await site.link(CHAIR))
    await tab_to(page, "Öppna dokumentet")
    await page.keyboard.press("Enter")
    await page.locator(".viewer[data-ready=true]").wait_for()
    await tab_to(page, "Text")
    await page.keyboard.press("Space")
    assert await page.locator("[data-act=text]").get_attribute("aria-pressed") == "true"
    await tab_to(page, "Ditt namn")
    await page.keyboard.press("Enter")
    await page.locator(".error-summary").wait_for()
    await tab_to(page, "Skriv ditt namn")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id || location.hash.slice(1)") == "name"
    await tab_to(page, "Ditt namn")
    await page.keyboard.type("Olof Berg")
    await tab_to(page, "Signera protokollet")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Du har signerat").wait_for()


async def test_signing_without_script(site: Site, browser: Browser, page: Page) -> None:
    context = await browser.new_context(java_script_enabled=False, locale="sv-SE")
    plain = await context.new_page()
    await plain.goto(await site.link(SECRETARY))
    await plain.get_by_role("button", name="Öppna dokumentet").click()
    await plain.get_by_role("link", name="Öppna som PDF").wait_for()
    assert not await plain.locator(".viewer").is_visible()
    await plain.get_by_role("button", name="Signera protokollet").click()
    await plain.get_by_role("heading", name="Du har signerat").wait_for()


async def test_the_document_is_drawn_and_read_out_under_the_strict_policy(site: Site, page: Page) -> None:
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(await site.link(SECRETARY))
    await page.get_by_role("button", name="Öppna dokumentet").click()
    await page.locator(".viewer[data-ready=true]").wait_for()
    await page.get_by_role("button", name="Sidor").click()
    await page.locator(".viewer-page[data-drawn=true]").first.wait_for()
    assert await page.locator(".viewer-page").count() > 2
    assert await page.evaluate(INK) > 500
    assert (await page.locator(".viewer-pages").get_attribute("lang") or "").startswith("sv")
    headings = page.get_by_role("heading", name="Ledningens information")
    assert await headings.count() == 1
    assert await page.get_by_role("listitem").filter(has_text="Anna-Karin Sjö").count() >= 1
    assert complaints == []


async def test_the_document_can_be_read_on_a_phone(site: Site, page: Page) -> None:
    await page.goto(await site.link(SECRETARY))
    await page.get_by_role("button", name="Öppna dokumentet").click()
    await page.locator(".viewer[data-ready=true]").wait_for()
    await page.get_by_role("button", name="Sidor").click()
    await page.locator(".viewer-page[data-drawn=true]").first.wait_for()
    pages = page.locator(".viewer-pages")
    fits = "element => element.scrollWidth <= element.clientWidth"
    assert await pages.evaluate(fits)
    await page.get_by_role("button", name="Förstora").click()
    assert not await pages.evaluate(fits)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("button", name="Förminska").click()
    assert await pages.evaluate(fits)
    await page.get_by_role("button", name="Text", exact=True).click()
    size = await page.locator(".page-text p").first.evaluate(
        "element => parseFloat(getComputedStyle(element).fontSize)"
    )
    assert size >= 15
    assert await pages.evaluate(fits)


TABLE = Table(
    header=((Run(text="Post"),), (Run(text="Kronor"),)),
    align=("left", "right"),
    rows=(((Run(text="Resor", bold=True),), (Run(text="1\xa0200"),)),),
)


@pytest.mark.parametrize("script", [True, False])
async def test_on_a_phone_the_document_opens_as_text_that_is_as_good_as_the_pages(
    site: Site, browser: Browser, *, script: bool
) -> None:
    blocks = (
        Subheading(text="Beslut"),
        Text(runs=(Run(text="Styrelsen "), Run(text="beslutar", bold=True), Run(text=" <b>detta</b>\natt"))),
        BulletList(items=((Run(text="ett"),), (Run(text="två"),))),
        OrderedList(start=3, items=((Run(text="tre"),),)),
        TABLE,
    )
    paragraph = Paragraph(number=28, heading="Delårsrapport", blocks=blocks)
    minutes = sample_minutes().model_copy(update={"paragraphs": (paragraph,)})
    await site.draft(render_minutes(minutes, at=CREATED), minutes=minutes)
    await site.flow.send_off()
    context = await browser.new_context(
        locale="sv-SE", viewport={"width": 390, "height": 844}, java_script_enabled=script
    )
    page = await context.new_page()
    await page.goto(await site.link(SECRETARY))
    await page.get_by_role("button", name="Öppna dokumentet").click()
    if script:
        await page.locator(".viewer[data-ready=true]").wait_for()
        assert await page.get_by_role("button", name="Text", exact=True).get_attribute("aria-pressed") == "true"
    words = page.locator(".document-text")
    shown = [line for line in (await words.inner_text()).splitlines() if line.strip()]
    begin = shown.index("§ 28 Delårsrapport")
    assert [line.strip() for line in shown[begin:]] == [
        "§ 28 Delårsrapport", "Beslut", "Styrelsen beslutar <b>detta</b>", "att", "ett", "två", "tre",
        "Post\tKronor", "Resor\t1\xa0200",
    ]  # fmt: skip
    assert "Olof Berg (S), Björkå, ordförande" in shown
    assert "Tid: 2022-09-23 kl. 13.00–15.00" in shown
    assert "Paragraf 28" in shown
    assert await words.locator("strong", has_text="beslutar").count() == 1
    assert await words.locator("ol[start='3'] > li").count() == 1
    assert await words.locator("th[scope=col]").count() == 2
    assert await page.get_by_role("heading", name="Delårsrapport").count() == 1
    if script:
        await page.get_by_role("button", name="Sidor").click()
        await page.locator(".viewer-page[data-drawn=true]").first.wait_for()
        assert not await words.is_visible()
    await context.close()


async def test_a_mails_own_html_runs_no_script_and_its_link_leads_to_signing(site: Site, page: Page) -> None:
    mail_id = site.mails.add(letter(await site.link(SECRETARY)))
    await page.goto(f"{site.base}/login?token={LOGIN}")
    await page.get_by_role("button", name="Logga in").click()
    await page.goto(f"{site.base}/notifications/inbox/{mail_id}/html")
    assert await page.title() == "Signera"
    await page.get_by_role("link", name="Läs och signera").click()
    await page.get_by_role("button", name="Öppna dokumentet").click()
    assert await page.get_by_role("button", name="Signera protokollet").is_visible()


INK = """() => {
    const canvas = document.querySelector(".viewer-page[data-drawn=true] canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let dark = 0;
    for (let at = 0; at < pixels.length; at += 4) if (pixels[at] < 128) dark += 1;
    return dark;
}"""
