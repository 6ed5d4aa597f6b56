"""An API's documentation in Chromium: read and tried with nothing but our own files, below where the service hangs."""

import pytest
from playwright.async_api import Browser, ConsoleMessage

from tests.integration.pages.site import ACCESS_TOKEN, Site

pytestmark = pytest.mark.browser


async def test_operations_are_listed_and_tried_with_a_token(site: Site, browser: Browser) -> None:
    page = await (await browser.new_context()).new_page()
    complaints: list[str] = []
    asked: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{site.base}/signing/docs")
    operation = page.locator(".opblock-get").filter(has=page.locator("[data-path='/agreements']"))
    await operation.wait_for()
    assert await page.locator(".opblock").count() > 5

    await page.get_by_role("button", name="Authorize").click()
    await page.get_by_label("auth-bearer-value").fill(ACCESS_TOKEN)
    await page.get_by_role("button", name="Apply credentials").click()
    await page.get_by_role("button", name="Close").click()
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Try it out").click()
    await operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response-col_status")
    await answer.last.wait_for()
    assert "200" in await answer.last.inner_text()

    assert f"{site.base}/signing/openapi.json" in asked
    assert [url for url in asked if not url.startswith((site.base, "data:"))] == []
    assert complaints == []
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
