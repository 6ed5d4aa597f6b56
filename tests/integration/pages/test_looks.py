"""Every page in Chromium: wide and narrow, light and dark, in both languages; axe finds nothing to object to.

A page that the walks forget is told: each template that is shown by itself must have been.

In the dark a page differs by its colours alone (`test_stylesheet` says so), so there axe tries the rules on colours.

`JUSTERA_SCREENSHOTS=FOLDER` keeps a picture of each page.
"""

import os
import re
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from fastapi import Request
from playwright.async_api import Browser, Page

from shared.web import Look
from tests.integration.pages.site import Site
from tests.integration.pages.tour import Stop
from tests.integration.pages.tour_office import office
from tests.integration.pages.tour_signing import signing
from tests.support.browser import COLOUR_RULES, accessibility_violations

Scheme = Literal["light", "dark"]

ROOT = Path(__file__).parents[3]
WIDTHS = (360, 768, 1280)
LOCALES = {"sv": "sv-SE", "en": "en-GB"}
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
ELSEWHERE = {"web/api_docs.html"}  # Swagger UI, in English, tried by test_api_docs
TEMPLATES = {*ROOT.glob("services/*/pages/templates"), ROOT / "shared" / "web" / "templates"}
MEETINGS = ROOT / "services" / "meetings" / "pages" / "templates"

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("language", LOCALES)
async def test_every_page_of_the_office_is_accessible_and_fits(
    site: Site, browser: Browser, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = await browser.new_context(locale=LOCALES[language])
    seen = await _walk(office(site, context), language, monkeypatch)
    assert seen == _pages([MEETINGS])


@pytest.mark.parametrize("language", LOCALES)
async def test_every_page_of_signing_and_of_copies_is_accessible_and_fits(
    site: Site, browser: Browser, minutes_pdf: bytes, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = await browser.new_context(locale=LOCALES[language])
    seen = await _walk(signing(site, context, minutes_pdf, language), language, monkeypatch)
    assert seen == _pages(TEMPLATES - {MEETINGS}) - ELSEWHERE


async def _walk(stops: AsyncIterator[Stop], language: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The templates that were shown; what is wrong with the pages fails."""
    shown = _templates_shown(monkeypatch)
    seen: set[str] = set()
    troubles: list[str] = []
    async for name, page in stops:
        # After a form was sent: before its stylesheet is there, links have no colour of ours.
        await page.wait_for_load_state()
        assert await page.get_attribute("html", "lang") == language, name
        seen.add(shown[-1])
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            for scheme in SCHEMES:
                await page.emulate_media(color_scheme=scheme)
                troubles += [f"{name} at {width}, {scheme}: {trouble}" for trouble in await _troubles(page, scheme)]
                await _keep_picture(page, f"{name}-{language}-{scheme}-{width}")
    assert not troubles, "\n".join(troubles)
    return seen


def _templates_shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The template of each page that is made from now on."""
    shown: list[str] = []
    make = Look.page

    def page(look: Look, request: Request, template: str, *arguments: Any, **facts: Any) -> Any:
        shown.append(template)
        return make(look, request, template, *arguments, **facts)

    monkeypatch.setattr(Look, "page", page)
    return shown


def _pages(folders: Collection[Path]) -> set[str]:
    """The templates in these folders that are pages: nothing else is made of them."""
    texts = {str(path.relative_to(one)): path.read_text() for one in TEMPLATES for path in one.rglob("*.html")}
    used = re.compile(r'{%-? *(?:extends|import|include|from) "([^"]+)"')
    here = {str(path.relative_to(one)) for one in folders for path in one.rglob("*.html")}
    return here - {name for text in texts.values() for name in used.findall(text)}


async def _troubles(page: Page, scheme: Scheme) -> list[str]:
    found = await accessibility_violations(page, *(COLOUR_RULES if scheme == "dark" else ()))
    if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("the page scrolls sideways")
    faults = await page.locator(".error-summary a").all_inner_texts()
    if len(set(faults)) < len(faults):
        found.append(f"what is wrong is said twice, not of which field: {faults}")
    return found


async def _keep_picture(page: Page, name: str) -> None:
    if folder := os.environ.get("JUSTERA_SCREENSHOTS"):
        await page.wait_for_timeout(150)
        picture = Path(folder) / f"{name}.png"
        session = await page.context.new_cdp_session(page)
        await session.send("Emulation.setScrollbarsHidden", {"hidden": True})
        await page.screenshot(path=picture, full_page="document" not in name)
