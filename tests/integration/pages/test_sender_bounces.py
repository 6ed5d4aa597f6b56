"""What the sender's pages say of a mail that did not arrive, and what can be done about it there."""

from tests.integration.pages.site import Site
from tests.integration.pages.visitor import Visitor
from tests.integration.signing.flow import ORGANISATION
from tests.unit.signing.story import AGREEMENT_ID, ALTERNATE, CHAIR, SECRETARY

AGREEMENT = f"/signing/overview/{AGREEMENT_ID}"


async def test_a_bounce_is_flagged_until_an_alternate_is_added(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.deliver(SECRETARY)
    await site.flow.bounce(SECRETARY)
    await sender.follow("/signing/overview")
    assert "Ett mejl studsade" in sender.page.text
    await sender.follow(AGREEMENT)
    assert f"Mejlet till {SECRETARY} kom inte fram" in sender.page.text
    form = f"{AGREEMENT}/alternate/{await site.flow.id(SECRETARY)}"
    await sender.follow(form)
    for wrong, said in (("", "Skriv en e-postadress"), ("a@", "i formen"), (CHAIR.upper(), "redan tillfrågad")):
        await sender.press('alternate/[^"]*', email=wrong, name="")
        assert sender.page.status_code == 422
        assert said in sender.page.text
    site.flow.tick()
    await sender.press('alternate/[^"]*', email=ALTERNATE, name="")
    assert "Den alternativa signeraren är tillagd" in sender.page.text
    assert ALTERNATE in sender.page.text
    assert "kom inte fram" not in sender.page.text


async def test_who_signed_for_an_address_before_is_proposed_the_next_time(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.commands.add_alternate(
        ORGANISATION, AGREEMENT_ID, SECRETARY, ALTERNATE, name="Petra Holm", ip="192.0.2.1"
    )
    other = "b" * len(AGREEMENT_ID)
    await site.draft(b"%PDF-1.7 the next minutes", agreement_id=other)
    request = await site.flow.queries.request_id(ORGANISATION, other, SECRETARY)
    page = (await sender.follow(f"/signing/overview/{other}/alternate/{request}")).text
    assert "Senast fick adressen nedan signera för" in page
    assert f'value="{ALTERNATE}"' in page
    assert 'value="Petra Holm"' in page
    chair = await site.flow.queries.request_id(ORGANISATION, other, CHAIR)
    page = (await sender.follow(f"/signing/overview/{other}/alternate/{chair}")).text
    assert ("Senast fick" in page, ALTERNATE in page) == (False, False)


async def test_after_a_bounce_the_page_leads_with_it_and_the_address_is_corrected(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.bounce(SECRETARY)
    await sender.follow(AGREEMENT)
    page = sender.page.text
    assert page.index("kom inte fram") < page.index("ska signera nu")
    assert "<q>550 unknown</q>" in page
    assert "Inga påminnelser skickas dit." in page
    await sender.follow(f"{AGREEMENT}/address/{await site.flow.id(SECRETARY)}")
    for wrong, said in (("", "Skriv en e-postadress"), (SECRETARY, "redan tillfrågad")):
        await sender.press('address/[^"]*', email=wrong)
        assert sender.page.status_code == 422
        assert said in sender.page.text
    old = await site.link(SECRETARY)
    await sender.press('address/[^"]*', email="maja.lind@granvik.example")
    assert "Adressen är ändrad" in sender.page.text
    assert "har ändrat adressen till Maja Lind (maja.lind@granvik.example)" in sender.page.text
    assert "kom inte fram" not in sender.page.text
    assert "Länken gäller inte längre" in (await sender.follow(old)).text
    assert "ber dig signera" in (await sender.follow(await site.link("maja.lind@granvik.example", version=2))).text


async def test_a_mail_is_sent_again_to_the_address_that_bounced(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.bounce(SECRETARY)
    await sender.follow(AGREEMENT)
    await sender.press('again/[^"]*')
    assert "Mejlet skickas igen" in sender.page.text
    assert "kom inte fram" not in sender.page.text


async def test_an_original_that_bounces_again_beside_its_alternate_is_told_quietly(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.bounce(SECRETARY)
    await site.flow.commands.add_alternate(ORGANISATION, AGREEMENT_ID, SECRETARY, ALTERNATE, ip="192.0.2.1")
    await site.flow.deliver(ALTERNATE, "alternate-request")
    await site.flow.bounce(SECRETARY)
    await sender.follow("/signing/overview")
    assert "Ett mejl studsade" not in sender.page.text
    await sender.follow(AGREEMENT)
    assert "Mejlet studsade" in sender.page.text
    assert "kom inte fram" not in sender.page.text
    assert 'class="button primary"' not in sender.page.text


async def test_an_alternate_that_bounces_is_flagged_in_turn(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.bounce(SECRETARY)
    await site.flow.commands.add_alternate(ORGANISATION, AGREEMENT_ID, SECRETARY, ALTERNATE, ip="192.0.2.1")
    await site.flow.bounce(ALTERNATE)
    await sender.follow(AGREEMENT)
    assert f"Mejlet till {ALTERNATE} kom inte fram" in sender.page.text
    assert f"Mejlet till {SECRETARY} kom inte fram" not in sender.page.text


async def test_a_copy_that_did_not_arrive_is_told_with_the_servers_words(site: Site, sender: Visitor) -> None:
    await site.flow.sign_all()
    await site.flow.archived(b"%PDF-1.7 sealed")
    recorded = await site.flow.recorded_names()
    await site.flow.copy_bounced(CHAIR)
    assert await site.flow.recorded_names() == recorded
    await sender.follow(AGREEMENT)
    assert f"Mejlet med den förseglade kopian till {CHAIR} kom inte fram" in sender.page.text
    assert "<q>552 5.2.2 mailbox full</q>" in sender.page.text
    assert "Hämta den förseglade kopian här" in sender.page.text


async def test_a_reply_that_nobody_could_read_is_told_until_the_place_is_signed(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.deliver(SECRETARY)
    recorded = await site.flow.recorded_names()
    await site.flow.reply_left_unread(SECRETARY)
    assert await site.flow.recorded_names() == recorded
    await sender.follow(AGREEMENT)
    assert f"Ett svar på mejlet till {SECRETARY} kunde inte tolkas" in sender.page.text
    assert f"/address/{await site.flow.id(SECRETARY)}" in sender.page.text
    await site.flow.sign(SECRETARY)
    await sender.follow(AGREEMENT)
    assert "kunde inte tolkas" not in sender.page.text


async def test_a_reply_to_an_extract_is_not_the_agreements_senders_to_read(site: Site, sender: Visitor) -> None:
    await site.flow.send_off()
    await site.flow.reply_left_unread(SECRETARY, "extract")
    await sender.follow(AGREEMENT)
    assert "kunde inte tolkas" not in sender.page.text
