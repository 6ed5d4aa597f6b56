"""A paragraph of a draft in Chromium: its page beside the text, on a phone below it, and nothing that is typed lost."""

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.integration.pages.test_looks import _troubles
from tests.integration.pages.test_manuscripts import written
from tests.integration.pages.test_office import visitor as visitor
from tests.integration.pages.test_sitting_browser import page as page
from tests.integration.pages.test_sittings import Held
from tests.integration.pages.test_sittings import held as held

pytestmark = pytest.mark.browser


async def at_a_paragraph(page: Page, held: Held) -> str:
    """Its address, without what was done."""
    at = f"{held.visitor.site.base}{await written(held)}/paragraphs/p1"
    await page.goto(at)
    await expect(page.locator("[data-picture] img")).to_have_count(1)
    return at


async def test_the_page_follows_what_is_typed_and_stays_while_it_cannot_be_read(page: Page, held: Held) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await at_a_paragraph(page, held)
    picture = page.locator("[data-picture] img")
    before = await picture.get_attribute("src")
    await page.fill("#below", "### Beslut\n\nEtt helt annat beslut.")
    await expect(picture).not_to_have_attribute("src", before or "")
    now = await picture.get_attribute("src")
    await page.fill("#below", "#### Nej")
    await expect(page.locator("[data-picture] .error")).to_contain_text("bilden visar hur det såg ut senast")
    await expect(picture).to_have_attribute("src", now or "")
    found = await held.visitor.site.meetings.commands.manuscripts.manuscript("norrdalen", held.meeting_id)
    assert found.version == 1
    assert not complaints


@pytest.mark.parametrize("width", [360, 1280])
async def test_the_page_stands_beside_the_text_or_on_a_phone_below_it(page: Page, held: Held, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 900})
    await at_a_paragraph(page, held)
    assert await _troubles(page, "light") == []
    text, picture = await page.locator("#below").bounding_box(), await page.locator("[data-picture]").bounding_box()
    assert text is not None
    assert picture is not None
    if width == 360:
        assert picture["y"] > text["y"] + text["height"]
    else:
        assert picture["x"] > text["x"] + text["width"]
    if folder := os.environ.get("JUSTERA_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"manuscript-beside-{width}.png", full_page=True)


async def test_what_is_typed_stays_over_a_closed_window(page: Page, held: Held) -> None:
    at = await at_a_paragraph(page, held)
    await page.fill("#below", "Skrivet på tåget.")
    await page.goto(f"{held.visitor.site.base}{held.at}")
    await page.goto(at)
    await expect(page.locator("#below")).to_have_value("Skrivet på tåget.")
    await expect(page.locator("form .draft")).to_contain_text("finns kvar")
    await page.get_by_role("button", name="Spara", exact=True).click()
    await expect(page).to_have_url(re.compile("done=paragraph-saved"))
    await page.goto(at)
    await expect(page.locator("form .draft")).to_have_count(0)


async def test_a_file_that_is_too_large_is_told_of_before_it_is_sent(page: Page, held: Held) -> None:
    await page.goto(f"{held.visitor.site.base}{held.at.removesuffix('sitting')}manuscript/word")
    form = page.locator("form[data-most]")
    assert await form.get_attribute("data-most") == str(20 * 1024**2)
    await form.evaluate("one => { one.dataset.most = '10'; }")
    await page.set_input_files("#file", {"name": "a.docx", "mimeType": "", "buffer": b"x" * 11})
    await page.get_by_role("button", name="Läs in filen").click()
    await expect(page.get_by_role("alert")).to_contain_text("Filen är för stor.")
    assert page.url.endswith("/manuscript/word")
    await page.set_input_files("#file", {"name": "a.docx", "mimeType": "", "buffer": b"x"})
    await page.get_by_role("button", name="Läs in filen").click()
    await expect(page.locator("#file-error")).to_contain_text("Filen är inget Word-dokument.")
    await page.locator("form[data-most]").evaluate("one => { one.dataset.most = '10'; }")
    await page.set_input_files("#file", {"name": "a.docx", "mimeType": "", "buffer": b"x" * 11})
    await expect(page.locator("form .error")).to_have_count(1)  # of the file that is chosen now
    annexes = f"{held.at.removesuffix('sitting')}annexes"
    for at, largest in ((annexes, ""), ("/meetings/office/plan", "262"), ("/meetings/office/register", "1")):
        await page.goto(f"{held.visitor.site.base}{at}")
        await page.locator("form[data-most]").evaluate("one => { one.dataset.most = '10'; }")
        await page.set_input_files("#file", {"name": "a.txt", "mimeType": "", "buffer": b"x" * 11})
        await expect(page.get_by_role("alert")).to_contain_text(f"den får vara högst {largest}")
