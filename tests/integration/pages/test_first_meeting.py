"""A secretary with an empty system schedules the first meeting and sends its notice, led by the pages alone:
the meeting is there in under three minutes.

Reckoned as the keystroke-level model does (Card, Moran and Newell 1980): 1.35 s to think before each field and button,
1.1 s to point, 0.2 s to press, 0.28 s a key of an average typist; and 1 s for each page to come.
"""

from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, expect

from shared.auth import SESSION_COOKIE
from tests.integration.pages.site import TOKEN, Site

pytestmark = pytest.mark.browser

_THINK, _POINT, _PRESS, _KEY, _PAGE = 1.35, 1.1, 0.2, 0.28, 1.0
_READ = 10.0  # seconds that a page which was never seen is read before anything is done


@dataclass
class Walk:
    page: Page
    seconds: float = 0.0
    presses: int = 0
    fields: int = 0

    async def arrive(self) -> None:
        self.seconds += _PAGE + _READ

    async def press(self, role: str, name: str) -> None:
        await self.page.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]
        self.presses += 1
        self.seconds += _THINK + _POINT + _PRESS

    async def type(self, label: str, text: str) -> None:
        await self.page.get_by_label(label, exact=True).fill(text)
        self.fields += 1
        self.seconds += _THINK + _POINT + _PRESS + _KEY * len(text)

    async def choose(self, label: str, option: str) -> None:
        await self.page.get_by_label(label, exact=True).select_option(label=option)
        self.fields += 1
        self.seconds += _THINK + 2 * (_POINT + _PRESS)


@pytest.mark.parametrize("width", [1280, 360])
async def test_the_first_meeting_is_there_in_under_three_minutes_and_its_notice_two_presses_later(
    site: Site, browser: Browser, width: int
) -> None:
    context = await browser.new_context(locale="sv-SE", viewport={"width": width, "height": 900})
    cookie = await site.session(TOKEN)
    await context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": site.base}])
    walk = Walk(await context.new_page())
    await walk.page.goto(site.base)
    await walk.arrive()
    await walk.press("link", "Lägg till styrelsen och andra organ")
    await walk.arrive()
    await walk.type("Namn", "Styrelsen")
    await walk.press("button", "Spara")
    await walk.arrive()
    await walk.press("link", "Lägg till ledamot")
    await walk.arrive()
    await walk.press("link", "Ny person")
    await walk.arrive()
    await walk.type("Namn", "Olof Berg")
    await walk.type("E-postadress", "olof.berg@bjorka.example")
    await walk.press("button", "Spara och välj roll")
    await walk.arrive()
    await walk.choose("Roll", "Ordförande")
    await walk.press("button", "Spara")
    await walk.arrive()
    await walk.press("link", "Nytt möte")
    await walk.arrive()
    await expect(walk.page.get_by_label("Organ", exact=True).locator("option:checked")).to_have_text("Styrelsen")
    await walk.type("Datum", "2030-02-01")
    await walk.type("Börjar", "09:00")
    await walk.type("Slutar", "12:00")
    await walk.type("Plats", "Forsby")
    await walk.press("button", "Lägg in mötet")
    await expect(walk.page.get_by_role("status")).to_contain_text("inlagt")
    await walk.arrive()
    assert walk.seconds < 180
    assert (walk.presses, walk.fields) == (8, 8)
    await walk.press("link", "Skicka kallelsen")
    await walk.arrive()
    await walk.press("button", "Skicka kallelsen nu")
    await expect(walk.page.get_by_role("status")).to_contain_text("Kallelsen")
    assert (walk.presses, walk.fields) == (10, 8)
    assert await walk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
