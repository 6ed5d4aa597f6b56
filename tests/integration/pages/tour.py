"""What the walks through the pages share: `tour_signing`, `tour_office`, done by clicking as people do."""

from playwright.async_api import BrowserContext, Locator, Page

from tests.integration.pages.site import LOGIN, Site

# A name for the page, and the page; it is the reader's until the walk goes on.
Stop = tuple[str, Page]


async def first_page(context: BrowserContext) -> Page:
    # It sends a form only once the server has answered, a moment after the click: the walk would be ahead of it. It has
    # tests of its own.
    await context.route("**/drafts*.mjs*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    return await context.new_page()


async def log_in(site: Site, page: Page) -> None:
    await page.goto(f"{site.base}/login?token={LOGIN}")
    await press(page.locator("main button"))


async def press(way: Locator) -> None:
    """A button or a link, and go on once the answer is there: who does not wait presses what is like the next button on
    the page before it, or is gone before the form is."""
    async with way.page.expect_navigation():
        await way.click()
