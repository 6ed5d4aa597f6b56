"""Agendas in a browser: items written, ordered, moved with a trace, and two who write on one."""

from datetime import datetime
from html import unescape

import httpx
import pytest

from services.meetings.body.body import BodyDetails, BodyKind, BodyRules, ItemKind, StandingItem
from services.meetings.meeting.meeting import MeetingDetails
from shared.auth import SESSION_COOKIE
from tests.integration.pages.site import AUDITOR, ELSEWHERE, Site
from tests.integration.pages.test_office import OFFICE
from tests.integration.pages.test_office import visitor as visitor
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION
from tests.unit.meetings.test_attachment import HTML
from tests.unit.rendering.test_binding import pdf_of

PDF = pdf_of()
ITEM = {
    "item_title": "Ramverk för strategisk utveckling",
    "item_kind": "decision",
    "presenter": "Maja Lind",
    "item_minutes": "20",
    "background": "Stadgarna säger inget.\r\n\r\nFler uppdrag väntas.",
    "proposal": "Ge förbundsdirektören uppdraget.",
}


async def board(visitor: Visitor) -> None:
    standing = (StandingItem(title="Val av justerare", kind=ItemKind.ELECTION), StandingItem(title="Ekonomi"))
    details = BodyDetails(name="Styrelsen", kind=BodyKind.BOARD, rules=BodyRules(standing_items=standing))
    await visitor.site.meetings.commands.bodies.register(ORGANISATION, details)


async def meeting(visitor: Visitor, month: int, day: int) -> str:
    starts = datetime(2022, month, day, 13)
    details = MeetingDetails(
        body="Styrelsen", title="Styrelsen", place="Digitalt", starts=starts, ends=starts.replace(hour=15)
    )
    return str((await visitor.site.meetings.commands.meetings.schedule(ORGANISATION, details)).id)


async def add(visitor: Visitor, meeting_id: str, **changed: str) -> str:
    await visitor.follow(f"{OFFICE}/meetings/{meeting_id}/agenda/new")
    answer = await visitor.press("/agenda/new", **{**ITEM, **changed})
    assert answer.status_code == 200, answer.text
    agenda = await visitor.site.meetings.commands.agendas.agenda(ORGANISATION, meeting_id)
    return str(agenda.items[-1].id)


async def titles(visitor: Visitor, meeting_id: str) -> list[str]:
    agenda = await visitor.site.meetings.commands.agendas.agenda(ORGANISATION, meeting_id)
    return [item.details.title for item in agenda.items]


async def test_an_agenda_is_begun_written_and_ordered(visitor: Visitor) -> None:
    await board(visitor)
    november = await meeting(visitor, 11, 25)
    shown = await visitor.follow(f"{OFFICE}/meetings/{november}/agenda")
    assert "Ingen har skrivit på den här dagordningen än" in shown.text
    assert "Kallelsen ska skickas senast fredag 18 november 2022." in shown.text
    await visitor.press("/agenda/begin")
    assert visitor.heading == "Dagordning"
    item = await add(visitor, november)
    page = unescape(visitor.page.text)
    assert "Punkten är tillagd." in page
    assert "3. Ramverk för strategisk utveckling" in page
    assert "Beslut, Maja Lind, 20 minuter" in page
    await visitor.press(f"/items/{item}/step", direction="up")
    assert await titles(visitor, november) == ["Val av justerare", ITEM["item_title"], "Ekonomi"]
    await visitor.press(f"/items/{item}/step", direction="down")
    assert (await titles(visitor, november))[-1] == ITEM["item_title"]
    await visitor.follow(f"{OFFICE}/items/{item}/remove")
    await visitor.press("/remove")
    assert "Punkten är borttagen." in visitor.page.text
    assert await titles(visitor, november) == ["Val av justerare", "Ekonomi"]


async def test_a_struck_meetings_item_moves_and_both_pages_say_so(visitor: Visitor) -> None:
    october, november = await meeting(visitor, 10, 28), await meeting(visitor, 11, 25)
    item = await add(visitor, october)
    await visitor.site.meetings.commands.meetings.cancel(ORGANISATION, october, "Krock")
    await visitor.follow(f"{OFFICE}/items/{item}/move")
    assert '<optgroup label="Styrelsen, samma organ">' in visitor.page.text
    assert "Fredag 25 november 2022, 13:00–15:00" in visitor.page.text
    await visitor.press("/move", how="moved", to_meeting=november, reason="Krock")
    page = unescape(visitor.page.text)
    assert "Punkten är flyttad." in page
    assert "Inte längre på den här dagordningen" in page
    assert "Flyttad: Krock" in page
    shown = await visitor.follow(f"{OFFICE}/meetings/{november}/agenda")
    assert "Flyttad från Styrelsen 28 oktober 2022: Krock" in shown.text


async def test_one_referred_back_waits_and_is_taken_up_where_it_waits(visitor: Visitor) -> None:
    october, november = await meeting(visitor, 10, 28), await meeting(visitor, 11, 25)
    item = await add(visitor, october)
    await visitor.follow(f"{OFFICE}/items/{item}/move")
    answer = await visitor.press("/move", how="referred_back", to_meeting="waits", reason="")
    assert answer.status_code == 422
    assert unescape(answer.text).count("Skriv vad som ska beredas bättre") == 2
    await visitor.press("/move", how="referred_back", to_meeting="waits", reason="Kostnaden")
    assert "Väntar på ett möte" in visitor.page.text
    shown = await visitor.follow(f"{OFFICE}/meetings/{november}/agenda")
    assert "Återremitterad av Styrelsen 28 oktober 2022: Kostnaden" in shown.text
    await visitor.follow(f"{OFFICE}/items/{item}/move?to={november}")
    await visitor.press("/move", to_meeting=november, reason="")
    assert await titles(visitor, november) == [ITEM["item_title"]]


WRONG_ITEMS: list[tuple[str, str, str]] = [
    ("item_title", " ", "Skriv vad punkten handlar om"),
    ("item_title", "x" * 301, "Rubriken får vara högst 300 tecken"),
    ("item_kind", "party", "Välj något i listan"),
    ("presenter", "\u202e", "Namnet innehåller tecken"),
    ("item_minutes", "0", "Skriv ett heltal"),
    ("background", "a\u202eb", "Texten innehåller tecken"),
    ("proposal", "x" * 20_001, "Texten får vara högst 20 000 tecken"),
]


async def test_what_is_wrong_with_an_item_is_said_at_its_field(visitor: Visitor) -> None:
    november = await meeting(visitor, 11, 25)
    for field, value, error in WRONG_ITEMS:
        await visitor.follow(f"{OFFICE}/meetings/{november}/agenda/new")
        answer = await visitor.press("/agenda/new", **{**ITEM, field: value})
        assert answer.status_code == 422, error
        page = unescape(answer.text)
        assert page.count(error) == 2, page
        assert f'<a href="#{field}">' in page
        assert await titles(visitor, november) == []


async def test_two_who_write_on_one_item_are_told_and_no_words_are_lost(visitor: Visitor) -> None:
    november = await meeting(visitor, 11, 25)
    item = await add(visitor, november)
    await visitor.follow(f"{OFFICE}/items/{item}")
    opened = visitor.page
    await visitor.press(f"/items/{item}", **{**ITEM, "proposal": "Bordlägga."})
    visitor.page = opened
    answer = await visitor.press(f"/items/{item}", **{**ITEM, "background": "Mitt stycke."})
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert "Detta har ändrats sedan sidan öppnades" in page
    assert "Förslag till beslut: Bordlägga." in page
    assert "Mitt stycke." in page
    assert (await visitor.press(f"/items/{item}", **ITEM)).status_code == 200


async def test_only_a_secretary_writes_and_nobody_sees_another_organisation(
    site: Site, visitor: Visitor, client: httpx.AsyncClient
) -> None:
    november = await meeting(visitor, 11, 25)
    item = await add(visitor, november)
    agenda = f"{OFFICE}/meetings/{november}/agenda"
    for path in (f"{agenda}/new", f"{agenda}/begin", f"{OFFICE}/items/{item}", f"{OFFICE}/items/{item}/move"):
        assert (await client.post(path, data={**ITEM, "csrf": "x"})).status_code == 403
    client.cookies.set(SESSION_COOKIE, await site.session(AUDITOR))
    assert "Lägg till punkt" not in (await visitor.follow(agenda)).text
    assert "Stadgarna säger inget." in (await visitor.follow(f"{OFFICE}/items/{item}")).text
    for path in (f"{agenda}/new", f"{OFFICE}/items/{item}/move", f"{OFFICE}/items/{item}/remove"):
        assert (await client.get(path)).status_code == 403
        assert (await client.post(path, data=ITEM)).status_code == 403
    client.cookies.set(SESSION_COOKIE, await site.session(ELSEWHERE))
    for path in (agenda, f"{OFFICE}/items/{item}"):
        assert (await client.get(path)).status_code == 404


async def test_on_a_held_or_cancelled_meetings_agenda_nothing_is_written(visitor: Visitor) -> None:
    held, struck, november = (
        await meeting(visitor, 9, 23),
        await meeting(visitor, 10, 28),
        await meeting(visitor, 11, 25),
    )
    item = await add(visitor, struck)
    await visitor.site.meetings.commands.meetings.cancel(ORGANISATION, struck, "Krock")
    for closed in (held, struck):
        assert (await visitor.follow(f"{OFFICE}/meetings/{closed}/agenda/new")).status_code == 409
        assert "Lägg till punkt" not in (await visitor.follow(f"{OFFICE}/meetings/{closed}/agenda")).text
    assert "Spara" not in (await visitor.follow(f"{OFFICE}/items/{item}")).text
    await visitor.follow(f"{OFFICE}/meetings/{november}/agenda/new")
    await visitor.site.meetings.commands.meetings.cancel(ORGANISATION, november, "Krock")
    assert (await visitor.press("/agenda/new", **{**ITEM, "item_title": ""})).status_code == 409
    await visitor.follow(f"{OFFICE}/items/{item}/move")
    assert (await visitor.press("/move", how="moved", to_meeting=held, reason="")).status_code == 422
    assert "Mötet har hållits, är inställt" in unescape(visitor.page.text)


async def test_a_notice_that_is_late_is_told(visitor: Visitor) -> None:
    await board(visitor)
    shown = await visitor.follow(f"{OFFICE}/meetings/{await meeting(visitor, 9, 28)}/agenda")
    assert "Kallelsen skulle ha skickats senast fredag 23 september 2022." in shown.text


async def test_markup_in_an_item_is_text(visitor: Visitor) -> None:
    november = await meeting(visitor, 11, 25)
    markup = '<script>alert(1)</script>"><img src=x>'
    item = await add(visitor, november, item_title=markup, background=markup, presenter=markup)
    assert markup in unescape(visitor.page.text)
    assert "<img" not in visitor.page.text
    assert "<img" not in (await visitor.follow(f"{OFFICE}/items/{item}")).text


async def hand_in(visitor: Visitor, name: str, content: bytes, **fields: str) -> httpx.Response:
    return await visitor.send("/attachments", content, name, **fields)


async def test_attachments_are_handed_in_replaced_and_read(visitor: Visitor) -> None:
    november = await meeting(visitor, 11, 25)
    item = await add(visitor, november)
    await visitor.follow(f"{OFFICE}/items/{item}/attachments")
    assert "Punkten har inga bilagor än." in visitor.page.text
    await hand_in(visitor, "Budget 2023.pdf", PDF, attachment_title="", confidential="yes")
    page = unescape(visitor.page.text)
    assert "Bilagan är tillagd." in page
    assert "Bara för ledamöter" in page
    await hand_in(visitor, "Budget 2023.pdf", PDF, attachment_title="", confidential="yes")
    assert "Filen är redan en bilaga till punkten. Den finns en gång." in visitor.page.text
    another = await hand_in(visitor, "Budget 2023.pdf", PDF, attachment_title="Nästa års budget", confidential="yes")
    assert (another.status_code, 'value="Nästa års budget"' in another.text) == (422, True)
    assert "under ett annat namn" in another.text
    agenda = await visitor.follow(f"{OFFICE}/meetings/{november}/agenda")
    assert "Budget 2023</a>" in agenda.text
    [found] = await visitor.site.meetings.commands.attachments.of_item(ORGANISATION, item)
    await visitor.follow(f"{OFFICE}/attachments/{found.id}")
    await visitor.send("/versions", PDF + b"%", "Budget.pdf")
    assert "Version 2: Budget.pdf" in visitor.page.text
    assert "Version 1: Budget 2023.pdf" in visitor.page.text
    await visitor.send("/versions", PDF + b"%", "Budget.pdf")
    assert "Inget är ändrat." in visitor.page.text
    assert "Version 3" not in visitor.page.text
    await visitor.press(f"/attachments/{found.id}", attachment_title="", confidential="no")
    assert visitor.page.text.count("Skriv vad bilagan heter") == 2
    await visitor.press(f"/attachments/{found.id}", attachment_title="Budget", confidential="no")
    assert "Bilagan är ändrad." in visitor.page.text
    shown = await visitor.follow(f"{OFFICE}/attachments/{found.id}/file/1")
    assert (shown.content, shown.headers["content-type"]) == (PDF, "application/pdf")
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    await visitor.follow(f"{OFFICE}/attachments/{found.id}/remove")
    await visitor.press("/remove")
    assert await visitor.site.meetings.commands.attachments.of_item(ORGANISATION, item) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("protokoll.pdf", HTML, "Filen är inte det som dess namn säger."),
        ("tom.pdf", b"", "Välj en fil"),
        ("halv.pdf", PDF[:200], "Filen är skadad och går inte att läsa."),
        ("a\u202efdp.pdf", PDF, "Filens namn går inte att använda"),
        ("stor.pdf", PDF + bytes(25 * 1024 * 1024), "Filen är för stor"),
    ],
)
async def test_a_file_that_is_refused_leaves_what_was_typed(
    visitor: Visitor, name: str, content: bytes, said: str
) -> None:
    item = await add(visitor, await meeting(visitor, 11, 25))
    await visitor.follow(f"{OFFICE}/items/{item}/attachments")
    answer = await hand_in(visitor, name, content, attachment_title="Bokslut & budget", confidential="yes")
    assert answer.status_code == 422
    assert said in unescape(answer.text)
    assert 'value="Bokslut &amp; budget"' in answer.text
    assert await visitor.site.meetings.commands.attachments.of_item(ORGANISATION, item) == []


async def test_papers_are_looked_at_and_published(visitor: Visitor) -> None:
    await board(visitor)
    november = await meeting(visitor, 11, 25)
    item = await add(visitor, november)
    for name, confidential in (("Budget.pdf", "no"), ("Löner.pdf", "yes")):
        await visitor.follow(f"{OFFICE}/items/{item}/attachments")
        await hand_in(visitor, name, PDF if confidential == "no" else pdf_of(2), confidential=confidential)
    await visitor.follow(f"{OFFICE}/meetings/{november}/agenda")
    assert f"{OFFICE}/meetings/{november}/papers" in visitor.page.text
    await visitor.follow(f"{OFFICE}/meetings/{november}/papers")
    assert "Inget är publicerat än." in visitor.page.text
    shown = await visitor.follow(f"{OFFICE}/meetings/{november}/papers/current?readers=members")
    assert shown.content.startswith(b"%PDF-")
    await visitor.follow(f"{OFFICE}/meetings/{november}/papers")
    await visitor.press("/papers")
    assert "Handlingarna är publicerade." in visitor.page.text
    assert "Inget är ändrat sedan de publicerades." in visitor.page.text
    everyones = await visitor.follow(f"{OFFICE}/meetings/{november}/papers/1")
    members = await visitor.follow(f"{OFFICE}/meetings/{november}/papers/1?readers=members")
    assert len(everyones.content) < len(members.content)
    assert everyones.headers["content-type"] == "application/pdf"
