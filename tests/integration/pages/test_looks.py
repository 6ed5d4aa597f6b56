"""Every page in Chromium: wide and narrow, light and dark, in both languages; axe finds nothing to object to.

`JUSTERA_SCREENSHOTS=FOLDER` keeps a picture of each page.
"""

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Page

from tests.integration.pages.site import Site
from tests.integration.pages.tour import tour
from tests.support.browser import accessibility_violations

WIDTHS = (360, 768, 1280)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["sv", "en"])
async def test_every_page_is_accessible_and_fits(
    site: Site, browser: Browser, minutes_pdf: bytes, language: str, scheme: Literal["light", "dark"]
) -> None:
    context = await browser.new_context(color_scheme=scheme, locale={"sv": "sv-SE", "en": "en-GB"}[language])
    troubles: list[str] = []
    async for name, page in tour(site, context, minutes_pdf, language):
        assert await page.get_attribute("html", "lang") == language, name
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            troubles += [f"{name} at {width}: {trouble}" for trouble in await _troubles(page)]
            await _keep_picture(page, f"{name}-{language}-{scheme}-{width}")
    assert not troubles, "\n".join(troubles)


async def _troubles(page: Page) -> list[str]:
    found = await accessibility_violations(page)
    if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("the page scrolls sideways")
    return found


async def _keep_picture(page: Page, name: str) -> None:
    if folder := os.environ.get("JUSTERA_SCREENSHOTS"):
        await page.wait_for_timeout(150)
        picture = Path(folder) / f"{name}.png"
        session = await page.context.new_cdp_session(page)
        await session.send("Emulation.setScrollbarsHidden", {"hidden": True})
        await page.screenshot(path=picture, full_page="document" not in name)
