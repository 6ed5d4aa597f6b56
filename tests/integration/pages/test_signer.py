"""The signer's way without script: what is recorded, what is refused, and what is said at each turn."""

import asyncio

import httpx
import pytest

from shared.links import Link, issue
from tests.integration.pages.site import Site
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, ALTERNATE, CHAIR, SECRETARY

PDF = b"%PDF-1.7 what is signed"


@pytest.fixture
async def visitor(site: Site, client: httpx.AsyncClient) -> Visitor:
    await site.draft(PDF)
    await site.flow.send_off()
    return Visitor(site, client)


async def recorded(site: Site) -> list[str]:
    return (await site.flow.recorded_names())[2:]


async def test_a_link_is_exchanged_for_a_cookie_that_opens_one_address(site: Site, visitor: Visitor) -> None:
    response = await visitor.client.get(await site.link(SECRETARY))
    clean = f"/signing/sign/{await site.flow.id(SECRETARY)}"
    assert (response.status_code, response.headers["location"]) == (303, clean)
    cookie = response.headers["set-cookie"]
    assert f"Path={clean}" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert response.headers["referrer-policy"] == "no-referrer"


async def test_opening_a_link_records_nothing_and_pressing_the_button_does(site: Site, visitor: Visitor) -> None:
    await visitor.follow(await site.link(SECRETARY))
    assert await recorded(site) == []
    await visitor.press("/view")
    assert await recorded(site) == ["DocumentViewed"]
    assert visitor.page.url.path.endswith("/document")


async def test_a_signer_with_a_known_name_signs_by_one_button(site: Site, visitor: Visitor) -> None:
    await visitor.open_document(SECRETARY)
    assert 'name="name"' not in visitor.page.text
    await visitor.press("/sign")
    assert visitor.heading == "Du har signerat"
    assert "26 sep 2022 10:40 GMT+2" in visitor.page.text
    agreement = await site.flow.queries.agreement(ORGANISATION, AGREEMENT_ID)
    assert agreement.document.sha256 in visitor.page.text
    assert (await recorded(site))[:2] == ["DocumentViewed", "DocumentSigned"]


async def test_a_name_is_asked_for_checked_kept_and_signed_with(site: Site, visitor: Visitor) -> None:
    await site.flow.sign(SECRETARY)
    await visitor.open_document(CHAIR)
    for wrong, said in (("  ", "Skriv ditt namn"), ("x" * 201, "högst 200"), ("Olof\u202eBerg", "tecken som inte")):
        await visitor.press("/sign", name=wrong)
        assert visitor.page.status_code == 422
        assert said in visitor.page.text
        assert '<a href="#name">' in visitor.page.text
        assert f'value="{wrong}"' in visitor.page.text
    await visitor.press("/sign", name="<b>Olof</b> Berg")
    assert visitor.heading == "Du har signerat"
    assert "&lt;b&gt;Olof&lt;/b&gt; Berg" in visitor.page.text
    assert (await recorded(site))[-3:-1] == ["SignerNameEntered", "DocumentSigned"]


async def test_the_document_is_shown_only_after_it_was_opened(site: Site, visitor: Visitor) -> None:
    await visitor.follow(await site.link(SECRETARY))
    address = f"/signing/sign/{await site.flow.id(SECRETARY)}"
    for path in ("document", "document.pdf"):
        assert (await visitor.client.get(f"{address}/{path}")).headers["location"] == address
    await visitor.press("/view")
    response = await visitor.client.get(f"{address}/document.pdf")
    assert response.content == PDF
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"].startswith("inline; filename*=UTF-8''Protokoll%20styrelsen")


async def test_one_requests_cookie_never_opens_another(site: Site, visitor: Visitor) -> None:
    response = await visitor.client.get(await site.link(SECRETARY))
    cookie = response.cookies["justera_signer"]
    other = f"{site.base}/signing/sign/{await site.flow.id(CHAIR)}"
    async with httpx.AsyncClient(cookies={"justera_signer": cookie}, timeout=60) as thief:
        for address in (other, f"{other}/document", f"{other}/document.pdf", f"{other}/decline"):
            answer = await thief.get(address)
            assert answer.status_code == 403
            assert "Öppna länken i mejlet igen" in answer.text


@pytest.mark.parametrize("action", ["view", "sign", "decline"])
async def test_a_form_of_another_site_changes_nothing(site: Site, visitor: Visitor, action: str) -> None:
    await visitor.follow(await site.link(SECRETARY))
    before = await recorded(site)
    answer = await visitor.client.post(f"{visitor.page.url}/{action}", data={"csrf": "guessed", "reason": "no"})
    assert answer.status_code == 403
    assert await recorded(site) == before


async def test_large_and_strange_bodies_are_refused(site: Site, visitor: Visitor) -> None:
    await visitor.open_document(SECRETARY)
    address = str(visitor.page.url).replace("/document", "/sign")
    large = await visitor.client.post(address, data={"name": "x" * 40_000})
    assert (large.status_code, "33\N{NO-BREAK SPACE}kB" in large.text) == (413, True)
    assert (await visitor.client.post(address, json={"name": "x"})).status_code == 422
    assert (await visitor.client.post(address, files={"name": b"x"})).status_code == 422
    assert await recorded(site) == ["DocumentViewed"]


async def test_a_loop_of_posts_is_slowed_down(site: Site, visitor: Visitor) -> None:
    await visitor.follow(await site.link(SECRETARY))
    start = visitor.page
    codes = []
    while codes[-1:] != [429] and len(codes) < 200:  # more are allowed while a busy machine takes its time
        visitor.page = start
        codes.append((await visitor.press("/view")).status_code)
    assert codes[0] == 200
    assert codes[-1] == 429


@pytest.mark.parametrize("kind", ["garbage", "other-purpose", "unknown-request", "other-organisation"])
async def test_a_bad_link_is_told_without_detail(site: Site, visitor: Visitor, kind: str) -> None:
    good = await site.flow.id(SECRETARY)
    token = {
        "garbage": "x.y",
        "other-purpose": issue(site.link_keys, Link("copy", ORGANISATION, good, 1)),
        "unknown-request": issue(site.link_keys, Link("sign", ORGANISATION, "unknown", 1)),
        "other-organisation": issue(site.link_keys, Link("sign", "elsewhere", good, 1)),
    }[kind]
    answer = await visitor.follow(f"{site.base}/signing/s/{token}")
    assert answer.status_code == 404
    assert visitor.heading == "Länken fungerar inte"
    assert "set-cookie" not in answer.headers


async def test_a_revoked_link_says_so(site: Site, visitor: Visitor) -> None:
    await visitor.follow(await site.link(SECRETARY, version=2))
    assert visitor.heading == "Länken gäller inte längre"


async def test_out_of_turn_says_to_wait(site: Site, visitor: Visitor) -> None:
    await visitor.follow(await site.link(ADJUSTER))
    assert visitor.heading == "Det är inte din tur än"


async def test_declining_needs_a_reason_and_ends_it_for_all(site: Site, visitor: Visitor) -> None:
    await visitor.open_document(SECRETARY)
    await visitor.follow(str(visitor.page.url).replace("/document", "/decline"))
    assert "Skälet skrivs in i dokumentets historik, där Karin Ek kan läsa det." in visitor.page.text
    await visitor.press("/decline", reason=" ")
    assert visitor.page.status_code == 422
    assert "Skriv ett skäl" in visitor.page.text
    await visitor.press("/decline", reason="Paragraf 30 stämmer inte")
    assert visitor.heading == "Du har avböjt att signera"
    assert "Paragraf 30 stämmer inte" in visitor.page.text
    assert "Karin Ek har fått veta det och ditt skäl." in visitor.page.text
    assert (await recorded(site))[-1] == "SigningDeclined"
    await visitor.follow(await site.link(SECRETARY))
    assert visitor.heading == "Du har avböjt att signera"
    await visitor.follow(await site.link(CHAIR))
    assert "Paragraf 30" not in visitor.page.text
    assert visitor.heading == "Signeringen är avslutad"
    await visitor.log_in()
    await visitor.follow(f"/signing/overview/{AGREEMENT_ID}")
    assert "Skäl: Paragraf 30 stämmer inte" in visitor.page.text


@pytest.mark.parametrize(("end", "heading"), [("cancel", "Signeringen är återkallad"), ("expire", "Tiden har gått ut")])
async def test_what_ended_meanwhile_cannot_be_signed(site: Site, visitor: Visitor, end: str, heading: str) -> None:
    await visitor.open_document(SECRETARY)
    if end == "cancel":
        await site.flow.commands.cancel(ORGANISATION, AGREEMENT_ID, "fel version", ip="192.0.2.1")
    else:
        await site.flow.commands.expire(ORGANISATION, AGREEMENT_ID)
    await visitor.press("/sign")
    assert visitor.heading == heading
    assert "DocumentSigned" not in await recorded(site)


async def test_of_two_who_sign_for_one_place_one_wins_and_the_other_is_told(site: Site, visitor: Visitor) -> None:
    await site.flow.sign(SECRETARY)
    await site.flow.commands.add_alternate(ORGANISATION, AGREEMENT_ID, CHAIR, ALTERNATE, ip="192.0.2.1")
    await visitor.open_document(CHAIR)
    async with httpx.AsyncClient(base_url=site.base, timeout=60) as client:
        other = Visitor(site, client)
        await other.open_document(ALTERNATE)
        await asyncio.gather(visitor.press("/sign", name="Olof Berg"), other.press("/sign", name="Sven Dahl"))
        headings = sorted((visitor.heading, other.heading))
    assert headings == ["Det är redan signerat", "Du har signerat"]
    assert (await recorded(site)).count("DocumentSigned") == 2


async def test_a_used_link_opens_the_receipt_again(site: Site, visitor: Visitor) -> None:
    await site.flow.sign(SECRETARY)
    await visitor.follow(await site.link(SECRETARY))
    assert visitor.heading == "Du har signerat"
    assert (await visitor.client.get(f"{visitor.page.url}/document.pdf")).content == PDF


async def test_who_only_probes_a_link_is_answered_as_by_get_and_leaves_no_trace(site: Site, visitor: Visitor) -> None:
    """Mail scanners send HEAD, once and again."""
    link = await site.link(SECRETARY)
    for address in (link, f"/signing/sign/{await site.flow.id(SECRETARY)}"):
        probed = await visitor.client.head(address)
        opened = await visitor.client.get(address)
        assert (probed.status_code, probed.content) == (opened.status_code, b"")
        assert probed.headers.get("location") == opened.headers.get("location")
    assert await recorded(site) == []
