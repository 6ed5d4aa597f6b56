"""Hostile words wherever people's words are shown, in a real browser on a narrow phone: they are words, and they fit.

No script of theirs runs, nothing is embedded, our own policy is not broken, and no page scrolls sideways.
"""

from collections.abc import AsyncIterator, Callable

import pytest
from playwright.async_api import Browser, Page

from shared.events import Person, SignerInvitation
from shared.rendering.minutes import MinutesDocument
from shared.rendering.render import render_minutes
from tests.integration.pages.site import LOGIN, Site
from tests.integration.rendering.sample import CREATED, sample_minutes
from tests.integration.signing.flow import message
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, CHAIR, SECRETARY, draft

pytestmark = [pytest.mark.slow, pytest.mark.browser]

_RAN = "globalThis.hostile = true"
TEXTS = {  # a name takes 200 characters
    "markup": f'<script>{_RAN}</script>"><img src=x onerror="{_RAN}"><svg onload=\'{_RAN}\'>'
    f"' autofocus onfocus='{_RAN}'",
    "templates": '{{ 7 * 7 }} {% raw %} ${7*7} #eval("1") <%= 7 %> javascript:' + _RAN + "</textarea></title>"
    "<base href=//x.example><meta http-equiv=refresh content=0>",
    "long words": "Donaudampfschifffahrtsgesellschaft" * 3 + " https://norrdalen.example/" + "a" * 60,
    # What the rule of text lets in: what no document can show is refused before (tests/unit/test_text.py).
    "other scripts": "שלום עולם العربية 123 abc Ελληνικά Кириллица" + " e\u0301\u0302\u0303" * 8,
}


class Watch:
    """What the browser complained of, and what it asked of others."""

    def __init__(self, page: Page, base: str) -> None:
        self.troubles: list[str] = []
        self.page = page
        page.on("dialog", lambda dialog: self.troubles.append(f"dialog: {dialog.message}"))
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("request", lambda request: self._check_own(request.url, base))
        page.on("console", lambda said: self._check_said(said.type, said.text))

    def _check_said(self, kind: str, text: str) -> None:
        """A page that refuses a form is told as an error, too: `the server responded with a status of 422`."""
        if kind == "error" and "status of 4" not in text:
            self.troubles.append(text)

    def _check_own(self, url: str, base: str) -> None:
        if not url.startswith((base, "data:", "blob:")):
            self.troubles.append(f"asked {url}")

    async def check(self, where: str) -> None:
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        if over := await self.page.evaluate(wide):
            self.troubles.append(f"scrolls sideways by {over}")
        if await self.page.evaluate("'hostile' in globalThis || document.querySelector('main img, base') !== null"):
            self.troubles.append("their markup is ours")
        assert self.troubles == [], where

    async def open(self, address: str) -> None:
        await self.page.goto(address)
        await self.check(address)


@pytest.fixture
async def watched(site: Site, browser: Browser) -> AsyncIterator[Callable[[], Watch]]:
    context = await browser.new_context(locale="sv-SE", viewport={"width": 360, "height": 800})
    context.set_default_timeout(30_000)
    page = await context.new_page()
    yield lambda: Watch(page, site.base)
    await context.close()


def hostile_minutes(text: str) -> bytes:
    minutes = sample_minutes()
    everywhere = {"title": text, "place": text, "secretary": text, "body": text}
    return render_minutes(MinutesDocument.model_validate(minutes.model_dump() | everywhere), at=CREATED)


async def draft_hostile(site: Site, text: str) -> None:
    """Every text of an agreement is `text`: the document's and the sender's names, roles, a signer's name."""
    pdf = await site.flow.blobs.put("norrdalen", hostile_minutes(text), "application/pdf")
    signers = [
        SignerInvitation(role=text, email=SECRETARY, name=text),
        SignerInvitation(role="chair", email=CHAIR),
        SignerInvitation(role="adjuster", email=ADJUSTER, name=text),
    ]
    drafted = draft(signers=signers, sender=Person(email="karin.ek@norrdalen.example", name=text))
    event = drafted.model_copy(update={"pdf": pdf, "document_name": text})
    await site.flow.bring(message(event, site.flow.tick(), key="meeting-1"))


@pytest.mark.parametrize("kind", TEXTS)
async def test_hostile_words_are_words_on_every_page(kind: str, site: Site, watched: Callable[[], Watch]) -> None:
    text = TEXTS[kind]
    await draft_hostile(site, text)
    watch = watched()
    page = watch.page
    await page.goto(f"{site.base}/login?token={LOGIN}")
    await page.locator("main button").click()
    overview, agreement = f"{site.base}/signing/overview", f"{site.base}/signing/overview/{AGREEMENT_ID}"
    for address in (overview, agreement):
        await watch.open(address)
    await page.locator(".actions button").click()
    await site.flow.deliver(SECRETARY)
    await site.flow.bounce(SECRETARY)
    request = await site.flow.id(SECRETARY)
    for address in (overview, agreement, f"{agreement}/cancel", f"{agreement}/alternate/{request}"):
        await watch.open(address)
    await page.fill("#email", text[:200])
    await page.fill("#name", "\u202e" + text)
    await page.locator("form .button").click()
    await page.locator(".error-summary").wait_for()
    await watch.check("what was typed is shown again")

    await page.goto(await site.link(SECRETARY))
    await watch.check("start")
    await page.locator("form .button").click()
    await page.locator(".viewer[data-ready=true]").wait_for()
    await page.locator("[data-act=text]").click()
    await watch.check("document")
    await site.flow.sign(SECRETARY)
    await page.goto(await site.link(SECRETARY))
    await watch.check("receipt")

    await page.goto(await site.link(CHAIR))
    await page.locator("form .button").click()
    await page.fill("#name", "\u202e" + text)
    await page.locator("#sign .button").click()
    await page.locator(".error-summary").wait_for()
    await watch.check("a name that is refused")
    await page.locator("section#sign a").click()
    await page.fill("#reason", text)
    await page.locator("form .button").click()
    await page.get_by_role("heading", name="Du har avböjt att signera").wait_for()
    await watch.check("ended by a hostile reason")
    for address in (await site.link(ADJUSTER), overview, agreement):
        await watch.open(address)

    site.copies.document_name = text
    await page.goto(site.copy_link())
    await watch.check("copy")
