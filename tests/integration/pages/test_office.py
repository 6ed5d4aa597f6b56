"""The office: bodies, people and places kept in a browser, and what a form says when something is wrong."""

import re
from html import unescape

import httpx
import pytest

from services.meetings.letterhead import letterhead as rules
from shared.auth import SESSION_COOKIE
from tests.integration.pages.site import AUDITOR, ELSEWHERE, TOKEN, Site
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION

BODY = {
    "name": "Styrelsen",
    "kind": "board",
    "quorum": "",
    "notice_days": "5",
    "substitutes": "in_order",
    "adjusters": "1",
    "numbering": "calendar_year",
    "annexes": "bound",
    "deadline_profile": "association",
    "adjust_days": "",
    "post_days": "",
    "posted_days": "",
    "public_archive": "no",
    "archive_years": "",
    "public": "no",
    "standing_items": "Val av justerare\r\nEkonomi",
    "language": "sv",
    "join_link": "",
}
PERSON = {
    "name": "Maja Lind",
    "email": "maja.lind@norrdalen.example",
    "party": "S",
    "municipality": "Björka",
    "language": "sv",
}
OFFICE = "/meetings/office"


@pytest.fixture
async def visitor(site: Site, client: httpx.AsyncClient) -> Visitor:
    """A secretary who has logged in."""
    client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
    return Visitor(site, client)


async def new_body(visitor: Visitor, **changed: str) -> str:
    await visitor.follow(f"{OFFICE}/bodies/new")
    await visitor.press("/bodies/new", **{**BODY, **changed})
    return visitor.page.url.path


async def new_person(visitor: Visitor, **changed: str) -> str:
    await visitor.follow(f"{OFFICE}/people/new")
    await visitor.press("/people/new", **{**PERSON, **changed})
    return visitor.page.url.path.rsplit("/", 1)[-1]


async def seat(visitor: Visitor, body: str, person: str, role: str, **term: str) -> httpx.Response:
    await visitor.follow(f"{body}/members/new")
    fields = {"person": person, "role": role, "order": "", "begins": "", "ends": ""} | term
    return await visitor.press("/members/new", **fields)


async def test_an_empty_office_gets_its_board_and_who_sits_there(visitor: Visitor) -> None:
    await visitor.follow(f"{OFFICE}/bodies")
    assert "Här finns inga organ än" in visitor.page.text
    body = await new_body(visitor)
    assert visitor.heading == "Styrelsen"
    assert "Organet är tillagt." in visitor.page.text
    await visitor.follow(f"{body}/members/new")
    assert "Lägg först till personen." in visitor.page.text
    maja = await new_person(visitor)
    assert visitor.heading == "Maja Lind"
    await seat(visitor, body, maja, "chair", begins="2022-01-01", ends="2026-12-31")
    assert "Ledamoten är tillagd." in visitor.page.text
    assert "1 januari 2022 till 31 december 2026" in visitor.page.text
    assert "S, Björka" in visitor.page.text
    await visitor.follow(f"{OFFICE}/people/{maja}")
    assert "Styrelsen" in visitor.page.text
    sitting = await visitor.site.meetings.commands.bodies.bodies(ORGANISATION)
    assert [item.title for item in sitting[0].details.rules.standing_items] == ["Val av justerare", "Ekonomi"]


async def test_what_is_new_has_the_readers_language_and_who_sits_somewhere_that_of_the_body(visitor: Visitor) -> None:
    def chosen() -> list[str]:
        return re.findall(r'<option value="(sv|en)" selected>', visitor.page.text)

    for reader in ("en", "sv"):
        visitor.client.headers["accept-language"] = reader
        for form in ("bodies/new", "people/new"):
            await visitor.follow(f"{OFFICE}/{form}")
            assert chosen() == [reader]
    body = await new_body(visitor, language="en")
    await visitor.follow(f"{body}/members/new")
    await visitor.follow(re.findall(r'href="([^"]*/people/new[^"]*)"', unescape(visitor.page.text))[0])
    assert chosen() == ["en"]


async def test_whoever_is_missing_is_added_on_the_way_to_a_place_and_is_chosen_there(visitor: Visitor) -> None:
    body = await new_body(visitor)
    for name in ("Maja Lind", "Olof Berg"):  # nobody is there yet, and then somebody is
        form = await visitor.follow(f"{body}/members/new")
        await visitor.follow(re.findall(r'href="([^"]*/people/new[^"]*)"', unescape(form.text))[0])
        wrong = await visitor.press("/people/new", name="")
        assert wrong.status_code == 422
        await visitor.press("/people/new", **PERSON | {"name": name, "email": ""})
        assert visitor.page.url.path == f"{body}/members/new"
        page = unescape(visitor.page.text)
        assert "Personen är tillagd." in page
        assert re.search(rf'<option value="[^"]+" selected>{name}', page)


async def test_a_place_is_changed_and_ended_and_whoever_leaves_leaves_all(visitor: Visitor) -> None:
    body, maja = await new_body(visitor), await new_person(visitor)
    await seat(visitor, body, maja, "member")
    commands = visitor.site.meetings.commands.bodies
    body_id = body.rsplit("/", 1)[-1]
    [member] = await commands.memberships(ORGANISATION, body_id)
    await visitor.follow(f"{body}/members/{member.membership.id}")
    await visitor.press(member.membership.id, role="substitute", order="", begins="", ends="")
    assert "Platsen är ändrad." in visitor.page.text
    assert "Ersättare 1" in visitor.page.text
    await visitor.follow(f"{body}/members/{member.membership.id}/end")
    assert 'value="2022-09-26"' in visitor.page.text
    await visitor.press("/end", on="2022-09-25")
    assert "Tidigare" in visitor.page.text
    await seat(visitor, body, maja, "member")
    await visitor.follow(f"{OFFICE}/people/{maja}/leave")
    await visitor.press("/leave", on="2022-09-30")
    assert "Uppdragen upphör." in visitor.page.text
    await visitor.follow(f"{body}/close")
    await visitor.press("/close", on="2022-12-31")
    assert "Nedlagt 31 december 2022" in visitor.page.text


async def test_a_body_is_public_when_somebody_says_so(visitor: Visitor) -> None:
    body = await new_body(visitor)
    assert "Nej, bara för dem som sitter där" in visitor.page.text
    await visitor.follow(f"{body}/change")
    await visitor.press("/change", **BODY | {"public": "yes"})
    assert "Ja, som öppna data" in visitor.page.text


WRONG_BODIES: list[tuple[str, str, str]] = [
    ("name", " ", "Skriv organets namn"),
    ("name", "x" * 301, "Namnet får vara högst 300 tecken"),
    ("name", "a\u202eb", "Namnet innehåller tecken"),
    ("name", "NÄMNDEN", "Ett annat organ heter redan så"),
    ("kind", "club", "Välj något i listan"),
    ("quorum", "many", "Skriv ett heltal"),
    ("quorum", "0", "Skriv ett heltal"),
    ("notice_days", "", "Skriv ett heltal"),
    ("adjusters", "as-now", "Välj något i listan"),
    ("standing_items", "x" * 301, "Texten innehåller tecken"),
    ("public", "perhaps", "Välj något i listan"),
    ("join_link", "http://mote.example", "Skriv en länk som börjar med"),
]


async def test_what_is_wrong_with_a_body_is_said_at_its_field(visitor: Visitor) -> None:
    await new_body(visitor, name="Nämnden")
    for field, value, error in WRONG_BODIES:
        await visitor.follow(f"{OFFICE}/bodies/new")
        answer = await visitor.press("/bodies/new", **{**BODY, field: value})
        assert answer.status_code == 422, error
        page = unescape(answer.text)
        assert page.count(error) == 2, page  # at the field, and in the summary
        assert f'<a href="#{field}">' in page
        assert "Ekonomi" in page or field == "standing_items"  # what was typed stays
        assert "<title>Fel: " in page


WRONG_PEOPLE: list[tuple[str, str, str]] = [
    ("name", "", "Skriv personens namn"),
    ("email", "maja", "Skriv e-postadressen i formen"),
    ("email", "OLOF@bjorka.example", "En annan person har redan den adressen"),
    ("party", "\u202e", "Texten innehåller tecken"),
    ("language", "de", "Välj något i listan"),
]


async def test_what_is_wrong_with_a_person_is_said_at_its_field(visitor: Visitor) -> None:
    await new_person(visitor, name="Olof Berg", email="olof@bjorka.example")
    for field, value, error in WRONG_PEOPLE:
        await visitor.follow(f"{OFFICE}/people/new")
        answer = await visitor.press("/people/new", **{**PERSON, field: value})
        assert answer.status_code == 422, error
        assert unescape(answer.text).count(error) == 2


WRONG_PLACES: list[tuple[dict[str, str], str]] = [
    ({"person": ""}, "Välj en person"),
    ({"role": "chair"}, "Någon annan har den rollen då"),
    ({"role": "king"}, "Välj något i listan"),
    ({"role": "substitute", "order": "x"}, "Skriv ett heltal"),
    ({"begins": "2023-02-30"}, "Välj en dag"),
    ({"begins": "2023-02-02", "ends": "2023-02-01"}, "Sista dagen är före den första"),
]


async def test_what_is_wrong_with_a_place_is_said_at_its_field(visitor: Visitor) -> None:
    body, maja = await new_body(visitor), await new_person(visitor)
    olof = await new_person(visitor, name="Olof Berg", email="olof@bjorka.example")
    await seat(visitor, body, maja, "chair")
    for changed, error in WRONG_PLACES:
        wanted = {"person": olof, "role": "member"} | changed
        answer = await seat(visitor, body, **wanted)
        assert answer.status_code == 422, error
        assert unescape(answer.text).count(error) >= 2
        twice = await seat(visitor, body, maja, "member")
        assert unescape(twice.text).count("Personen har redan en plats då") == 2


async def test_two_who_change_one_thing_are_told_and_no_words_are_lost(visitor: Visitor) -> None:
    body, maja = await new_body(visitor), await new_person(visitor)
    for path, first, second, now in (
        (body, BODY | {"name": "Förbundsstyrelsen"}, BODY | {"quorum": "8"}, "Namn: Förbundsstyrelsen"),
        (f"{OFFICE}/people/{maja}", PERSON | {"party": "M"}, PERSON | {"name": "Maja Ek"}, "Parti: M"),
    ):
        await visitor.follow(f"{path}/change")
        opened = visitor.page
        await visitor.press("/change", **first)
        visitor.page = opened
        answer = await visitor.press("/change", **second)
        assert answer.status_code == 422
        page = unescape(answer.text)
        assert "Detta har ändrats sedan sidan öppnades" in page
        assert now in page
        assert "Stående punkter: " not in page  # only what differs, whatever a browser makes of line ends
        assert 'value="8"' in page or 'value="Maja Ek"' in page
        saved = await visitor.press("/change", **second)
        assert saved.status_code == 200
        assert "ändra" in saved.text


async def test_two_who_change_one_place_are_told(visitor: Visitor) -> None:
    body, maja = await new_body(visitor), await new_person(visitor)
    await seat(visitor, body, maja, "member")
    way = re.search(r'href="([^"]*/members/[0-9a-f-]{36})"', visitor.page.text)
    assert way is not None
    opened = await visitor.follow(way[1])
    await visitor.press(way[1], role="chair", begins="2022-01-01")
    visitor.page = opened
    answer = await visitor.press(way[1], role="secretary", ends="2023-12-31")
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert "Detta har ändrats sedan sidan öppnades" in page
    assert "Roll: Ordförande" in page
    assert 'value="2023-12-31"' in page
    assert "Ordförande" in unescape((await visitor.follow(body)).text)
    visitor.page = answer
    await visitor.press(way[1], role="secretary", ends="2023-12-31")
    assert "Sekreterare" in unescape(visitor.page.text)


async def test_only_a_secretary_changes_and_nobody_sees_another_organisation(
    site: Site, visitor: Visitor, client: httpx.AsyncClient
) -> None:
    body, maja = await new_body(visitor), await new_person(visitor)
    client.cookies.set(SESSION_COOKIE, await site.session(AUDITOR))
    shown = await visitor.follow(body)
    assert shown.status_code == 200
    assert "Lägg till ledamot" not in shown.text
    forms = (f"{OFFICE}/bodies/new", f"{body}/change", f"{body}/members/new", f"{OFFICE}/people/{maja}/leave")
    for form in forms:
        assert (await client.get(form)).status_code == 403
        assert (await client.post(form, data=BODY)).status_code == 403
    client.cookies.set(SESSION_COOKIE, await site.session(ELSEWHERE))
    assert (await client.get(body)).status_code == 404
    assert "Styrelsen" not in (await client.get(f"{OFFICE}/bodies")).text
    client.cookies.clear()
    for path in (f"{OFFICE}/bodies", f"{OFFICE}/people", body):
        assert (await client.get(path)).status_code == 401


async def test_a_form_of_another_site_changes_nothing(visitor: Visitor, client: httpx.AsyncClient) -> None:
    body = await new_body(visitor)
    for path in (f"{OFFICE}/bodies/new", f"{body}/change", f"{body}/close", f"{OFFICE}/people/new"):
        assert (await client.post(path, data={**BODY, "csrf": "x"})).status_code == 403
    assert "Nedlagda" not in (await visitor.follow(f"{OFFICE}/bodies")).text


async def test_markup_in_names_is_text(visitor: Visitor) -> None:
    markup = '<script>alert(1)</script>"><img src=x>'
    body = await new_body(visitor, name=markup)
    assert markup in unescape(visitor.page.text)
    assert "<img" not in visitor.page.text
    maja = await new_person(visitor, name=markup)
    await seat(visitor, body, maja, "chair")
    assert "<img" not in visitor.page.text


async def test_two_who_change_the_letterhead_are_told_and_both_texts_are_shown(visitor: Visitor) -> None:
    await visitor.follow(f"{OFFICE}/letterhead")
    stale = visitor.page
    await visitor.send("/letterhead", colour="#7a1f5f", foot="Storgatan 1, Granvik", alt="")
    assert "Brevhuvudet är sparat" in visitor.page.text
    visitor.page = stale
    answer = await visitor.send("/letterhead", colour="#1f3a5f", foot="Granvik", alt="")
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert "Detta har ändrats sedan sidan öppnades" in page
    assert "Storgatan 1, Granvik</li>" in page
    assert 'value="Granvik"' in page
    there = await visitor.site.meetings.commands.letterhead.letterhead(ORGANISATION)
    assert there is not None
    assert there.foot == "Storgatan 1, Granvik", "nothing of the other's is lost"
    mark = rules.mark_of(there)
    await visitor.send("/letterhead", colour="#1f3a5f", foot="Granvik", alt="")
    assert "Brevhuvudet är sparat" in visitor.page.text
    visitor.page = answer  # of somebody who saw the one before
    gone = await visitor.press("/letterhead/remove", seen=mark)
    assert gone.status_code == 422
    assert "Detta har ändrats sedan sidan öppnades" in gone.text
    assert await visitor.site.meetings.commands.letterhead.letterhead(ORGANISATION) is not None


async def test_a_closed_body_s_page_leads_to_what_anyone_may_read_and_to_nothing_else(visitor: Visitor) -> None:
    body = await new_body(visitor, public="yes", public_archive="yes", quorum="3")
    await visitor.follow(f"{body}/close")
    await visitor.press("/close", on="2022-12-31")
    assert "Nedlagt" in visitor.page.text
    form = await visitor.follow(f"{body}/change")
    assert 'name="public_archive"' in form.text
    assert 'name="quorum"' not in form.text
    wrong = await visitor.press("/change", public_archive="kanske")
    assert wrong.status_code == 422
    wrong = await visitor.press("/change", public="yes", public_archive="yes", archive_years="0")
    assert wrong.status_code == 422
    await visitor.press("/change", public="yes", public_archive="yes", archive_years="5")
    assert "5 år efter mötets" in visitor.page.text
    await visitor.follow(f"{body}/change")
    await visitor.press("/change", public="no", public_archive="no", archive_years="5", quorum="9")
    assert visitor.page.url.path == body
    found = await visitor.site.meetings.commands.bodies.body(ORGANISATION, body.rsplit("/", 1)[-1])
    rules = found.details.rules
    assert (rules.public, rules.public_archive, rules.archive_years, rules.quorum) == (False, False, 5, 3)
