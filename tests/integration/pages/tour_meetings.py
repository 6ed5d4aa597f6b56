"""The part of the office's walk that plans, prepares and holds meetings."""

from collections.abc import AsyncIterator

from playwright.async_api import Page

from tests.integration.pages.site import Site
from tests.integration.pages.tour import Stop, press
from tests.unit.rendering.test_binding import pdf_of

_LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><circle cx="2" cy="2" r="2"/></svg>'
_PLAN = """plan: 2023
year: 2023
bodies:
  styrelsen:
    title: Styrelsen sammanträder
    time: 09:00-12:00
    mode: digital
    meetings: [{date: 2023-02-24}, {date: 2023-04-06}, {date: 2023-05-05, occasion: constituting}]
"""


async def meetings(site: Site, page: Page) -> AsyncIterator[Stop]:
    """Of a body that is there."""
    at = f"{site.base}/meetings/office/meetings"
    await page.goto(at)
    yield "meetings-empty", page
    await press(page.locator("main .button.primary"))
    await press(page.locator("form .button"))
    yield "meeting-wrong", page
    for day, title in (("2022-09-23", ""), ("2022-11-25", ""), ("2022-12-16", "Utbildning för ny styrelse")):
        await page.goto(f"{at}/new")
        await page.fill("#date", day)
        await page.fill("#begins_at", "09:00")
        await page.fill("#ends_at", "12:00")
        await page.select_option("#mode", "digital")
        await page.fill("#title", title)
        await press(page.locator("form .button"))
    yield "meeting", page
    meeting = page.url.partition("?")[0]
    async for stop in agendas(page, meeting):
        yield stop
    async for stop in notices(page, meeting):
        yield stop
    await page.goto(f"{at}/new")
    await page.fill("#date", "2022-11-04")
    await page.fill("#begins_at", "13:00")
    await page.fill("#ends_at", "15:00")
    await page.fill("#place", "Björka")
    await press(page.locator("form .button"))
    yield "meeting-clash", page
    await press(page.locator("form .button"))
    await page.goto(at)
    yield "meetings", page
    await page.goto(f"{site.base}/meetings/office/plan")
    yield "plan-empty", page
    await page.fill("#text", _PLAN.replace("2023-05-05", "2023-02-30"))
    await press(page.locator("[value=check]"))
    yield "plan-wrong", page
    await page.fill("#text", _PLAN)
    await press(page.locator("[value=check]"))
    yield "plan", page
    await press(page.locator("[value=apply]"))
    yield "plan-applied", page
    await page.goto(f"{site.base}/meetings/office/letterhead")
    yield "letterhead-empty", page
    await page.fill("#colour", "#ffff00")
    await press(page.locator("form .button"))
    yield "letterhead-wrong", page
    await page.set_input_files("#logo", {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": _LOGO})
    await page.fill("#alt", "Norrdalen")
    await page.fill("#colour", "#7a1f5f")
    await press(page.locator("form .button").first)
    yield "letterhead", page
    await press(page.locator("form .button").last)
    await page.goto(f"{site.base}/meetings/office/register")
    await press(page.locator("[value=check]"))
    yield "register-wrong", page
    await page.fill("#text", "people:\n  karin-ek: {name: Karin Ek}\n")
    await press(page.locator("[value=check]"))
    yield "register", page
    await page.goto(at)
    await press(page.locator(".year a").last)
    strike = f"{page.url.partition('?')[0]}/strike"
    await page.goto(strike)
    await press(page.locator("[value=look]"))
    yield "strike-wrong", page
    await page.fill("#reason", "Mötet krockar med förbundsmötet.")
    await page.fill("#added", "Uppföljning av stadgefrågan")
    await page.fill("#ends_at", "15:30")
    await page.select_option("#mode", "hybrid")
    await press(page.locator("[value=look]"))
    yield "strike-shown", page
    await page.goto(at)
    await press(page.locator(".year a").last)
    await press(page.locator("main [href$='/cancel']"))
    await press(page.locator("form .button"))
    yield "meeting-cancel-wrong", page
    await page.fill("#reason", "För många har förhinder.")
    await press(page.locator("form .button"))
    yield "meeting-cancelled", page
    await page.goto(at)
    await press(page.locator(".year a").first)
    async for stop in sitting(page, page.url.partition("?")[0]):
        yield stop


async def sitting(page: Page, meeting: str) -> AsyncIterator[Stop]:
    """Of a meeting that was to be held days ago."""
    await page.goto(f"{meeting}/sitting")
    yield "sitting-opening", page
    for box in await page.locator("[name=present]").all():
        await box.check()
    await press(page.locator("main form .button"))
    await page.locator("[data-shortcut=N]").click()
    await page.locator("#decision").wait_for()
    await page.locator("form:has(#decision) .button").click()
    await page.locator("[role=alert]").wait_for()
    yield "sitting-wrong", page
    await page.goto(f"{meeting}/sitting")
    await page.locator("main details").first.evaluate("one => one.open = true")
    yield "sitting", page
    await page.goto(f"{meeting}/sitting/room")
    yield "sitting-room", page
    await page.goto(f"{meeting}/sitting/steps")
    yield "sitting-steps", page
    async for stop in corrections(page, meeting):
        yield stop
    async for stop in manuscript(page, meeting):
        yield stop


async def corrections(page: Page, meeting: str) -> AsyncIterator[Stop]:
    """Of a sitting in which an item was taken up as the last step."""
    steps = f"{meeting}/sitting/steps"
    await press(page.locator("main .row-side .ways a:not([href$='/after'])").first)
    last = page.url.rpartition("/")[2]
    yield "sitting-step", page
    await press(page.locator("main form .button"))
    yield "sitting-step-wrong", page
    await page.goto(f"{steps}/2")
    yield "sitting-step-roll", page
    await page.goto(f"{steps}/{last}/after")
    yield "sitting-forgotten", page
    await page.goto(f"{steps}/{last}/after?do=vote_taken")
    yield "sitting-forgotten-vote", page
    # Who left is said to have left before that, too.
    for after in (last, "2"):
        await page.goto(f"{steps}/{after}/after?do=departed")
        await page.select_option("#person", index=1)
        await page.fill("#reason", "Gick tidigare, för att hinna med tåget.")
        await press(page.locator("main form .button.primary"))
        yield "sitting-step-corrected" if after == last else "sitting-step-rests", page
    await press(page.locator("[value=next]"))
    yield "sitting-step-next", page


async def manuscript(page: Page, meeting: str) -> AsyncIterator[Stop]:
    """Of a meeting in whose sitting an item was taken up."""
    await page.goto(f"{meeting}/manuscript")
    yield "manuscript-none", page
    await page.goto(f"{meeting}/manuscript/word")
    await press(page.locator("form .button"))
    yield "manuscript-word-wrong", page
    await page.goto(f"{meeting}/manuscript")
    await press(page.locator("form[action$='/write'] .button"))
    yield "manuscript", page
    await press(page.locator(".rows a").first)
    await page.fill("#below", "### Beslut\n\nStyrelsen beslutar att\n\n- godkänna rapporten\n\n#### För djup rubrik")
    await press(page.locator("form:has(#below) .button.primary"))
    yield "manuscript-paragraph-wrong", page
    await page.fill("#below", "### Beslut\n\nStyrelsen beslutar att godkänna rapporten.")
    await page.locator("[data-picture] img").wait_for()
    yield "manuscript-paragraph", page
    await page.goto(f"{meeting}/manuscript/fields")
    await page.locator("[data-picture] > *").nth(1).wait_for()
    yield "manuscript-fields", page
    await page.fill("#minutes_present", "Olof Berg; S; Björkå; ordförande\n; C; Granvik")
    await press(page.locator("form:has(#minutes_present) .button.primary"))
    yield "manuscript-fields-wrong", page
    await page.goto(f"{meeting}/manuscript/fields")
    await page.fill("#minutes_adjuster", "Maja Lind")
    await press(page.locator("form:has(#minutes_present) .button.primary"))
    await page.goto(f"{meeting}/sitting")
    await press(page.locator("[data-shortcut=N]"))
    await page.goto(f"{meeting}/manuscript")
    yield "manuscript-corrected", page
    await page.goto(f"{meeting}/manuscript")
    await press(page.locator(".rows .row-title a").last)
    await press(page.locator("main a[href$=at-once]"))
    yield "manuscript-at-once", page
    await page.goto(f"{meeting}/manuscript/forward")
    await page.fill("#signer_1", "maja")
    await press(page.locator("[value=review]"))
    yield "manuscript-forward-wrong", page
    await page.goto(meeting)
    yield "meeting-held", page


async def notices(page: Page, meeting: str) -> AsyncIterator[Stop]:
    """Of a meeting to come whose body has a chair and a substitute."""
    await page.goto(f"{meeting}/notice")
    yield "notice", page
    await press(page.locator("[value=notice]"))
    await press(page.locator("main [href*='/replies/']").first)
    await press(page.locator("form .button"))
    yield "reply-wrong", page
    await page.select_option("#said", "absent")
    await page.fill("#told", "Är bortrest hela veckan, och går inte att nå.")
    await press(page.locator("form .button"))
    yield "meeting-answers", page
    await page.goto(f"{meeting}/change")
    await page.fill("#begins_at", "08:30")
    await press(page.locator("form .button"))
    yield "meeting-notice-outdated", page
    await page.goto(f"{meeting}/notice")
    yield "notice-outdated", page


async def agendas(page: Page, meeting: str) -> AsyncIterator[Stop]:
    """Of a meeting whose body has standing items, with another meeting to come."""
    await page.goto(f"{meeting}/agenda")
    yield "agenda-standing", page
    await press(page.locator("main .button.primary"))
    await page.fill("#item_minutes", "many")
    await press(page.locator("form .button"))
    yield "item-wrong", page
    await page.fill("#item_title", "Ramverk för förbundets strategiska utveckling")
    await page.fill("#item_minutes", "20")
    await page.fill("#presenter", "Wilhelmina Sjöström-Häggkvist")
    await page.fill("#background", "Stadgarna säger inte hur beslut bereds.\n\nFler uppdrag väntas.")
    await press(page.locator("form .button"))
    yield "agenda", page
    await press(page.locator(".row-title a").last)
    yield "item", page
    await press(page.locator("main p a").last)
    yield "item-remove", page
    async for stop in attachments(page, meeting):
        yield stop
    await page.goto(f"{meeting}/agenda")
    await press(page.locator(".row-side p a").last)
    await page.select_option("#how", "referred_back")
    await press(page.locator("form .button"))
    yield "item-move-wrong", page
    await page.select_option("#to_meeting", "waits")
    await page.fill("#reason", "Kostnaden saknas.")
    await press(page.locator("form .button"))
    yield "agenda-left", page


async def attachments(page: Page, meeting: str) -> AsyncIterator[Stop]:
    """Of the last item of an agenda."""
    await page.goto(f"{meeting}/agenda")
    await press(page.locator(".row-side p a[href$=attachments]").last)
    pdf = {"name": "Budget 2023, arbetsmaterial.pdf", "mimeType": "application/pdf", "buffer": b"<html>"}
    await page.set_input_files("#file", [pdf])  # type: ignore[list-item]
    await press(page.locator("form .button.primary"))
    yield "attachments-wrong", page
    for name, confidential in (("Budget 2023.pdf", "no"), ("Löner.pdf", "yes")):
        await page.set_input_files("#file", [pdf | {"name": name, "buffer": pdf_of()}])  # type: ignore[list-item]
        await page.fill("#attachment_title", name.removesuffix(".pdf"))
        await page.select_option("#confidential", confidential)
        await press(page.locator("form .button.primary"))
    yield "attachments", page
    await press(page.locator(".row-side p a").last)
    await page.set_input_files("#file", [pdf | {"buffer": pdf_of(2)}])  # type: ignore[list-item]
    await press(page.locator("form[enctype] .button"))
    yield "attachment", page
    await page.fill("#attachment_title", "")
    await press(page.locator("form .button.primary"))
    yield "attachment-wrong", page
    await press(page.locator("main p a[href$=remove]"))
    yield "attachment-remove", page
    await page.goto(f"{meeting}/annexes")
    await page.set_input_files("#file", [pdf])  # type: ignore[list-item]
    await press(page.locator("form[enctype] .button"))
    yield "annexes-wrong", page
    await page.set_input_files("#file", [pdf | {"buffer": pdf_of()}])  # type: ignore[list-item]
    await press(page.locator("form[enctype] .button"))
    yield "annexes", page
    await page.goto(f"{meeting}/papers")
    yield "papers", page
    await press(page.locator("form .button"))
    yield "papers-published", page
