"""A member's meetings as a calendar: an address that shows, answers nothing, and is asked no more than it must."""

import re
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
import icalendar

from shared.links import calendar_link, issue
from tests.integration.pages.members import JOIN, board_meeting, meetings_of
from tests.integration.pages.site import Site
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION


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
        events = icalendar.Calendar.from_ical(answer.text).walk("VEVENT")
        assert [str(one["CONFERENCE"]) for one in events] == [JOIN, JOIN]
        token = path.rpartition("/")[2]
        assert token not in answer.text
        assert "/my/" not in answer.text
        page = urlsplit(str(events[1]["URL"])).path
        assert (await program.get(page)).status_code == 403, "it opens for who has opened their page by a mail's link"
        assert (await visitor.client.get(page)).status_code == 200
        tag = answer.headers["etag"]
        again = await program.get(path, headers={"if-none-match": f'"x", {tag}'})
        assert (again.status_code, again.content) == (304, b"")
        site.flow.tick()
        assert (await program.get(path)).headers["etag"] == tag  # the time alone is no news
        [_, meeting] = await meetings_of(site)
        await site.meetings.commands.meetings.cancel(ORGANISATION, meeting.id, "För få kan.")
        changed = await program.get(path, headers={"if-none-match": tag})
        assert (changed.status_code, "STATUS:CANCELLED" in changed.text) == (200, True)
        assert (await program.get(f"/meetings/my/{token}")).status_code == 404
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
