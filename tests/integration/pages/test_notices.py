"""Notices in a browser: seen before they go out, sent, told anew; and what the office notes of who comes."""

from html import unescape

import httpx
import pytest

from services.meetings.reply.reply import Answer, Via
from shared.auth import SESSION_COOKIE
from tests.integration.pages.site import AUDITOR, ELSEWHERE, TOKEN, Site
from tests.integration.pages.test_agendas import meeting as scheduled
from tests.integration.pages.test_meetings import MEETING, new_meeting
from tests.integration.pages.test_office import BODY, OFFICE, new_body, new_person, seat
from tests.integration.pages.test_office import visitor as visitor
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION

CHANGED = {name: value for name, value in MEETING.items() if name != "begins_at"}


async def board(visitor: Visitor) -> tuple[str, dict[str, str]]:
    """A meeting of a board of three with two substitutes, one of them without an address; ids of people by name."""
    body = await new_body(visitor)
    people = {}
    for name, role in (("Maja Lind", "chair"), ("Olof Berg", "member"), ("Nils Ek", "member")):
        email = f"{name.split()[0].lower()}@norrdalen.example"
        person = await new_person(visitor, name=name, email=email)
        await seat(visitor, body, person, role)
        people[name.split()[0]] = person.rsplit("/", 1)[-1]
    for name, email in (("Anna Dal", ""), ("Per Ros", "per@norrdalen.example")):
        person = await new_person(visitor, name=name, email=email)
        await seat(visitor, body, person, "substitute")
        people[name.split()[0]] = person.rsplit("/", 1)[-1]
    return await new_meeting(visitor, body), people


async def stage(visitor: Visitor, meeting: str) -> tuple[str, int]:
    notice = await visitor.site.meetings.commands.notices.notice(ORGANISATION, meeting.rsplit("/", 1)[-1])
    return notice.notice.stage.value, notice.notice.sequence


async def shown(visitor: Visitor, address: str) -> str:
    return unescape((await visitor.follow(address)).text)


async def test_a_quorum_at_risk_stands_on_the_start_page_and_the_meetings_says_what_to_do(visitor: Visitor) -> None:
    meeting, people = await board(visitor)
    commands, meeting_id = visitor.site.meetings.commands, meeting.rsplit("/", 1)[-1]
    await commands.notices.issue(ORGANISATION, meeting_id)
    assert "Risk att mötet inte blir beslutsfört" not in await shown(visitor, "/")
    for name in ("Maja", "Olof", "Nils", "Anna", "Per"):  # the substitutes are called meanwhile
        await commands.replies.answer(ORGANISATION, meeting_id, people[name], Answer.ABSENT, Via.OFFICE)
    assert "Risk att mötet inte blir beslutsfört" in await shown(visitor, "/")
    assert f'{meeting}/poll/new">Hitta ett nytt datum' in (await shown(visitor, meeting)).partition("Vilka kommer")[2]


async def test_a_notice_is_seen_approved_sent_and_told_anew(visitor: Visitor) -> None:
    meeting, _ = await board(visitor)
    page = await shown(visitor, meeting)
    assert "Den är inte skickad. Den ska skickas senast fredag 18 november 2022." in page
    assert "Ingen är tillfrågad än." in page
    assert "har inte svarat" not in page
    assert f'class="button primary" href="{meeting}/agenda">Skriv dagordningen' in page
    agenda = await shown(visitor, f"{meeting}/agenda")
    assert f'href="{meeting}/notice">Nästa steg: kallelsen' in agenda
    page = await shown(visitor, f"{meeting}/notice")
    for said in (
        "Fredag 25 november 2022, 09:00–12:00",
        "Olof Berg",
        "klockan 8 fredag 18 november 2022",
    ):
        assert said in page
    assert "Per Ros" not in page
    await visitor.press("/notice", what="preliminary", note="Boka dagen")
    assert "Datumet skickas nu." in visitor.page.text
    assert await stage(visitor, meeting) == ("preliminary", 1)
    await visitor.follow(f"{meeting}/notice")
    await visitor.press("/notice", what="approve", note="")
    page = unescape(visitor.page.text)
    assert "Kallelsen är godkänd." in page
    assert "Den är godkänd, och skickas av sig själv klockan 8 fredag 18 november 2022." in page
    await visitor.follow(f"{meeting}/notice")
    await visitor.press("/notice", what="notice", note="Välkomna")
    assert "Kallelsen skickas nu." in visitor.page.text
    assert await stage(visitor, meeting) == ("issued", 2)
    page = await shown(visitor, f"{meeting}/notice")
    assert "Inget är ändrat sedan den skickades." in page
    assert "Skicka kallelsen igen" in page
    assert 'class="button primary"' not in page, "nothing is to be done"
    page = await shown(visitor, f"{meeting}/agenda")
    assert "Kallelsen är skickad." in page
    assert "ska skickas senast" not in page
    await visitor.follow(f"{meeting}/change")
    await visitor.press("/change", begins_at="08:00", **CHANGED)
    page = unescape(visitor.page.text)
    assert "De som har fått veta om mötet vet inte det här" in page
    assert await stage(visitor, meeting) == ("issued", 2), "a change tells nobody"
    assert "Skicka ändrad kallelse" in await shown(visitor, f"{meeting}/notice")
    await visitor.press("/notice", what="updated", note="Tidigare")
    page = unescape(visitor.page.text)
    assert "Den ändrade kallelsen skickas nu." in page
    assert "vet inte det här" not in page
    assert await stage(visitor, meeting) == ("issued", 3)
    await visitor.follow(f"{meeting}/cancel")
    await visitor.press("/cancel", reason="Krock")
    assert "har fått mejl om att det är inställt" in unescape(visitor.page.text)


CHANGED = {
    "date": "2022-11-25",
    "ends_at": "12:00",
    "mode": "digital",
    "place": "",
    "title": "",
    "occasion": "ordinary",
}


async def test_what_changed_while_somebody_looked_is_shown_before_it_goes_out(visitor: Visitor) -> None:
    meeting, _ = await board(visitor)
    await visitor.follow(f"{meeting}/notice")
    form = visitor.page
    await visitor.follow(f"{meeting}/change")
    await visitor.press("/change", begins_at="08:00", **CHANGED)
    visitor.page = form
    answer = await visitor.press("/notice", what="notice", note="Välkomna")
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert "Mötet har ändrats, eller något har skickats, sedan du tittade." in page
    assert "08:00–12:00" in page
    assert "Välkomna" in page, "what was typed stays"
    assert await stage(visitor, meeting) == ("none", 0)
    await visitor.press("/notice", what="notice", note="Välkomna")
    assert await stage(visitor, meeting) == ("issued", 1)
    visitor.page = answer
    again = await visitor.press("/notice", what="notice", note="")
    assert (again.status_code, await stage(visitor, meeting)) == (422, ("issued", 1))


async def test_a_late_notice_is_told_and_goes_out_at_once(visitor: Visitor) -> None:
    body = await new_body(visitor)
    await seat(visitor, body, await new_person(visitor, email="maja@norrdalen.example"), "chair")
    meeting = await new_meeting(visitor, body, date="2022-09-29")
    assert "Kallelser som ska skickas" in await shown(visitor, f"{OFFICE}/meetings")
    assert "Den skulle ha varit skickad senast fredag 23 september 2022" in await shown(visitor, meeting)
    page = await shown(visitor, f"{meeting}/notice")
    assert 'value="approve"' not in page
    await visitor.press("/notice", what="notice", note="")
    assert "ingen har godkänt den" not in visitor.page.text
    assert "Kallelser som ska skickas" not in await shown(visitor, f"{OFFICE}/meetings")


async def test_the_link_of_an_online_meeting_is_seen_before_its_notice_goes_out(visitor: Visitor) -> None:
    body = await new_body(visitor)
    meeting = await new_meeting(visitor, body, mode="digital")
    page = await shown(visitor, f"{meeting}/notice")
    assert "Det finns ingen länk att ansluta med." in page
    assert f'<a href="{body}/change">Lägg till länken</a>' in page
    await visitor.follow(f"{body}/change")
    await visitor.press("/change", **BODY | {"join_link": "https://mote.example/styrelsen"})
    page = await shown(visitor, f"{meeting}/notice")
    assert 'href="https://mote.example/styrelsen"' in page
    assert "ingen länk att ansluta med" not in page


async def test_the_office_notes_answers_and_sees_who_is_called(visitor: Visitor) -> None:
    meeting, people = await board(visitor)
    await visitor.follow(f"{meeting}/notice")
    await visitor.press("/notice", what="notice", note="")
    await visitor.follow(f"{meeting}/replies/{people['Olof']}")
    wrong = await visitor.press(f"/replies/{people['Olof']}", said="", told="Bortrest")
    assert (wrong.status_code, "Bortrest" in wrong.text) == (422, True)
    await visitor.press(f"/replies/{people['Olof']}", said="absent", told="Bortrest")
    page = unescape(visitor.page.text)
    for said in ("Svaret är antecknat.", "0 kommer, 1 kan inte, 3 har inte svarat.", "Bortrest", "Antecknat här"):
        assert said in page
    assert "Ersättare, i stället för Olof Berg" in page
    assert "Ring den här personen." in page, "Anna has no address"
    await visitor.follow(f"{meeting}/replies/{people['Anna']}")
    await visitor.press(f"/replies/{people['Anna']}", said="absent", told="")
    assert "per@norrdalen.example" in visitor.page.text
    await visitor.follow(f"{meeting}/replies/{people['Anna']}")
    refused = await visitor.press(f"/replies/{people['Anna']}", said="coming", told="")
    assert (refused.status_code, "en annan ersättare ha kallats" in unescape(refused.text)) == (422, True)


async def test_an_answer_that_came_while_the_office_noted_another_is_told_and_what_was_typed_stays(
    visitor: Visitor,
) -> None:
    meeting, people = await board(visitor)
    olof, meeting_id = people["Olof"], meeting.rpartition("/")[2]
    await visitor.follow(f"{meeting}/replies/{olof}")
    replies = visitor.site.meetings.commands.replies
    await replies.answer(ORGANISATION, meeting_id, olof, Answer.COMING, Via.PAGE, "Jag kommer")
    refused = await visitor.press(f"/replies/{olof}", said="absent", told="Bortrest")
    text = unescape(refused.text)
    assert (refused.status_code, "Detta har ändrats sedan sidan öppnades" in text) == (422, True)
    for said in (": Kommer</li>", ": Jag kommer</li>", 'value="Bortrest"'):
        assert said in text
    [known] = [one.reply for one in await replies.asked(ORGANISATION, meeting_id) if one.person.id == olof]
    assert known.answer is Answer.COMING
    await visitor.press(f"/replies/{olof}", said="absent", told="Bortrest")
    assert "Svaret är antecknat." in visitor.page.text


async def test_a_meeting_of_an_unknown_body_has_no_notice_and_still_a_page(visitor: Visitor) -> None:
    unknown = await scheduled(visitor, 11, 25)
    page = await shown(visitor, f"/meetings/office/meetings/{unknown}")
    assert "Kallas" in page
    assert (await visitor.follow(f"/meetings/office/meetings/{unknown}/notice")).status_code == 404


@pytest.mark.parametrize(("token", "status"), [(AUDITOR, 403), (ELSEWHERE, 404)])
async def test_others_send_nothing(site: Site, client: httpx.AsyncClient, token: str, status: int) -> None:
    client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
    visitor = Visitor(site, client)
    meeting, people = await board(visitor)
    client.cookies.set(SESSION_COOKIE, await site.session(token))
    for address in (f"{meeting}/notice", f"{meeting}/replies/{people['Olof']}"):
        answer = await client.post(address, data={"what": "notice", "said": "coming"}, follow_redirects=False)
        assert answer.status_code in (403, status)
    assert await stage(visitor, meeting) == ("none", 0)


async def test_those_who_have_not_answered_are_named_and_reminded_by_one_press(visitor: Visitor) -> None:
    meeting, people = await board(visitor)
    assert "Påminn" not in await shown(visitor, meeting)
    await visitor.follow(f"{meeting}/notice")
    await visitor.press("/notice", what="notice", note="")
    page = await shown(visitor, meeting)
    assert "med länken att svara: Maja Lind, Nils Ek, Olof Berg." in page
    replies, meeting_id = visitor.site.meetings.commands.replies, meeting.rpartition("/")[2]
    await replies.answer(ORGANISATION, meeting_id, people["Olof"], Answer.COMING, Via.PAGE)  # meanwhile
    await visitor.press("/remind")
    page = unescape(visitor.page.text)
    assert "De som inte har svarat får ett mejl till." in page
    assert "Påmind " in page
    assert "med länken att svara" not in page, "all were reminded, or have answered"


async def test_a_reminder_of_a_meeting_that_was_called_off_meanwhile_says_so(visitor: Visitor) -> None:
    meeting, _ = await board(visitor)
    await visitor.follow(f"{meeting}/notice")
    await visitor.press("/notice", what="notice", note="")
    await shown(visitor, meeting)
    await visitor.site.meetings.commands.meetings.cancel(ORGANISATION, meeting.rpartition("/")[2], "Sjukdom.")
    await visitor.press("/remind")
    assert "Ingen fick något mejl. Mötet har ställts in." in unescape(visitor.page.text)
    assert "alla har svarat" not in unescape(visitor.page.text)
