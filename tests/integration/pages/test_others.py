"""The sealed copy's page, the inbox of embedded mode, and the static files."""

from datetime import timedelta

import httpx

from shared.auth import SESSION_COOKIE
from shared.links import holder_of
from shared.web.assets import files, fingerprint
from tests.integration.pages.site import ARCHIVED, COPY, TOKEN, Site, invitation_mail, letter
from tests.integration.pages.visitor import Visitor
from tests.unit.signing.story import AGREEMENT_ID, SECRETARY


async def test_the_sealed_copy_is_offered_and_fetched(site: Site, client: httpx.AsyncClient) -> None:
    visitor = Visitor(site, client)
    await visitor.follow(site.copy_link())
    assert visitor.heading == "Den förseglade kopian"
    assert "175\N{NO-BREAK SPACE}kB" in visitor.page.text
    fetched = await visitor.follow(f"{site.copy_link()}/copy.pdf")
    assert fetched.content == b"%PDF-1.7 sealed"
    assert fetched.headers["content-disposition"].startswith("attachment;")


async def test_a_copy_link_that_has_ended_says_so_kindly(site: Site, client: httpx.AsyncClient) -> None:
    site.flow.clock.move_to(ARCHIVED + timedelta(days=90))
    visitor = Visitor(site, client)
    for path in ("", "/copy.pdf"):
        answer = await visitor.follow(site.copy_link() + path)
        assert answer.status_code == 410
        assert visitor.heading == "Länken har slutat gälla"


async def test_a_copy_link_that_was_ended_shows_nothing(site: Site, client: httpx.AsyncClient) -> None:
    site.copies.ended = {holder_of(COPY, SECRETARY): 2}
    visitor = Visitor(site, client)
    for path in ("", "/copy.pdf"):
        answer = await visitor.follow(site.copy_link() + path)
        assert answer.status_code == 410
        assert visitor.heading == "Länken gäller inte längre"
        assert "Norrdalen 2022" not in answer.text


async def test_a_link_to_another_copy_is_not_ours(site: Site, client: httpx.AsyncClient) -> None:
    visitor = Visitor(site, client)
    for address in (site.copy_link("another"), f"{site.base}/archive/copies/x", f"{site.copy_link()}x/copy.pdf"):
        assert (await visitor.follow(address)).status_code == 404
        assert visitor.heading == "Länken fungerar inte"


async def test_the_inbox_shows_mails_to_those_logged_in(site: Site, client: httpx.AsyncClient) -> None:
    visitor = Visitor(site, client)
    link = "http://127.0.0.1:8350/signing/s/token"
    mail_id = site.mails.add(letter(link))
    addresses = ("/notifications/inbox", f"/notifications/inbox/{mail_id}", f"/notifications/inbox/{mail_id}/html")
    for address in addresses:
        assert (await visitor.follow(address)).status_code == 401
    await visitor.log_in()
    shown = [(await visitor.follow(address)).text for address in addresses]
    assert "Signera: Protokoll styrelsen" in shown[0]
    for page in shown[:2]:
        assert "27 sep 2022 00:05 GMT+2" in page
    assert f'<a href="{link}">{link}</a>' in shown[1]
    assert visitor.page.headers["content-security-policy"].startswith("sandbox ")
    for unknown in ("1", "%2e%2e"):
        assert (await visitor.follow(f"/notifications/inbox/{unknown}")).status_code == 404


async def test_an_invitation_is_shown_and_fetched(site: Site, client: httpx.AsyncClient) -> None:
    visitor = Visitor(site, client)
    plain = site.mails.add(letter("http://127.0.0.1:8350/signing/s/token"))
    mail_id = site.mails.add(invitation_mail("http://127.0.0.1:8350/meetings/my/token"))
    page, file = f"/notifications/inbox/{mail_id}", f"/notifications/inbox/{mail_id}/calendar"
    assert (await visitor.follow(file)).status_code == 401
    await visitor.log_in()
    shown = (await visitor.follow(page)).text
    for words in ("Inbjudan för kalendern", "Fredag 25 november 2022 kl. 13:00–15:30", "Forsby", "REQUEST", file):
        assert words in shown
    fetched = await visitor.follow(file)
    assert fetched.headers["content-type"] == "text/calendar; method=REQUEST; charset=utf-8"
    assert fetched.headers["content-disposition"] == 'attachment; filename="invitation.ics"'
    assert fetched.text.startswith("BEGIN:VCALENDAR\r\n")
    assert "METHOD:REQUEST\r\n" in fetched.text
    assert "Inbjudan för kalendern" not in (await visitor.follow(f"/notifications/inbox/{plain}")).text
    for without in (plain, "1"):
        assert (await visitor.follow(f"/notifications/inbox/{without}/calendar")).status_code == 404


async def test_static_files_are_kept_for_ever_under_their_fingerprint(site: Site, client: httpx.AsyncClient) -> None:
    for name in files():
        fresh = await client.get(f"/signing/static/{fingerprint()}/{name}")
        assert fresh.status_code == 200
        assert "immutable" in fresh.headers["cache-control"]
        assert (await client.get(f"/static/older/{name}")).headers["cache-control"] == "no-cache"
    for outside in ("%2e%2e/assets.py", "..%2fassets.py", "vendor/pdfjs-6.5.438/LICENSE"):
        assert (await client.get(f"/static/{fingerprint()}/{outside}")).status_code == 404


async def test_a_page_never_runs_or_embeds_what_is_not_ours(site: Site, client: httpx.AsyncClient) -> None:
    policy = (await client.get("/")).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


async def test_an_address_that_leads_nowhere_is_a_page_to_a_browser_and_json_to_a_program(
    client: httpx.AsyncClient,
) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-language": "en-GB"}
    for path in ("/nowhere", "/signing/nowhere", "/signing/overview/x/nothing"):
        page = await client.get(path, headers=browser)
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "There is no such page" in page.text
        assert '<a href="/">To the start page</a>' in page.text
        assert "content-security-policy" in page.headers
        for accept in ("application/json", "*/*"):
            answer = await client.get(path, headers={"accept": accept})
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert (await client.delete("/nowhere", headers=browser)).headers["content-type"] == "application/problem+json"


async def test_an_address_of_a_form_alone_is_a_page_to_a_browser_in_its_language(client: httpx.AsyncClient) -> None:
    words = {"en-GB": ("There is no page here", "To the start page"), "sv": ("Här finns ingen sida", "Till startsidan")}
    for path in (
        "/meetings/office/items/x/step",
        "/meetings/office/letterhead/remove",
        "/signing/operations/republish",
    ):
        for language, (title, home) in words.items():
            browser = {"accept": "text/html,*/*;q=0.8", "accept-language": language}
            page = await client.get(path, headers=browser)
            assert (page.status_code, page.headers["allow"]) == (405, "POST"), path
            assert title in page.text
            assert f'<a href="/">{home}</a>' in page.text
    posted = await client.post("/meetings/office/bodies", headers=browser)
    assert (posted.status_code, posted.headers["content-type"]) == (405, "text/html; charset=utf-8")
    assert "Det gick inte" in posted.text
    program = await client.get("/meetings/office/items/x/step")
    assert (program.status_code, program.headers["content-type"]) == (405, "application/problem+json")


async def test_every_page_for_staff_leads_home_and_out(site: Site, client: httpx.AsyncClient) -> None:
    await site.draft(b"%PDF-1.7")
    client.cookies.set(SESSION_COOKIE, await site.session(TOKEN))
    office = ("/meetings/office/bodies", "/meetings/office/people", "/meetings/office/people/new")
    pages = ("/", *office, "/signing/overview", "/signing/logins", "/notifications/inbox")
    own = f"/signing/overview/{AGREEMENT_ID}"
    for path in (*pages, own, f"{own}/cancel"):
        page = (await client.get(path)).text
        assert '<p class="organisation"><a href="/">' in page, path
        assert '<form method="post" action="/signing/logout">' in page, path
