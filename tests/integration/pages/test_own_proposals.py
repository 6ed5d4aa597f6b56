"""Items that a member proposes on their own page, and what the office makes of them."""

from datetime import date
from html import unescape

import pytest

from shared.auth import SESSION_COOKIE
from tests.integration.pages.members import meeting_of
from tests.integration.pages.site import TOKEN
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION


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
    assert (refused.status_code, "Detta har ändrats sedan sidan öppnades" in text) == (422, True)
    assert (': <span class="whole">2022-11-03</span>' in text, 'value="2022-11-04"' in text) == (True, True)
    assert (await proposals.of_meeting(ORGANISATION, coming.id)).until == date(2022, 11, 3)
    await visitor.press("/proposals", until="2022-11-04")
    assert (await proposals.of_meeting(ORGANISATION, coming.id)).until == date(2022, 11, 4)
