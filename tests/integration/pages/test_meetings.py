"""Meetings kept in a browser: from an empty office to the first one, what is in its way, its change and its end."""

import re
from html import unescape

import httpx
import pytest

from services.meetings.minutes.drafting import Drafting
from shared.auth import SESSION_COOKIE
from shared.events import Person, SignerInvitation
from tests.integration.meetings.test_elections import signed as all_signed
from tests.integration.meetings.test_meetings import end as ended
from tests.integration.pages.site import AUDITOR, ELSEWHERE, TOKEN, Site
from tests.integration.pages.test_office import OFFICE, new_body, new_person, seat
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION

MEETING = {
    "date": "2022-11-25",
    "begins_at": "09:00",
    "ends_at": "12:00",
    "mode": "digital",
    "place": "",
    "title": "",
    "occasion": "ordinary",
}
MINUTES = """---
title: Protokoll styrelsen
body: Styrelsen
place: Digitalt
starts: 2022-11-25T09:00
ends: 2022-11-25T12:00
present:
  - {name: Maja Lind, role: ordförande}
secretary: Karin Ek
adjuster: Olof Berg
first_paragraph: 37
---
## Val av justerare
### Beslut
Olof Berg.

## Ekonomi
### Beslut
Läggs till handlingarna.
"""
DRAFTING = Drafting(
    sender=Person(email="karin.ek@norrdalen.example", name="Karin Ek"),
    signers=(SignerInvitation(email="maja.lind@norrdalen.example", role="chair"),),
)


@pytest.fixture
async def visitor(site: Site, client: httpx.AsyncClient) -> Visitor:
    """A secretary who has logged in."""
    client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
    return Visitor(site, client)


async def new_meeting(visitor: Visitor, board: str, /, **changed: str) -> str:
    await visitor.follow(f"{OFFICE}/meetings/new")
    await visitor.press("/meetings/new", **{**MEETING, "body": board.rsplit("/", 1)[-1], **changed})
    return visitor.page.url.path


async def test_an_empty_office_gets_its_first_meeting(visitor: Visitor) -> None:
    await visitor.follow(f"{OFFICE}/meetings")
    assert "Börja med att lägga till styrelsen." in visitor.page.text
    body, maja = await new_body(visitor), await new_person(visitor)
    await seat(visitor, body, maja, "chair")
    await visitor.follow(f"{OFFICE}/meetings")
    assert "Här finns inga möten 2022 än." in visitor.page.text
    meeting = await new_meeting(visitor, body)
    page = unescape(visitor.page.text)
    assert visitor.heading == "Styrelsen"
    for said in ("Mötet är inlagt.", "Fredag 25 november 2022", "09:00–12:00", "Digitalt", "Maja Lind", "Kommande"):
        assert said in page
    assert "Inget protokoll än." in page
    year = unescape((await visitor.follow(f"{OFFICE}/meetings")).text)
    assert meeting in year
    assert "Julafton" in year
    assert "pingstdagen" not in year  # a Sunday
    assert meeting in (await visitor.follow(f"{OFFICE}/meetings?body={body.rsplit('/', 1)[-1]}")).text
    other = await new_body(visitor, name="Arbetsutskottet")
    assert meeting not in (await visitor.follow(f"{OFFICE}/meetings?body={other.rsplit('/', 1)[-1]}")).text
    for given in ("2021", "x", "99999999", "020000", "²"):
        shown = await visitor.follow(f"{OFFICE}/meetings?year={given}")
        assert (meeting in shown.text) is (given != "2021")


WRONG: list[tuple[str, str, str]] = [
    ("body", "unknown", "Välj ett organ"),
    ("date", "", "Välj en dag"),
    ("date", "2022-02-30", "Välj en dag"),
    ("begins_at", "", "Skriv ett klockslag"),
    ("begins_at", "24:00", "Skriv ett klockslag"),
    ("begins_at", "9", "Skriv ett klockslag"),
    ("begins_at", "１9:00", "Skriv ett klockslag"),
    ("ends_at", "09:00", "Mötet slutar innan det börjar"),
    ("mode", "telepathic", "Välj något i listan"),
    ("place", "x" * 301, "Texten får vara högst 300 tecken"),
    ("title", "\u202e", "Texten innehåller tecken"),
    ("occasion", "party", "Välj något i listan"),
]


async def test_what_is_wrong_with_a_meeting_is_said_at_its_field(visitor: Visitor) -> None:
    body = await new_body(visitor)
    for field, value, error in WRONG:
        await new_meeting(visitor, body, **{field: value})
        assert visitor.page.status_code == 422, error
        page = unescape(visitor.page.text)
        assert page.count(error) == 2, page
        assert f'<a href="#{field}">' in page
        await new_meeting(visitor, body, mode="physical")
        assert unescape(visitor.page.text).count("Skriv var mötet hålls") == 2
    skipped = {"date": "2023-03-26", "begins_at": "02:15", "ends_at": "04:00"}
    await new_meeting(visitor, body, **skipped)
    assert unescape(visitor.page.text).count("Klockan ställs fram den natten") == 2
    assert '<a href="#begins_at">' in visitor.page.text
    assert 'value="2023-03-26"' in visitor.page.text
    await new_meeting(visitor, body, begins_at="", ends_at="")
    for field in ("Börjar", "Slutar"):  # one sentence at two fields: the summary says at which
        assert f">{field}: Skriv ett klockslag" in unescape(visitor.page.text)


async def test_what_is_in_the_way_is_shown_before_anything_is_saved(visitor: Visitor) -> None:
    board, committee = await new_body(visitor), await new_body(visitor, name="Arbetsutskottet")
    maja = await new_person(visitor)
    await seat(visitor, board, maja, "chair")
    await seat(visitor, committee, maja, "chair")
    await new_meeting(visitor, board, date="2022-11-04")
    assert visitor.page.status_code == 422
    assert "fredag 4 november: dagen före alla helgons dag" in unescape(visitor.page.text)
    await visitor.press("/meetings/new", **{**MEETING, "body": board.rsplit("/", 1)[-1], "date": "2022-11-04"})
    assert "Mötet är inlagt." in visitor.page.text
    await new_meeting(visitor, committee, date="2022-11-04", begins_at="11.30", ends_at="13.00")
    page = unescape(visitor.page.text)
    assert "Maja Lind behövs också på Styrelsen: Styrelsen, 09:00-12:00" in page
    changed = {**MEETING, "body": committee.rsplit("/", 1)[-1], "date": "2022-12-24"}
    await visitor.press("/meetings/new", **changed)  # what was meant was another clash
    assert "lördag 24 december: julafton" in unescape(visitor.page.text)
    [meeting] = await visitor.site.meetings.commands.meetings.meetings(ORGANISATION, None, 50)
    year = (await visitor.follow(f"{OFFICE}/meetings")).text
    assert year.count(">Krockar<") == 1
    await visitor.follow(f"{OFFICE}/meetings/{meeting.id}/change")
    await visitor.press("/change", **{**MEETING, "date": "2022-11-04", "ends_at": "12:30"})  # was there before
    assert "Mötet är ändrat." in visitor.page.text


async def test_a_meeting_is_changed_and_called_off(visitor: Visitor) -> None:
    board, maja = await new_body(visitor), await new_person(visitor)
    olof = await new_person(visitor, name="Olof Berg", email="olof@bjorka.example")
    await seat(visitor, board, maja, "chair", ends="2022-11-30")
    await seat(visitor, board, olof, "member", begins="2022-12-01")
    meeting = await new_meeting(visitor, board)
    await visitor.follow(f"{meeting}/change")
    opened = visitor.page
    await visitor.press("/change", **{**MEETING, "date": "2022-12-02", "mode": "physical", "place": "Björka"})
    page = unescape(visitor.page.text)
    assert "Mötet är ändrat." in page
    assert "Fredag 2 december 2022" in page
    assert "Olof Berg" in page
    assert "Maja Lind" not in page
    visitor.page = opened
    answer = await visitor.press("/change", **{**MEETING, "title": "Extra"})
    assert answer.status_code == 422
    assert "Plats: Björka" in unescape(answer.text)
    assert "Organ: " not in unescape(answer.text), "no field of the form"
    await visitor.follow(f"{meeting}/cancel")
    answer = await visitor.press("/cancel", reason=" ")
    assert unescape(answer.text).count("Skriv ett skäl") == 2
    await visitor.press("/cancel", reason="För många har förhinder.")
    page = unescape(visitor.page.text)
    assert "Mötet är inställt." in page
    assert "För många har förhinder." in page
    assert "Ändra mötet" not in page
    assert (await visitor.follow(f"{meeting}/change")).status_code == 409
    assert "Inställt" in (await visitor.follow(f"{OFFICE}/meetings")).text


async def test_its_page_has_the_minutes_and_their_agreement(visitor: Visitor) -> None:
    meeting = await new_meeting(visitor, await new_body(visitor))
    drafted = await visitor.site.meetings.commands.minutes.draft_minutes(
        ORGANISATION, meeting.rsplit("/", 1)[-1], MINUTES, DRAFTING, ip="192.0.2.1"
    )
    page = unescape((await visitor.follow(meeting)).text)
    assert f"/signing/overview/{drafted.agreement_id}" in page
    assert "§ 37–38" in page
    assert "Skriv protokollet" not in page
    pdf = await visitor.follow(f"{meeting}/minutes.pdf")
    assert pdf.content.startswith(b"%PDF-")


async def test_minutes_are_unlocked_on_a_page_that_says_what_happens(visitor: Visitor) -> None:
    meeting = await new_meeting(visitor, await new_body(visitor))
    commands, meeting_id = visitor.site.meetings.commands.minutes, meeting.rsplit("/", 1)[-1]
    assert "Mötet har inget protokoll än." in (await visitor.follow(f"{meeting}/minutes/unlock")).text
    drafted = await commands.draft_minutes(ORGANISATION, meeting_id, MINUTES, DRAFTING, ip="192.0.2.1")
    assert f"{meeting}/minutes/unlock" in (await visitor.follow(meeting)).text
    await visitor.follow(f"{meeting}/minutes/unlock")
    answer = await visitor.press("/minutes/unlock", reason="")
    assert answer.status_code == 422
    assert "Skriv ett skäl" in unescape(answer.text)
    await visitor.press("/minutes/unlock", reason="§ 38 är fel")
    page = unescape(visitor.page.text)
    assert visitor.page.url.path == meeting
    assert "Protokollet är upplåst, och texten ligger som utkast igen." in page
    assert "Låses upp" in page
    assert f"{meeting}/minutes/unlock" not in page
    await ended(visitor.site.meetings, drafted.agreement_id, organisation=ORGANISATION)
    assert "Återkallat" in unescape((await visitor.follow(meeting)).text)
    assert "Dokumentet är redan avslutat." in unescape((await visitor.follow(f"{meeting}/minutes/unlock")).text)


async def test_what_a_new_version_changed_is_a_click_away(visitor: Visitor) -> None:
    meeting = await new_meeting(visitor, await new_body(visitor))
    commands, meeting_id = visitor.site.meetings.commands.minutes, meeting.rsplit("/", 1)[-1]
    first = await commands.draft_minutes(ORGANISATION, meeting_id, MINUTES, DRAFTING, ip="192.0.2.1")
    assert "Vad som ändrats" not in unescape((await visitor.follow(meeting)).text)
    await ended(visitor.site.meetings, first.agreement_id, organisation=ORGANISATION)
    text = MINUTES.replace("Läggs till", "Rapporten läggs till")
    await commands.draft_minutes(ORGANISATION, meeting_id, text, DRAFTING, ip="192.0.2.1")
    assert "Vad som ändrats sedan version 1" in unescape((await visitor.follow(meeting)).text)
    page = unescape((await visitor.follow(f"{meeting}/minutes/difference/1/2")).text)
    assert visitor.heading == "Vad som ändrats från version 1 till version 2"
    assert "En av 2 paragrafer skiljer." in page
    assert "Utan ändring: § 37." in page
    said = re.sub(r"<[^>]*>", "", page)
    assert "borttaget: Läggs slut på ändringen. tillagt: Rapporten läggs slut på ändringen.  till handlingarna." in said
    for path in ("1/3", "x/2", "1/99999999"):
        assert (await visitor.follow(f"{meeting}/minutes/difference/{path}")).status_code == 404


async def test_what_the_minutes_elect_is_followed_on_its_page_and_told_on_the_bodys(visitor: Visitor) -> None:
    """§ 33; what is in the way when everyone has signed is shown, and tried again."""
    meeting = await new_meeting(visitor, await new_body(visitor))
    group = await new_body(visitor, name="Styrgruppen", kind="steering_group")
    olof, petra = await new_person(visitor), await new_person(visitor, name="Petra Holm", email="petra@b.example")
    await seat(visitor, group, olof, "chair")
    table = "\n| Vald till | Namn | Uppdrag |\n| --- | --- | --- |\n| Styrgruppen | Petra Holm | ordförande |\n"
    drafted = await visitor.site.meetings.commands.minutes.draft_minutes(
        ORGANISATION, meeting.rsplit("/", 1)[-1], MINUTES + table, DRAFTING, ip="192.0.2.1"
    )
    assert "Förs in när alla har signerat" in unescape((await visitor.follow(meeting)).text)
    await all_signed(visitor.site.meetings, drafted.agreement_id, organisation=ORGANISATION)
    page = unescape((await visitor.follow(meeting)).text)
    assert "Alla val kunde inte föras in" in page
    assert "Någon annan har uppdraget under den tiden" in page
    await visitor.press("/elections")
    assert "Något är fortfarande i vägen" in unescape(visitor.page.text)

    [chair] = (await visitor.site.meetings.commands.bodies.sitting(ORGANISATION, group.rsplit("/", 1)[-1])).members
    await visitor.follow(f"{group}/members/{chair.membership.id}/end")
    await visitor.press("/end", on="2022-09-01")
    await visitor.follow(meeting)
    await visitor.press("/elections")
    page = unescape(visitor.page.text)
    assert "Valen är införda i registret." in page
    assert "Infört i registret" in page
    assert "vald § 38/2022, Styrelsen" in unescape((await visitor.follow(group)).text)
    assert petra


async def test_a_meeting_is_struck_on_one_page_and_another_takes_its_items(visitor: Visitor) -> None:
    """§ 36, as a secretary does it: filled in, looked at, done."""
    body = await new_body(visitor)
    october = await new_meeting(visitor, body, date="2022-10-28")
    assert "Organet har inget annat möte" in unescape((await visitor.follow(f"{october}/strike")).text)
    november = await new_meeting(visitor, body, mode="physical", place="Forsby")
    for title in ("Strategi", "Stadgar"):
        await visitor.follow(f"{october}/agenda/new")
        item = {"item_title": title, "item_kind": "decision", "presenter": "", "item_minutes": ""}
        await visitor.press("/agenda/new", **item, background="", proposal="")
    page = unescape((await visitor.follow(f"{october}/strike")).text)
    assert page.count(" checked") == 2
    [strategy] = re.findall(r'value="([^"]+)" checked> <span>Strategi', page)
    to = november.rsplit("/", 1)[-1]
    filled = {"to_meeting": to, "reason": "Krock", "added": "Uppföljning", "ends_at": "12.30", "mode": "digital"}
    filled |= {"place": "Digitalt", "note": "", "item": strategy}
    answer = await visitor.press("/strike", **{**filled, "reason": "", "ends_at": "8"})
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert page.count("Skriv ett skäl") == 2
    assert page.count("Skriv ett klockslag, som 09:00") == 2
    assert 'value="Digitalt"' in page
    page = unescape((await visitor.press("/strike", **filled | {"place": ""})).text)
    assert "Platsen är fortfarande Forsby." in page, "an online meeting that has a place to go to"
    page = unescape((await visitor.press("/strike", **filled)).text)
    assert "Platsen är fortfarande" not in page
    assert "Ingen kan ansluta till det andra mötet" in page, "the body has no link to online meetings"
    assert page.index('name="note"') < page.index('value="strike"'), "the button is below all that it does"
    assert "Fredag 28 oktober 2022: mötet stryks" in page
    assert "Det andra mötet, som tar över punkterna, är det på fredag 25 november 2022" in page
    assert "”Strategi” flyttas till det andra mötet" in page
    assert "”Stadgar” blir kvar på det strukna mötet" in page
    assert "Det andra mötet slutar 12:30 i stället för 12:00" in page
    assert "Ingen har fått kallelse" in page
    stale = visitor.page
    await visitor.follow(f"{october}/agenda/new")
    await visitor.press("/agenda/new", **{**item, "item_title": "Till"}, background="", proposal="")
    visitor.page = stale
    answer = await visitor.press("/strike", **filled, act="strike")
    assert answer.status_code == 422
    assert "”Till” blir kvar" in unescape(answer.text)
    await visitor.press("/strike", **filled, act="strike")
    page = unescape(visitor.page.text)
    assert visitor.page.url.path == november
    assert "Mötet är struket, och det här mötet har tagit över punkterna." in page
    assert "Digitalt" in page
    agenda = unescape((await visitor.follow(f"{november}/agenda")).text)
    assert agenda.index("Strategi") < agenda.index("Uppföljning")
    struck = unescape((await visitor.follow(october)).text)
    assert "Krock" in struck
    assert f'Mötet ströks, och punkterna tas upp på <a href="{november}">Styrelsen, ' in struck
    taken = unescape((await visitor.follow(november)).text)
    assert f'från ett möte som ströks: <a href="{october}">Styrelsen, fredag 28 oktober 2022</a>.' in taken
    assert (await visitor.follow(f"{october}/strike")).status_code == 409
    december = await new_meeting(visitor, body, date="2022-12-16", mode="physical", place="Forsby")
    await visitor.follow(f"{december}/strike")
    alone = {
        "to_meeting": to,
        "reason": "Krock",
        "added": "",
        "ends_at": "",
        "mode": "digital",
        "place": "",
        "note": "",
    }
    await visitor.press("/strike", **alone)
    await visitor.press("/strike", **alone, act="strike")
    page = unescape(visitor.page.text)
    assert "Det andra mötet är struket. Inga punkter flyttades hit." in page
    assert "punkterna tas upp" not in unescape((await visitor.follow(december)).text)
    january = await new_meeting(visitor, body, date="2023-01-20", mode="digital")
    await visitor.follow(f"{january}/strike")
    added = alone | {"added": "Rapport"}
    await visitor.press("/strike", **added)
    await visitor.press("/strike", **added, act="strike")
    page = unescape(visitor.page.text)
    assert "Inga av dess punkter flyttades hit, men de andra som du valde eller skrev till finns här." in page
    assert "Inga punkter" not in page


async def test_only_a_secretary_changes_and_nobody_sees_another_organisations_meetings(
    site: Site, visitor: Visitor, client: httpx.AsyncClient
) -> None:
    meeting = await new_meeting(visitor, await new_body(visitor))
    for form in (f"{OFFICE}/meetings/new", f"{meeting}/change", f"{meeting}/cancel"):
        assert (await client.post(form, data={**MEETING, "csrf": "x"})).status_code == 403
    client.cookies.set(SESSION_COOKIE, await site.session(AUDITOR))
    assert "Ändra mötet" not in (await visitor.follow(meeting)).text
    for form in (f"{OFFICE}/meetings/new", f"{meeting}/change", f"{meeting}/cancel"):
        assert (await client.get(form)).status_code == 403
        assert (await client.post(form, data=MEETING)).status_code == 403
    client.cookies.set(SESSION_COOKIE, await site.session(ELSEWHERE))
    for path in (meeting, f"{meeting}/minutes.pdf", f"{meeting}/change"):
        assert (await client.get(path)).status_code == 404
    assert meeting not in (await visitor.follow(f"{OFFICE}/meetings")).text
    client.cookies.clear()
    for path in (f"{OFFICE}/meetings", meeting, f"{meeting}/minutes.pdf"):
        assert (await client.get(path)).status_code == 401
