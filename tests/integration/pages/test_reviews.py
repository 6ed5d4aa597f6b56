"""Minutes that are read before they are signed: by a mailed link, paragraph by paragraph, until all agree."""

import re
from datetime import date
from html import unescape

import httpx
import pytest

from services.meetings.body.membership import MemberRole
from shared.auth import SESSION_COOKIE
from tests.integration.meetings.test_meetings import end as ended
from tests.integration.pages.members import member
from tests.integration.pages.site import AUDITOR, ELSEWHERE, TOKEN, Site
from tests.integration.pages.test_meetings import DRAFTING, MINUTES
from tests.integration.pages.test_office import OFFICE
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION

DAY = date(2022, 10, 3)
LATE = "Den dagen är förbi, men du kan svara ännu."


@pytest.fixture
async def visitor(site: Site, client: httpx.AsyncClient) -> Visitor:
    """A secretary who has logged in, and opens the mails' links in the same browser."""
    client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
    return Visitor(site, client)


async def drafted(site: Site) -> tuple[str, str, str, str]:
    """Ids: of Maja, the chair; of Olof, a member; of a meeting with minutes; and of their agreement."""
    maja, olof = await member(site, "Maja Lind", MemberRole.CHAIR), await member(site, "Olof Berg")
    commands = site.meetings.commands
    meeting = (await commands.meetings.of_year(ORGANISATION, 2022))[0]
    made = await commands.minutes.draft_minutes(ORGANISATION, meeting.id, MINUTES, DRAFTING, ip="192.0.2.1")
    return maja, olof, meeting.id, made.agreement_id


async def test_it_goes_from_the_first_reading_to_the_signers(site: Site, visitor: Visitor) -> None:
    maja, _, meeting, agreement = await drafted(site)
    page = unescape((await visitor.follow(f"{OFFICE}/meetings/{meeting}")).text)
    assert "Låt ordförande och justerare läsa innan det signeras" in page
    page = (await visitor.follow(f"{OFFICE}/meetings/{meeting}/review/new")).text
    assert page.count("checked") == 2, "the minutes name both, as chair and adjuster"
    answer = await visitor.press("/review/new", person="", answer_by="", note="")
    assert answer.status_code == 422
    assert "Välj minst en som ska läsa" in unescape(answer.text)
    await visitor.press("/review/new", person=maja, answer_by="2022-10-03", note="Särskilt § 38")
    assert "De har fått ett mejl med en länk." in visitor.page.text
    review = visitor.page.url.path
    review_id = review.rpartition("/")[2]

    page = unescape((await visitor.follow(site.own_link(maja, review=review_id))).text)
    own = visitor.page.url.path
    assert own == f"/meetings/member/{maja}/reviews/{review_id}"
    assert "Olof Berg." in page
    assert "Särskilt § 38" in page
    assert LATE not in page
    site.flow.tick(8 * 86400)
    assert LATE in unescape((await visitor.follow(own)).text), "it is open, and a day that is over is not the last"
    wrong = await visitor.send(own, **{"comment-38": "Fel ord.", "act": "agree"})
    assert wrong.status_code == 422
    assert "Du har skrivit en kommentar" in unescape(wrong.text)
    assert "Fel ord." in wrong.text
    await visitor.send(own, **{"comment-38": "Fel ord.", "comment-0": "Annars bra.", "act": "comment"})
    assert "Kommentarerna är skickade till sekreteraren." in unescape(visitor.page.text)

    page = unescape((await visitor.follow(review)).text)
    assert page.index("Annars bra.") < page.index("§ 38 Ekonomi") < page.index("Fel ord.")
    assert "Har kommenterat" in page
    [comment] = set(re.findall(rf"{review}/comments/([^\"]+)", page[page.index("§ 38 Ekonomi") :]))
    await visitor.press(f"/comments/{comment}", **{f"reply-{comment}": "Rättas.", "act": "settle"})
    assert "Rättas." in visitor.page.text
    assert "/send" not in visitor.page.text

    await site.meetings.commands.unlocking.unlock(ORGANISATION, meeting, "§ 38", ip="192.0.2.1")
    assert "Nästa version skrivs" in unescape((await visitor.follow(review)).text)
    await ended(site.meetings, agreement, organisation=ORGANISATION)
    text = MINUTES.replace("Läggs till", "Rapporten läggs till")
    await site.meetings.commands.minutes.draft_minutes(ORGANISATION, meeting, text, DRAFTING, ip="192.0.2.1")
    page = unescape((await visitor.follow(own)).text)
    assert "Vad som ändrats sedan version 1" in page
    assert "om version 1" in page
    assert "Rättas." in page
    assert "Rapporten läggs" in unescape((await visitor.follow(f"{own}/difference")).text)
    await visitor.follow(own)
    await visitor.send(own, **{"act": "agree"})
    assert "Du har godkänt version 2" in unescape(visitor.page.text)
    await visitor.follow(review)
    assert "Alla godkänner" in visitor.page.text
    await visitor.press("/send")
    assert "Protokollet är skickat för signering." in unescape(visitor.page.text)
    assert "Protokollet är skickat för signering" in unescape((await visitor.follow(own)).text)


async def test_what_was_written_about_an_older_version_is_kept_and_not_sent(site: Site, visitor: Visitor) -> None:
    maja, _, meeting, agreement = await drafted(site)
    commands = site.meetings.commands
    made = await commands.reviews.open(ORGANISATION, meeting, [maja], answer_by=DAY)
    own = f"/meetings/member/{maja}/reviews/{made.review.id}"
    await visitor.follow(site.own_link(maja, review=made.review.id))
    stale = visitor.page
    await ended(site.meetings, agreement, organisation=ORGANISATION)
    await commands.minutes.draft_minutes(ORGANISATION, meeting, MINUTES, DRAFTING, ip="192.0.2.1")
    answer = await visitor.send(own, **{"comment-38": "Fel ord.", "act": "comment"})
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert "Protokollet är ändrat sedan du öppnade sidan" in page
    assert "Fel ord." in page
    assert (await commands.reviews.review(ORGANISATION, made.review.id)).comments == []
    visitor.page = stale
    await commands.reviews.call_off(ORGANISATION, made.review.id, "Skrivs om")
    page = unescape((await visitor.send(own, **{"comment-38": "Fel ord.", "act": "comment"})).text)
    assert "Du behöver inte läsa protokollet längre" in page
    assert "Fel ord." in page


async def test_long_after_it_is_over_the_link_says_what_it_was_and_whom_to_ask(site: Site, visitor: Visitor) -> None:
    maja, _, meeting, _ = await drafted(site)
    await member(site, "Karin Ek", MemberRole.SECRETARY)
    commands = site.meetings.commands.reviews
    made = await commands.open(ORGANISATION, meeting, [maja], answer_by=DAY)
    link = site.own_link(maja, review=made.review.id)
    own = f"/meetings/member/{maja}/reviews/{made.review.id}"
    page = await visitor.follow(link)
    await commands.call_off(ORGANISATION, made.review.id, "Skrivs om")
    site.flow.tick(110 * 86400)
    late = [await visitor.follow(link), await visitor.follow(f"{own}/difference")]
    visitor.page = page
    late.append(await visitor.send(own, **{"comment-38": "Fel ord.", "act": "comment"}))
    for answer in late:
        said = unescape(answer.text)
        assert answer.status_code == 410
        assert "Tiden för synpunkter är slut sedan länge" in said
        assert "svara senast måndag 3 oktober 2022" in said
        assert "fråga Karin Ek, som är sekreterare (Styrelsen)" in said
        assert "Ekonomi" not in said, "the minutes are read there no more"


async def test_only_who_is_asked_reads_it_and_only_a_secretary_changes_it(
    site: Site, visitor: Visitor, client: httpx.AsyncClient
) -> None:
    maja, olof, meeting, _ = await drafted(site)
    made = await site.meetings.commands.reviews.open(ORGANISATION, meeting, [maja], answer_by=DAY)
    review = f"{OFFICE}/reviews/{made.review.id}"
    await client.get(site.own_link(olof))
    assert (await client.get(f"/meetings/member/{olof}/reviews/{made.review.id}")).status_code == 404
    assert (await client.get(f"/meetings/member/{maja}/reviews/{made.review.id}")).status_code == 403
    client.cookies.set(SESSION_COOKIE, await site.session(AUDITOR))
    assert (await client.get(review)).status_code == 200
    for path in (f"{review}/call-off", f"{OFFICE}/meetings/{meeting}/review/new"):
        assert (await client.get(path)).status_code == 403
    client.cookies.set(SESSION_COOKIE, await site.session(ELSEWHERE))
    assert (await client.get(review)).status_code == 404
