"""A date poll on a member's own page: answered time by time, as long as there is something to answer."""

from datetime import UTC, date, datetime

from services.meetings.poll.poll import TimeAsked
from tests.integration.pages.members import DAYS, meetings_of, member
from tests.integration.pages.site import Site
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION


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


async def test_the_link_to_a_poll_that_was_taken_back_says_what_became_of_the_meeting(
    site: Site, visitor: Visitor, maja: str
) -> None:
    commands = site.meetings.commands
    [_, meeting] = await meetings_of(site)
    times = [TimeAsked.of(key) for key in DAYS]
    poll = (await commands.polls.open(ORGANISATION, meeting.id, times, answer_by=date(2022, 10, 14))).poll
    assert "Den dagen är förbi" not in (await visitor.follow(site.own_link(maja, poll=poll.id))).text
    site.flow.tick(20 * 86400)
    assert "Den dagen är förbi" in (await visitor.follow(site.own_link(maja, poll=poll.id))).text
    await commands.polls.call_off(ORGANISATION, poll.id, "Mässan flyttas.")
    page = (await visitor.follow(site.own_link(maja, poll=poll.id))).text
    assert "Mässan flyttas." in page
    assert "Du behöver inte svara. Mötet hålls fredag 25 november 2022." in page
    assert f'/meetings/{meeting.id}">Till mötet</a>' in page
    await commands.meetings.cancel(ORGANISATION, meeting.id, "För många har förhinder.")
    assert "Mötet hålls" not in (await visitor.follow(site.own_link(maja, poll=poll.id))).text


async def test_a_poll_that_was_taken_back_names_no_day_that_another_one_asks_about_or_that_is_over(
    site: Site, visitor: Visitor, maja: str
) -> None:
    polls = site.meetings.commands.polls
    [_, meeting] = await meetings_of(site)
    times = [TimeAsked.of(key) for key in DAYS]
    first = (await polls.open(ORGANISATION, meeting.id, times, answer_by=date(2022, 10, 14))).poll
    await polls.call_off(ORGANISATION, first.id, "Mässan flyttas.")
    second = (await polls.open(ORGANISATION, meeting.id, times, answer_by=date(2022, 10, 14))).poll
    page = (await visitor.follow(site.own_link(maja, poll=first.id))).text
    assert ("Mässan flyttas." in page, "Mötet hålls" in page) == (True, False)
    await polls.choose(ORGANISATION, second.id, DAYS[1])
    page = (await visitor.follow(site.own_link(maja, poll=first.id))).text
    assert "Mötet hålls fredag 9 december 2022." in page
    site.flow.clock.move_to(datetime(2022, 12, 15, tzinfo=UTC))
    assert "Mötet hålls" not in (await visitor.follow(site.own_link(maja, poll=first.id))).text


async def test_a_poll_that_does_not_ask_them_is_not_shown(site: Site, visitor: Visitor, maja: str) -> None:
    [_, meeting] = await meetings_of(site)
    times = [TimeAsked.of(key) for key in DAYS]
    poll = await site.meetings.commands.polls.open(ORGANISATION, meeting.id, times, answer_by=date(2022, 10, 14))
    late = await member(site, "Sven Dahl")
    assert (await visitor.follow(site.own_link(late, poll=poll.poll.id))).status_code == 404
    assert "Vilken dag kan du" not in (await visitor.follow(site.own_link(late))).text
