"""The decision register in a browser: from nothing signed to a paragraph found, marked and led on from."""

from html import unescape

import httpx
import pytest

from shared.auth import SESSION_COOKIE
from tests.integration.meetings.test_decisions import fire
from tests.integration.meetings.test_elections import signed as all_signed
from tests.integration.pages.site import AUDITOR, ELSEWHERE, Site
from tests.integration.pages.test_meetings import DRAFTING, MINUTES, new_meeting
from tests.integration.pages.test_meetings import visitor as visitor
from tests.integration.pages.test_office import new_body
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION

DECISIONS = "/meetings/office/decisions"
ODD = """
## Tåg <b>och</b> buss & båt
### Bakgrund
Förbundsdirektören berättar.
### Beslut
Styrelsen beslutar att ge uppdraget <script>alert(1)</script> åter.
"""


@pytest.fixture
async def agreement(site: Site, visitor: Visitor) -> str:
    """Of minutes that everyone has signed."""
    board = await new_body(visitor)
    meeting = (await new_meeting(visitor, board)).rpartition("/")[2]
    drafted = await site.meetings.commands.minutes.draft_minutes(
        ORGANISATION, meeting, MINUTES + ODD, DRAFTING, ip="192.0.2.1"
    )
    await all_signed(site.meetings, drafted.agreement_id, organisation=ORGANISATION)
    return str(drafted.agreement_id)


async def text_of(visitor: Visitor, query: str = "") -> str:
    return str((await visitor.follow(f"{DECISIONS}{query}")).text)


async def test_an_empty_register_says_how_it_fills(visitor: Visitor) -> None:
    shown = await text_of(visitor)
    assert "Inget protokoll är signerat av alla än" in shown
    assert 'name="words"' not in shown, "there is nothing to search yet"


async def test_a_paragraph_is_found_and_what_was_found_is_marked(site: Site, visitor: Visitor, agreement: str) -> None:
    await fire(site.meetings)
    shown = await text_of(visitor, "?words=uppdrag")
    assert "<mark>uppdraget</mark>" in shown
    assert "§ 39 Tåg &lt;b&gt;och&lt;/b&gt; buss &amp; båt" in shown
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert f"/{agreement}" in shown, "the way to the sealed copy"
    assert 'value="uppdrag"' in shown
    assert "En paragraf." in shown
    plain = await text_of(visitor)
    assert plain.index("§ 37") < plain.index("§ 38") < plain.index("§ 39")
    assert "<mark>" not in plain


async def test_what_is_found_by_its_background_shows_it(site: Site, visitor: Visitor, agreement: str) -> None:
    await fire(site.meetings)
    shown = await text_of(visitor, "?words=berättade")
    assert "<mark>berättar</mark>" in shown


async def test_an_odd_search_is_told_at_its_field_and_stays(site: Site, visitor: Visitor, agreement: str) -> None:
    await fire(site.meetings)
    for query, told in (
        ("?since=2022-12-01&until=2022-11-01", "Den sista dagen får inte vara före den första"),
        ("?since=igår", "dag"),
        ("?words=" + "x" * 301, "tecken"),
        ("?body=%22%3E", "Välj"),
    ):
        answer = await visitor.client.get(f"{DECISIONS}{query}")
        assert answer.status_code == 422, query
        assert told in unescape(answer.text), query
    nothing = await text_of(visitor, "?words=rymdfart")
    assert "Inga beslut passar sökningen." in nothing
    assert (await visitor.client.get(f"{DECISIONS}?after=x")).status_code == 200


async def test_a_years_and_a_bodys_page_lead_to_their_decisions(visitor: Visitor) -> None:
    board = await new_body(visitor)
    body = await visitor.follow(board)
    assert f"{DECISIONS}?body={board.rpartition('/')[2]}" in body.text
    year = await visitor.follow("/meetings/office/meetings?year=2022")
    assert f"{DECISIONS}?since=2022-01-01&amp;until=2022-12-31" in year.text


async def test_readers_search_and_strangers_find_nothing(
    site: Site, visitor: Visitor, client: httpx.AsyncClient, agreement: str
) -> None:
    await fire(site.meetings)
    client.cookies.set(SESSION_COOKIE, await site.session(AUDITOR))
    assert "§ 39" in await text_of(visitor)
    client.cookies.set(SESSION_COOKIE, await site.session(ELSEWHERE))
    assert "§ 39" not in await text_of(visitor)
    client.cookies.clear()
    assert (await client.get(DECISIONS)).status_code in (303, 401)
