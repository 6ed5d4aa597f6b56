"""A member's own page: opened by the mailed link alone, for that member alone, and nothing of it changed by opening."""

import io
import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from html import unescape

import httpx
import pikepdf
import pytest

from services.meetings.agenda.agenda import ItemDetails
from services.meetings.attachment.commands import Upload
from services.meetings.body.body import BodyDetails, BodyKind, BodyRules
from services.meetings.body.membership import MemberRole, Seat
from services.meetings.meeting.meeting import Meeting, MeetingDetails, Mode
from services.meetings.person.person import PersonDetails
from services.meetings.poll.poll import TimeAsked
from services.meetings.reply.reply import Answer, Via
from services.meetings.strike.strike import Strike
from shared.auth import SESSION_COOKIE
from shared.events import Person as Invited
from shared.links import LINKS_OPEN, calendar_link, issue
from tests.integration.pages.site import TOKEN, Site
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION
from tests.unit.rendering.test_binding import pdf_of

DAYS = ("20221202T1300-20221202T1500", "20221209T1300-20221209T1500")
JOIN = "https://mote.norrdalen.example/styrelsen"


@pytest.fixture
async def visitor(site: Site, client: httpx.AsyncClient) -> Visitor:
    return Visitor(site, client)


@pytest.fixture
async def maja(site: Site) -> str:
    return await member(site, "Maja Lind", MemberRole.CHAIR)


async def member(site: Site, name: str, role: MemberRole = MemberRole.MEMBER, ends: date | None = None) -> str:
    """Of the board, which has a digital meeting to come and one that was."""
    commands = site.meetings.commands
    details = PersonDetails(name=name, email=f"{name.split()[0].lower()}@norrdalen.example")
    person = await commands.people.register(ORGANISATION, details)
    bodies = await commands.bodies.bodies(ORGANISATION)
    if not bodies:
        rules = BodyRules(join_link=JOIN)
        board = BodyDetails(name="Styrelsen", kind=BodyKind.BOARD, rules=rules)
        bodies = [await commands.bodies.register(ORGANISATION, board)]
        for day in ("2022-09-23", "2022-11-25"):
            await commands.meetings.schedule(ORGANISATION, board_meeting(day))
    await commands.bodies.begin(ORGANISATION, bodies[0].id, Seat(person_id=person.id, role=role, ends=ends))
    return person.id


def board_meeting(day: str, body: str = "Styrelsen") -> MeetingDetails:
    known = {"body": body, "title": body, "place": "Digitalt", "mode": Mode.DIGITAL}
    return MeetingDetails.model_validate(known | {"starts": f"{day}T13:00", "ends": f"{day}T15:00"})


async def test_a_link_is_exchanged_for_a_cookie_that_opens_one_members_address(
    site: Site, client: httpx.AsyncClient, maja: str
) -> None:
    response = await client.get(site.own_link(maja))
    clean = f"/meetings/member/{maja}"
    assert (response.status_code, response.headers["location"]) == (303, clean)
    cookie = response.headers["set-cookie"]
    assert f"Path={clean}" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (response.headers["referrer-policy"], response.headers["cache-control"]) == ("no-referrer", "no-store")
    olof = await member(site, "Olof Berg")
    async with httpx.AsyncClient(cookies={"justera_member": response.cookies["justera_member"]}, timeout=60) as thief:
        answer = await thief.get(f"{site.base}/meetings/member/{olof}")
        assert answer.status_code == 403
        assert "Öppna länken i mejlet igen" in answer.text


async def test_a_member_finds_meetings_agenda_and_the_way_in(site: Site, visitor: Visitor, maja: str) -> None:
    await site.meetings.commands.meetings.schedule(ORGANISATION, board_meeting("2022-11-11", "Nätverket"))
    await visitor.follow(site.own_link(maja))
    page = visitor.page.text
    assert visitor.heading == "Mina möten"
    assert page.index("Fredag 25 november 2022") < page.index("Fredag 23 september 2022")
    assert "Nätverket" not in page
    [meeting] = [
        one for one in await meetings_of(site) if one.details.starts.month == 11 and one.details.body[0] == "S"
    ]
    await visitor.follow(site.own_link(maja, meeting=meeting.id, answer="coming"))
    assert visitor.page.url.path == f"/meetings/member/{maja}/meetings/{meeting.id}"
    assert visitor.page.url.params["answer"] == "coming"
    assert f'href="{JOIN}"' in visitor.page.text
    assert "Anslut till mötet" in visitor.page.text
    elsewhere = await visitor.follow(f"/meetings/member/{maja}/meetings/unknown")
    assert elsewhere.status_code == 404


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
    assert "Någon annan har ändrat detta" in text
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


async def test_the_calendar_has_an_address_that_shows_and_answers_nothing(
    site: Site, visitor: Visitor, maja: str
) -> None:
    await visitor.follow(site.own_link(maja))
    [address] = set(re.findall(r"webcal://[^\"]+", visitor.page.text))
    path = "/meetings/calendar/" + address.rpartition("/")[2]
    async with httpx.AsyncClient(base_url=site.base, timeout=60) as program:
        answer = await program.get(path)
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.text.count("BEGIN:VEVENT") == 2
        assert JOIN not in answer.text
        tag = answer.headers["etag"]
        again = await program.get(path, headers={"if-none-match": f'"x", {tag}'})
        assert (again.status_code, again.content) == (304, b"")
        site.flow.tick()
        assert (await program.get(path)).headers["etag"] == tag  # the time alone is no news
        [_, meeting] = await meetings_of(site)
        await site.meetings.commands.meetings.cancel(ORGANISATION, meeting.id, "För få kan.")
        changed = await program.get(path, headers={"if-none-match": tag})
        assert (changed.status_code, "STATUS:CANCELLED" in changed.text) == (200, True)
        assert (await program.get(f"/meetings/my/{path.rpartition('/')[2]}")).status_code == 404
        own = site.own_link(maja).rpartition("/")[2]
        assert (await program.get(f"/meetings/calendar/{own}")).status_code == 404
        await site.meetings.commands.people.end_links(ORGANISATION, maja)
        assert (await program.get(path)).status_code == 404


async def test_a_program_that_knows_no_tags_asks_by_the_time(site: Site, client: httpx.AsyncClient, maja: str) -> None:
    path = f"/meetings/calendar/{issue(site.member_keys, calendar_link(ORGANISATION, maja, 1))}"
    first = (await client.get(path)).headers["last-modified"]
    site.flow.tick()
    known = {"if-modified-since": first}
    again = await client.get(path, headers=known)
    assert (again.status_code, again.headers["last-modified"]) == (304, first)
    other = {**known, "if-none-match": '"x"'}
    assert (await client.get(path, headers=other)).status_code == 200, "who names a tag is answered by it"
    [_, meeting] = await meetings_of(site)
    await site.meetings.commands.meetings.cancel(ORGANISATION, meeting.id, "För få kan.")
    changed = await client.get(path, headers=known)
    assert (changed.status_code, "STATUS:CANCELLED" in changed.text) == (200, True)
    assert parsedate_to_datetime(changed.headers["last-modified"]) > parsedate_to_datetime(first)
    await site.meetings.commands.meetings.schedule(ORGANISATION, board_meeting("2022-12-16"))
    same_second = await client.get(path, headers={"if-modified-since": changed.headers["last-modified"]})
    assert (same_second.status_code, "last-modified" in same_second.headers) == (200, False)


async def test_a_program_that_asks_all_the_time_is_slowed_down(
    site: Site, client: httpx.AsyncClient, maja: str
) -> None:
    token = issue(site.member_keys, calendar_link(ORGANISATION, maja, 1))
    asked = [(await client.get(f"/meetings/calendar/{token}")).status_code for _ in range(32)]
    assert set(asked) == {200, 429}


async def test_a_date_poll_is_answered_time_by_time(site: Site, visitor: Visitor, maja: str) -> None:
    polls = site.meetings.commands.polls
    [_, meeting] = await meetings_of(site)
    times = [TimeAsked.of(key) for key in DAYS]
    poll = (await polls.open(ORGANISATION, meeting.id, times, answer_by=date(2022, 10, 14), note="Vi krockar.")).poll
    await visitor.follow(site.own_link(maja))
    assert "Svara vilka dagar du kan" in visitor.page.text
    await visitor.follow(site.own_link(maja, poll=poll.id))
    assert visitor.heading == "Vilken dag kan du?"
    assert "Vi krockar." in visitor.page.text
    half = await visitor.press(f"/polls/{poll.id}", **{DAYS[0]: "can", "comment": "Tåget"})
    assert half.status_code == 422
    assert "Svara för fredag 9 december 2022" in half.text
    assert f'name="{DAYS[0]}" value="can" checked' in half.text
    assert "Tåget" in half.text
    said = {DAYS[0]: "can", DAYS[1]: "if_need_be", "comment": ""}
    await visitor.press(f"/polls/{poll.id}", **said)
    assert "När en tid är vald får du veta vilken det blev" in visitor.page.text
    view = await polls.poll(ORGANISATION, poll.id)
    assert {key: str(can) for key, can in view.answers[maja].times.items()} == {DAYS[0]: "can", DAYS[1]: "if_need_be"}
    opened = visitor.page
    await polls.choose(ORGANISATION, poll.id, DAYS[1])
    visitor.page = opened
    late = await visitor.press(f"/polls/{poll.id}", **said | {DAYS[1]: "cannot", "comment": "Tåget är inställt"})
    assert (late.status_code, "En tid är vald" in late.text) == (422, True)
    assert "Svaret togs inte emot" in late.text
    assert "Tåget är inställt" in late.text
    assert "Fredag 9 december 2022, 13:00–15:00" in late.text


async def test_days_that_are_over_are_asked_about_no_more(site: Site, visitor: Visitor, maja: str) -> None:
    polls = site.meetings.commands.polls
    [_, meeting] = await meetings_of(site)
    times = [TimeAsked.of(key) for key in DAYS]
    poll = (await polls.open(ORGANISATION, meeting.id, times, answer_by=date(2022, 10, 14))).poll
    await visitor.follow(site.own_link(maja, poll=poll.id))
    await visitor.press(f"/polls/{poll.id}", **{DAYS[0]: "cannot", DAYS[1]: "cannot", "comment": ""})
    site.flow.clock.move_to(datetime(2022, 12, 5, tzinfo=UTC))
    await visitor.follow(site.own_link(maja, poll=poll.id))
    assert "Fredag 2 december 2022, 13:00–15:00: har varit" in visitor.page.text
    assert f'name="{DAYS[0]}"' not in visitor.page.text
    opened = await visitor.press(f"/polls/{poll.id}", **{DAYS[1]: "can", "comment": ""})
    said = (await polls.poll(ORGANISATION, poll.id)).answers[maja].times
    assert {key: str(can) for key, can in said.items()} == {DAYS[0]: "cannot", DAYS[1]: "can"}
    site.flow.clock.move_to(datetime(2022, 12, 15, tzinfo=UTC))
    visitor.page = opened
    late = await visitor.press(f"/polls/{poll.id}", **{DAYS[1]: "cannot", "comment": "Sent tåg"})
    assert (late.status_code, "Dagarna som frågan gällde har varit" in late.text) == (422, True)
    assert "Sent tåg" in late.text, "what was written is there to be copied"
    assert (await polls.poll(ORGANISATION, poll.id)).answers[maja].times == said
    assert "Vilken dag kan du" not in (await visitor.follow(site.own_link(maja))).text


async def test_a_poll_that_does_not_ask_them_is_not_shown(site: Site, visitor: Visitor, maja: str) -> None:
    [_, meeting] = await meetings_of(site)
    times = [TimeAsked.of(key) for key in DAYS]
    poll = await site.meetings.commands.polls.open(ORGANISATION, meeting.id, times, answer_by=date(2022, 10, 14))
    late = await member(site, "Sven Dahl")
    assert (await visitor.follow(site.own_link(late, poll=poll.poll.id))).status_code == 404
    assert "Vilken dag kan du" not in (await visitor.follow(site.own_link(late))).text


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


async def test_a_link_leads_nowhere_but_to_the_members_own_pages(
    site: Site, client: httpx.AsyncClient, maja: str
) -> None:
    for asked in ("//evil.example", "../../office", "https://evil.example", "a\r\nb", "x" * 61):
        response = await client.get(site.own_link(maja, meeting=asked, answer='"><script>'))
        assert response.headers["location"] == f"/meetings/member/{maja}"


@pytest.mark.parametrize("how", ["ended", "moved"])
async def test_a_link_that_ended_opens_nothing_and_no_visit_goes_on(
    site: Site, visitor: Visitor, maja: str, how: str
) -> None:
    await visitor.follow(site.own_link(maja))
    people = site.meetings.commands.people
    if how == "ended":
        await people.end_links(ORGANISATION, maja)
    else:
        await people.change(ORGANISATION, maja, PersonDetails(name="Maja Lind", email="maja@elsewhere.example"))
    assert (await visitor.follow(f"/meetings/member/{maja}")).status_code == 403
    answer = await visitor.follow(site.own_link(maja))
    assert answer.status_code == 404
    assert "Länken fungerar inte" in answer.text
    assert (await visitor.follow(site.own_link(maja, version=2))).status_code == 200


async def test_a_link_of_another_purpose_or_key_opens_nothing(site: Site, client: httpx.AsyncClient, maja: str) -> None:
    feed = issue(site.member_keys, calendar_link(ORGANISATION, maja, 1))
    whole = site.own_link(maja).rpartition("/")[2]
    signers = issue(site.link_keys, calendar_link(ORGANISATION, maja, 1))
    for token in (feed, signers, whole[:-1], f"{whole}A", whole.replace(maja, "0" * 36)):
        response = await client.get(f"/meetings/my/{token}")
        assert response.status_code == 404
        assert "set-cookie" not in response.headers


async def test_a_link_opens_for_90_days_after_the_last_place(site: Site, client: httpx.AsyncClient) -> None:
    today = site.flow.clock.now().date()
    there = await member(site, "Sven Dahl", ends=today - LINKS_OPEN)
    assert (await client.get(site.own_link(there))).status_code == 303
    site.flow.clock.move_to(site.flow.clock.now().replace(day=27))
    assert (await client.get(site.own_link(there))).status_code == 404


async def test_a_secretary_ends_the_links_on_the_persons_page(site: Site, visitor: Visitor, maja: str) -> None:
    visitor.client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
    await visitor.follow(f"/meetings/office/people/{maja}")
    assert "Ny länk till egna sidan" in visitor.page.text
    await visitor.follow(f"/meetings/office/people/{maja}/end-links")
    await visitor.press("/end-links")
    assert "Den gamla länken gäller inte längre" in unescape(visitor.page.text)
    assert (await visitor.client.get(site.own_link(maja))).status_code == 404


async def test_a_struck_meeting_leads_to_the_one_that_takes_its_items_and_back(
    site: Site, visitor: Visitor, maja: str
) -> None:
    commands = site.meetings.commands
    december = await commands.meetings.schedule(ORGANISATION, board_meeting("2022-12-16"))
    november = next(one for one in await meetings_of(site) if one.details.starts.month == 11)
    await commands.strikes.strike(ORGANISATION, november.id, Strike(to_meeting_id=december.id, reason="Krock"))
    await visitor.follow(site.own_link(maja))
    page = f"/meetings/member/{maja}/meetings"
    struck = unescape((await visitor.follow(f"{page}/{november.id}")).text)
    assert f'punkterna tas upp på <a href="{page}/{december.id}">Styrelsen, fredag 16 december 2022</a>.' in struck
    there = unescape((await visitor.follow(f"{page}/{december.id}")).text)
    assert f'från ett möte som ströks: <a href="{page}/{november.id}">Styrelsen, fredag 25 november 2022</a>.' in there


async def meetings_of(site: Site) -> list[Meeting]:
    return await site.meetings.commands.meetings.of_year(ORGANISATION, 2022)


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


async def meeting_of(site: Site) -> Meeting:
    found = await site.meetings.commands.meetings.of_year(ORGANISATION, 2022)
    return next(one for one in found if one.details.starts.month == 11)


async def test_a_member_proposes_an_item_and_reads_what_becomes_of_it(visitor: Visitor, maja: str) -> None:
    """One is taken onto the agenda, one declined with a reason, and one comes too late."""
    site, coming = visitor.site, await meeting_of(visitor.site)
    await visitor.follow(site.own_link(maja))
    page = f"/meetings/member/{maja}/meetings/{coming.id}"
    await visitor.follow(page)
    assert f"{page}/propose" in visitor.page.text
    await visitor.follow(f"{page}/propose")
    wrong_title = await visitor.press("/propose", item_title="", background="Fler frågar.", proposal="")
    assert wrong_title.status_code == 422
    assert "Fler frågar.</textarea>" in wrong_title.text
    for title in ("Upphandling", "Logotyp", "Upphandling"):
        await visitor.press("/propose", item_title=title, background="Fler frågar.", proposal="Utred.")
        assert ("Ditt förslag är framme." in visitor.page.text) is (visitor.page.url.query == b"done")
    assert "Du hade redan skickat just det förslaget." in visitor.page.text
    commands = site.meetings.commands
    found = await commands.proposals.of_meeting(ORGANISATION, coming.id)
    assert [one.details.title for one in found.proposals] == ["Upphandling", "Logotyp"], "sent twice, it is one"

    visitor.client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
    office = f"/meetings/office/meetings/{coming.id}/proposals"
    await visitor.follow(office)
    assert "Maja Lind" in visitor.page.text
    await visitor.press(f"/{found.proposals[0].id}/take")
    assert "Förslaget står på dagordningen, och den" in visitor.page.text
    agenda = await commands.agendas.agenda(ORGANISATION, coming.id)
    assert [(one.details.title, one.details.presenter) for one in agenda.items] == [("Upphandling", "Maja Lind")]
    await visitor.follow(f"{office}/{found.proposals[1].id}/decline")
    assert (await visitor.press("/decline", reason=" ")).status_code == 422
    await visitor.press("/decline", reason="Kommunikationen tar den")
    assert "Förslaget är avböjt" in visitor.page.text
    assert (await visitor.press("/proposals", until="2022-11-26")).status_code == 422
    await visitor.press("/proposals", until="2022-09-01")
    assert "Dagen är ändrad." in visitor.page.text

    await visitor.follow(f"{page}/propose")
    shown = unescape(visitor.page.text)
    assert "Står på dagordningen" in shown
    assert "Avböjt: Kommunikationen tar den" in shown
    assert "Punkter kunde föreslås till och med torsdag 1 september 2022." in shown
    assert "<form" not in shown.partition("<main")[2].partition("</main")[0]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("late", "Punkter kunde föreslås till och med"),
        ("held", "Mötet har hållits"),
        ("cancelled", "Mötet är inställt, så inga punkter kan föreslås till det. Skälet: Krock"),
    ],
)
async def test_who_proposes_what_can_no_longer_be_is_told_why_and_loses_nothing(
    visitor: Visitor, maja: str, how: str, said: str
) -> None:
    site, coming = visitor.site, await meeting_of(visitor.site)
    await visitor.follow(site.own_link(maja))
    page = f"/meetings/member/{maja}/meetings/{coming.id}/propose"
    await visitor.follow(page)
    commands = site.meetings.commands
    if how == "late":
        await commands.proposals.set_until(ORGANISATION, coming.id, date(2022, 9, 1))
    elif how == "held":
        details = coming.details
        earlier = {"starts": details.starts.replace(month=9, day=2), "ends": details.ends.replace(month=9, day=2)}
        await commands.meetings.change(ORGANISATION, coming.id, details.model_copy(update=earlier))
    else:
        await commands.meetings.cancel(ORGANISATION, coming.id, "Krock")
    refused = await visitor.press("/propose", item_title="Resor", background="Vi reser dyrt.", proposal="Res mindre.")
    assert refused.status_code == 422
    text = unescape(refused.text)
    assert said in text
    assert ('value="Resor"' in text, "Vi reser dyrt.</textarea>" in text, "Res mindre.</textarea>" in text) == (
        True,
        True,
        True,
    )
    assert said.split(".")[0] in unescape((await visitor.follow(page)).text)
    assert (await commands.proposals.of_meeting(ORGANISATION, coming.id)).proposals == []


@pytest.mark.usefixtures("maja")
async def test_the_second_of_two_who_change_the_last_day_is_told_and_what_was_typed_stays(
    visitor: Visitor,
) -> None:
    site, coming = visitor.site, await meeting_of(visitor.site)
    visitor.client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
    await visitor.follow(f"/meetings/office/meetings/{coming.id}/proposals")
    proposals = site.meetings.commands.proposals
    await proposals.set_until(ORGANISATION, coming.id, date(2022, 11, 3))
    refused = await visitor.press("/proposals", until="2022-11-04")
    text = unescape(refused.text)
    assert (refused.status_code, "Någon annan har ändrat detta" in text) == (422, True)
    assert (": 2022-11-03" in text, 'value="2022-11-04"' in text) == (True, True)
    assert (await proposals.of_meeting(ORGANISATION, coming.id)).until == date(2022, 11, 3)
    await visitor.press("/proposals", until="2022-11-04")
    assert (await proposals.of_meeting(ORGANISATION, coming.id)).until == date(2022, 11, 4)
