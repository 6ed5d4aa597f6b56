"""A plan and a register by page: shown for what they would do, applied as they were shown, and refused whole."""

from html import unescape

import httpx
import pytest

from shared.auth import SESSION_COOKIE
from tests.integration.meetings.test_plan import REGISTER
from tests.integration.pages.site import AUDITOR, TOKEN, Site
from tests.integration.pages.test_office import OFFICE
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION
from tests.unit.meetings.test_plan import PLAN

TABLE = "Namn;E-post;Organ;Typ;Roll\nOlof Åberg;olof@bjorka.example;Styrelsen;styrelse;ordförande\n"

TWO_CHAIRS = """
people: {maja: {name: Maja Lind}, olof: {name: Olof Berg}}
bodies:
  au: {name: AU, kind: committee, members: [{person: maja, role: chair}, {person: olof, role: chair}]}
"""


@pytest.fixture
async def visitor(site: Site, client: httpx.AsyncClient) -> Visitor:
    """A secretary who has logged in."""
    client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
    return Visitor(site, client)


async def apply_register(visitor: Visitor, text: str = REGISTER) -> str:
    await visitor.follow(f"{OFFICE}/register")
    await visitor.send("/register", act="check", text=text)
    return unescape((await visitor.send("/register", act="apply", text=text)).text)


async def test_a_register_is_shown_and_then_applied_as_it_was_shown(visitor: Visitor) -> None:
    await visitor.follow(f"{OFFICE}/register")
    await visitor.send("/register", REGISTER.encode(), act="check", text="")
    page = unescape(visitor.page.text)
    assert "Olof Berg blir ordförande i Styrelsen" in page
    bodies = visitor.site.meetings.commands.bodies
    assert await bodies.bodies(ORGANISATION) == []
    other = REGISTER.replace("Maja Lind", "Maja Ek")
    answer = await visitor.send("/register", act="apply", text=other)  # was not shown
    assert answer.status_code == 422
    assert "Inget är ändrat" in answer.text
    assert await bodies.bodies(ORGANISATION) == []
    assert "Registret är genomfört." in (await visitor.send("/register", act="apply", text=other)).text
    assert len(await bodies.bodies(ORGANISATION)) == 3
    await visitor.follow(f"{OFFICE}/register")
    assert "Inget ändras." in (await visitor.send("/register", act="check", text=other)).text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
async def test_a_table_is_told_by_what_is_in_it(visitor: Visitor, encoding: str) -> None:
    await visitor.follow(f"{OFFICE}/register")
    await visitor.send("/register", TABLE.encode(encoding), act="check")
    assert "Olof Åberg blir ordförande i Styrelsen" in unescape(visitor.page.text)
    assert "Registret är genomfört." in (await visitor.send("/register", act="apply", text=TABLE)).text


async def test_a_plan_is_shown_with_what_is_in_the_way_and_then_applied(visitor: Visitor) -> None:
    await apply_register(visitor)
    await visitor.follow(f"{OFFICE}/plan")
    assert "  styrelsen:" in visitor.page.text  # the example is of the bodies that are there
    text = PLAN.replace("date: 2023-11-24", "{date: 2023-12-24, weekday: any}")
    await visitor.send("/plan", text.encode(), act="check")
    page = unescape(visitor.page.text)
    assert "Det här händer (18)" in page
    assert "Styrelsen, söndag 24 december: julafton" in page
    assert "Nytt möte fredag 24 februari 2023 kl. 09:00–12:00: Styrelsen sammanträder (Styrelsen)" in page
    meetings = visitor.site.meetings.commands.meetings
    assert await meetings.meetings(ORGANISATION, None, 50) == []
    answer = await visitor.send("/plan", act="apply", text=PLAN)  # was not shown
    assert answer.status_code == 422
    assert await meetings.meetings(ORGANISATION, None, 50) == []
    await visitor.send("/plan", act="apply", tell="yes", text=PLAN)
    assert "Planen är genomförd." in visitor.page.text
    assert len(await meetings.meetings(ORGANISATION, None, 50)) == 18
    await visitor.follow(f"{OFFICE}/plan")
    await visitor.send("/plan", act="check", text=PLAN.replace("date: 2023-10-27", "date: 2023-10-20"))
    page = unescape(visitor.page.text)
    assert "Det här händer (2)" in page
    assert "Börjar: fredag 27 oktober 2023 kl. 09:00 → fredag 20 oktober 2023 kl. 09:00" in page


WRONG: list[tuple[str, bytes, str]] = [
    (
        "plan",
        PLAN.replace("2023-09-22", "2023-02-30").encode(),
        '</strong>: Fältet ”date”: ”<span class="whole">2023-02-30</span>” är inget datum.',
    ),
    ("plan", b"{", "Filen går inte att läsa som YAML på rad 1."),
    ("plan", b"\xff\xfe\x00", "Filen är ingen text."),
    ("plan", b"PK\x03\x04\x14", "Filen är en arbetsbok från Excel"),
    ("plan", PLAN.encode() * 2, "har ”plan” en gång till. Det står redan på rad 1."),
    ("plan", b" ", "Välj en fil, eller klistra in något"),
    ("plan", b"x" * 300_000, "Filen är större än 256 KiB"),
    ("register", b"people: {maja: {}}", "<strong>people, maja</strong>: Fältet ”name”: saknas"),
    ("register", TWO_CHAIRS.encode(), "Fältet ”role”: Organet har redan en ordförande under den tiden."),
    (
        "register",
        b"Namn;E-post\nMaja;a@b.example\nOlof;a@b.example\n",
        "Kolumnen ”E-post”: Rad 2 ger den adressen till Maja,",
    ),
    (
        "register",
        b"name;email\nMaja;maja\n",
        "<strong>rad 2</strong>: Kolumnen ”email”: 'maja' är ingen e-postadress",
    ),
    (
        "register",
        "Namn;Från;Tom;Organ;Roll\nMaja;2023-02;;AU;ledamot\n".encode(),
        "Kolumnen ”Från”: ”2023-02” är inget",
    ),
    ("register", b"Namn;Parti\nMaja;S\nMaja;M\n", "säger något annat om Maja, i Parti."),
    ("register", b"Parti;E-post\nS;a@b.example\n", "Kolumnen ”namn”: saknas"),
    ("register", b"Namn;Telefon\nMaja;1\n", "Rubrikerna är nyckel, Namn, e-post, språk,"),
    (
        "register",
        b"bodies: {au: {name: AU, kind: board, standing_items: [Val, {kind: decision}]}}",
        "<strong>bodies, au</strong>: Fältet ”standing_items, nummer 2, title”: saknas",
    ),
    ("register", b"bodies: {au: {namn: AU, typ: styrelse, quorum: x}}", "Fältet ”quorum”: ska vara ett helt tal"),
    ("register", b"people: {maja: {namn: Maja, e-post: x}}", "Fältet ”e-post”: 'x' är ingen e-postadress"),
    ("register", "Namn;Organ\n\x81".encode("latin-1"), "Filen är ingen text."),
]


async def test_a_file_with_anything_wrong_changes_nothing(visitor: Visitor) -> None:
    await apply_register(visitor)
    for path, content, error in WRONG:
        await visitor.follow(f"{OFFICE}/{path}")
        for act in ("check", "apply"):
            answer = await visitor.send(f"/{path}", content, act=act, pin="")
            assert answer.status_code == 422, error
            assert error in unescape(answer.text)
        assert await visitor.site.meetings.commands.meetings.meetings(ORGANISATION, None, 50) == []


async def test_a_file_is_taken_from_a_secretary_by_the_pages_own_form_and_not_of_any_size(
    site: Site, visitor: Visitor, client: httpx.AsyncClient
) -> None:
    for path in ("plan", "register"):
        await visitor.follow(f"{OFFICE}/{path}")
        large = await visitor.send(f"/{path}", b"x" * 1_200_000, act="check")
        assert (large.status_code, "här tas högst 1,0\N{NO-BREAK SPACE}MB emot" in large.text) == (413, True)
        file = {"file": ("plan.yaml", b"plan: 1")}
        assert (await client.post(f"{OFFICE}/{path}", data={"csrf": "x"}, files=file)).status_code == 403
        assert (await client.post(f"{OFFICE}/{path}", data={"text": "x"})).status_code == 422
    client.cookies.set(SESSION_COOKIE, await site.session(AUDITOR))
    for path in ("plan", "register"):
        assert (await client.get(f"{OFFICE}/{path}")).status_code == 403
        assert (await client.post(f"{OFFICE}/{path}", data={"act": "apply"}, files=file)).status_code == 403
