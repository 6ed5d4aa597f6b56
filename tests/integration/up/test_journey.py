"""A board's meeting from the plan to the notice board, by clicking and typing, as those who have a part in it do.

One system, `justera up` with nothing in it; the secretary in one browser, members and signers each in one of their own,
by the links that were mailed to them.
"""

import asyncio
import json
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.integration.up.running import Up
from tests.support.processes import until

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(400)]

SECRETARY, CHAIR = "maja.lind@norrdalen.example", "olof.berg@bjorka.example"
ADJUSTER, BOUNCES, ALTERNATE = "sven.dahl@norrdalen.example", "sven.dahl@studsar.example", "sven.dahl@granvik.example"
REGISTER = f"""people:
  olof-berg: {{name: Olof Berg, email: {CHAIR}, party: S, municipality: Björka}}
  ingrid-sand: {{name: Ingrid Sand, email: ingrid.sand@granvik.example, party: C, municipality: Granvik}}
  sven-dahl: {{name: Sven Dahl, email: {ADJUSTER}, party: C, municipality: Granvik}}
  petra-holm: {{name: Petra Holm, email: petra.holm@forsby.example, party: M, municipality: Forsby}}
  maja-lind: {{name: Maja Lind, email: {SECRETARY}}}
bodies:
  styrelsen:
    name: Styrelsen
    kind: board
    standing_items: [Övriga frågor]
    members:
      - {{person: olof-berg, role: ordförande}}
      - {{person: ingrid-sand, role: 1:e vice ordförande}}
      - {{person: sven-dahl, role: ledamot}}
      - {{person: petra-holm, role: ledamot}}
      - {{person: maja-lind, role: sekreterare}}
"""
PLAN = """plan: {year}
year: {year}
bodies:
  styrelsen:
    title: Styrelsen sammanträder
    time: 13:00-15:00
    mode: physical
    place: Forsby
    meetings: [{{date: {first}}}, {{date: {second}}}]
"""
_FEW = timedelta(minutes=10)


@dataclass
class Journey:
    """`page`: the secretary's. `at`: the address of the meeting that is held."""

    up: Up
    browser: Browser
    page: Page
    at: str = ""

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    async def press(self, name: str, *, says: str = "") -> None:
        """A button; then the page `says` something."""
        await self.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()
        if says:
            await expect(self.page.get_by_role("status").filter(has_text=says)).to_be_visible()

    async def follow(self, name: str, heading: str) -> None:
        """A link, to the page with this heading."""
        await self.page.get_by_role("link", name=name, exact=True).first.click()
        await expect(self.heading).to_have_text(heading)

    async def open(self, heading: str = "Styrelsen") -> None:
        """The meeting's page."""
        await self.page.goto(self.at)
        await expect(self.heading).to_have_text(heading)

    async def unlocked(self) -> None:
        """The meeting's page, once signing has withdrawn the document."""

        async def withdrawn() -> bool | None:
            await self.open()
            return await self.page.get_by_text("Låses upp", exact=True).count() == 0 or None

        await until(withdrawn, what="the document to be withdrawn", seconds=60)

    async def confirm(self, button: str, says: str) -> None:
        """Also when the day is a weekend or a holiday, which the page asks about."""
        await self.press(button)
        done = self.page.get_by_role("status").filter(has_text=says)
        anyway = self.page.get_by_role("button", name="Spara ändå")
        await expect(done.or_(anyway)).to_be_visible()
        if await anyway.is_visible():
            await self.press("Spara ändå", says=says)

    async def other(self, recipient: str, subject: str) -> Page:
        """A browser of their own, in which somebody opened the link of the last mail to them."""

        async def mailed() -> str | None:
            await self.page.goto(f"{self.up.url}/notifications/inbox")
            rows = self.page.locator("main li").filter(has_text=recipient).filter(has_text=subject)
            return await rows.first.get_by_role("link").get_attribute("href") if await rows.count() else None

        address = await until(mailed, what=f"a mail to {recipient}: {subject}", seconds=60)
        await self.page.goto(f"{self.up.url}{address}")
        link = self.page.locator("main a[href*='/my/'], main a[href*='/signing/s/'], main a[href*='/copies/']").first
        found = await link.get_attribute("href")
        assert found is not None
        page = await (await self.browser.new_context(locale="sv-SE")).new_page()
        await page.goto(found)
        return page


async def test_a_meeting_from_the_plan_to_the_notice_board_by_clicks(up: Up, browser: Browser) -> None:
    expect.set_options(timeout=20_000)  # as long as the pages: one may wait for a document to be set
    async with asyncio.timeout(390):
        link = await up.start("--empty")
        page = await (await browser.new_context(locale="sv-SE")).new_page()
        page.set_default_timeout(20_000)
        await page.goto(link)
        journey = Journey(up, browser, page)
        await journey.press("Logga in")
        await _plan(journey)
        await _call(journey)
        await _strike(journey)
        await _hold(journey)
        await _write(journey)
        await _review(journey)
        await _sign(journey)
        await _archived(journey)
        await _posted(journey)
        await _told(journey)


async def _plan(journey: Journey) -> None:
    """The board and its year, out of files that are pasted; the page of that year is what comes then."""
    page = journey.page
    await journey.follow("Organ och personer ur en fil", "Organ och personer ur ett register")
    await page.get_by_label("Eller klistra in den här").fill(REGISTER)
    await journey.press("Visa vad den gör")
    await journey.press("Genomför", says="Registret är genomfört.")
    await page.goto(journey.up.url)
    await journey.follow("Årets plan ur en fil", "Årets möten ur en plan")
    year = _now().year + 1
    plan = PLAN.format(year=year, first=_tuesday(year, 2), second=_tuesday(year, 3))
    await page.get_by_label("Eller klistra in den här").fill(plan)
    await journey.press("Visa vad den gör")
    await journey.press("Genomför", says="Planen är genomförd.")
    await expect(journey.heading).to_have_text(f"Möten {year}")
    await expect(page.get_by_role("link", name="Styrelsen sammanträder")).to_have_count(2)


async def _call(journey: Journey) -> None:
    """A meeting in some minutes; it gets an agenda, is changed and called. The chair says that he comes."""
    page, starts = journey.page, _soon()
    await journey.follow("Nytt möte", "Nytt möte")
    await page.get_by_label("Datum").fill(f"{starts:%Y-%m-%d}")
    await page.get_by_label("Börjar").fill(f"{starts:%H:%M}")
    await page.get_by_label("Slutar").fill(f"{starts + _FEW:%H:%M}")
    await page.get_by_label("Plats", exact=True).fill("Forsby")
    await journey.confirm("Lägg in mötet", "Mötet är inlagt.")
    journey.at = page.url.partition("?")[0]
    await journey.follow("Öppna dagordningen", "Dagordning")
    for title in ("Budget", "Sammanträdestider"):
        await journey.follow("Lägg till punkt", "Lägg till punkt")
        await page.get_by_label("Rubrik").fill(title)
        await journey.press("Spara", says="Punkten är tillagd.")
    await journey.open()
    await journey.follow("Ändra mötet", "Ändra mötet")
    await page.get_by_label("Plats", exact=True).fill("Granvik")
    await journey.confirm("Spara", "Mötet är ändrat.")
    await journey.follow("Se vad som skickas", "Kallelse")
    await journey.press("Skicka kallelsen nu", says="Kallelsen skickas nu.")
    member = await journey.other(CHAIR, "Kallelse: Styrelsen")
    await member.get_by_role("button", name="Skicka svaret").click()
    await expect(member.get_by_role("status").first).to_be_visible()
    await member.context.close()


async def _strike(journey: Journey) -> None:
    """February's meeting of the plan is struck, and March's takes its items."""
    page, year = journey.page, _now().year + 1
    await page.goto(f"{journey.up.url}/meetings/office/meetings?year={year}")
    await journey.follow("Styrelsen sammanträder", "Styrelsen sammanträder")
    await journey.follow("Stryk mötet och flytta punkterna", "Stryk mötet och flytta punkterna")
    await page.get_by_label("Varför stryks mötet?").fill("Krockar med årsstämman.")
    await journey.press("Visa vad som händer")
    await page.get_by_role("button", name=re.compile("^Stryk mötet och flytta punkterna")).click()
    await expect(page.get_by_role("status").filter(has_text="struket")).to_be_visible()


async def _hold(journey: Journey) -> None:
    """The roll, a late arrival, the adjuster, two decisions, one of them by a vote."""
    page = journey.page
    main = page.get_by_role("main")
    await journey.open()
    await journey.follow("Håll sammanträdet", "Upprop")
    await expect(page.get_by_label("Olof Berg", exact=False)).to_be_checked()
    for name in ("Ingrid Sand", "Sven Dahl", "Maja Lind"):
        await page.get_by_label(name, exact=False).check()
    await journey.press("Öppna sammanträdet")
    await expect(journey.heading).to_have_text("Sammanträdet")
    await page.get_by_role("group", name="Välj 1").get_by_label("Sven Dahl").check()
    async with page.expect_navigation():
        await page.locator("form:has([name=adjuster]) button").click()
    await _take_up(journey, "Budget")
    await main.get_by_role("listitem").filter(has_text="Petra Holm").get_by_role("button", name="Kommer").click()
    await expect(main.get_by_text("4 beslutar")).to_be_visible()
    await _decide(journey, "Styrelsen beslutar att anta budgeten.")
    await _take_up(journey, "Sammanträdestider")
    for text, who in (("Fredagar kl. 9-12.", ""), ("Torsdagar kl. 13-16.", "Petra Holm")):
        if not who:
            await page.get_by_text("Nytt förslag", exact=True).click()
        else:  # the keyboard goes on there after the first
            await expect(page.locator("#proposal")).to_be_focused()
        await page.locator("#proposal").fill(text)
        if who:
            await page.locator("#proposal_made-person").select_option(label=who)
        await page.locator("form:has(#proposal) button").click()
        await expect(main.get_by_role("listitem").filter(has_text=text)).to_be_visible()
    await page.get_by_text("Omröstning", exact=True).click()
    for who, says in (("Olof Berg", "Ja"), ("Ingrid Sand", "Ja"), ("Sven Dahl", "Avstår"), ("Petra Holm", "Nej")):
        await page.get_by_role("group", name=who).get_by_label(says).check()
    await page.locator("form:has(#vote-yes) button").click()
    await expect(main.get_by_text("Förslag 1 vann: 2 ja, 1 nej, 1 avstår.")).to_be_visible()
    await _decide(journey, "Styrelsen beslutar att sammanträda fredagar kl. 9-12.")
    await journey.press("Avsluta sammanträdet")


async def _take_up(journey: Journey, title: str) -> None:
    row = journey.page.get_by_role("main").get_by_role("listitem").filter(has_text=title)
    await row.get_by_role("button", name=re.compile("^Ta upp")).click()
    await expect(journey.heading).to_have_text(title)


async def _decide(journey: Journey, text: str) -> None:
    page = journey.page
    await page.locator("#decision").fill(text)
    await page.locator("form:has(#decision) button").click()
    await expect(page.locator(".notice.success")).to_contain_text(text)
    await page.get_by_role("button", name=re.compile("^Avsluta ärendet")).click()
    await expect(journey.heading).to_have_text("Sammanträdet")


async def _write(journey: Journey) -> None:
    """The draft is written of the sitting, changed, and put forward to be read."""
    page = journey.page
    await journey.press("Skriv protokollet", says="Utkastet är skrivet")
    await journey.follow("§ 1 Budget", "§ 1 Budget")
    text = page.get_by_label("Text", exact=True)
    await text.fill(f"{await text.input_value()}\n\nBudgeten omfattar hela förbundet.")
    await journey.press("Spara", says="Paragrafen är sparad.")
    await _put_forward(journey)
    await expect(page.get_by_role("status")).to_contain_text("Protokollet är framlagt.")
    await journey.press("Be dem läsa", says="De har fått ett mejl med en länk.")


async def _put_forward(journey: Journey) -> None:
    """The secretary still has the adjuster's old address."""
    await journey.follow("Lägg fram protokollet", "Lägg fram protokollet")
    await journey.page.get_by_label("Justerare: Sven Dahl, e-post").fill(BOUNCES)
    await journey.press("Lägg fram och be om synpunkter")


async def _review(journey: Journey) -> None:
    """The adjuster comments; the minutes are unlocked, changed and put forward again; both agree to that version."""
    page = journey.page
    adjuster = await journey.other(ADJUSTER, "Läs protokollet")
    await adjuster.get_by_label("Kommentar till § 2").fill("Skriv från när det gäller.")
    await adjuster.get_by_role("button", name="Skicka kommentarerna").click()
    await expect(adjuster.get_by_role("status")).to_contain_text("Kommentarerna är skickade")
    await journey.open()
    await journey.follow("Se synpunkterna", "Synpunkter före signering")
    await expect(page.get_by_text("Skriv från när det gäller.")).to_be_visible()
    await journey.follow("Lås upp protokollet för ändring", "Lås upp protokollet för ändring")
    await page.get_by_label("Varför?").fill("Det saknas från när det gäller.")
    await journey.press("Lås upp", says="Protokollet är upplåst")
    await journey.follow("Skriv utkastet", "Utkast till protokoll")
    draft = page.url
    await journey.follow("§ 2 Sammanträdestider", "§ 2 Sammanträdestider")
    text = page.get_by_label("Text", exact=True)
    await text.fill(f"{await text.input_value()}\n\nDet gäller från nästa år.")
    await journey.press("Spara", says="Paragrafen är sparad.")
    await journey.unlocked()
    await page.goto(draft)
    await _put_forward(journey)
    await expect(journey.heading).to_have_text("Synpunkter före signering")
    await expect(page.get_by_text("Protokoll styrelsen").filter(has_text="(version 2)").first).to_be_visible()
    chair = await journey.other(CHAIR, "Protokollet är ändrat")
    for reader in (chair, adjuster):
        await reader.reload()
        await reader.get_by_role("button", name="Jag godkänner").click()
        await expect(reader.get_by_role("status")).to_contain_text("Du har godkänt den här versionen.")
        await reader.context.close()


async def _sign(journey: Journey) -> None:
    """Secretary and chair sign; the mail to the adjuster bounces, and an alternate address signs in their place."""
    page = journey.page
    await journey.open()
    await journey.follow("Se synpunkterna", "Synpunkter före signering")
    await journey.press("Skicka för signering", says="Protokollet är skickat för signering.")
    follow = await page.get_by_role("link", name="Följ dokumentet").get_attribute("href")
    for recipient in (SECRETARY, CHAIR):
        await _sign_as(journey, recipient)

    async def bounced() -> bool | None:
        await page.goto(f"{journey.up.url}{follow}")
        return await page.get_by_text(f"Mejlet till {BOUNCES} kom inte fram").count() > 0 or None

    await until(bounced, what="the bounce on the document's page", seconds=60)
    await journey.follow("Lägg till alternativ signerare", "Lägg till alternativ signerare")
    await page.get_by_label("E-postadress").fill(ALTERNATE)
    await journey.press("Lägg till och skicka mejl", says="Den alternativa signeraren är tillagd.")
    await _sign_as(journey, ALTERNATE, "Sven Dahl")


async def _sign_as(journey: Journey, recipient: str, name: str = "") -> None:
    """`name`: of who must state it."""
    signer = await journey.other(recipient, "Signera:")
    await signer.get_by_role("button", name="Öppna dokumentet").click()
    if name:
        await signer.get_by_label("Ditt namn").fill(name)
    await signer.get_by_role("button", name="Signera protokollet").click()
    await expect(signer.get_by_role("heading", name="Du har signerat")).to_be_visible()
    await signer.context.close()


async def _archived(journey: Journey) -> None:
    """Everyone gets the sealed copy, and the decision is found."""
    copy = await journey.other(CHAIR, "Färdigt:")
    await expect(copy.get_by_role("link", name=re.compile("PDF")).first).to_be_visible()
    await copy.context.close()
    page = journey.page

    async def entered() -> bool | None:
        await page.goto(f"{journey.up.url}/meetings/office/decisions?words=budget")
        return await page.get_by_role("main").get_by_text("§ 1").count() > 0 or None

    await until(entered, what="the decision among those that are found", seconds=60)


async def _posted(journey: Journey) -> None:
    """A name is masked, looked at and posted; a stranger reads the page without it, until it is taken down."""
    page = journey.page
    await journey.open()
    await journey.follow("Publicera", "Publicera")
    await page.get_by_label("Namn som maskeras").fill("Petra Holm")
    await journey.press("Visa vad som maskeras")
    await expect(page.locator("mark").first).to_have_text("Petra Holm")
    await journey.press("Anslå protokollet", says="Protokollet är anslaget.")
    stranger = await (await journey.browser.new_context(locale="sv-SE")).new_page()
    await stranger.goto(f"{journey.up.url}/meetings/anslagstavla")
    await stranger.get_by_role("main").get_by_role("listitem").get_by_role("link").click()
    address = stranger.url
    await stranger.get_by_role("link", name="Läs protokollet").click()
    text = await stranger.locator("body").inner_text()
    assert "anta budgeten" in text
    assert "Olof Berg" in text
    assert "Petra" not in text
    assert ".example" not in text
    await page.get_by_label("Varför tas det ned?").fill("Fel dag.")
    await journey.press("Ta ned protokollet", says="Protokollet är nedtaget.")
    await stranger.goto(address)
    await expect(stranger.get_by_role("heading", level=1)).to_have_text("Protokollet är inte längre anslaget")
    await stranger.context.close()


async def _told(journey: Journey) -> None:
    """All of it stands in the journal under the meeting's chain, whichever service told it."""
    told = (await journey.up.command("events", "--json")).out.splitlines()
    events = [json.loads(line) for line in told]
    meetings = {event["subject"] for event in events if event["name"] == "MeetingScheduled"}
    held = journey.at.rpartition("/")[2]
    assert held in meetings
    for event in events:
        said = f"{event['subject']} {event['key']} {event['data']}"
        about = {meeting for meeting in meetings if meeting in said}
        if len(about) == 1 and event["name"] != "PlanAdopted":  # a plan is a body's, whatever it changes
            assert event["correlation_id"] in about, event["name"]
    of_it = [event for event in events if event["correlation_id"] == held]
    assert {"NoticeIssued", "ItemDecided", "ReviewAgreed", "BounceDetected", "AlternateSignerAdded"} <= _names(of_it)
    assert {"AgreementCompleted", "ProtocolArchived", "MinutesPosted", "MinutesPostingRemoved"} <= _names(of_it)
    of_none = [event for event in events if event["correlation_id"] not in meetings]
    # Mails that tell of a whole plan are of its body.
    assert _names(of_none) <= {"PersonRegistered", "BodyRegistered", "MembershipBegun", "PlanAdopted", "EmailSent"}


def _names(events: list[dict[str, Any]]) -> set[str]:
    return {event["name"] for event in events}


def _now() -> datetime:
    return datetime.now(ZoneInfo("Europe/Stockholm"))


def _soon() -> datetime:
    """A few minutes ahead, so that it ends on the day on which it begins."""
    starts = _now() + _FEW
    return starts if (starts + _FEW).date() == starts.date() else starts + 2 * _FEW


def _tuesday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(1 - first.weekday()) % 7)
