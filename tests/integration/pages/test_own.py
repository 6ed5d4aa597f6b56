"""A member's own pages: opened by the mailed link alone, for that member alone, and changed by nothing but a form."""

from html import unescape

import httpx
import pytest

from services.meetings.person.person import PersonDetails
from shared.auth import SESSION_COOKIE
from shared.links import LINKS_OPEN, calendar_link, issue
from tests.integration.pages.members import JOIN, board_meeting, meetings_of, member
from tests.integration.pages.site import TOKEN, Site
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION


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
