"""Mailed links and login tokens at the pages: cut, spoilt, of another purpose, of others, used, or too late."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.embedded import login
from services.embedded import pages as embedded_pages
from services.embedded.ahead import Ahead
from services.embedded.login import LOCAL_PERSON, LoginLinks
from services.meetings.poll.poll import TimeAsked
from shared.auth import SESSION_COOKIE, Access, Role
from shared.http import create_app
from shared.keys import new_keys, parse_keys
from shared.links import Link, calendar_link, copy_link, issue, member_link, room_link
from shared.settings import Settings
from tests.integration.fuzz.logged import check_no_failure
from tests.integration.fuzz.test_requests import state_of
from tests.integration.pages.members import DAYS, meetings_of, member
from tests.integration.pages.site import ARCHIVED, COPY, Site, served
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION
from tests.support.sessions import record_of, with_sessions
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, CHAIR, SECRETARY

pytestmark = pytest.mark.slow

_MOST = 55  # bad links from one address; more are slowed down
ELSEWHERE: tuple[dict[str, Any], ...] = ({"organisation": "elsewhere"}, {"subject": "unknown"}, {"version": 2})
OTHER_RING = parse_keys(new_keys(), "KEYS")


def spoilt(token: str, number: int, seed: int) -> list[str]:
    """Cut, lengthened, with a bit or a letter changed; all as they can stand in an address."""
    rng = random.Random(seed)
    found = {token[:-1], token[1:], token + "A", token.swapcase(), token.replace(".", "%2E%2E", 1), f"{token}.{token}"}
    while len(found) < number:
        at = rng.randrange(len(token))
        bit = chr(ord(token[at]) ^ 1 << rng.randrange(7))
        found |= {
            token[:at],
            token[:at] + (bit if bit.isalnum() else "_" if token[at] != "_" else "-") + token[at + 1 :],
        }
    return sorted(found - {token, ""})[:number]


async def test_signers_links(site: Site, client: httpx.AsyncClient, logs: Path) -> None:
    await site.draft(b"%PDF-1.7")
    await site.flow.send_off()
    genuine = (await site.link(SECRETARY)).rpartition("/")[2]
    request = await site.flow.id(SECRETARY)
    foreign = [
        issue(site.link_keys, Link(purpose, ORGANISATION, request, 1)) for purpose in ("copy", "session", "login", "")
    ]
    foreign += [issue(site.link_keys, Link("sign", "elsewhere", request, 1)), issue(OTHER_RING, _link(request))]
    foreign += [issue(site.link_keys, _link("unknown")), issue(site.link_keys, _link(AGREEMENT_ID))]
    before = await state_of(site.flow.service)
    for token in (*foreign, *spoilt(genuine, _MOST - len(foreign), 1)):
        answer = await client.get(f"/signing/s/{token}")
        assert answer.status_code == 404, token
        assert "set-cookie" not in answer.headers
    assert await state_of(site.flow.service) == before
    assert (await client.get(f"/signing/s/{genuine}")).status_code == 303
    check_no_failure(logs)


async def test_signers_links_that_are_used_replaced_out_of_turn_or_too_late(
    site: Site, client: httpx.AsyncClient
) -> None:
    """They may open a page that says how things stand; whatever is posted from there changes nothing."""
    await site.draft(b"%PDF-1.7")
    await site.flow.send_off()
    await site.flow.sign(SECRETARY)
    links = [await site.link(SECRETARY), await site.link(ADJUSTER), await site.link(CHAIR, version=2)]
    await _nothing_can_be_done(site, client, links)
    await site.flow.commands.expire(ORGANISATION, AGREEMENT_ID)
    await _nothing_can_be_done(site, client, [*links, await site.link(CHAIR)])


async def _nothing_can_be_done(site: Site, client: httpx.AsyncClient, links: list[str]) -> None:
    before = await state_of(site.flow.service)
    for link in links:
        visitor = Visitor(site, client)
        page = await visitor.follow(link)
        assert page.status_code == 200, link
        csrf = site.access.csrf_token(page.request.headers.get("cookie", "").partition("=")[2])
        for action in ("view", "sign", "decline"):
            assert f"/{action}" not in page.text or "<form" not in page.text
            fields = {"csrf": csrf, "name": "Olof Berg", "reason": "nej"}
            answer = await client.post(f"{page.url}/{action}", data=fields)
            assert answer.status_code == 303, (link, action, answer.status_code)
        assert await state_of(site.flow.service) == before


async def test_links_to_sealed_copies(site: Site, client: httpx.AsyncClient, logs: Path) -> None:
    genuine = site.copy_link().rpartition("/")[2]
    foreign = [issue(site.copy_keys, Link(purpose, ORGANISATION, COPY, 1)) for purpose in ("sign", "session")]
    own = copy_link(ORGANISATION, COPY, SECRETARY, 1)
    shared = Link("copy", ORGANISATION, COPY, 1)
    foreign += [issue(site.link_keys, one) for one in (own, shared)]
    foreign += [issue(site.copy_keys, replace(one, organisation="elsewhere")) for one in (own, shared)]
    foreign += [
        issue(site.copy_keys, replace(own, purpose="copy")),
        issue(site.copy_keys, replace(shared, purpose=own.purpose)),
    ]
    for token in (*foreign, *spoilt(genuine, _MOST - 2 * len(foreign), 2)):
        page = await client.get(f"/archive/copies/{token}")
        assert page.status_code == 404, token
        assert COPY not in page.text
    for token in foreign:
        answer = await client.get(f"/archive/copies/{token}/copy.pdf", follow_redirects=True)
        assert (answer.status_code, answer.headers["content-type"][:9]) == (404, "text/html")
    site.flow.clock.move_to(ARCHIVED + timedelta(days=91))
    for path in ("", "/copy.pdf"):
        late = await client.get(f"/archive/copies/{genuine}{path}", follow_redirects=True)
        assert late.status_code == 410
        assert not late.content.startswith(b"%PDF")
    check_no_failure(logs)


async def test_members_links(site: Site, client: httpx.AsyncClient, logs: Path) -> None:
    """To their own page, to their calendar, and to what a room sees: none opens what another does."""
    maja = await member(site, "Maja Lind")
    page, feed = member_link(ORGANISATION, maja, 1), calendar_link(ORGANISATION, maja, 1)
    [meeting, *_] = await meetings_of(site)
    genuine = {
        "/meetings/my/": issue(site.member_keys, page),
        "/meetings/calendar/": issue(site.member_keys, feed),
        "/meetings/room/": issue(site.member_keys, room_link(ORGANISATION, meeting.id)),
    }
    foreign = [issue(site.member_keys, replace(page, purpose=one)) for one in ("sign", "session", "")]
    foreign += [issue(site.member_keys, replace(page, **changed)) for changed in ELSEWHERE]
    foreign += [issue(ring, page) for ring in (OTHER_RING, site.link_keys, site.copy_keys)]
    before = await state_of(site.meetings)
    for path, token in genuine.items():
        others = [one for one in genuine.values() if one != token]
        for bad in (*foreign, *others, *spoilt(token, _MOST // 3 - len(foreign) - 2, 4)):
            answer = await client.get(f"{path}{bad}")
            assert answer.status_code == 404, (path, bad)
            assert "set-cookie" not in answer.headers
            assert "Maja" not in answer.text
    assert await state_of(site.meetings) == before
    assert (await client.get(f"/meetings/my/{genuine['/meetings/my/']}")).status_code == 303
    assert (await client.get(f"/meetings/calendar/{genuine['/meetings/calendar/']}")).status_code == 200
    check_no_failure(logs)


async def test_what_no_browser_of_good_will_posts_as_a_member(
    site: Site, client: httpx.AsyncClient, logs: Path
) -> None:
    """Without the page's CSRF token, with another member's cookie or none, as another kind of form, or too large."""
    maja, olof = await member(site, "Maja Lind"), await member(site, "Olof Berg")
    [_, meeting] = await meetings_of(site)
    times = [TimeAsked.of(key) for key in DAYS]
    poll = await site.meetings.commands.polls.open(ORGANISATION, meeting.id, times, answer_by=date(2022, 10, 14))
    visitor = Visitor(site, client)
    before = await state_of(site.meetings)
    for path in (f"meetings/{meeting.id}", f"polls/{poll.poll.id}"):
        action = f"/meetings/member/{maja}/{path}" + ("/answer" if path.startswith("meetings") else "")
        fields = {"answer": "coming", "comment": "", **dict.fromkeys(DAYS, "can")}
        await visitor.follow(site.own_link(maja))
        for csrf in ("", "x", "å" * 50):
            assert (await client.post(action, data={**fields, "csrf": csrf})).status_code == 403
        page = await visitor.follow(f"/meetings/member/{maja}/{path}")
        [csrf] = set(re.findall(r'name="csrf" value="([^"]+)"', page.text))
        whole = {**fields, "csrf": csrf}
        assert (await client.post(action, json=whole)).status_code == 422
        assert (await client.post(action, data={**whole, "comment": "x" * 40_000})).status_code == 413
        assert (await client.post(action, data={**whole, "comment": "a\0b"})).status_code == 422
        assert (await client.post(action.replace(maja, olof), data=whole)).status_code == 403
        async with httpx.AsyncClient(base_url=site.base, timeout=60) as stranger:
            assert (await stranger.post(action, data=whole)).status_code == 403
    assert await state_of(site.meetings) == before
    check_no_failure(logs)


@pytest.fixture
def logins() -> LoginLinks:
    local = record_of(Role.SECRETARY, ORGANISATION, LOCAL_PERSON)
    return LoginLinks(with_sessions(Access((local,), b"k" * 32)), ORGANISATION)


@pytest.fixture
async def door(logins: LoginLinks, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The start page of embedded mode, with its real login links."""
    access = logins.access
    app = create_app("Justera", description="", access=access, max_body_bytes=100_000, checks={})

    async def no_example(language: str) -> str:
        return AGREEMENT_ID

    async def nothing_ahead(organisation: str) -> Ahead:
        return Ahead(bodies=False, planned=False, coming=(), unwritten=(), waiting=0)

    embedded_pages.include_pages(
        app,
        settings=settings,
        access=access,
        redeem=logins.redeem,
        prepare_example=no_example,
        look_ahead=nothing_ahead,
        invented=False,
    )
    async with served(app) as base, httpx.AsyncClient(base_url=base, timeout=60) as client:
        yield client


async def _session(door: httpx.AsyncClient, token: str) -> bool:
    """Whether the token opened a session."""
    answer = await door.post("/login", data={"token": token})
    opened = SESSION_COOKIE in answer.headers.get("set-cookie", "")
    assert answer.status_code == (303 if opened else 401), answer.status_code
    return opened


async def test_login_tokens_open_one_session_however_often_and_by_whomever_they_are_sent(
    door: httpx.AsyncClient, logins: LoginLinks, monkeypatch: pytest.MonkeyPatch, logs: Path
) -> None:
    token, unused = logins.issue(), logins.issue()
    for bad in (*spoilt(token, 60, 3), "x" * 201, "x" * 10_000, "\ufffd", "å" * 100, hash_of(token)):
        assert not await _session(door, bad), bad
    for _ in range(5):
        assert "set-cookie" not in (await door.get("/login", params={"token": token})).headers
    assert sum(await asyncio.gather(*(_session(door, token) for _ in range(12)))) == 1
    assert not await _session(door, token)
    monkeypatch.setattr(login, "LINK_SECONDS", -1)
    assert not await _session(door, logins.issue()), "an hour has gone"
    assert await _session(door, unused)
    check_no_failure(logs)


def hash_of(token: str) -> str:
    """What is kept of a token opens nothing."""
    return login.token_hash(token)


def _link(request: str) -> Link:
    return Link("sign", ORGANISATION, request, 1)
