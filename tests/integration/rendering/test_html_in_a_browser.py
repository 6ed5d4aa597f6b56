"""Minutes as HTML in Chromium: axe finds nothing to object to, and nothing leaves a narrow window."""

from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from shared.rendering.html import minutes_html
from shared.rendering.minutes import Language
from tests.integration.rendering.sample import full_minutes
from tests.integration.rendering.test_pages import LONG, TABLE
from tests.support.browser import accessibility_violations, chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("language", ["sv", "en"])
async def test_minutes_as_html_are_accessible_and_fit(tmp_path: Path, language: Language) -> None:
    minutes = full_minutes(language)
    first, *others = minutes.paragraphs
    minutes = minutes.model_copy(
        update={
            "place": LONG["a link"],
            "paragraphs": (first.model_copy(update={"blocks": (*first.blocks, TABLE)}), *others),
        }
    )
    with chromium(tmp_path) as endpoint:
        async with async_playwright() as driver:
            page = await (await driver.chromium.connect_over_cdp(endpoint)).new_page()
            await page.set_content(minutes_html(minutes))
            for width in (360, 1280):
                await page.set_viewport_size({"width": width, "height": 900})
                assert await accessibility_violations(page) == []
                assert await page.evaluate(
                    "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
                )
