"""Every page in Chromium: wide and narrow, light and dark, in both languages; axe finds nothing to object to.

A page that the walk forgets is told: each template that is shown by itself must have been.

`JUSTERA_SCREENSHOTS=FOLDER` keeps a picture of each page.
"""

import os
import re
from pathlib import Path
from typing import Any, Literal

import pytest
from fastapi import Request
from playwright.async_api import Browser, Page

from shared.web import Look
from tests.integration.pages.site import Site
from tests.integration.pages.tour import tour
from tests.support.browser import accessibility_violations

ROOT = Path(__file__).parents[3]
WIDTHS = (360, 768, 1280)
ELSEWHERE = {"web/api_docs.html"}  # Swagger UI, in English, tried by test_api_docs

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["sv", "en"])
async def test_every_page_is_accessible_and_fits(
    site: Site,
    browser: Browser,
    minutes_pdf: bytes,
    language: str,
    scheme: Literal["light", "dark"],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = _templates_shown(monkeypatch)
    seen: set[str] = set()
    context = await browser.new_context(color_scheme=scheme, locale={"sv": "sv-SE", "en": "en-GB"}[language])
    troubles: list[str] = []
    async for name, page in tour(site, context, minutes_pdf, language):
        # After a form was sent: before its stylesheet is there, links have no colour of ours.
        await page.wait_for_load_state()
        assert await page.get_attribute("html", "lang") == language, name
        seen.add(shown[-1])
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            troubles += [f"{name} at {width}: {trouble}" for trouble in await _troubles(page)]
            await _keep_picture(page, f"{name}-{language}-{scheme}-{width}")
    assert not troubles, "\n".join(troubles)
    assert seen == _pages() - ELSEWHERE


def _templates_shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The template of each page that is made from now on."""
    shown: list[str] = []
    make = Look.page

    def page(look: Look, request: Request, template: str, *arguments: Any, **facts: Any) -> Any:
        shown.append(template)
        return make(look, request, template, *arguments, **facts)

    monkeypatch.setattr(Look, "page", page)
    return shown


def _pages() -> set[str]:
    """The templates that are pages: nothing else is made of them."""
    folders = [*ROOT.glob("services/*/pages/templates"), ROOT / "shared" / "web" / "templates"]
    texts = {str(path.relative_to(one)): path.read_text() for one in folders for path in one.rglob("*.html")}
    used = re.compile(r'{%-? *(?:extends|import|include) "([^"]+)"')
    return texts.keys() - {name for text in texts.values() for name in used.findall(text)}


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
