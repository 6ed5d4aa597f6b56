"""Minutes in writing in a browser without script: of a sitting, paragraph by paragraph, with nothing typed lost."""

import re
from base64 import b64decode
from datetime import date
from html import unescape

import pytest

from services.meetings.decision.decision import Wanted
from services.meetings.sitting.commands import SaidEntry
from services.meetings.sitting.steps import Decided
from shared.errors import Refused
from shared.events import AgreementCancelled
from tests.integration.meetings.test_decisions import fire
from tests.integration.meetings.test_elections import signed as all_signed
from tests.integration.meetings.test_meetings import end
from tests.integration.pages.test_meetings import DRAFTING
from tests.integration.pages.test_office import OFFICE
from tests.integration.pages.test_office import visitor as visitor
from tests.integration.pages.test_sittings import Held
from tests.integration.pages.test_sittings import held as held
from tests.integration.signing.flow import ORGANISATION


async def written(held: Held) -> str:
    """A board's sitting of one decision, and the draft of its minutes; the draft's address."""
    await held.visitor.follow(held.at)
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    await held.say("arrived", person=held.ids["Anna"])
    await held.say("item_begun", item=(await held.items())[0])
    await held.say("decided", text="Godkänna rapporten.")
    await held.say("closed")
    await held.visitor.press("/manuscript/write")
    assert held.visitor.heading == "Utkast till protokoll"
    return f"{OFFICE}/meetings/{held.meeting_id}/manuscript"


def shown(held: Held) -> str:
    return unescape(held.visitor.page.text)


async def send(held: Held, action: str, **fields: str) -> str:
    """A form that is posted as one with files."""
    form = held.visitor._form(action)
    hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form.group()))
    files = {name: (None, value) for name, value in {**hidden, **fields}.items()}
    held.visitor.page = await held.visitor.client.post(form.group(1), files=files, follow_redirects=True)
    return shown(held)


async def test_the_minutes_of_a_sitting_are_written_and_changed(held: Held) -> None:
    await held.visitor.follow(f"{OFFICE}/meetings/{held.meeting_id}/manuscript")
    assert "Håll sammanträdet först" in shown(held)
    at = await written(held)
    page = shown(held)
    assert "Utkastet är skrivet av det som antecknats." in page
    assert "§ 1 Ekonomi" in page
    assert "Ingen justerare är antecknad." in page
    assert "står inte med: Övrigt" in page
    await held.visitor.follow(f"{at}/paragraphs/p1")
    assert "Styrelsen beslutar att godkänna rapporten." in shown(held)
    page = await send(held, "/paragraphs/p1", heading="Ekonomin", below="### Beslut\n\nAtt avslå.")
    assert "Paragrafen är sparad." in page
    assert "§ 1 Ekonomin" in page
    preview = await held.visitor.follow(f"{at}/preview.pdf")
    assert preview.content.startswith(b"%PDF-")
    await held.visitor.follow(at)
    await held.visitor.press("/manuscript/add", heading="Val")
    assert held.visitor.heading == "§ 2 Val"
    await held.visitor.follow(at)
    await held.visitor.press("/p2/step", direction="up")
    assert shown(held).index("§ 1 Val") < shown(held).index("§ 2 Ekonomin")
    await held.visitor.follow(f"{at}/paragraphs/p2")
    await held.visitor.press("/p2/remove")
    assert "Paragrafen är borttagen." in shown(held)
    await held.visitor.press("/manuscript/discard")
    assert "Utkastet är borta." in shown(held)
    assert "Skriv protokollet" in shown(held)
    await held.visitor.follow(f"{OFFICE}/meetings/{held.meeting_id}")
    assert "Skriv protokollet" in shown(held)


async def test_what_is_typed_stays_when_it_cannot_be_read_or_someone_was_faster(held: Held) -> None:
    at = await written(held)
    await held.visitor.follow(f"{at}/paragraphs/p1")
    page = await send(held, "/paragraphs/p1", heading="Ekonomi", below="Rad ett\n\n#### Rad tre")
    assert held.visitor.page.status_code == 422
    assert "Använd bara ### för rubriker" in page
    assert "på rad 3 i texten" in page
    assert "#### Rad tre</textarea>" in page
    commands = held.visitor.site.meetings.commands.manuscripts
    await commands.write(ORGANISATION, held.meeting_id, "p1", "Ekonomi", "Den andras text.", seen=1)
    page = await send(held, "/paragraphs/p1", heading="Ekonomi", below="Min text.")
    assert "Detta har ändrats sedan sidan öppnades" in page
    assert "Den andras text." in page
    assert "Min text.</textarea>" in page
    page = await send(held, "/paragraphs/p1", heading="Ekonomi", below="Bådas text.")
    assert "Paragrafen är sparad." in page


async def test_the_fields_are_changed_in_a_form_and_refused_by_their_line(held: Held) -> None:
    at = await written(held)
    await held.visitor.follow(f"{at}/fields")
    assert "Olof Berg; ; ; ordförande" in shown(held)
    fields = dict(re.findall(r'<input id="minutes_\w+" name="(minutes_\w+)" type="\w+" value="([^"]*)"', shown(held)))
    fields |= dict(re.findall(r'<textarea id="minutes_\w+" name="(minutes_\w+)"[^>]*>([^<]*)</textarea>', shown(held)))
    assert len(fields) == 11
    page = await send(held, "/manuscript/fields", **{**fields, "minutes_present": "Olof Berg\n; C"})
    assert held.visitor.page.status_code == 422
    assert "En person saknar namn" in page
    assert "på rad 2 i listan" in page
    page = await send(held, "/manuscript/fields", **{**fields, "minutes_adjuster": "Anna Dal", "minutes_ends": "nu"})
    assert "Skriv datum och tid som" in page
    page = await send(held, "/manuscript/fields", **{**fields, "minutes_adjuster": "Anna Dal"})
    assert "Uppgifterna är sparade." in page
    found = await held.visitor.site.meetings.commands.manuscripts.manuscript(ORGANISATION, held.meeting_id)
    assert 'adjuster: "Anna Dal"' in found.fields


async def test_the_page_is_shown_beside_what_is_typed_and_nothing_is_saved(held: Held) -> None:
    at = await written(held)
    await held.visitor.follow(f"{at}/paragraphs/p1")
    page = await send(held, "/paragraphs/p1", heading="Ekonomi", below="Ny text.", act="look")
    assert held.visitor.page.status_code == 200
    [picture] = re.findall(r'<img src="data:image/png;base64,([^"]+)"', page)
    assert b64decode(picture).startswith(b"\x89PNG")
    assert "Ny text.</textarea>" in page
    page = await send(held, "/paragraphs/p1", heading="Ekonomi", below="#### Nej", act="look")
    assert held.visitor.page.status_code == 422
    assert "bilden visar hur det såg ut senast" in page
    await held.visitor.follow(f"{at}/fields")
    fields = dict(re.findall(r'<input id="minutes_\w+" name="(minutes_\w+)" type="\w+" value="([^"]*)"', shown(held)))
    fields |= dict(re.findall(r'<textarea id="minutes_\w+" name="(minutes_\w+)"[^>]*>([^<]*)</textarea>', shown(held)))
    page = await send(held, "/manuscript/fields", **{**fields, "act": "look"})
    assert page.count("<img ") == 1
    found = await held.visitor.site.meetings.commands.manuscripts.manuscript(ORGANISATION, held.meeting_id)
    assert found.version == 1


MARKDOWN = """\
---
title: Protokoll styrelsen
body: Styrelsen
place: Granvik
starts: 2022-09-23T13:00
ends: 2022-09-23T15:00
present:
  - {name: Olof Berg, role: ordförande}
secretary: Maja Lind
adjuster: Sven Dahl
---
## Delårsrapport

### Beslut

Styrelsen beslutar att

- godkänna rapporten.
"""


async def test_where_minutes_stand_that_were_not_written_here_no_draft_is_asked_for(held: Held) -> None:
    site = held.visitor.site
    made = await site.meetings.commands.minutes.draft_minutes(
        ORGANISATION, held.meeting_id, MARKDOWN, DRAFTING, ip="192.0.2.1"
    )
    at = f"{OFFICE}/meetings/{held.meeting_id}/manuscript"
    await held.visitor.follow(at)
    assert "Protokollet är framlagt, § 1" in shown(held)
    assert "Lås upp protokollet" in shown(held)
    assert "Ur ett Word-dokument" not in shown(held)
    await all_signed(site.meetings, made.agreement_id, organisation=ORGANISATION)
    await held.visitor.follow(at)
    assert "Alla har signerat det" in shown(held)
    assert "Lås upp protokollet" not in shown(held)


FORWARD = {"signer_1": "maja.lind@norrdalen.example", "signer_2": "olof@norrdalen.example"}
FORWARD |= {"signer_3": "anna@norrdalen.example", "sender_name": "Maja Lind", "sender_email": FORWARD["signer_1"]}


async def whole(held: Held) -> str:
    """A draft that can be put forward; the address of the page for it."""
    at = await written(held)
    await held.visitor.follow(f"{at}/forward")
    assert "Utkastet är inte färdigt" in shown(held)  # nobody adjusts yet
    await held.visitor.follow(f"{at}/fields")
    fields = dict(re.findall(r'<input id="minutes_\w+" name="(minutes_\w+)" type="\w+" value="([^"]*)"', shown(held)))
    fields |= dict(re.findall(r'<textarea id="minutes_\w+" name="(minutes_\w+)"[^>]*>([^<]*)</textarea>', shown(held)))
    named = {"minutes_secretary": "Maja Lind", "minutes_adjuster": "Anna Dal"}
    await send(held, "/manuscript/fields", **{**fields, **named})
    return f"{at}/forward"


async def test_a_draft_is_numbered_from_its_page_and_read_before_it_is_signed(held: Held) -> None:
    at = await whole(held)
    await held.visitor.follow(f"{OFFICE}/meetings/{held.meeting_id}")
    assert re.search(r'aria-current="step"><a [^>]*href="[^"]*/manuscript/forward">Lägg fram protokollet', shown(held))
    await held.visitor.follow(at)
    assert "Justerare: Anna Dal, e-post" in shown(held)
    assert "Adressen finns inte i registret" in shown(held)
    refused = await held.visitor.press("/manuscript/forward", **{**FORWARD, "signer_2": "olof", "signer_3": ""})
    assert refused.status_code == 422
    assert shown(held).count("Skriv e-postadressen i formen") == 4  # in the summary, and at each of two fields
    assert "Justerare: Anna Dal, e-post: Skriv e-postadressen" in shown(held)
    assert 'value="maja.lind@norrdalen.example"' in shown(held)
    await held.visitor.press("/manuscript/forward", **{**FORWARD, "signer_3": FORWARD["signer_1"].upper()})
    assert "Var och en som signerar behöver en egen adress" in shown(held)
    await held.visitor.press("/manuscript/forward", **FORWARD, act="review")
    assert "Protokollet är framlagt. Välj vilka som ska läsa det före signering." in shown(held)
    await held.visitor.follow(f"{OFFICE}/meetings/{held.meeting_id}")
    assert re.search(r'aria-current="step"><a [^>]*href="[^"]*/review/new">Be om synpunkter', shown(held))
    await held.visitor.follow(f"{OFFICE}/meetings/{held.meeting_id}/manuscript")
    assert "Protokollet är framlagt, § 1" in shown(held)
    assert "Ändra närvarande" not in shown(held)
    changed = await held.visitor.client.post(
        f"{OFFICE}/meetings/{held.meeting_id}/manuscript/paragraphs/p1/step", data={"direction": "up"}
    )
    assert changed.status_code in (403, 409)


async def test_two_who_put_one_draft_forward_make_one_of_it_and_the_second_is_told(held: Held) -> None:
    at = await whole(held)
    first = await held.visitor.follow(at)
    await held.visitor.press("/manuscript/forward", **FORWARD, act="sign")
    assert "Protokollet är framlagt och skickat för signering." in shown(held)
    assert re.search(r'aria-current="step"><a [^>]*href="[^"]*/signing/overview/[^"]*">Signera', shown(held))
    held.visitor.page = first
    await held.visitor.press("/manuscript/forward", **FORWARD, act="sign")
    assert "Någon annan lade fram protokollet i samma stund." in shown(held)
    assert len(await held.visitor.site.meetings.commands.minutes.versions(ORGANISATION, held.meeting_id)) == 1


async def test_a_draft_that_was_changed_since_is_not_put_forward_and_what_was_typed_stays(held: Held) -> None:
    at = await whole(held)
    await held.visitor.follow(at)
    commands = held.visitor.site.meetings.commands
    await commands.manuscripts.write(ORGANISATION, held.meeting_id, "p1", "Ekonomi", "Den andras text.", seen=None)  # type: ignore[arg-type]
    answer = await held.visitor.press("/manuscript/forward", **FORWARD, act="sign")
    assert answer.status_code == 422
    assert "Utkastet har ändrats sedan sidan öppnades." in shown(held)
    assert 'value="anna@norrdalen.example"' in shown(held)
    assert await commands.minutes.versions(ORGANISATION, held.meeting_id) == []
    await held.visitor.press("/manuscript/forward", **FORWARD, act="sign")
    [version] = await commands.minutes.versions(ORGANISATION, held.meeting_id)
    assert version.released_at is not None
    await commands.unlocking.unlock(ORGANISATION, held.meeting_id, "§ 1 är fel", ip="192.0.2.1")
    await commands.manuscripts.write(ORGANISATION, held.meeting_id, "p1", "Ekonomi", "Rätt text.", seen=None)  # type: ignore[arg-type]


async def test_what_keeps_minutes_from_being_put_forward_is_named_with_its_place(held: Held) -> None:
    at = await whole(held)
    write = held.visitor.site.meetings.commands.manuscripts.write
    table = "### Beslut\n\n| Vald till | Namn | Uppdrag |\n| --- | --- | --- |\n| Ingen nämnd | Olof Berg | ledamot |"
    await write(ORGANISATION, held.meeting_id, "p1", "Ekonomi", table, seen=None)  # type: ignore[arg-type]
    await held.visitor.follow(at)
    answer = await held.visitor.press("/manuscript/forward", **FORWARD, act="sign")
    assert answer.status_code == 422
    assert "något i en av paragraferna behöver rättas" in shown(held)
    assert "Registret har inget organ med det namn som tabellen med val nämner." in shown(held)
    assert re.search(r'<a href="[^"]*/manuscript/[^"]*p1">§ 1 Ekonomi</a>', shown(held))
    assert 'value="anna@norrdalen.example"' in shown(held)


async def test_of_a_sitting_that_was_closed_before_anything_was_taken_up_nothing_is_written(held: Held) -> None:
    await held.visitor.follow(held.at)
    await held.visitor.press("/sitting/open", present=held.ids["Olof"])
    await held.say("closed")
    await held.visitor.follow(f"{OFFICE}/meetings/{held.meeting_id}/manuscript")
    assert "avslutades utan att något ärende togs upp" in shown(held)
    assert "Håll sammanträdet först" not in shown(held)


async def test_a_correction_of_the_sitting_is_shown_on_the_draft_and_taken_over(held: Held) -> None:
    at = await written(held)
    await held.visitor.follow(at)
    assert "Rättat i sammanträdet" not in shown(held)
    commands = held.visitor.site.meetings.commands
    entries = await commands.sittings.steps(ORGANISATION, held.meeting_id)
    [decided] = [entry.number for entry in entries if entry.step.do == "decided"]
    correction = SaidEntry(
        key="rättat", step=Decided(text="Avslå rapporten."), corrects=decided, reason="Jag skrev fel beslut"
    )
    await commands.sittings.record(ORGANISATION, held.meeting_id, [correction], by="sender")
    await held.visitor.follow(at)
    assert "Rättat i sammanträdet sedan utkastet skrevs" in shown(held)
    assert "<del>Styrelsen beslutar att godkänna rapporten.</del>" in shown(held)
    stale = held.visitor.page
    await held.visitor.press("/manuscript/catch-up")
    assert "Rättelsen är med i utkastet." in shown(held)
    assert "Styrelsen beslutar att avslå rapporten." in shown(held)
    assert "Rättat i sammanträdet" not in shown(held)
    held.visitor.page = stale
    answer = await held.visitor.press("/manuscript/catch-up")
    assert (answer.status_code, "Det har ändrats" in shown(held)) == (422, True)


async def test_a_paragraph_is_approved_at_once_and_the_minutes_keep_its_number_and_say_so(held: Held) -> None:
    await whole(held)
    commands, at = held.visitor.site.meetings.commands, f"{OFFICE}/meetings/{held.meeting_id}/manuscript"
    await held.visitor.follow(at)
    await held.visitor.press("/manuscript/add", heading="Val")
    draft = await commands.manuscripts.manuscript(ORGANISATION, held.meeting_id)
    second = draft.pieces[1].id
    await commands.manuscripts.write(ORGANISATION, held.meeting_id, second, "Val", "### Beslut\n\nMaja.", seen=None)  # type: ignore[arg-type]
    await held.visitor.follow(f"{at}/paragraphs/{second}/at-once")
    assert held.visitor.heading == "Justera § 2 omedelbart"
    await held.visitor.press("/at-once", **FORWARD, act="sign")
    assert "Paragrafen är skickad för omedelbar justering." in shown(held)
    assert "Ute för omedelbar justering" in shown(held)
    [out] = await commands.adjusting.of_meeting(ORGANISATION, held.meeting_id)
    assert (out.paragraph, out.first, out.last, out.stands) == (2, 1, 2, True)
    with pytest.raises(Refused, match="approved at once, as it is written"):
        await commands.manuscripts.write(ORGANISATION, held.meeting_id, second, "Val", "Nils.", seen=None)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="a paragraph of the draft is approved at once"):
        await commands.manuscripts.discard(ORGANISATION, held.meeting_id, seen=None)  # type: ignore[arg-type]
    assert await commands.minutes.written(ORGANISATION, [held.meeting_id]) == set(), "the rest is still to be written"
    await held.visitor.follow(f"{at}/forward")
    await held.visitor.press("/manuscript/forward", **FORWARD, act="sign")
    assert "§ 2 är ute för omedelbar justering." in shown(held)
    await held.visitor.follow(f"{at}/paragraphs/{second}")
    await held.visitor.press(f"/{second}/unlock", reason="Fel namn")
    assert "Paragrafen är upplåst." in shown(held)
    with pytest.raises(Refused, match="approved at once, as it is written"):  # until signing has answered
        await commands.manuscripts.write(ORGANISATION, held.meeting_id, second, "Val", "Nils.", seen=None)  # type: ignore[arg-type]
    await end(held.visitor.site.meetings, out.agreement_id, AgreementCancelled, organisation=ORGANISATION)
    await commands.manuscripts.write(ORGANISATION, held.meeting_id, second, "Val", "### Beslut\n\nNils.", seen=None)  # type: ignore[arg-type]
    await held.visitor.follow(f"{at}/paragraphs/{second}/at-once")
    await held.visitor.press("/at-once", **FORWARD, act="sign")
    again = (await commands.adjusting.of_meeting(ORGANISATION, held.meeting_id))[0]
    assert (again.paragraph, again.version) == (2, -2)
    await all_signed(held.visitor.site.meetings, again.agreement_id, organisation=ORGANISATION)
    await fire(held.visitor.site.meetings)
    posting = await commands.publications.of_meeting(ORGANISATION, held.meeting_id)
    assert posting is None or posting.adjusted_on is None, "the minutes are not signed by everyone yet"
    publish = f"{at.removesuffix('/manuscript')}/publish?paragraph=2"
    for act, now, done in (("", "Anslå paragrafen", "anslagen"), ("/remove", "Ta ned paragrafen", "nedtagen")):
        await held.visitor.follow(publish)
        if not act:
            await held.visitor.press(r"/publish\?paragraph=2")
        assert now in shown(held)
        await held.visitor.press(rf"/publish{act}\?paragraph=2", removal="Fel.")
        assert f"Paragrafen är {done}." in shown(held)
        assert "rotokollet är" not in shown(held), "the words are of the paragraph"
    await held.visitor.follow(f"{at}/forward")
    await held.visitor.press("/manuscript/forward", **FORWARD, act="sign")
    assert "Protokollet är framlagt och skickat för signering." in shown(held)
    [version] = await commands.minutes.versions(ORGANISATION, held.meeting_id)
    assert (version.first_paragraph, version.last_paragraph) == (1, 2)
    document = await commands.versions.document(ORGANISATION, held.meeting_id, 1)
    assert "Paragrafen justerades omedelbart" in document.paragraphs[1].model_dump_json()
    await all_signed(held.visitor.site.meetings, version.agreement_id, organisation=ORGANISATION)
    await fire(held.visitor.site.meetings)
    found = await commands.decisions.find(ORGANISATION, Wanted(since=date(2022, 1, 1)))
    assert sorted((one.entry.paragraph, one.agreement_id) for one in found.finds) == [
        (1, version.agreement_id),
        (2, again.agreement_id),
    ]
