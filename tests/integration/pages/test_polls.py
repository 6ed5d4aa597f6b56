"""Date polls in the office: from proposed days to one that is chosen, and what a form says when something is wrong."""

from datetime import UTC, datetime
from html import unescape

import httpx
import pytest

from services.meetings.poll.poll import Can, TimeAsked
from shared.auth import SESSION_COOKIE
from tests.integration.pages.members import DAYS, meetings_of, member
from tests.integration.pages.site import AUDITOR, TOKEN, Site
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION

ROWS = {
    f"own_{part}_{row}": value
    for row in (1, 2, 3)
    for part, value in (("day", ""), ("begins", "13:00"), ("ends", "15:00"))
}
FORM = {"answer_by": "2022-10-14", "note": "Vi krockar.", "time": "20221202T1300-20221202T1500"}


@pytest.fixture
async def visitor(site: Site, client: httpx.AsyncClient) -> Visitor:
    """A secretary who has logged in, with a board that has a meeting in November."""
    await member(site, "Maja Lind")
    await member(site, "Olof Berg")
    client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
    return Visitor(site, client)


async def meeting_page(site: Site) -> str:
    [_, meeting] = await meetings_of(site)
    return f"/meetings/office/meetings/{meeting.id}"


async def test_from_proposed_days_to_one_that_is_chosen(site: Site, visitor: Visitor) -> None:
    page = await meeting_page(site)
    await visitor.follow(page)
    assert f'href="{page}/poll/new"' in visitor.page.text
    await visitor.follow(f"{page}/poll/new?first=2022-11-28&last=2022-12-02")
    text = unescape(visitor.page.text)
    assert "Fredag 2 december 2022, 13:00–15:00" in text
    assert "Ingen är upptagen, såvitt vi vet. Den veckodag ni brukar mötas" in text
    await visitor.press("/poll/new", **ROWS | FORM | {"own_day_2": "2022-12-09"})
    assert visitor.page.url.path == f"{page}/poll"
    assert "Frågan är skickad" in visitor.page.text
    assert "0 av 2 har svarat" in visitor.page.text
    polls = site.meetings.commands.polls
    view = await polls.latest(ORGANISATION, page.rpartition("/")[2])
    assert view is not None
    assert [one.key for one in view.poll.times] == list(DAYS)
    for person in view.poll.people:
        await polls.answer(ORGANISATION, view.poll.id, person, {DAYS[0]: Can.NO, DAYS[1]: Can.YES}, "Bra dag")
    await visitor.follow(f"{page}/poll")
    text = unescape(visitor.page.text)
    assert text.index("Fredag 9 december 2022") < text.index("Fredag 2 december 2022")
    assert "Bäst hittills" in text
    assert "Maja Lind: Bra dag" in text
    await visitor.follow(f"/meetings/office/polls/{view.poll.id}/choose/{DAYS[1]}")
    await visitor.press(DAYS[1])
    assert "Mötet är flyttat" in visitor.page.text
    moved = await site.meetings.commands.meetings.meeting(ORGANISATION, view.meeting.id)
    assert moved.details.starts == TimeAsked.of(DAYS[1]).starts
    late = await visitor.follow(f"/meetings/office/polls/{view.poll.id}/choose/{DAYS[0]}")
    assert late.status_code == 409


async def test_what_someone_says_by_phone_is_noted(site: Site, visitor: Visitor) -> None:
    page = await meeting_page(site)
    await visitor.follow(f"{page}/poll/new")
    await visitor.press("/poll/new", **ROWS | FORM)
    polls = site.meetings.commands.polls
    view = await polls.latest(ORGANISATION, page.rpartition("/")[2])
    assert view is not None
    maja = next(one.id for one in view.people.values() if one.details.name == "Maja Lind")
    address = f"/meetings/office/polls/{view.poll.id}/answers/{maja}"
    assert address in visitor.page.text
    await visitor.follow(address)
    half = await visitor.press(f"/answers/{maja}", told="Ringde")
    assert (half.status_code, "Ringde" in half.text, "Svara för fredag 2 december 2022" in half.text) == (
        422,
        True,
        True,
    )
    await visitor.press(f"/answers/{maja}", **{DAYS[0]: "if_need_be", "told": "Ringde"})
    assert "Svaret är antecknat." in visitor.page.text
    assert "Maja Lind: Ringde" in visitor.page.text
    view = await polls.poll(ORGANISATION, view.poll.id)
    assert view.answers[maja].times == {DAYS[0]: Can.IF_NEED_BE}
    stranger = await visitor.follow(f"/meetings/office/polls/{view.poll.id}/answers/unknown")
    assert stranger.status_code == 404


async def test_no_day_that_is_over_is_offered_and_when_all_are_it_is_said(site: Site, visitor: Visitor) -> None:
    page = await meeting_page(site)
    await visitor.follow(f"{page}/poll/new")
    await visitor.press("/poll/new", **ROWS | FORM | {"own_day_2": "2022-12-09"})
    assert visitor.page.text.count("/choose/") == 2
    site.flow.clock.move_to(datetime(2022, 12, 5, tzinfo=UTC))
    text = (await visitor.follow(f"{page}/poll")).text
    assert (">har varit<" in text, text.count("/choose/"), "/answers/" in text) == (True, 1, True)
    site.flow.clock.move_to(datetime(2022, 12, 15, tzinfo=UTC))
    text = (await visitor.follow(f"{page}/poll")).text
    assert "Alla dagar som frågan gällde har varit" in text
    assert ("/choose/" in text, "/answers/" in text, "/call-off" in text) == (False, False, True)


async def test_two_who_answer_for_one_person_are_told_and_the_same_said_twice_is_no_news(
    site: Site, visitor: Visitor
) -> None:
    page = await meeting_page(site)
    await visitor.follow(f"{page}/poll/new")
    await visitor.press("/poll/new", **ROWS | FORM)
    polls = site.meetings.commands.polls
    view = await polls.latest(ORGANISATION, page.rpartition("/")[2])
    assert view is not None
    maja = next(one.id for one in view.people.values() if one.details.name == "Maja Lind")
    office = await visitor.follow(f"/meetings/office/polls/{view.poll.id}/answers/{maja}")
    async with httpx.AsyncClient(base_url=site.base, timeout=60) as client:
        herself = Visitor(site, client)
        await herself.follow(site.own_link(maja, poll=view.poll.id))
        opened = herself.page
        await herself.press(f"/polls/{view.poll.id}", **{DAYS[0]: "cannot", "comment": "Sent tåg"})
        assert "Tack." in herself.page.text
        herself.page = opened
        await herself.press(f"/polls/{view.poll.id}", **{DAYS[0]: "cannot", "comment": "Sent tåg"})
        assert "Tack." in herself.page.text
        visitor.page = office
        told = await visitor.press(f"/answers/{maja}", **{DAYS[0]: "can", "told": "Ringde"})
        assert told.status_code == 422
        text = unescape(told.text)
        assert "Svaret har ändrats sedan sidan öppnades" in text
        assert "Fredag 2 december 2022, 13:00–15:00: Kan inte" in text
        assert "Vad personen sa: Sent tåg" in text
        assert 'value="can" checked' in text
        assert (await polls.poll(ORGANISATION, view.poll.id)).answers[maja].times == {DAYS[0]: Can.NO}
        await visitor.press(f"/answers/{maja}", **{DAYS[0]: "can", "told": "Ringde"})
        assert (await polls.poll(ORGANISATION, view.poll.id)).answers[maja].times == {DAYS[0]: Can.YES}
        herself.page = opened
        late = await herself.press(f"/polls/{view.poll.id}", **{DAYS[0]: "if_need_be", "comment": ""})
        assert (late.status_code, "Svaret har ändrats sedan sidan öppnades" in late.text) == (422, True)
        assert (await polls.poll(ORGANISATION, view.poll.id)).answers[maja].times == {DAYS[0]: Can.YES}


async def test_the_page_follows_answers_as_they_come(site: Site, visitor: Visitor) -> None:
    page = await meeting_page(site)
    await visitor.follow(f"{page}/poll/new")
    await visitor.press("/poll/new", **ROWS | FORM)
    first = await visitor.client.get(f"{page}/poll")
    tag = first.headers["etag"]
    assert (await visitor.client.get(f"{page}/poll", headers={"if-none-match": tag})).status_code == 304
    polls = site.meetings.commands.polls
    view = await polls.latest(ORGANISATION, page.rpartition("/")[2])
    assert view is not None
    await polls.answer(ORGANISATION, view.poll.id, view.poll.people[0], {DAYS[0]: Can.IF_NEED_BE})
    again = await visitor.client.get(f"{page}/poll", headers={"if-none-match": tag})
    assert (again.status_code, "1 av 2 har svarat" in again.text) == (200, True)


WRONG: list[tuple[dict[str, str], str]] = [
    ({"time": ""}, "Välj minst en tid"),
    ({"time": "x"}, "Välj minst en tid"),
    ({"time": "20220901T1300-20220901T1500"}, "Dagen är inte efter sista dagen att svara"),
    ({"own_day_1": "2022-13-01"}, "Välj en dag"),
    ({"own_day_1": "2022-12-09", "own_ends_1": "12:00"}, "Mötet slutar innan det börjar"),
    ({"own_day_1": "2022-12-09", "own_begins_1": "lunch"}, "Skriv ett klockslag"),
    ({"answer_by": ""}, "Välj en dag"),
    ({"answer_by": "2022-09-20"}, "Välj i dag eller en senare dag"),
    ({"answer_by": "2022-12-02"}, "Dagen är inte efter sista dagen att svara"),
    ({"answer_by": "2022-11-30"}, "Kallelsen skulle behöva gå ut innan alla svar har kommit"),
    ({"own_day_1": "2022-10-14"}, "Dagen är inte efter sista dagen att svara"),
    ({"own_day_1": "2022-10-17"}, "Kallelsen skulle behöva gå ut innan alla svar har kommit"),
    ({"note": "Vi krockar.\u202e"}, "tecken som inte går att använda"),
]


async def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(site: Site, visitor: Visitor) -> None:
    page = await meeting_page(site)
    for changed, error in WRONG:
        await visitor.follow(f"{page}/poll/new")
        answer = await visitor.press("/poll/new", **ROWS | FORM | changed)
        assert answer.status_code == 422, error
        text = unescape(answer.text)
        assert text.count(error) == 2
        assert "Vi krockar." in text
        assert "time" in changed or f'value="{DAYS[0]}" checked' in text
        assert await site.meetings.commands.polls.latest(ORGANISATION, page.rpartition("/")[2]) is None


async def test_a_day_by_hand_that_leaves_no_room_for_the_notice_is_asked_about_when_it_is_meant(
    site: Site, visitor: Visitor
) -> None:
    page = await meeting_page(site)
    await visitor.follow(f"{page}/poll/new")
    form = ROWS | FORM | {"time": "", "own_day_1": "2022-10-17"}
    asked = await visitor.press("/poll/new", **form)
    assert 'name="late_notice" value="yes">' in asked.text
    assert 'value="2022-10-17"' in asked.text
    await visitor.press("/poll/new", **form | {"late_notice": "yes"})
    assert "Frågan är skickad" in visitor.page.text


async def test_whom_no_mail_reached_stands_on_the_pages_of_poll_and_meeting(site: Site, visitor: Visitor) -> None:
    page = await meeting_page(site)
    await visitor.follow(f"{page}/poll/new")
    await visitor.press("/poll/new", **ROWS | FORM)
    polls = site.meetings.commands.polls
    view = await polls.latest(ORGANISATION, page.rpartition("/")[2])
    assert view is not None
    [maja] = [one for one in view.people.values() if one.details.name == "Maja Lind"]
    poll = view.poll.model_copy(update={"unreached": {maja.id: "550 5.1.1 no such user"}})
    async with polls._unit_of_work.begin() as transaction:
        await transaction.save_poll(ORGANISATION, poll)
    text = unescape((await visitor.follow(f"{page}/poll")).text)
    assert "Mejlet kom inte fram till" in text
    assert f"{maja.details.email}: 550 5.1.1 no such user" in text
    text = unescape((await visitor.follow(page)).text)
    assert "En fråga om datum är ute" in text
    assert "Mejlet kom inte fram till: Maja Lind" in text
    await polls.answer(ORGANISATION, poll.id, maja.id, {DAYS[0]: Can.YES})
    assert "Mejlet kom inte fram" not in (await visitor.follow(f"{page}/poll")).text


async def test_a_poll_is_taken_back_with_a_reason_and_asked_anew(site: Site, visitor: Visitor) -> None:
    page = await meeting_page(site)
    await visitor.follow(f"{page}/poll/new")
    await visitor.press("/poll/new", **ROWS | FORM)
    again = await visitor.follow(f"{page}/poll/new")
    assert again.url.path == f"{page}/poll"  # there is one that is open
    view = await site.meetings.commands.polls.latest(ORGANISATION, page.rpartition("/")[2])
    assert view is not None
    await visitor.follow(f"/meetings/office/polls/{view.poll.id}/call-off")
    assert (await visitor.press("/call-off", reason=" ")).status_code == 422
    await visitor.press("/call-off", reason="Det löste sig.")
    assert "Det löste sig." in visitor.page.text
    assert "Fråga om andra dagar" in visitor.page.text
    assert (await visitor.follow(f"{page}/poll/new")).status_code == 200


async def test_a_window_that_is_none_is_said(site: Site, visitor: Visitor) -> None:
    page = await meeting_page(site)
    answer = await visitor.follow(f"{page}/poll/new?first=2022-12-02&last=2022-11-02")
    assert "Välj en första dag inom tio år, och en sista dag efter den" in unescape(answer.text)


async def test_who_only_reads_is_offered_nothing(site: Site, visitor: Visitor) -> None:
    page = await meeting_page(site)
    await visitor.follow(f"{page}/poll/new")
    await visitor.press("/poll/new", **ROWS | FORM)
    visitor.client.cookies.set(SESSION_COOKIE, await site.session(AUDITOR))
    await visitor.follow(f"{page}/poll")
    assert "Välj den här tiden" not in visitor.page.text
    assert (await visitor.follow(f"{page}/poll/new")).status_code == 403
