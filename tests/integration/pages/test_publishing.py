"""Signed minutes are posted from their meeting's page: looked at, confirmed, corrected, taken down, told to two."""

from html import unescape

import httpx
import pytest

from services.meetings.pages.publishing import PublishPages
from shared.auth import SESSION_COOKIE
from shared.rendering.public import MOST_MASKS, Mask
from tests.integration.meetings.test_decisions import fire
from tests.integration.meetings.test_elections import signed as all_signed
from tests.integration.pages.site import AUDITOR, ELSEWHERE, Site
from tests.integration.pages.test_meetings import DRAFTING, MINUTES, new_meeting
from tests.integration.pages.test_meetings import visitor as visitor
from tests.integration.pages.test_office import new_body
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION

NAME = "Maja Lind"


@pytest.fixture
async def publish(site: Site, visitor: Visitor) -> str:
    """The page of minutes that everyone has signed."""
    body = await new_body(visitor)
    meeting = (await new_meeting(visitor, body)).rpartition("/")[2]
    drafted = await site.meetings.commands.minutes.draft_minutes(
        ORGANISATION, meeting, MINUTES, DRAFTING, ip="192.0.2.1"
    )
    unsigned = f"/meetings/office/meetings/{meeting}/publish"
    assert "Alla har inte signerat" in unescape((await visitor.follow(unsigned)).text)
    await all_signed(site.meetings, drafted.agreement_id, organisation=ORGANISATION)
    await fire(site.meetings)
    return unsigned


async def test_minutes_are_looked_at_posted_corrected_and_taken_down(
    site: Site, visitor: Visitor, publish: str
) -> None:
    meeting = await visitor.follow(publish.removesuffix("/publish"))
    assert publish in meeting.text, "the next step once everyone has signed"
    await visitor.follow(publish)
    looked = unescape((await visitor.press("/publish", names=f"{NAME}\nNils Ek")).text)
    assert f"<mark>{NAME}</mark>" in looked
    assert "Det här står inte i protokollet" in looked
    assert "Nils Ek" in looked
    await visitor.press("/publish")
    said = unescape(visitor.page.text)
    assert "Protokollet är anslaget." in said
    assert "När någon tar ned det" in said, "an association's bylaws say nothing"
    await visitor.press("/publish", names="")
    assert "Det nya tar det förras plats" in unescape(visitor.page.text)
    site.flow.tick()
    await visitor.press("/publish")
    assert "Det som var anslaget är utbytt." in unescape(visitor.page.text)
    await visitor.press("/publish/remove", removal="Fel.")
    assert "Protokollet är nedtaget." in unescape(visitor.page.text)


@pytest.mark.parametrize(("years", "is_kept"), [(1, False), (20, True)])
async def test_that_the_archive_keeps_it_is_said_where_it_will(
    site: Site, visitor: Visitor, publish: str, years: int, is_kept: bool
) -> None:
    """Minutes may be on the notice board for longer than the archive goes back."""
    bodies = site.meetings.commands.bodies
    [body] = await bodies.bodies(ORGANISATION)
    changed = {"public_archive": True, "archive_years": years, "posted_days": 3650}
    details = body.details.model_copy(update={"rules": body.details.rules.model_copy(update=changed)})
    await bodies.change(ORGANISATION, body.id, details)
    await visitor.follow(publish)
    looked = unescape((await visitor.press("/publish", names=NAME)).text)
    assert "Det tas ned av sig självt" in looked
    assert ("finns det kvar i det öppna arkivet" in looked, "Går att läsa till och med" in looked) == (is_kept, is_kept)


async def test_more_than_can_be_masked_is_not_proposed_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch, visitor: Visitor, publish: str
) -> None:
    masks = tuple(Mask(kind="name", text=f"Namn {number}") for number in range(MOST_MASKS + 3))

    async def before(*_: object) -> tuple[Mask, ...]:
        return masks

    monkeypatch.setattr(PublishPages, "_masked_before", before)
    said = unescape((await visitor.follow(publish)).text)
    assert "De 3 sista raderna står inte här" in said
    assert visitor.page.status_code == 200
    assert "Namn 199\n" in said.replace("</textarea>", "\n")
    assert "Namn 200" not in said
    looked = await visitor.press("/publish")
    assert looked.status_code == 200


async def test_a_line_that_masks_nothing_is_told_at_its_field(visitor: Visitor, publish: str) -> None:
    await visitor.follow(publish)
    answer = await visitor.press("/publish", names="B", passages="§ 38: a")
    assert answer.status_code == 422
    assert answer.text.count("Skriv minst två tecken") >= 2
    await visitor.press("/publish", names=NAME)
    await visitor.press("/publish")
    answer = await visitor.press("/publish", names="B")
    assert answer.status_code == 422, "nor is it a fault of ours once they are posted"
    assert "Skriv minst två tecken" in answer.text
    assert "Ta ned protokollet" in answer.text


async def test_the_second_of_two_is_told_and_nothing_of_theirs_is_posted(
    site: Site, visitor: Visitor, publish: str
) -> None:
    await visitor.follow(publish)
    await visitor.press("/publish", names=NAME)
    commands = site.meetings.commands.publications
    meeting = publish.split("/")[-2]
    other = await commands.preview(ORGANISATION, meeting, [])
    await commands.post(ORGANISATION, meeting, [], confirmed=other.pin)
    answer = await visitor.press("/publish")
    assert answer.status_code == 422
    assert "Detta har ändrats sedan sidan öppnades" in unescape(answer.text)
    assert f"<mark>{NAME}</mark>" in answer.text, "and what was wanted is there to be confirmed again"
    found = await commands.of_meeting(ORGANISATION, meeting)
    assert found is not None
    assert (found.edition, found.masks) == (1, ())


async def test_who_only_reads_sees_no_form_and_another_organisation_nothing(
    site: Site, visitor: Visitor, client: httpx.AsyncClient, publish: str
) -> None:
    client.cookies.set(SESSION_COOKIE, await site.session(AUDITOR))
    assert '"act"' not in (await visitor.follow(publish)).text
    assert (await client.post(publish, data={"act": "look"})).status_code == 403
    client.cookies.set(SESSION_COOKIE, await site.session(ELSEWHERE))
    assert (await client.get(publish)).status_code == 404
