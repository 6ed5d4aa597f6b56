"""The sender's pages: who may see and do what, and what the forms do."""

import httpx
import pytest

from shared.auth import SESSION_COOKIE, TokenRecord
from tests.integration.pages.site import AUDITOR, ELSEWHERE, OPERATOR, Site, letter
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION, message
from tests.unit.signing.story import ADJUSTER, AGREEMENT_ID, CHAIR, SECRETARY, draft

AGREEMENT = f"/signing/overview/{AGREEMENT_ID}"


async def test_sending_off_shows_whose_turn_it_is_and_since_when(sender: Visitor) -> None:
    await sender.follow(AGREEMENT)
    await sender.press("/send")
    assert "Dokumentet är skickat" in sender.page.text
    assert "Maja Lind ska signera nu" in sender.page.text
    assert "sedan 26 sep 2022 10:40 GMT+2" in sender.page.text
    await sender.follow("/signing/overview")
    assert "Väntar på Maja Lind (sekreterare) sedan 26 sep 2022 10:40 GMT+2" in sender.page.text


async def test_from_page_to_page_without_the_address_bar(site: Site, sender: Visitor) -> None:
    """To the start page and the inbox from all of the sender's pages; a signer is shown no such links."""
    start, inbox = '<p class="organisation"><a href="/">', '<a href="/notifications/inbox">Inkorg</a>'
    for address in ("/signing/overview", AGREEMENT, f"{AGREEMENT}/cancel"):
        page = (await sender.follow(address)).text
        assert start in page, address
        assert inbox in page, address
    assert "Mejlet finns i inkorgen" not in (await sender.follow(AGREEMENT)).text
    await sender.press("/send")
    assert '<a href="/notifications/inbox">Mejlet finns i inkorgen.</a>' in sender.page.text
    site.mails.add(mail := letter("http://127.0.0.1:8350/signing/s/token"))
    for address in ("/notifications/inbox", f"/notifications/inbox/{mail.id}"):
        page = (await sender.follow(address)).text
        assert start in page
        assert '<a href="/signing/overview">Dokument</a>' in page
    for signers_page in (await sender.follow(await site.link(SECRETARY)), await sender.press("/view")):
        assert 'href="/"' not in signers_page.text
        assert "/inbox" not in signers_page.text
    assert "/inbox" not in (await sender.follow(site.copy_link())).text


async def test_the_deadline_stands_on_the_page_and_is_extended_by_whole_days(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await sender.follow(AGREEMENT)
    assert "Sista tid att signera är 26 okt 2022 10:40 GMT+2." in sender.page.text
    assert "Nästa påminnelse går 3 okt 2022 10:40 GMT+2." in sender.page.text
    await sender.follow(f"{AGREEMENT}/deadline")
    for wrong, said in (
        ("i morgon", "Välj en dag"),
        ("2022-10-20", "efter den nuvarande"),
        ("9999-12-31", "ett år bort"),
    ):
        await sender.press("/deadline", day=wrong)
        assert sender.page.status_code == 422
        assert said in sender.page.text
    await sender.press("/deadline", day="2022-11-15")
    assert "Tiden är förlängd" in sender.page.text
    assert "Sista tid att signera är 15 nov 2022 23:59 GMT+1." in sender.page.text


async def test_after_the_deadline_the_signer_is_told_though_nobody_wrote_it_down(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    link = await site.link(SECRETARY)
    site.flow.tick(31 * 86_400)
    assert "Tiden har gått ut" in (await sender.follow(link)).text


async def test_after_a_decline_the_page_says_who_why_and_what_now(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.sign(SECRETARY)
    await site.flow.commands.enter_name(ORGANISATION, await site.flow.id(CHAIR), "Olof Berg", ip="192.0.2.7")
    await site.flow.commands.decline(ORGANISATION, await site.flow.id(CHAIR), "Paragraf 30 är fel", ip="192.0.2.7")
    await sender.follow(f"/signing/overview/{AGREEMENT_ID}")
    text = sender.page.text
    assert "Olof Berg har avböjt att signera" in text
    assert f"{CHAIR} skulle signera som ordförande och avböjde" in text
    assert "<q>Paragraf 30 är fel</q>" in text
    assert "rätta protokollet om det behövs" in text
    assert text.index("har avböjt att signera") < text.index("Signerare i ordning") < text.rindex("Avböjt<")


async def test_a_new_version_and_the_one_before_lead_to_each_other(site: Site, sender: Visitor) -> None:
    await site.flow.commands.cancel(ORGANISATION, AGREEMENT_ID, "fel datum", ip="192.0.2.7")
    await sender.follow(f"/signing/overview/{AGREEMENT_ID}")
    assert "det blir version 2 och behåller sina paragrafnummer" in sender.page.text
    again = draft().model_copy(
        update={
            "agreement_id": "b" * 44,
            "version": 2,
            "replaces": AGREEMENT_ID,
            "document_name": "Protokoll (version 2)",
        }
    )
    await site.flow.bring(message(again, site.flow.tick(), key="meeting-1"))
    await sender.follow(f"/signing/overview/{AGREEMENT_ID}")
    assert "Det finns en ny version av protokollet" in sender.page.text
    assert "Gör ett nytt utkast" not in sender.page.text
    assert f'href="/signing/overview/{"b" * 44}"' in sender.page.text
    await sender.follow(f"/signing/overview/{'b' * 44}")
    assert "Version 2 av protokollet. Den förra signerades inte av alla." in sender.page.text
    assert f'href="/signing/overview/{AGREEMENT_ID}"' in sender.page.text
    assert "som version 2 av protokollet" in sender.page.text, "the history says so"


async def test_after_the_time_ran_out_the_page_says_who_had_not_signed(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.sign(SECRETARY)
    await site.flow.commands.expire(ORGANISATION, AGREEMENT_ID)
    await sender.follow(f"/signing/overview/{AGREEMENT_ID}")
    assert "Tiden att signera gick ut" in sender.page.text
    assert f"{CHAIR} hade inte signerat." in sender.page.text


async def test_cancelling_needs_a_reason(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await sender.follow(f"{AGREEMENT}/cancel")
    await sender.press("/cancel", reason="")
    assert sender.page.status_code == 422
    await sender.press("/cancel", reason="Fel version")
    assert "Dokumentet är återkallat" in sender.page.text
    assert "återkallade avtalet. Skäl: Fel version" in sender.page.text


async def test_a_page_that_is_out_of_date_says_how_things_stand(site: Site, sender: Visitor) -> None:
    await sender.follow(AGREEMENT)
    await site.flow.send_off()
    await sender.press("/send")
    assert "Läget har ändrats" in sender.page.text
    await sender.press("/remind")
    assert "Påminnelsen är på väg" in sender.page.text


async def test_a_reminder_is_offered_while_somebody_can_be_reminded(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.deliver(SECRETARY)
    await sender.follow(AGREEMENT)
    assert "/remind" in sender.page.text
    await site.flow.bounce(SECRETARY)
    await sender.follow(AGREEMENT)
    assert "/remind" not in sender.page.text
    assert "Inga påminnelser skickas dit." in sender.page.text


@pytest.mark.parametrize("action", ["send", "remind", "cancel"])
async def test_a_form_of_another_site_changes_nothing(site: Site, sender: Visitor, action: str) -> None:
    before = await site.flow.recorded_names()
    answer = await sender.client.post(f"{AGREEMENT}/{action}", data={"csrf": "guessed", "reason": "no"})
    assert answer.status_code == 403
    assert await site.flow.recorded_names() == before


async def test_an_auditor_reads_and_changes_nothing(site: Site, client: httpx.AsyncClient) -> None:
    await site.draft(b"%PDF-1.7")
    session = await site.session(AUDITOR)
    client.cookies.set(SESSION_COOKIE, session)
    page = await client.get(AGREEMENT)
    assert page.status_code == 200
    assert page.text.count("<form") == page.text.count('action="/signing/logout"') == 1
    answer = await client.post(f"{AGREEMENT}/send", data={"csrf": site.access.csrf_token(session)})
    assert answer.status_code == 403
    assert await site.flow.recorded_names() == ["AgreementCreated"]


@pytest.mark.parametrize("token", [AUDITOR, OPERATOR])
async def test_nobody_is_led_to_the_inbox_who_is_refused_there(
    site: Site, client: httpx.AsyncClient, token: TokenRecord
) -> None:
    await site.draft(b"%PDF-1.7")
    client.cookies.set(SESSION_COOKIE, await site.session(token))
    refused = await client.get("/notifications/inbox")
    assert refused.status_code == 403
    for page in (refused, *[await client.get(address) for address in ("/", "/signing/overview", AGREEMENT)]):
        assert "/notifications/inbox" not in page.text, page.url
        assert 'action="/example"' not in page.text


async def test_another_organisation_sees_nothing(site: Site, client: httpx.AsyncClient) -> None:
    await site.draft(b"%PDF-1.7")
    client.cookies.set(SESSION_COOKIE, await site.session(ELSEWHERE))
    assert "Norrdalen 2022" not in (await client.get("/signing/overview")).text
    for path in ("", "/document.pdf", "/cancel"):
        assert (await client.get(AGREEMENT + path)).status_code == 404


async def test_the_document_can_be_read_and_unknown_ones_not(site: Site, sender: Visitor) -> None:
    assert (await sender.follow(f"{AGREEMENT}/document.pdf")).content == b"%PDF-1.7"
    assert (await sender.follow("/signing/overview/unknown")).status_code == 404
    assert (await sender.follow(f"{AGREEMENT}/alternate/{ADJUSTER}")).status_code == 404


async def test_a_finished_agreement_leads_to_its_sealed_copy_first(site: Site, sender: Visitor) -> None:
    await site.flow.sign_all()
    await sender.follow(AGREEMENT)
    assert "Kopian förseglas och arkiveras nu." in sender.page.text
    await site.flow.archived(b"%PDF-1.7 sealed")
    page = (await sender.follow(AGREEMENT)).text
    assert "Alla har signerat" in page
    assert page.index("/copy.pdf") < page.index("/document.pdf")
    assert "Öppna originalet utan signaturer" in page
    copy = await sender.follow(f"{AGREEMENT}/copy.pdf")
    original = await sender.follow(f"{AGREEMENT}/document.pdf")
    assert (copy.content, original.content) == (b"%PDF-1.7 sealed", b"%PDF-1.7")
    assert copy.headers["content-disposition"].startswith("attachment; filename*=UTF-8''Protokoll%20styrelsen")
    assert copy.headers["content-disposition"].endswith("%28signerat%20och%20f%C3%B6rseglat%29.pdf")
    assert original.headers["content-disposition"].endswith("%28original%20utan%20signaturer%29.pdf")


async def test_there_is_no_copy_of_what_is_not_archived(site: Site, sender: Visitor) -> None:
    assert (await sender.follow(f"{AGREEMENT}/copy.pdf")).status_code == 404


async def test_a_link_is_replaced(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    old = await site.link(SECRETARY)
    await sender.follow(f"{AGREEMENT}/link/{await site.flow.id(SECRETARY)}")
    await sender.press('link/[^"]*')
    assert "Länken gäller inte längre. Den som inte har signerat får en ny" in sender.page.text
    assert sender.heading in (await sender.follow(AGREEMENT)).text
    revoked = (await sender.follow(old)).text
    assert "Länken har slutat gälla eller ersatts av en ny" in revoked
    assert 'Norrdalen <span class="whole">2022-09-23<' not in revoked
    assert "ber dig signera" in (await sender.follow(await site.link(SECRETARY, version=2))).text


async def test_links_are_ended_after_the_end_with_or_without_a_new_one(site: Site, sender: Visitor) -> None:
    await site.flow.sign_all()
    link = await site.link(SECRETARY)
    assert 'Norrdalen <span class="whole">2022-09-23<' in (await sender.follow(link)).text
    await sender.follow(f"{AGREEMENT}/link/{await site.flow.id(SECRETARY)}")
    assert 'name="new"' not in sender.page.text, "there is no sealed copy yet"
    await sender.press('link/[^"]*')
    assert "Länkarna gäller inte längre." in sender.page.text
    assert "Länkarna dit slutade gälla" in sender.page.text
    assert f"/link/{await site.flow.id(SECRETARY)}" not in sender.page.text, "it has ended, and no copy can be mailed"
    assert f"/link/{await site.flow.id(CHAIR)}" in sender.page.text
    assert 'Norrdalen <span class="whole">2022-09-23<' not in (await sender.follow(link)).text

    await site.flow.archived(b"%PDF-1.7 sealed")
    await sender.follow(f"{AGREEMENT}/links")
    assert "skicka nya" in sender.page.text
    await sender.press("/links", new="yes")
    assert "En ny till den förseglade kopian skickas" in sender.page.text
    assert sender.page.text.count("och en ny skickades") == 4, "three signers and the sender"
    assert 'Norrdalen <span class="whole">2022-09-23<' not in (await sender.follow(await site.link(CHAIR))).text


async def test_all_links_are_replaced_while_it_is_out(site: Site, sender: Visitor) -> None:
    assert (await sender.follow(f"{AGREEMENT}/links")).url.query == b"done=changed"
    await site.flow.send_off()
    await sender.follow(f"{AGREEMENT}/links")
    await sender.press("/links")
    assert "Den som inte har signerat får en ny" in sender.page.text
    assert "ber dig signera" in (await sender.follow(await site.link(SECRETARY, version=2))).text


async def test_a_link_shows_nothing_of_what_ended_long_ago(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.commands.cancel(ORGANISATION, AGREEMENT_ID, "Fel version", ip="192.0.2.1")
    link = await site.link(SECRETARY)
    site.flow.tick(90 * 86_400 - 1)
    assert "Signeringen är återkallad" in (await sender.follow(link)).text
    site.flow.tick(1)
    closed = await sender.follow(link)
    assert closed.status_code == 410
    assert "Länken är stängd" in closed.text
    assert 'Norrdalen <span class="whole">2022-09-23<' not in closed.text
