"""A walk by browser through the office: bodies, people and their own pages, minutes from the draft to the decisions."""

from collections.abc import AsyncIterator
from datetime import date

from playwright.async_api import BrowserContext, Page

from services.meetings.body.body import BodyDetails, BodyKind
from shared.events import AgreementCancelled, BounceDetected
from tests.integration.meetings.test_decisions import fire
from tests.integration.meetings.test_elections import signed as all_signed
from tests.integration.meetings.test_meetings import NOW
from tests.integration.meetings.test_meetings import end as ended
from tests.integration.pages.site import Site
from tests.integration.pages.test_meetings import DRAFTING, MINUTES
from tests.integration.pages.tour import Stop, first_page, log_in, press
from tests.integration.pages.tour_meetings import meetings
from tests.integration.signing.flow import ORGANISATION, message

_ELECTED = """
| Vald till | Namn | Uppdrag |
| --- | --- | --- |
| Styrelsen | Wilhelmina Sjöström-Häggkvist | ordförande |
| Styrgruppen | Olof Berg | ordförande |
"""


async def office(site: Site, context: BrowserContext) -> AsyncIterator[Stop]:
    """Each page in turn with a name for it, with the office empty at first."""
    page = await first_page(context)
    await log_in(site, page)
    at = f"{site.base}/meetings/office"
    await page.goto(f"{at}/bodies")
    yield "bodies-empty", page
    await press(page.locator("main .button.primary"))
    await page.locator("form summary").click()
    await page.fill("#quorum", "many")
    await press(page.locator("form .button"))
    yield "body-wrong", page
    await page.fill("#name", "Styrelsen")
    await page.fill("#quorum", "2")
    await page.fill("#standing_items", "Val av justerare\nEkonomi")
    await page.fill("#join_link", "https://mote.norrdalen.example/styrelsen")
    await press(page.locator("form .button"))
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
        await press(page.locator("form .button"))
    yield "person", page
    await page.goto(f"{at}/people/new")
    await page.fill("#email", "maja")
    await press(page.locator("form .button"))
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
        await press(page.locator("form .button"))
    yield "body", page
    await press(page.locator(".rows .ways a").first)
    await page.fill("#ends", "2021-01-01")
    await press(page.locator("form .button"))
    yield "member-wrong", page
    await page.goto(board)
    await press(page.locator(".rows .ways a").nth(1))
    yield "member-end", page
    async for stop in meetings(site, page):
        yield stop
    await page.goto(f"{at}/people")
    await press(page.locator(".row-title a").first)
    person = page.url
    await press(page.locator(".ways a").nth(1))
    yield "person-leave", page
    await page.goto(person)
    await press(page.locator(".ways a").last)
    yield "person-end-links", page
    async for stop in own(site, page, person.rpartition("/")[2]):
        yield stop
    async for stop in elections(site, page, board):
        yield stop
    async for stop in approved_at_once(site, page):
        yield stop
    await page.goto(f"{board}/change")
    other = await page.context.new_page()
    await other.goto(f"{board}/change")
    await other.fill("#quorum", "1")
    await press(other.locator("form .button"))
    await other.close()
    await page.fill("#name", "Förbundsstyrelsen")
    await press(page.locator("form .button"))
    yield "body-changed-meanwhile", page
    await page.goto(f"{board}/close")
    yield "body-close", page
    await press(page.locator("form .button"))
    yield "body-closed", page
    await page.goto(f"{at}/bodies")
    yield "bodies-closed", page
    yield await _long_after_a_review(site, page)


async def own(site: Site, page: Page, person_id: str) -> AsyncIterator[Stop]:
    """Of a member of a body with meetings, whose links are of the first version."""
    language = await page.get_attribute("html", "lang") or "sv"
    commands = site.meetings.commands.people
    person = (await commands.career(ORGANISATION, person_id)).person
    # As the person reads, whatever the browser asks for.
    await commands.change(ORGANISATION, person_id, person.details.model_copy(update={"language": language}))
    await page.goto(site.own_link(person_id))
    yield "own-meetings", page
    await press(page.locator(".row-title a").first)
    yield "own-meeting", page
    await press(page.locator("form .button"))
    yield "own-meeting-wrong", page
    await page.locator("#answer").check()
    await press(page.locator("form .button"))
    yield "own-meeting-answered", page
    at = f"{site.base}/meetings/office"
    own_meeting = page.url.partition("?")[0]
    meeting = own_meeting.rpartition("/")[2]
    async for stop in proposals(page, own_meeting, f"{at}/meetings/{meeting}/proposals"):
        yield stop
    await page.goto(f"{at}/meetings/{meeting}/poll/new?first=2022-11-28&last=2022-12-16")
    await page.fill("#own_day_1", "2022-12-20")
    await page.fill("#own_ends_1", "08:00")
    await press(page.locator("form .button").last)
    yield "poll-new-wrong", page
    await page.fill("#own_ends_1", "16:00")
    await page.locator("input[name=time]").first.check()
    await page.fill("#note", "Oktobermötet krockar med mässan.")
    await press(page.locator("form .button").last)
    yield "poll-asked", page
    poll = await site.meetings.commands.polls.latest(ORGANISATION, meeting)
    assert poll is not None
    await page.goto(site.own_link(person_id))
    yield "own-meetings-asked", page
    await page.goto(site.own_link(person_id, poll=poll.poll.id))
    await press(page.locator("form .button"))
    yield "own-poll-wrong", page
    for time in poll.poll.times:
        await page.locator(f"input[name='{time.key}']").last.check()
    await press(page.locator("form .button"))
    yield "own-poll-answered", page
    await page.goto(f"{at}/meetings/{meeting}/poll")
    yield "poll-answered", page
    await press(page.locator("#told ~ .ways a").first)
    await page.fill("#told", "\u202e")
    await press(page.locator("form .button"))
    yield "poll-answer-wrong", page
    await page.goto(f"{at}/meetings/{meeting}/poll")
    await press(page.locator(".row-side .ways a").first)
    yield "poll-choose", page
    await page.goto(f"{at}/polls/{poll.poll.id}/call-off")
    await press(page.locator("form .button"))
    yield "poll-call-off-wrong", page
    await page.fill("#reason", "Mässan flyttas.")
    await press(page.locator("form .button"))
    yield "poll-called-off", page
    await page.goto(site.own_link(person_id, poll=poll.poll.id))
    yield "own-poll-called-off", page


async def proposals(page: Page, own_meeting: str, office_page: str) -> AsyncIterator[Stop]:
    """Of a member and a secretary in one browser, for a meeting to come."""
    await page.goto(f"{own_meeting}/propose")
    await press(page.locator("main form .button"))
    yield "own-propose-wrong", page
    for title in ("Upphandling av ett ärendehanteringssystem", "Logotyp", "Resor"):
        await page.fill("#item_title", title)
        await page.fill("#background", "Fler frågar.\n\nAvtalet går ut i juni.")
        await press(page.locator("main form .button"))
    yield "own-proposed", page
    await page.goto(office_page)
    yield "proposals", page
    await press(page.locator("[action$='/take'] .button").first)
    await press(page.locator("main [href$='/decline']").first)
    await press(page.locator("main form .button"))
    yield "proposal-decline-wrong", page
    await page.fill("#reason", "Kommunikationen tar den.")
    await press(page.locator("main form .button"))
    await page.fill("#until", "2099-01-01")
    await press(page.locator("main form .button").last)
    yield "proposals-wrong", page
    member = await page.context.new_page()
    await member.goto(f"{own_meeting}/propose")
    await member.fill("#item_title", "Kommer för sent")
    await page.fill("#until", "2022-09-01")
    await press(page.locator("main form .button").last)
    yield "proposals-over", page
    await press(member.locator("main form .button"))
    await member.close()
    await page.goto(f"{own_meeting}/propose")
    yield "own-proposals-over", page


async def elections(site: Site, page: Page, board: str) -> AsyncIterator[Stop]:
    """Of a body that has a chair and a meeting on 2022-11-25, whose minutes elect: one can be seated, one cannot."""
    commands = site.meetings.commands
    await commands.bodies.register(ORGANISATION, BodyDetails(name="Styrgruppen", kind=BodyKind.STEERING_GROUP))
    meeting = await _of_day(site, date(2022, 11, 25))
    drafted = await commands.minutes.draft_minutes(ORGANISATION, meeting, MINUTES, DRAFTING, ip="192.0.2.1")
    async for stop in reviews(site, page, meeting):
        yield stop
    await page.goto(f"{site.base}/meetings/office/meetings/{meeting}/minutes/unlock")
    await press(page.locator("main form .button"))
    yield "minutes-unlock-wrong", page
    await page.fill("#reason", "§ 38 är fel.")
    await press(page.locator("main form .button"))
    yield "meeting-unlocked", page
    await ended(site.meetings, drafted.agreement_id, AgreementCancelled, organisation=ORGANISATION)
    text = MINUTES.replace("Läggs till handlingarna.", "Rapporten läggs till handlingarna.") + _ELECTED
    drafted = await commands.minutes.draft_minutes(ORGANISATION, meeting, text, DRAFTING, ip="192.0.2.1")
    await page.goto(f"{site.base}/meetings/office/meetings/{meeting}/minutes/difference/1/2")
    yield "minutes-difference", page
    review = await commands.reviews.latest(ORGANISATION, meeting)
    assert review is not None
    [reviewer] = review.review.people
    await page.goto(site.own_link(reviewer, review=review.review.id))
    yield "own-review-again", page
    await page.goto(f"{site.base}/meetings/member/{reviewer}/reviews/{review.review.id}/difference")
    yield "own-review-difference", page
    await page.goto(site.own_link(reviewer, review=review.review.id))
    await press(page.locator("[value=agree]"))
    yield "own-review-agreed", page
    await page.goto(f"{site.base}/meetings/office/reviews/{review.review.id}")
    yield "review-agreed", page
    await press(page.locator("[action$='/send'] .button"))
    yield "review-sent", page
    await all_signed(site.meetings, drafted.agreement_id, organisation=ORGANISATION)
    await page.goto(f"{site.base}/meetings/office/meetings/{meeting}")
    yield "meeting-elections", page
    await press(page.locator("[action$='/elections'] .button"))
    yield "meeting-elections-again", page
    async for stop in publishing(site, page, meeting):
        yield stop
    await page.goto(board)
    yield "body-elected", page
    async for stop in decisions(site, page):
        yield stop


async def _tasks(site: Site, page: Page) -> AsyncIterator[Stop]:
    """Of a decision that is on the page."""
    await page.goto(f"{site.base}/meetings/office/tasks")
    yield "tasks-empty", page
    await press(page.locator("main .button.primary"))
    await press(page.locator(".finds .ways a").first)
    yield "task-new", page
    await press(page.locator("form .button"))
    yield "task-wrong", page
    await page.fill("#what", "ta fram ett förslag till ramverk")
    await page.select_option("#owner", index=1)
    await page.fill("#due", "2022-10-20")
    await press(page.locator("form .button"))
    yield "task", page
    await page.goto(f"{site.base}/meetings/office/tasks")
    yield "tasks", page
    await press(page.locator("main .row-title a").first)
    await page.locator("main details summary").click()
    await press(page.locator("main details .button"))
    yield "task-withdraw-wrong", page
    await page.fill("#reason", "Gavs av misstag.")
    await press(page.locator("main details .button"))
    yield "task-withdrawn", page


async def publishing(site: Site, page: Page, meeting_id: str) -> AsyncIterator[Stop]:
    """Of a meeting whose minutes everyone has signed."""
    at = f"{site.base}/meetings/office/meetings/{meeting_id}/publish"
    await page.goto(at)
    board = {"sv": "anslagstavla", "en": "notice-board"}[await page.get_attribute("html", "lang") or "sv"]
    yield "publish", page
    await page.fill("#names", "B")
    await press(page.locator("main form .button"))
    yield "publish-wrong", page
    await page.fill("#names", "Maja Lind\nNils Ek")
    await press(page.locator("main form .button"))
    yield "publish-looked", page
    await press(page.locator("main form .button").first)
    yield "publish-posted", page
    await page.goto(f"{site.base}/meetings/{board}")
    yield "board", page
    await press(page.locator("main .rows a").first)
    yield "board-posting", page
    await archive(site, meeting_id)
    await page.goto(f"{site.base}/meetings/{board}/{'archive' if board == 'notice-board' else 'arkiv'}")
    yield "board-archive", page
    await press(page.locator("main .rows a").first)
    yield "board-archived", page
    await page.goto(at)
    yield "publish-archived", page
    posting = await site.meetings.commands.publications.of_meeting(ORGANISATION, meeting_id)
    assert posting is not None
    await page.goto(f"{site.base}/meetings/{board}/{posting.id}")
    await site.meetings.commands.publications.remove(ORGANISATION, meeting_id, "Fel protokoll.")
    await page.reload()
    yield "board-gone", page
    await page.goto(at)
    yield "publish-removed", page


async def approved_at_once(site: Site, page: Page) -> AsyncIterator[Stop]:
    """Of a meeting on 2022-09-23 whose minutes are being written."""
    meeting = await _of_day(site, date(2022, 9, 23))
    at = f"{site.base}/meetings/office/meetings/{meeting}"
    await page.goto(f"{at}/manuscript")
    await press(page.locator(".rows .row-title a").last)
    await press(page.locator("main a[href$=at-once]"))
    for n, box in enumerate(await page.locator("input[name^=signer_]").all()):
        await box.fill(f"justerare{n}@norrdalen.example")
    await page.fill("#sender_email", "kansliet@norrdalen.example")
    await press(page.locator("main form .button.primary"))
    yield "manuscript-at-once-out", page
    [alone] = await site.meetings.commands.adjusting.of_meeting(ORGANISATION, meeting)
    await all_signed(site.meetings, alone.agreement_id, organisation=ORGANISATION)
    await fire(site.meetings)
    await page.goto(at)
    yield "meeting-approved-at-once", page
    await press(page.locator(f"main a[href$='/publish?paragraph={alone.paragraph}']"))
    yield "publish-alone", page
    await page.fill("#names", "B")
    await press(page.locator("main form .button"))
    yield "publish-alone-wrong", page
    await page.fill("#names", "Nils Ek")
    await press(page.locator("main form .button"))
    yield "publish-alone-looked", page
    await press(page.locator("main form .button").first)
    yield "publish-alone-posted", page
    await press(page.locator("main dl a").last)
    yield "board-alone", page


async def _of_day(site: Site, day: date) -> str:
    held = await site.meetings.commands.meetings.of_year(ORGANISATION, day.year)
    return next(one.id for one in held if one.details.starts.date() == day)


async def archive(site: Site, meeting_id: str) -> None:
    """What is posted is in the public archive from now on."""
    commands = site.meetings.commands
    meeting = await commands.meetings.meeting(ORGANISATION, meeting_id)
    body = next(one for one in await commands.bodies.bodies(ORGANISATION) if one.id == meeting.body_id)
    rules = body.details.rules.model_copy(update={"public_archive": True})
    await commands.bodies.change(ORGANISATION, body.id, body.details.model_copy(update={"rules": rules}))
    await commands.publications.remove(ORGANISATION, meeting_id, None)


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
    await press(page.locator("form.filter .button"))
    yield "decisions-found", page
    await page.fill("#since", "2022-12-01")
    await press(page.locator("form.filter .button"))
    yield "decisions-not-found", page
    await page.fill("#until", "2022-11-01")
    await press(page.locator("form.filter .button"))
    yield "decisions-wrong", page


async def _long_after_a_review(site: Site, page: Page) -> Stop:
    """Of the minutes of 2022-11-25. The last stop: logins end meanwhile."""
    review = await site.meetings.commands.reviews.latest(ORGANISATION, await _of_day(site, date(2022, 11, 25)))
    assert review is not None
    [reviewer] = review.review.people
    site.flow.tick(200 * 86400)
    await page.goto(site.own_link(reviewer, review=review.review.id))
    return "own-review-over", page


async def reviews(site: Site, page: Page, meeting_id: str) -> AsyncIterator[Stop]:
    """Of a meeting whose minutes are drafted, of a body with members."""
    language = await page.get_attribute("html", "lang") or "sv"
    at = f"{site.base}/meetings/office"
    await page.goto(f"{at}/meetings/{meeting_id}/review/new")
    for box in await page.locator("[name=person]").all():
        await box.uncheck()
    await press(page.locator("main form .button"))
    yield "review-new-wrong", page
    await page.locator("[name=person]").first.check()
    await page.fill("#note", "Särskilt § 38.")
    await press(page.locator("main form .button"))
    yield "review-asked", page
    review = await site.meetings.commands.reviews.latest(ORGANISATION, meeting_id)
    assert review is not None
    [reviewer] = review.review.people
    async for stop in _unreached(site, page, review.review.id, reviewer):
        yield stop
    person = review.people[reviewer]
    await site.meetings.commands.people.change(
        ORGANISATION, reviewer, person.details.model_copy(update={"language": language})
    )
    await page.goto(site.own_link(reviewer, review=review.review.id))
    yield "own-review", page
    await press(page.locator("[value=comment]"))
    yield "own-review-wrong", page
    await page.fill("#comment-38", "Rapporten ska nämnas.")
    await press(page.locator("[value=comment]"))
    yield "own-review-commented", page
    await page.goto(f"{at}/reviews/{review.review.id}")
    await page.locator("details summary").first.click()
    await page.fill("textarea", "Rättas i nästa version.")
    await press(page.locator("[value=settle]"))
    yield "review-answered", page
    await page.goto(f"{at}/reviews/{review.review.id}/call-off")
    await press(page.locator("main form .button"))
    yield "review-call-off-wrong", page


async def _unreached(site: Site, page: Page, review_id: str, reviewer: str) -> AsyncIterator[Stop]:
    """Of a review that is on the page, and one who is asked in it."""
    fact = BounceDetected(
        email_id="mail",
        agreement_id=review_id,
        purpose="review",
        recipient=(await site.meetings.commands.people.career(ORGANISATION, reviewer)).person.details.email or "",
        request_id=reviewer,
        status="5.1.1",
        diagnostic="550 5.1.1 <olof@norrdalen.example>: Recipient address rejected: User unknown",
        permanent=True,
    )
    await site.meetings.gates[0].behind.handle([message(fact, NOW, key=review_id, organisation=ORGANISATION)])
    await page.reload()
    yield "review-unreached", page
    await press(page.locator("[action$='/ask-again'] .button"))
    yield "review-asked-again", page
