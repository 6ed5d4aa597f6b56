"""`make pictures`: the pictures of the secretary's guide, from the pages of the association that greets newcomers.

Starts `justera up` on a new folder, once in each language, and writes docs/images/guide-NAME.LANGUAGE.png.
"""

import asyncio
import io
import sys
import tempfile
from collections.abc import Collection
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
    await _own(page, url, f"{url}{meeting}", language)
    await page.goto(f"{url}/")
    await page.locator("form[action$='/example'] button").click()
    await page.wait_for_url("**/signing/overview/*")
    await _picture(page, "signing", language)
    await _archive(page, url, language)


async def _own(page: Page, url: str, meeting: str, language: str) -> None:
    """A member's own pages, by the link of a mail that asks for a date."""
    await page.goto(f"{meeting}/poll/new")
    for number in range(2):
        await page.locator("input[name=time]").nth(number).check()
    await page.locator("main form[method=post] .button").last.click()
    await page.wait_for_url("**/poll?done=*")
    await page.goto(await _mailed(page, url, "poll="))
    await _picture(page, "date", language)
    own = page.url.partition("/polls/")[0]
    await page.goto(own)
    await _picture(page, "own", language)
    await page.locator(".row-title a").first.click()
    await page.wait_for_url(f"{own}/meetings/*")
    await _picture(page, "reply", language)
    await page.goto(f"{page.url.partition('?')[0]}/propose")
    await _picture(page, "propose", language)


async def _archive(page: Page, url: str, language: str) -> None:
    """The document whose page is open is sent, signed by all, and sealed."""
    await page.locator(".actions button").first.click()
    seen: set[str] = set()
    for _ in range(3):
        link = await _mailed(page, url, "/signing/s/", seen)
        seen.add(link)
        await page.goto(link)
        await page.locator("form .button").first.click()
        await page.locator(".viewer[data-ready=true]").wait_for()
        name = page.locator("#sign #name")
        if await name.count():
            await name.fill("Karin Ek")
        await page.locator("#sign .button").click()
        await page.locator(".viewer").wait_for(state="detached")
    await page.goto(await _mailed(page, url, "/archive/copies/"))
    await _picture(page, "copy", language)


async def _mailed(page: Page, url: str, part: str, seen: Collection[str] = ()) -> str:
    """The address with this part that the latest mail has, once it came; none that was seen."""
    mails, links = page.locator(".row-title a"), page.locator(f".letter a[href*='{part}']")
    for _ in range(120):
        await page.goto(f"{url}/notifications/inbox")
        if await mails.count():
            await mails.first.click()
            await page.wait_for_url("**/inbox/*")
        if await links.count():
            found = str(await links.first.get_attribute("href"))
            if found not in seen:
                return found
        await page.wait_for_timeout(500)
    raise TimeoutError(part)


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
