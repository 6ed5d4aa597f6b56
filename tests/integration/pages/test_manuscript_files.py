"""Minutes that come as a file, Word or Markdown, in a browser without script: read, or told of."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.integration.pages.test_manuscripts import MARKDOWN, shown
from tests.integration.pages.test_office import OFFICE
from tests.integration.pages.test_office import visitor as visitor
from tests.integration.pages.test_sittings import Held
from tests.integration.pages.test_sittings import held as held
from tests.integration.signing.flow import ORGANISATION
from tests.unit.meetings.test_word import FRONT as WORD_FRONT
from tests.unit.meetings.word_documents import document, external, text


async def hand_in(held: Held, content: bytes) -> str:
    await held.visitor.send("/manuscript/word", content, name="protokoll.docx")
    return shown(held)


async def test_a_word_document_becomes_the_draft_and_what_is_not_in_it_is_listed(held: Held) -> None:
    at = f"{OFFICE}/meetings/{held.meeting_id}/manuscript"
    await held.visitor.follow(at)
    assert "Ur ett Word-dokument" in shown(held)
    await held.visitor.follow(f"{at}/word")
    assert "Välj en fil" in await hand_in(held, b"")
    page = await hand_in(held, document(*WORD_FRONT, text("§ 28 Delårsrapport"), text("Rapporten godkänns.")))
    assert "Dokumentet är inläst." in page
    assert "Står före den första paragrafen och är inte med: Kallade: alla" in page
    assert "Delårsrapport" in page
    await held.visitor.follow(f"{at}/word")
    assert "Utkastet som finns ersätts" in shown(held)
    commands = held.visitor.site.meetings.commands.manuscripts
    await commands.add(ORGANISATION, held.meeting_id, "Val")
    page = await hand_in(held, document(text("§ 1 A")))
    assert held.visitor.page.status_code == 422
    assert "Det har ändrats" in page
    assert "Dokumentet är inläst." in await hand_in(held, document(text("§ 1 A")))
    await held.visitor.follow(at)
    assert "Utkastet är inte färdigt" in shown(held)
    assert "Rätta närvarande, plats och tid" in shown(held)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"Hej", "Filen är inget Word-dokument."),
        (document(text("§ 1 A"), parts={"word/vbaProject.bin": b"x"}), "Dokumentet innehåller makron."),
        (external("attachedTemplate"), "Dokumentet hämtar en mall eller en bild någon annanstans ifrån."),
        (document(text("Ingen rubrik")), "Ingen paragraf hittades i dokumentet."),
        (b"x" * (21 * 1024**2), "Filen är för stor. Ett Word-dokument får vara högst 21 MB."),
    ],
    ids=["no-word", "macros", "external", "no-paragraph", "21-MiB"],
)
async def test_a_word_document_that_is_not_read_is_told_of_in_one_sentence(
    held: Held, content: bytes, said: str
) -> None:
    at = f"{OFFICE}/meetings/{held.meeting_id}/manuscript/word"
    await held.visitor.follow(at)
    page = await hand_in(held, content)
    assert held.visitor.page.status_code == 422
    assert said in page
    assert page.count('class="error"') == 1


async def test_a_file_of_minutes_in_markdown_becomes_the_draft(held: Held) -> None:
    at = f"{OFFICE}/meetings/{held.meeting_id}/manuscript"
    await held.visitor.follow(f"{at}/word")
    windows = MARKDOWN.replace("\n", "\r\n").encode("utf-8-sig")
    await held.visitor.send("/manuscript/word", windows, name="Protokoll.MD")
    page = shown(held)
    assert "Filen är inläst." in page
    assert "§ 1 Delårsrapport" in page
    assert "Utkastet är inte färdigt" not in page
    found = await held.visitor.site.meetings.commands.manuscripts.manuscript(ORGANISATION, held.meeting_id)
    assert found.markdown.split() == MARKDOWN.split()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"## Ekonomi\n", "Filen börjar inte med protokollets fält"),
        (MARKDOWN.replace("## ", "").encode(), "Det står text före den första paragrafen."),
        (document(text("§ 1 A")), "Filen är ingen text."),
        (b"\xff\xd8\xff\xe0", "Filen är ingen text."),
        ((MARKDOWN + "## A\n" * 1001).encode(), "Filen har fler än 1000 paragrafer."),
        ((MARKDOWN + "x" * 1024**2).encode(), "Texten är för lång."),
    ],
    ids=["no-fields", "no-paragraph", "word", "picture", "too-many", "too-long"],
)
async def test_a_file_of_text_that_is_not_read_is_told_of_in_one_sentence(
    held: Held, content: bytes, said: str
) -> None:
    await held.visitor.follow(f"{OFFICE}/meetings/{held.meeting_id}/manuscript/word")
    await held.visitor.send("/manuscript/word", content, name="protokoll.md")
    page = shown(held)
    assert held.visitor.page.status_code == 422
    assert said in page
    assert page.count('class="error"') == 1
    assert "Det har ändrats" not in page


async def test_200_megabytes_are_refused_by_a_page_before_they_arrive(held: Held) -> None:
    url = urlsplit(f"{OFFICE}/meetings/{held.meeting_id}/manuscript/word")
    site = urlsplit(held.visitor.site.base)
    head = f"POST {url.path} HTTP/1.1\r\nHost: {site.netloc}\r\nAccept: text/html\r\nAccept-Language: sv\r\n"
    reader, writer = await asyncio.open_connection(site.hostname, site.port)
    writer.write(f"{head}Content-Length: {200 * 1024**2}\r\nContent-Type: multipart/form-data\r\n\r\n".encode())
    answer = (await asyncio.wait_for(reader.readuntil(b"</html>"), 10)).decode()
    writer.close()
    assert answer.startswith("HTTP/1.1 413")
    assert "här tas högst 21,0\N{NO-BREAK SPACE}MB emot" in answer, "what is taken there, not of an attachment"
