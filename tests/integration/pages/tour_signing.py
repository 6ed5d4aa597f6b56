"""A walk by browser through the pages of signing, of what is mailed, and of sealed copies."""

from collections.abc import AsyncIterator

from playwright.async_api import BrowserContext, Page

from shared.links import holder_of
from tests.integration.pages.site import ARCHIVED, COPY, LOGIN, Extracts, Site, invitation_mail, letter
from tests.integration.pages.tour import Stop, first_page, press
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, ALTERNATE, CHAIR, SECRETARY

OTHER_AGREEMENT = AGREEMENT_ID[::-1]
NORA = "nora.vik@bjorka.example"


async def signing(site: Site, context: BrowserContext, pdf: bytes, language: str) -> AsyncIterator[Stop]:
    """Each page in turn with a name for it. `pdf`: the minutes that are signed."""
    page = await first_page(context)
    async for stop in _sender_before(site, page, pdf, language):
        yield stop
    async for stop in _inbox(site, page):
        yield stop
    async for stop in _signers(site, page):
        yield stop
    async for stop in _sender_after(site, page):
        yield stop
    async for stop in _declined(site, page, pdf, language):
        yield stop
    async for stop in _copies(site, page, language):
        yield stop


async def _sender_before(site: Site, page: Page, pdf: bytes, language: str) -> AsyncIterator[Stop]:
    await page.goto(site.base)
    yield "welcome", page
    await page.goto(f"{site.base}/signing/overview")
    yield "login-needed", page
    await press(page.locator("main a"))
    await page.fill("#token", "wrong")
    await press(page.locator("form .button"))
    yield "login-by-token-wrong", page
    await page.goto(f"{site.base}/login?token={LOGIN}")
    yield "login", page
    await press(page.locator("main button"))
    yield "home", page
    await page.goto(f"{site.base}/signing/overview")
    yield "overview-empty", page
    await site.draft(pdf, language)
    await page.reload()
    yield "overview-ready", page
    await press(page.locator(".row-title a"))
    yield "agreement-ready", page
    await press(page.locator(".actions button"))
    yield "agreement-sent", page
    agreement = f"{site.base}/signing/overview/{AGREEMENT_ID}"
    await page.goto(f"{agreement}/cancel")
    await press(page.locator("form .button"))
    yield "cancel-wrong", page
    await page.goto(f"{agreement}/alternate/{await site.flow.id(CHAIR)}")
    yield "alternate", page
    await page.fill("#email", "olof.berg")
    await page.fill("#name", "x" * 3)
    await press(page.locator("form .button"))
    yield "alternate-wrong", page


async def _inbox(site: Site, page: Page) -> AsyncIterator[Stop]:
    await page.goto(f"{site.base}/notifications/inbox")
    yield "inbox-empty", page
    invited = site.mails.add(invitation_mail(f"{site.base}/meetings/my/token"))
    await page.goto(f"{site.base}/notifications/inbox/{invited}")
    yield "mail-invitation", page
    del site.mails.kept[invited]
    await page.goto(f"{site.base}/notifications/inbox")
    site.mails.add(letter(await site.link(SECRETARY)))
    await page.reload()
    yield "inbox", page
    await press(page.locator(".row-title a"))
    yield "mail", page


async def _signers(site: Site, page: Page) -> AsyncIterator[Stop]:
    await press(page.locator(".letter a"))
    yield "start", page
    await press(page.locator("form .button"))
    await page.locator(".viewer[data-ready=true]").wait_for()
    yield "document", page
    await page.locator("[data-act=text]").click()
    yield "document-text", page
    await press(page.locator("section#sign a"))
    yield "decline", page
    await press(page.locator("form .button"))
    yield "decline-wrong", page
    await press(page.locator(".actions a"))
    site.flow.tick(60)
    await press(page.locator("#sign .button"))
    yield "receipt", page
    await page.goto(await site.link(ADJUSTER))
    yield "not-your-turn", page
    await page.goto(await site.link(CHAIR))
    await press(page.locator("form .button"))
    await page.locator(".viewer[data-ready=true]").wait_for()
    await press(page.locator("#sign .button"))
    await page.locator(".viewer[data-ready=true]").wait_for()
    yield "document-wrong", page
    await page.goto(f"{site.base}/signing/s/{'x' * 40}")
    yield "bad-link", page
    await page.context.clear_cookies(name="justera_signer")
    await page.goto(f"{site.base}/signing/sign/{await site.flow.id(CHAIR)}")
    yield "no-visit", page


async def _sender_after(site: Site, page: Page) -> AsyncIterator[Stop]:
    await site.flow.deliver(SECRETARY)
    await site.flow.deliver(CHAIR)
    await site.flow.sign(CHAIR, "Olof Berg")
    await site.flow.deliver(ADJUSTER)
    await site.flow.bounce(ADJUSTER)
    await page.goto(f"{site.base}/signing/overview")
    yield "overview-bounced", page
    await press(page.locator(".row-title a"))
    yield "agreement-bounced", page
    async for stop in _remedies(site, page):
        yield stop
    await page.goto(f"{site.base}/signing/overview/{AGREEMENT_ID}")
    await press(page.locator(".notice.warning a.secondary"))
    await page.fill("#email", ALTERNATE)
    await press(page.locator("form .button"))
    yield "agreement-alternate", page
    await page.goto(await site.link(ALTERNATE))
    yield "start-alternate", page
    await site.flow.sign(ALTERNATE, "Sven Dahl")
    await page.goto(await site.link(ADJUSTER))
    yield "signed-by-other", page
    await site.flow.deliver(ALTERNATE, "alternate-request")
    await page.goto(await site.link(ALTERNATE))
    yield "receipt-completed", page
    await page.goto(f"{site.base}/signing/overview/{AGREEMENT_ID}")
    yield "agreement-completed", page
    await page.goto(f"{site.base}/signing/overview/{AGREEMENT_ID}/link/{await site.flow.id(CHAIR)}")
    yield "link-ended", page
    await site.flow.archived(b"%PDF-1.7")
    await page.goto(f"{site.base}/signing/overview/{AGREEMENT_ID}/links")
    yield "links", page
    await press(page.locator("form .button").first)
    yield "agreement-links-ended", page


async def _remedies(site: Site, page: Page) -> AsyncIterator[Stop]:
    agreement = f"{site.base}/signing/overview/{AGREEMENT_ID}"
    await page.goto(f"{agreement}/address/{await site.flow.id(ADJUSTER)}")
    await page.fill("#email", "sven.dahl")
    await press(page.locator("form .button"))
    yield "address-wrong", page
    await page.goto(f"{agreement}/link/{await site.flow.id(ADJUSTER)}")
    yield "link", page
    await page.goto(f"{agreement}/deadline")
    yield "deadline", page
    await page.fill("input[type=date]", "2021-01-01")
    await press(page.locator("form .button"))
    yield "deadline-wrong", page


async def _declined(site: Site, page: Page, pdf: bytes, language: str) -> AsyncIterator[Stop]:
    """Another agreement, which its first signer declines."""
    await site.draft(pdf, language, agreement_id=OTHER_AGREEMENT)
    await page.goto(f"{site.base}/signing/overview/{OTHER_AGREEMENT}")
    await press(page.locator(".actions button"))
    await page.goto(await site.link(SECRETARY, agreement_id=OTHER_AGREEMENT))
    await press(page.locator("form .button"))
    await press(page.locator("section#sign a"))
    await page.fill("#reason", "§ 28: tacket till ledningen saknas")
    await press(page.locator("form .button"))
    yield "declined-by-you", page
    await page.goto(await site.link(CHAIR, agreement_id=OTHER_AGREEMENT))
    yield "declined-by-other", page
    await page.goto(f"{site.base}/signing/overview/{OTHER_AGREEMENT}")
    yield "agreement-declined", page
    await page.goto(f"{site.base}/signing/logins")
    yield "logins", page


async def _copies(site: Site, page: Page, language: str) -> AsyncIterator[Stop]:
    site.copies.language = language
    await page.goto(f"{site.base}/archive/extracts/{COPY}")
    await press(page.locator("form .button.primary"))
    yield "extracts-wrong", page
    await page.select_option("#paragraph", "29")
    await page.fill("#certified_by", "Wilhelmina Sjöström-Häggkvist, registrator")
    await press(page.locator("form .button.primary"))
    yield "extracts", page
    await press(page.get_by_role("link", name="Skicka, och vilka" if language == "sv" else "Send it, and who"))
    await press(page.locator("form .button.primary"))
    yield "extract-people-wrong", page
    said = {
        "name": "Nora Vik",
        "email": NORA,
        "sender_name": "Maja Lind",
        "sender_email": "maja.lind@norrdalen.example",
    }
    for name, text in said.items():
        await page.fill(f"#{name}", text)
    await press(page.locator("form .button.primary"))
    yield "extract-people", page
    site.extracts.language = language
    await page.goto(site.extract_link(NORA))
    yield "extract-sent", page
    site.extracts.opens_until = ARCHIVED.replace(year=2021)
    await page.goto(site.extract_link(NORA))
    yield "extract-closed", page
    site.extracts.opens_until = Extracts.opens_until
    await page.goto(f"{site.base}/archive/extracts/{COPY}/1/people")
    await press(page.locator("section[aria-labelledby=sent] button"))
    yield "extract-people-ended", page
    await page.goto(site.extract_link(NORA))
    yield "extract-ended", page
    await page.goto(site.copy_link())
    yield "copy", page
    site.copies.opens_until = ARCHIVED.replace(year=2021)
    await page.goto(site.copy_link())
    yield "copy-closed", page
    site.copies.ended = {holder_of(COPY, SECRETARY): 2}
    await page.goto(site.copy_link())
    yield "copy-ended", page
