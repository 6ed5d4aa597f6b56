"""A walk by browser through every page of the project, done by clicking as people do."""

from collections.abc import AsyncIterator
from datetime import date

from playwright.async_api import BrowserContext, Page

from services.meetings.body.body import BodyDetails, BodyKind
from shared.events import AgreementCancelled
from shared.links import holder_of
from tests.integration.meetings.test_decisions import fire
from tests.integration.meetings.test_elections import signed as all_signed
from tests.integration.meetings.test_meetings import end as ended
from tests.integration.pages.site import ARCHIVED, COPY, LOGIN, Site, invitation_mail, letter
from tests.integration.pages.test_meetings import DRAFTING, MINUTES
from tests.integration.signing.flow import ORGANISATION
from tests.unit.rendering.test_binding import pdf_of
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, ALTERNATE, CHAIR, SECRETARY

Stop = tuple[str, Page]

OTHER_AGREEMENT = AGREEMENT_ID[::-1]


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
_ELECTED = """
| Vald till | Namn | Uppdrag |
| --- | --- | --- |
| Styrelsen | Wilhelmina Sjöström-Häggkvist | ordförande |
| Styrgruppen | Olof Berg | ordförande |
"""


async def tour(site: Site, context: BrowserContext, pdf: bytes, language: str) -> AsyncIterator[Stop]:
    """Each page in turn with a name for it. The page is the reader's again when the walk goes on."""
    # It sends a form only once the server has answered, a moment after the click: the walk would be ahead of it. It has
    # tests of its own.
    await context.route("**/drafts*.mjs*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page = await context.new_page()
    async for stop in _sender_before(site, page, pdf, language):
        yield stop
    async for stop in office(site, page):
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
    await page.locator("main a").click()
    await page.fill("#token", "wrong")
    await page.locator("form .button").click()
    yield "login-by-token-wrong", page
    await page.goto(f"{site.base}/login?token={LOGIN}")
    yield "login", page
    await page.locator("main button").click()
    yield "home", page
    await page.goto(f"{site.base}/signing/overview")
    yield "overview-empty", page
    await site.draft(pdf, language)
    await page.reload()
    yield "overview-ready", page
    await page.locator(".row-title a").click()
    yield "agreement-ready", page
    await page.locator(".actions button").click()
    yield "agreement-sent", page
    agreement = f"{site.base}/signing/overview/{AGREEMENT_ID}"
    await page.goto(f"{agreement}/cancel")
    await page.locator("form .button").click()
    yield "cancel-wrong", page
    await page.goto(f"{agreement}/alternate/{await site.flow.id(CHAIR)}")
    yield "alternate", page
    await page.fill("#email", "olof.berg")
    await page.fill("#name", "x" * 3)
    await page.locator("form .button").click()
    yield "alternate-wrong", page


async def office(site: Site, page: Page) -> AsyncIterator[Stop]:
    """Of a secretary who is logged in, with the office empty."""
    at = f"{site.base}/meetings/office"
    await page.goto(f"{at}/bodies")
    yield "bodies-empty", page
    await page.locator("main .button.primary").click()
    await page.locator("form summary").click()
    await page.fill("#quorum", "many")
    await page.locator("form .button").click()
    yield "body-wrong", page
    await page.fill("#name", "Styrelsen")
    await page.fill("#quorum", "2")
    await page.fill("#standing_items", "Val av justerare\nEkonomi")
    await page.fill("#join_link", "https://mote.norrdalen.example/styrelsen")
    await page.locator("form .button").click()
    yield "body-empty", page
    board = page.url.partition("?")[0]
    await page.goto(f"{at}/people")
    yield "people-empty", page
    for name, party in (("Maja Lind", "S"), ("Olof Berg", "C"), ("Wilhelmina Sjöström-Häggkvist", "M")):
        await page.goto(f"{at}/people/new")
        await page.fill("#name", name)
        await page.fill("#email", f"{name.split()[0].lower()}@norrdalen.example")
        await page.fill("#party", party)
        await page.fill("#municipality", "Björka")
        await page.locator("form .button").click()
    yield "person", page
    await page.goto(f"{at}/people/new")
    await page.fill("#email", "maja")
    await page.locator("form .button").click()
    yield "person-wrong", page
    await page.goto(f"{at}/people")
    yield "people", page
    for number, (role, begins) in enumerate((("chair", "2022-01-01"), ("substitute", ""), ("member", "2023-01-01")), 1):
        await page.goto(f"{board}/members/new")
        await page.select_option("#person", index=number)
        await page.select_option("#role", role)
        await page.fill("#begins", begins)
        if number == 1:
            yield "member-new", page
        await page.locator("form .button").click()
    yield "body", page
    await page.locator(".rows .ways a").first.click()
    await page.fill("#ends", "2021-01-01")
    await page.locator("form .button").click()
    yield "member-wrong", page
    await page.goto(board)
    await page.locator(".rows .ways a").nth(1).click()
    yield "member-end", page
    async for stop in meetings(site, page):
        yield stop
    await page.goto(f"{at}/people")
    await page.locator(".row-title a").first.click()
    person = page.url
    await page.locator(".ways a").nth(1).click()
    yield "person-leave", page
    await page.goto(person)
    await page.locator(".ways a").last.click()
    yield "person-end-links", page
    async for stop in own(site, page, person.rpartition("/")[2]):
        yield stop
    async for stop in elections(site, page, board):
        yield stop
    await page.goto(f"{board}/change")
    other = await page.context.new_page()
    await other.goto(f"{board}/change")
    await other.fill("#quorum", "1")
    await other.locator("form .button").click()
    await other.close()
    await page.fill("#name", "Förbundsstyrelsen")
    await page.locator("form .button").click()
    yield "body-changed-meanwhile", page
    await page.goto(f"{board}/close")
    yield "body-close", page
    await page.locator("form .button").click()
    yield "body-closed", page
    await page.goto(f"{at}/bodies")
    yield "bodies-closed", page


async def own(site: Site, page: Page, person_id: str) -> AsyncIterator[Stop]:
    """Of a member of a body with meetings, whose links are of the first version."""
    language = await page.get_attribute("html", "lang") or "sv"
    commands = site.meetings.commands.people
    person = (await commands.career(ORGANISATION, person_id)).person
    # As the person reads, whatever the browser asks for.
    await commands.change(ORGANISATION, person_id, person.details.model_copy(update={"language": language}))
    await page.goto(site.own_link(person_id))
    yield "own-meetings", page
    await page.locator(".row-title a").first.click()
    yield "own-meeting", page
    await page.locator("form .button").click()
    yield "own-meeting-wrong", page
    await page.locator("#answer").check()
    await page.locator("form .button").click()
    yield "own-meeting-answered", page
    at = f"{site.base}/meetings/office"
    own_meeting = page.url.partition("?")[0]
    meeting = own_meeting.rpartition("/")[2]
    async for stop in proposals(page, own_meeting, f"{at}/meetings/{meeting}/proposals"):
        yield stop
    await page.goto(f"{at}/meetings/{meeting}/poll/new?first=2022-11-28&last=2022-12-16")
    await page.fill("#own_day_1", "2022-12-20")
    await page.fill("#own_ends_1", "08:00")
    await page.locator("form .button").last.click()
    yield "poll-new-wrong", page
    await page.fill("#own_ends_1", "16:00")
    await page.locator("input[name=time]").first.check()
    await page.fill("#note", "Oktobermötet krockar med mässan.")
    await page.locator("form .button").last.click()
    yield "poll-asked", page
    poll = await site.meetings.commands.polls.latest(ORGANISATION, meeting)
    assert poll is not None
    await page.goto(site.own_link(person_id))
    yield "own-meetings-asked", page
    await page.goto(site.own_link(person_id, poll=poll.poll.id))
    await page.locator("form .button").click()
    yield "own-poll-wrong", page
    for time in poll.poll.times:
        await page.locator(f"input[name='{time.key}']").last.check()
    await page.locator("form .button").click()
    yield "own-poll-answered", page
    await page.goto(f"{at}/meetings/{meeting}/poll")
    yield "poll-answered", page
    await page.locator("#told ~ .ways a").first.click()
    await page.fill("#told", "\u202e")
    await page.locator("form .button").click()
    yield "poll-answer-wrong", page
    await page.goto(f"{at}/meetings/{meeting}/poll")
    await page.locator(".row-side .ways a").first.click()
    yield "poll-choose", page
    await page.goto(f"{at}/polls/{poll.poll.id}/call-off")
    await page.locator("form .button").click()
    yield "poll-call-off-wrong", page
    await page.fill("#reason", "Mässan flyttas.")
    await page.locator("form .button").click()
    yield "poll-called-off", page
    await page.goto(site.own_link(person_id, poll=poll.poll.id))
    yield "own-poll-called-off", page


async def proposals(page: Page, own_meeting: str, office_page: str) -> AsyncIterator[Stop]:
    """Of a member and a secretary in one browser, for a meeting to come."""
    await page.goto(f"{own_meeting}/propose")
    await page.locator("main form .button").click()
    yield "own-propose-wrong", page
    for title in ("Upphandling av ett ärendehanteringssystem", "Logotyp", "Resor"):
        await page.fill("#item_title", title)
        await page.fill("#background", "Fler frågar.\n\nAvtalet går ut i juni.")
        await page.locator("main form .button").click()
    yield "own-proposed", page
    await page.goto(office_page)
    yield "proposals", page
    await page.locator("[action$='/take'] .button").first.click()
    await page.locator("main [href$='/decline']").first.click()
    await page.locator("main form .button").click()
    yield "proposal-decline-wrong", page
    await page.fill("#reason", "Kommunikationen tar den.")
    await page.locator("main form .button").click()
    await page.fill("#until", "2099-01-01")
    await page.locator("main form .button").last.click()
    yield "proposals-wrong", page
    member = await page.context.new_page()
    await member.goto(f"{own_meeting}/propose")
    await member.fill("#item_title", "Kommer för sent")
    await page.fill("#until", "2022-09-01")
    await page.locator("main form .button").last.click()
    yield "proposals-over", page
    await member.locator("main form .button").click()
    await member.close()
    await page.goto(f"{own_meeting}/propose")
    yield "own-proposals-over", page


async def elections(site: Site, page: Page, board: str) -> AsyncIterator[Stop]:
    """Of a body that has a chair and a meeting on 2022-11-25, whose minutes elect: one can be seated, one cannot."""
    commands = site.meetings.commands
    await commands.bodies.register(ORGANISATION, BodyDetails(name="Styrgruppen", kind=BodyKind.STEERING_GROUP))
    [meeting] = [
        one
        for one in await commands.meetings.of_year(ORGANISATION, 2022)
        if one.details.starts.date() == date(2022, 11, 25)
    ]
    drafted = await commands.minutes.draft_minutes(ORGANISATION, meeting.id, MINUTES, DRAFTING, ip="192.0.2.1")
    async for stop in reviews(site, page, meeting.id):
        yield stop
    await page.goto(f"{site.base}/meetings/office/meetings/{meeting.id}/minutes/unlock")
    await page.locator("main form .button").click()
    yield "minutes-unlock-wrong", page
    await page.fill("#reason", "§ 38 är fel.")
    await page.locator("main form .button").click()
    yield "meeting-unlocked", page
    await ended(site.meetings, drafted.agreement_id, AgreementCancelled, organisation=ORGANISATION)
    text = MINUTES.replace("Läggs till handlingarna.", "Rapporten läggs till handlingarna.") + _ELECTED
    drafted = await commands.minutes.draft_minutes(ORGANISATION, meeting.id, text, DRAFTING, ip="192.0.2.1")
    await page.goto(f"{site.base}/meetings/office/meetings/{meeting.id}/minutes/difference/1/2")
    yield "minutes-difference", page
    review = await commands.reviews.latest(ORGANISATION, meeting.id)
    assert review is not None
    [reviewer] = review.review.people
    await page.goto(site.own_link(reviewer, review=review.review.id))
    yield "own-review-again", page
    await page.goto(f"{site.base}/meetings/member/{reviewer}/reviews/{review.review.id}/difference")
    yield "own-review-difference", page
    await page.goto(site.own_link(reviewer, review=review.review.id))
    await page.locator("[value=agree]").click()
    yield "own-review-agreed", page
    await page.goto(f"{site.base}/meetings/office/reviews/{review.review.id}")
    yield "review-agreed", page
    await page.locator("[action$='/send'] .button").click()
    yield "review-sent", page
    await all_signed(site.meetings, drafted.agreement_id, organisation=ORGANISATION)
    await page.goto(f"{site.base}/meetings/office/meetings/{meeting.id}")
    yield "meeting-elections", page
    await page.locator("[action$='/elections'] .button").click()
    yield "meeting-elections-again", page
    await page.goto(board)
    yield "body-elected", page
    async for stop in decisions(site, page):
        yield stop


async def _tasks(site: Site, page: Page) -> AsyncIterator[Stop]:
    """Of a decision that is on the page."""
    await page.goto(f"{site.base}/meetings/office/tasks")
    yield "tasks-empty", page
    await page.locator("main .button.primary").click()
    await page.locator(".finds .ways a").first.click()
    yield "task-new", page
    await page.locator("form .button").click()
    yield "task-wrong", page
    await page.fill("#what", "ta fram ett förslag till ramverk")
    await page.select_option("#owner", index=1)
    await page.fill("#due", "2022-10-20")
    await page.locator("form .button").click()
    yield "task", page
    await page.goto(f"{site.base}/meetings/office/tasks")
    yield "tasks", page


async def decisions(site: Site, page: Page) -> AsyncIterator[Stop]:
    """Of a body whose minutes everyone has signed a moment ago."""
    await page.goto(f"{site.base}/meetings/office/decisions")
    yield "decisions-empty", page
    await fire(site.meetings)
    await page.reload()
    yield "decisions", page
    async for stop in _tasks(site, page):
        yield stop
    await page.goto(f"{site.base}/meetings/office/decisions")
    await page.fill("#words", "läggs handling")
    await page.locator("form.filter .button").click()
    yield "decisions-found", page
    await page.fill("#since", "2022-12-01")
    await page.locator("form.filter .button").click()
    yield "decisions-not-found", page
    await page.fill("#until", "2022-11-01")
    await page.locator("form.filter .button").click()
    yield "decisions-wrong", page


async def reviews(site: Site, page: Page, meeting_id: str) -> AsyncIterator[Stop]:
    """Of a meeting whose minutes are drafted, of a body with members."""
    language = await page.get_attribute("html", "lang") or "sv"
    at = f"{site.base}/meetings/office"
    await page.goto(f"{at}/meetings/{meeting_id}/review/new")
    for box in await page.locator("[name=person]").all():
        await box.uncheck()
    await page.locator("main form .button").click()
    yield "review-new-wrong", page
    await page.locator("[name=person]").first.check()
    await page.fill("#note", "Särskilt § 38.")
    await page.locator("main form .button").click()
    yield "review-asked", page
    review = await site.meetings.commands.reviews.latest(ORGANISATION, meeting_id)
    assert review is not None
    [reviewer] = review.review.people
    person = review.people[reviewer]
    await site.meetings.commands.people.change(
        ORGANISATION, reviewer, person.details.model_copy(update={"language": language})
    )
    await page.goto(site.own_link(reviewer, review=review.review.id))
    yield "own-review", page
    await page.locator("[value=comment]").click()
    yield "own-review-wrong", page
    await page.fill("#comment-38", "Rapporten ska nämnas.")
    await page.locator("[value=comment]").click()
    yield "own-review-commented", page
    await page.goto(f"{at}/reviews/{review.review.id}")
    await page.locator("details summary").first.click()
    await page.fill("textarea", "Rättas i nästa version.")
    await page.locator("[value=settle]").click()
    yield "review-answered", page
    await page.goto(f"{at}/reviews/{review.review.id}/call-off")
    await page.locator("main form .button").click()
    yield "review-call-off-wrong", page


async def meetings(site: Site, page: Page) -> AsyncIterator[Stop]:
    """Of a body that is there."""
    at = f"{site.base}/meetings/office/meetings"
    await page.goto(at)
    yield "meetings-empty", page
    await page.locator("main .button.primary").click()
    await page.locator("form .button").click()
    yield "meeting-wrong", page
    for day, title in (("2022-09-23", ""), ("2022-11-25", ""), ("2022-12-16", "Utbildning för ny styrelse")):
        await page.goto(f"{at}/new")
        await page.fill("#date", day)
        await page.fill("#begins_at", "09:00")
        await page.fill("#ends_at", "12:00")
        await page.select_option("#mode", "digital")
        await page.fill("#title", title)
        await page.locator("form .button").click()
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
    await page.locator("form .button").click()
    yield "meeting-clash", page
    await page.locator("form .button").click()
    await page.goto(at)
    yield "meetings", page
    await page.goto(f"{site.base}/meetings/office/plan")
    yield "plan-empty", page
    await page.fill("#text", _PLAN.replace("2023-05-05", "2023-02-30"))
    await page.locator("[value=check]").click()
    yield "plan-wrong", page
    await page.fill("#text", _PLAN)
    await page.locator("[value=check]").click()
    yield "plan", page
    await page.locator("[value=apply]").click()
    yield "plan-applied", page
    await page.goto(f"{site.base}/meetings/office/letterhead")
    yield "letterhead-empty", page
    await page.fill("#colour", "#ffff00")
    await page.locator("form .button").click()
    yield "letterhead-wrong", page
    await page.set_input_files("#logo", {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": _LOGO})
    await page.fill("#alt", "Norrdalen")
    await page.fill("#colour", "#7a1f5f")
    await page.locator("form .button").first.click()
    yield "letterhead", page
    await page.locator("form .button").last.click()
    await page.goto(f"{site.base}/meetings/office/register")
    await page.locator("[value=check]").click()
    yield "register-wrong", page
    await page.fill("#text", "people:\n  karin-ek: {name: Karin Ek}\n")
    await page.locator("[value=check]").click()
    yield "register", page
    await page.goto(at)
    await page.locator(".year a").last.click()
    strike = f"{page.url.partition('?')[0]}/strike"
    await page.goto(strike)
    await page.locator("[value=look]").click()
    yield "strike-wrong", page
    await page.fill("#reason", "Mötet krockar med förbundsmötet.")
    await page.fill("#added", "Uppföljning av stadgefrågan")
    await page.fill("#ends_at", "15:30")
    await page.select_option("#mode", "hybrid")
    await page.locator("[value=look]").click()
    yield "strike-shown", page
    await page.goto(at)
    await page.locator(".year a").last.click()
    await page.locator("main [href$='/cancel']").click()
    await page.locator("form .button").click()
    yield "meeting-cancel-wrong", page
    await page.fill("#reason", "För många har förhinder.")
    await page.locator("form .button").click()
    yield "meeting-cancelled", page
    await page.goto(at)
    await page.locator(".year a").first.click()
    async for stop in sitting(page, page.url.partition("?")[0]):
        yield stop


async def sitting(page: Page, meeting: str) -> AsyncIterator[Stop]:
    """Of a meeting that was to be held days ago."""
    await page.goto(f"{meeting}/sitting")
    yield "sitting-opening", page
    for box in await page.locator("[name=present]").all():
        await box.check()
    await page.locator("main form .button").click()
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
    async for stop in manuscript(page, meeting):
        yield stop


async def manuscript(page: Page, meeting: str) -> AsyncIterator[Stop]:
    """Of a meeting in whose sitting an item was taken up."""
    await page.goto(f"{meeting}/manuscript")
    yield "manuscript-none", page
    await page.goto(f"{meeting}/manuscript/word")
    await page.locator("form .button").click()
    yield "manuscript-word-wrong", page
    await page.goto(f"{meeting}/manuscript")
    await page.locator("form[action$='/write'] .button").click()
    yield "manuscript", page
    await page.locator(".rows a").first.click()
    await page.fill("#below", "### Beslut\n\nStyrelsen beslutar att\n\n- godkänna rapporten\n\n#### För djup rubrik")
    await page.locator("form:has(#below) .button.primary").click()
    yield "manuscript-paragraph-wrong", page
    await page.fill("#below", "### Beslut\n\nStyrelsen beslutar att godkänna rapporten.")
    await page.locator("[data-picture] img").wait_for()
    yield "manuscript-paragraph", page
    await page.goto(f"{meeting}/manuscript/fields")
    await page.locator("[data-picture] > *").nth(1).wait_for()
    yield "manuscript-fields", page
    await page.fill("#minutes_present", "Olof Berg; S; Björkå; ordförande\n; C; Granvik")
    await page.locator("form:has(#minutes_present) .button.primary").click()
    yield "manuscript-fields-wrong", page
    await page.goto(f"{meeting}/manuscript/fields")
    await page.fill("#minutes_adjuster", "Maja Lind")
    await page.locator("form:has(#minutes_present) .button.primary").click()
    await page.goto(f"{meeting}/manuscript/forward")
    await page.fill("#signer_1", "maja")
    await page.locator("[value=review]").click()
    yield "manuscript-forward-wrong", page
    await page.goto(meeting)
    yield "meeting-held", page


async def notices(page: Page, meeting: str) -> AsyncIterator[Stop]:
    """Of a meeting to come whose body has a chair and a substitute."""
    await page.goto(f"{meeting}/notice")
    yield "notice", page
    await page.locator("[value=notice]").click()
    await page.locator("main [href*='/replies/']").first.click()
    await page.locator("form .button").click()
    yield "reply-wrong", page
    await page.select_option("#said", "absent")
    await page.fill("#told", "Är bortrest hela veckan, och går inte att nå.")
    await page.locator("form .button").click()
    yield "meeting-answers", page
    await page.goto(f"{meeting}/change")
    await page.fill("#begins_at", "08:30")
    await page.locator("form .button").click()
    yield "meeting-notice-outdated", page
    await page.goto(f"{meeting}/notice")
    yield "notice-outdated", page


async def agendas(page: Page, meeting: str) -> AsyncIterator[Stop]:
    """Of a meeting whose body has standing items, with another meeting to come."""
    await page.goto(f"{meeting}/agenda")
    yield "agenda-standing", page
    await page.locator("main .button.primary").click()
    await page.fill("#item_minutes", "many")
    await page.locator("form .button").click()
    yield "item-wrong", page
    await page.fill("#item_title", "Ramverk för förbundets strategiska utveckling")
    await page.fill("#item_minutes", "20")
    await page.fill("#presenter", "Wilhelmina Sjöström-Häggkvist")
    await page.fill("#background", "Stadgarna säger inte hur beslut bereds.\n\nFler uppdrag väntas.")
    await page.locator("form .button").click()
    yield "agenda", page
    await page.locator(".row-title a").last.click()
    yield "item", page
    await page.locator("main p a").last.click()
    yield "item-remove", page
    async for stop in attachments(page, meeting):
        yield stop
    await page.goto(f"{meeting}/agenda")
    await page.locator(".row-side p a").last.click()
    await page.select_option("#how", "referred_back")
    await page.locator("form .button").click()
    yield "item-move-wrong", page
    await page.select_option("#to_meeting", "waits")
    await page.fill("#reason", "Kostnaden saknas.")
    await page.locator("form .button").click()
    yield "agenda-left", page


async def attachments(page: Page, meeting: str) -> AsyncIterator[Stop]:
    """Of the last item of an agenda."""
    await page.goto(f"{meeting}/agenda")
    await page.locator(".row-side p a[href$=attachments]").last.click()
    pdf = {"name": "Budget 2023, arbetsmaterial.pdf", "mimeType": "application/pdf", "buffer": b"<html>"}
    await page.set_input_files("#file", [pdf])  # type: ignore[list-item]
    await page.locator("form .button.primary").click()
    yield "attachments-wrong", page
    for name, confidential in (("Budget 2023.pdf", "no"), ("Löner.pdf", "yes")):
        await page.set_input_files("#file", [pdf | {"name": name, "buffer": pdf_of()}])  # type: ignore[list-item]
        await page.fill("#attachment_title", name.removesuffix(".pdf"))
        await page.select_option("#confidential", confidential)
        await page.locator("form .button.primary").click()
    yield "attachments", page
    await page.locator(".row-side p a").last.click()
    await page.set_input_files("#file", [pdf | {"buffer": pdf_of(2)}])  # type: ignore[list-item]
    await page.locator("form[enctype] .button").click()
    yield "attachment", page
    await page.fill("#attachment_title", "")
    await page.locator("form .button.primary").click()
    yield "attachment-wrong", page
    await page.locator("main p a[href$=remove]").click()
    yield "attachment-remove", page
    await page.goto(f"{meeting}/annexes")
    await page.set_input_files("#file", [pdf])  # type: ignore[list-item]
    await page.locator("form[enctype] .button").click()
    yield "annexes-wrong", page
    await page.set_input_files("#file", [pdf | {"buffer": pdf_of()}])  # type: ignore[list-item]
    await page.locator("form[enctype] .button").click()
    yield "annexes", page
    await page.goto(f"{meeting}/papers")
    yield "papers", page
    await page.locator("form .button").click()
    yield "papers-published", page


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
    await page.locator(".row-title a").click()
    yield "mail", page


async def _signers(site: Site, page: Page) -> AsyncIterator[Stop]:
    await page.locator(".letter a").click()
    yield "start", page
    await page.locator("form .button").click()
    await page.locator(".viewer[data-ready=true]").wait_for()
    yield "document", page
    await page.locator("[data-act=text]").click()
    yield "document-text", page
    await page.locator("section#sign a").click()
    yield "decline", page
    await page.locator("form .button").click()
    yield "decline-wrong", page
    await page.locator(".actions a").click()
    site.flow.tick(60)
    await page.locator("#sign .button").click()
    yield "receipt", page
    await page.goto(await site.link(ADJUSTER))
    yield "not-your-turn", page
    await page.goto(await site.link(CHAIR))
    await page.locator("form .button").click()
    await page.locator(".viewer[data-ready=true]").wait_for()
    await page.locator("#sign .button").click()
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
    await page.locator(".row-title a").click()
    yield "agreement-bounced", page
    async for stop in _remedies(site, page):
        yield stop
    await page.goto(f"{site.base}/signing/overview/{AGREEMENT_ID}")
    await page.locator(".notice.warning a.secondary").click()
    await page.fill("#email", ALTERNATE)
    await page.locator("form .button").click()
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
    await page.locator("form .button").first.click()
    yield "agreement-links-ended", page


async def _remedies(site: Site, page: Page) -> AsyncIterator[Stop]:
    agreement = f"{site.base}/signing/overview/{AGREEMENT_ID}"
    await page.goto(f"{agreement}/address/{await site.flow.id(ADJUSTER)}")
    await page.fill("#email", "sven.dahl")
    await page.locator("form .button").click()
    yield "address-wrong", page
    await page.goto(f"{agreement}/link/{await site.flow.id(ADJUSTER)}")
    yield "link", page
    await page.goto(f"{agreement}/deadline")
    yield "deadline", page
    await page.fill("input[type=date]", "2021-01-01")
    await page.locator("form .button").click()
    yield "deadline-wrong", page


async def _declined(site: Site, page: Page, pdf: bytes, language: str) -> AsyncIterator[Stop]:
    """Another agreement, which its first signer declines."""
    await site.draft(pdf, language, agreement_id=OTHER_AGREEMENT)
    await page.goto(f"{site.base}/signing/overview/{OTHER_AGREEMENT}")
    await page.locator(".actions button").click()
    await page.goto(await site.link(SECRETARY, agreement_id=OTHER_AGREEMENT))
    await page.locator("form .button").click()
    await page.locator("section#sign a").click()
    await page.fill("#reason", "§ 28: tacket till ledningen saknas")
    await page.locator("form .button").click()
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
    await page.locator("form .button.primary").click()
    yield "extracts-wrong", page
    await page.select_option("#paragraph", "29")
    await page.fill("#certified_by", "Wilhelmina Sjöström-Häggkvist, registrator")
    await page.locator("form .button.primary").click()
    yield "extracts", page
    await page.goto(site.copy_link())
    yield "copy", page
    site.copies.opens_until = ARCHIVED.replace(year=2021)
    await page.goto(site.copy_link())
    yield "copy-closed", page
    site.copies.ended = {holder_of(COPY, SECRETARY): 2}
    await page.goto(site.copy_link())
    yield "copy-ended", page
