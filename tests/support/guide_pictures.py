"""`make pictures`: the pictures of the secretary's guide, from the pages of the association that greets newcomers.

Starts `justera up` on a new folder, once in each language, and writes docs/images/guide-NAME.LANGUAGE.png.
"""

import asyncio
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, async_playwright

from tests.integration.up.running import Up
from tests.support.browser import chromium
from tests.support.parts import REPOSITORY

_IMAGES = REPOSITORY / "docs" / "images"
_SIZE = {"width": 960, "height": 760}
_COLOURS = 64
_BOARD = {"sv": "Styrelsen sammanträder", "en": "Board meeting"}
_LOCALES = {"sv": "sv-SE", "en": "en-GB"}


async def take(language: str, scratch: Path) -> None:
    up = Up(scratch / language, environment={"JUSTERA_LANGUAGE": language})
    link = await up.start()
    try:
        with chromium(scratch) as address:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.connect_over_cdp(address)
                context = await browser.new_context(locale=_LOCALES[language], viewport=_SIZE)  # type: ignore[arg-type]
                page = await context.new_page()
                await page.goto(link)
                await page.locator("main button").click()
                await _tour(page, up.url, language)
    finally:
        up.end()


async def _tour(page: Page, url: str, language: str) -> None:
    office = f"{url}/meetings/office"
    await page.wait_for_url(f"{url}/")
    await _picture(page, "start", language)
    meeting = await page.get_by_role("link", name=_BOARD[language]).first.get_attribute("href")
    for name, address in (
        ("bodies", f"{office}/bodies"),
        ("year", f"{office}/meetings"),
        ("plan", f"{office}/plan"),
        ("meeting", f"{url}{meeting}"),
        ("agenda", f"{url}{meeting}/agenda"),
        ("notice", f"{url}{meeting}/notice"),
        ("papers", f"{url}{meeting}/papers"),
        ("poll", f"{url}{meeting}/poll/new"),
        ("strike", f"{url}{meeting}/strike"),
    ):
        await page.goto(address)
        await _picture(page, name, language)
    await page.goto(f"{url}/")
    await page.locator("form[action$='/example'] button").click()
    await page.wait_for_url("**/signing/overview/*")
    await _picture(page, "signing", language)


async def _picture(page: Page, name: str, language: str) -> None:
    """In few colours, and so in few bytes."""
    raw = await page.screenshot(scale="css")
    image = Image.open(io.BytesIO(raw)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    image.save(_IMAGES / f"guide-{name}.{language}.png", optimize=True)


async def _all() -> None:
    with tempfile.TemporaryDirectory(prefix="justera-pictures-") as scratch:
        for language in sys.argv[1:] or _LOCALES:
            await take(language, Path(scratch))


if __name__ == "__main__":
    asyncio.run(_all())
