"""`make pictures`: the pictures of the secretary's guide, from the pages of the association that greets newcomers.

Runs what `justera up` runs on a new folder, once in each language, and writes docs/images/guide-NAME.LANGUAGE.png. It
is always the same moment there, so that pictures made again show what changed on the pages, and nothing else.
"""

import asyncio
import io
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, async_playwright

from services.embedded.greeting import StoryClock
from services.embedded.home import Home
from services.embedded.server import bind
from services.embedded.up import up
from shared.logging import configure_logging
from tests.support.browser import chromium
from tests.support.parts import REPOSITORY
from tests.support.processes import free_ports, until

_IMAGES = REPOSITORY / "docs" / "images"
_SIZE = {"width": 960, "height": 760}
_COLOURS = 64
_BOARD = {"sv": "Styrelsen sammanträder", "en": "Board meeting"}
_NETWORK = {"sv": "Skolcheferna träffas", "en": "Heads of schools meet"}
_ASKED, _SILENT = "karin.ek@norrdalen.example", "leila.noren@tallnas.example"
_LOCALES = {"sv": "sv-SE", "en": "en-GB"}


_MOMENT = datetime(2026, 9, 9, 8, 12, tzinfo=UTC)
_PATIENCE = 120_000  # ms, on a busy machine
_SLOW = 10_000  # times: whatever the pages take, the minute is the same


async def take(language: str, scratch: Path) -> None:
    async with _running(language, scratch / language) as (url, login):
        with chromium(scratch) as address:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.connect_over_cdp(address)
                context = await browser.new_context(
                    locale=_LOCALES[language],
                    viewport=_SIZE,  # type: ignore[arg-type]
                    reduced_motion="reduce",  # a page that is still scrolling is no picture
                )
                context.set_default_timeout(_PATIENCE)
                page = await context.new_page()
                session = await context.new_cdp_session(page)
                await session.send("Emulation.setScrollbarsHidden", {"hidden": True})
                await page.goto(login)
                await page.locator("main button").click()
                await _tour(page, url, language)


@asynccontextmanager
async def _running(language: str, folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Yields the address and the login link, once the association is all there."""
    os.environ["JUSTERA_LANGUAGE"] = language
    (port,) = free_ports(1)
    home, said, began = Home(folder), [""], time.monotonic()
    home.prepare()
    configure_logging(log_format="json", level="INFO", file=home.logs / "justera.log")
    clock = StoryClock(lambda: _MOMENT + timedelta(seconds=(time.monotonic() - began) / _SLOW))
    listener = bind("127.0.0.1", port)
    serving = asyncio.create_task(
        up(home, listener, host="127.0.0.1", port=port, empty=False, say=said.append, clock=clock)
    )

    async def login() -> str | None:
        if serving.done():
            serving.result()
        found = re.search(r"Log in:\s+(\S+)", "\n".join(said))
        return found.group(1) if found and not home.unfinished_greeting.exists() else None

    try:
        yield f"http://127.0.0.1:{port}", await until(login, what="the greeting", seconds=180)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def _tour(page: Page, url: str, language: str) -> None:
    office = f"{url}/meetings/office"
    await page.wait_for_url(f"{url}/")
    await _picture(page, "start", language)
    await page.goto(f"{office}/meetings")
    meeting, next_one, asking = await _chosen(page, url, language)
    for name, address in (
        ("bodies", f"{office}/bodies"),
        ("year", f"{office}/meetings"),
        ("plan", f"{office}/plan"),
        ("meeting", meeting),
        ("replies", f"{meeting}#asked"),
        ("agenda", f"{meeting}/agenda"),
        ("notice", f"{next_one}/notice"),
        ("papers", f"{meeting}/papers"),
        ("poll", f"{asking}/poll"),
        ("strike", f"{meeting}/strike"),
    ):
        await page.goto(address)
        await _picture(page, name, language)
    await _own(page, url, language)
    await page.goto(f"{url}/")
    await page.locator("form[action$='/example'] button").click()
    await page.wait_for_url("**/signing/overview/*")
    await _picture(page, "signing", language)
    await _archive(page, url, language)


async def _chosen(page: Page, url: str, language: str) -> tuple[str, str, str]:
    """From the year's page: the board's meeting whose notice is out, its next one, and the one that needs a date."""
    (month,) = await page.locator("section.now").all()
    board = [
        str(await one.get_attribute("href")) for one in await page.get_by_role("link", name=_BOARD[language]).all()
    ]
    now = str(await month.get_by_role("link", name=_BOARD[language]).get_attribute("href"))
    asking = await page.get_by_role("link", name=_NETWORK[language]).last.get_attribute("href")
    return f"{url}{now}", f"{url}{board[board.index(now) + 1]}", f"{url}{asking}"


async def _own(page: Page, url: str, language: str) -> None:
    """A member's own pages, by the links of mails: one that asks for a date, and a notice that is not answered yet."""
    await page.goto(await _mailed(page, url, "poll=", to=_ASKED, about=_NETWORK[language]))
    await _picture(page, "date", language)
    await page.goto((await _mailed(page, url, "meeting=", to=_SILENT)).partition("?")[0])
    own = page.url.rstrip("/")
    await _picture(page, "own", language)
    await page.locator(".row-title a", has_text=_BOARD[language]).first.click()
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


async def _mailed(page: Page, url: str, part: str, seen: Collection[str] = (), *, to: str = "", about: str = "") -> str:
    """The address with this part that the latest mail has, or the latest one to somebody about something; none seen."""
    mails = page.locator(".rows > li").filter(has_text=to).filter(has_text=about).locator(".row-title a")
    links = page.locator(f".letter a[href*='{part}']")
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
