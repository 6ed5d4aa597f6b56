"""A meeting on a member's own pages: what they answer to it, and what of it they read."""

import io
from html import unescape

import httpx
import pikepdf
import pytest

from services.meetings.agenda.agenda import HowItLeft, ItemDetails
from services.meetings.attachment.commands import Upload
from services.meetings.body.membership import MemberRole
from services.meetings.reply.reply import Answer, Via
from services.meetings.strike.strike import Strike
from shared.events import Person as Invited
from tests.integration.pages.members import board_meeting, meeting_of, meetings_of, member
from tests.integration.pages.site import Site
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION
from tests.unit.rendering.test_binding import pdf_of


async def test_an_answer_in_a_mail_is_chosen_and_given_by_the_button(site: Site, visitor: Visitor, maja: str) -> None:
    [meeting] = [one for one in await meetings_of(site) if one.details.starts.day == 25]
    replies = site.meetings.commands.replies
    await visitor.follow(site.own_link(maja, meeting=meeting.id, answer="absent"))
    assert 'value="absent" checked' in visitor.page.text
    assert "inte skickat än" in visitor.page.text
    assert await replies.of_person(ORGANISATION, maja) == {}
    await visitor.press("/answer", answer="absent", comment="Tåget går inte.\r\nTyvärr.")
    assert "Tack för att du säger till" in visitor.page.text
    said = (await replies.of_person(ORGANISATION, maja))[meeting.id]
    assert (said.answer, said.via, said.comment) == ("absent", "page", "Tåget går inte. Tyvärr.")
    await visitor.press("/answer", answer="coming", comment="")
    await visitor.follow(f"/meetings/member/{maja}")
    assert "Ditt svar: Jag kommer" in visitor.page.text


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"answer": "", "comment": "Tåget"}, "Välj ett svar"),
        ({"answer": "maybe", "comment": "Tåget"}, "Välj ett svar"),
        ({"answer": "absent", "comment": "Tåget" + "x" * 2000}, "högst 2 000 tecken"),
        ({"answer": "absent", "comment": "Tåget\u202e"}, "tecken som inte går att använda"),
    ],
)
async def test_what_is_wrong_with_an_answer_is_said_and_nothing_typed_is_lost(
    site: Site, visitor: Visitor, maja: str, fields: dict[str, str], error: str
) -> None:
    [meeting] = [one for one in await meetings_of(site) if one.details.starts.day == 25]
    await visitor.follow(site.own_link(maja, meeting=meeting.id))
    answer = await visitor.press("/answer", **fields)
    assert answer.status_code == 422
    assert unescape(answer.text).count(error) == 2
    assert "Tåget" in answer.text
    assert await site.meetings.commands.replies.of_person(ORGANISATION, maja) == {}


async def test_who_changes_an_answer_without_end_mails_no_substitutes_without_end(
    site: Site, visitor: Visitor, maja: str
) -> None:
    meeting = await meeting_of(site)
    await visitor.follow(site.own_link(maja, meeting=meeting.id))
    for number in range(6):
        said = await visitor.press("/answer", answer=("absent", "coming")[number % 2], comment="")
        assert said.status_code == 200
    again = await visitor.press("/answer", answer="coming", comment="Med bil")
    assert again.status_code == 200, "the same answer mails nobody"
    last = await visitor.press("/answer", answer="absent", comment="Tåget går inte")
    assert (last.status_code, "Tåget går inte" in last.text) == (422, True)
    assert unescape(last.text).count("Vänta tio minuter") == 2
    assert (await site.meetings.commands.replies.of_person(ORGANISATION, maja))[meeting.id].answer == "coming"


async def test_a_member_whose_answer_was_recorded_meanwhile_is_told(site: Site, visitor: Visitor, maja: str) -> None:
    [_, meeting] = await meetings_of(site)
    replies = site.meetings.commands.replies
    opened = await visitor.follow(site.own_link(maja, meeting=meeting.id))
    await replies.answer(ORGANISATION, meeting.id, maja, Answer.ABSENT, Via.OFFICE, "Ringde")
    told = await visitor.press("/answer", answer="coming", comment="")
    assert told.status_code == 422
    text = unescape(told.text)
    assert "Detta har ändrats sedan sidan öppnades" in text
    assert "Jag kan inte" in text
    assert "Meddelande till sekreteraren: Ringde" in text
    assert (await replies.of_person(ORGANISATION, maja))[meeting.id].answer == "absent"
    await visitor.press("/answer", answer="coming", comment="")
    visitor.page = opened  # as by a second press of the button
    again = await visitor.press("/answer", answer="coming", comment="")
    assert "done" in again.url.params
    assert (await replies.of_person(ORGANISATION, maja))[meeting.id].answer == "coming"


async def test_an_answer_that_comes_too_late_or_from_another_site_changes_nothing(
    site: Site, visitor: Visitor, maja: str
) -> None:
    [held, meeting] = await meetings_of(site)
    await visitor.follow(site.own_link(maja, meeting=held.id))
    assert "/answer" not in visitor.page.text
    await visitor.follow(site.own_link(maja, meeting=meeting.id))
    opened = visitor.page
    answer = await visitor.client.post(f"{opened.url.path}/answer", data={"answer": "coming", "csrf": "made up"})
    assert answer.status_code == 403
    await site.meetings.commands.meetings.cancel(ORGANISATION, meeting.id, "För få kan.")
    said = await visitor.press("/answer", answer="coming", comment="Jag kan ändå")
    assert (said.status_code, "För få kan." in said.text, "Svaret togs inte emot" in said.text) == (422, True, True)
    assert "Jag kommer. Jag kan ändå" in said.text
    assert 'name="answer"' not in said.text
    assert await site.meetings.commands.replies.of_person(ORGANISATION, maja) == {}


async def test_a_meeting_that_asks_their_address_is_theirs_and_wants_no_answer(
    site: Site, visitor: Visitor, maja: str
) -> None:
    asked = board_meeting("2022-11-11", "Nätverket")
    guest = Invited(email="maja@norrdalen.example")
    meetings = site.meetings.commands.meetings
    await meetings.schedule(ORGANISATION, asked.model_copy(update={"title": "Öppet hus", "participants": (guest,)}))
    await visitor.follow(site.own_link(maja))
    assert "Öppet hus" in visitor.page.text
    [meeting] = [one for one in await meetings_of(site) if one.details.title == "Öppet hus"]
    await visitor.follow(f"/meetings/member/{maja}/meetings/{meeting.id}")
    assert (visitor.page.status_code, "/answer" in visitor.page.text) == (200, False)


async def test_another_bodys_meeting_is_not_shown(site: Site, visitor: Visitor, maja: str) -> None:
    other = await site.meetings.commands.meetings.schedule(ORGANISATION, board_meeting("2022-11-11", "Nätverket"))
    await visitor.follow(site.own_link(maja, meeting=other.id))
    assert visitor.page.status_code == 404


async def test_a_struck_meeting_leads_to_the_one_that_takes_its_items_and_back(
    site: Site, visitor: Visitor, maja: str
) -> None:
    commands = site.meetings.commands
    december = await commands.meetings.schedule(ORGANISATION, board_meeting("2022-12-16"))
    november = next(one for one in await meetings_of(site) if one.details.starts.month == 11)
    await commands.agendas.add(ORGANISATION, november.id, ItemDetails(title="Ekonomi"))
    await commands.strikes.strike(ORGANISATION, november.id, Strike(to_meeting_id=december.id, reason="Krock"))
    await visitor.follow(site.own_link(maja))
    page = f"/meetings/member/{maja}/meetings"
    struck = unescape((await visitor.follow(f"{page}/{november.id}")).text)
    assert f'punkterna tas upp på <a href="{page}/{december.id}">Styrelsen, fredag 16 december 2022</a>.' in struck
    there = unescape((await visitor.follow(f"{page}/{december.id}")).text)
    assert f'från ett möte som ströks: <a href="{page}/{november.id}">Styrelsen, fredag 25 november 2022</a>.' in there


async def test_published_papers_are_read_by_who_is_asked_and_what_is_confidential_by_members(
    site: Site, client: httpx.AsyncClient, maja: str
) -> None:
    sven = await member(site, "Sven Dahl", MemberRole.CO_OPTED)
    olle = await member(site, "Olle Ek", MemberRole.SUBSTITUTE)
    commands = site.meetings.commands
    coming = await meeting_of(site)
    item = await commands.agendas.add(ORGANISATION, coming.id, ItemDetails(title="Ekonomi"))
    made = [
        await commands.attachments.add(
            ORGANISATION, item.id, Upload(name, io.BytesIO(pdf_of(1, name))), confidential=name == "Secret.pdf"
        )
        for name in ("Budget.pdf", "Secret.pdf")
    ]
    for person, reads in ((maja, True), (sven, False), (olle, False)):
        await client.get(site.own_link(person))
        page = f"/meetings/member/{person}/meetings/{coming.id}"
        before = await client.get(f"{page}/papers")
        assert before.status_code == (404 if person == maja else 200), "what is not published is read by nobody"
        await commands.papers.publish(ORGANISATION, coming.id)
        shown = unescape((await client.get(page)).text)
        assert "Läs alla handlingar" in shown
        assert "Budget</a>" in shown
        assert ("Secret</a>" in shown) is reads
        papers = await client.get(f"{page}/papers")
        assert (papers.status_code, papers.headers["content-type"]) == (200, "application/pdf")
        assert len(pikepdf.open(io.BytesIO(papers.content)).pages) == (4 if reads else 3)
        answers = [(await client.get(f"{page}/files/{one.id}")).status_code for one in made]
        assert answers == [200, 200 if reads else 404]
        if person == maja:  # before the others' links were opened
            others = await client.get(f"/meetings/member/{sven}/meetings/{coming.id}/papers")
            assert others.status_code == 403
        assert (await client.get(f"/meetings/member/{person}/meetings/nobody/papers")).status_code == 404


async def test_a_member_reads_why_an_item_was_referred_back(site: Site, visitor: Visitor, maja: str) -> None:
    agendas, meeting = site.meetings.commands.agendas, await meeting_of(site)
    await site.meetings.commands.meetings.schedule(ORGANISATION, board_meeting("2022-12-16"))
    [later] = [one for one in await meetings_of(site) if one.details.starts.month == 12]
    item = await agendas.add(ORGANISATION, meeting.id, ItemDetails(title="Stadgar"))
    await agendas.move(ORGANISATION, item.id, None, how=HowItLeft.REFERRED_BACK, reason="Kostnaden ska redas ut")
    await agendas.move(ORGANISATION, item.id, later.id, how=HowItLeft.MOVED, reason=None)
    page = await visitor.follow(site.own_link(maja, meeting=later.id))
    assert "Återremitterad av Styrelsen 25 november 2022: Kostnaden ska redas ut" in unescape(page.text)
