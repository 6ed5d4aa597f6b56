"""Markup of every kind in every text field is text: in the PDF, in the mails, in the report, on the pages."""

from html import unescape
from pathlib import Path

import pytest

from services.notifications.letter.letter import Letter, Person, Purpose, compose
from shared.events import SignerInvitation
from shared.rendering.minutes import MinutesDocument
from shared.rendering.render import render_minutes
from tests.integration.fuzz.services import client_of
from tests.integration.rendering.sample import CREATED, sample_minutes
from tests.integration.rendering.tools import poppler
from tests.integration.signing.flow import Flow, message
from tests.unit.signing.story import AGREEMENT_ID, draft

pytestmark = pytest.mark.slow

MARKUP = (
    '#eval("1+1")',
    "#[*x*] $x^2$ @ref <label>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "${7*7} %s {0} \\u0041",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
)


@pytest.mark.parametrize("markup", MARKUP)
def test_in_the_pdf(markup: str, tmp_path: Path) -> None:
    sample = sample_minutes()
    document = MinutesDocument.model_validate(
        sample.model_dump() | {"title": markup, "place": f"{markup} ort", "secretary": f"{markup} namn"}
    )
    file = tmp_path / "minutes.pdf"
    file.write_bytes(render_minutes(document, at=CREATED))
    text = poppler("pdftotext", "-layout", str(file), "-")
    plain = "".join(text.split())
    for shown in (markup, f"{markup} ort"):
        assert "".join(shown.split()) in plain


@pytest.mark.parametrize("markup", MARKUP)
async def test_in_the_report_and_on_the_pages(markup: str, flow: Flow) -> None:
    signers = [SignerInvitation(role=markup, email="maja.lind@norrdalen.example", name=markup)]
    hostile = draft(signers=signers).model_copy(update={"document_name": markup})
    await flow.bring(message(hostile, flow.tick(), key="meeting-1"))
    await flow.send_off()
    async with client_of(flow.service) as api:
        report = await api.get(f"/agreements/{AGREEMENT_ID}/report")
        assert report.headers["content-type"].startswith("text/plain")
        assert markup in report.text
        for path in ("/overview", f"/overview/{AGREEMENT_ID}"):
            page = await api.get(path)
            assert page.status_code == 200
            assert markup in unescape(page.text)
            assert markup not in page.text or "<" not in markup
            policy = page.headers["content-security-policy"]
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
            assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("markup", MARKUP)
def test_in_mails(markup: str) -> None:
    someone = Person("olof.berg@bjorka.example", markup)
    letter = Letter(
        Purpose.ALTERNATE_REQUEST, "sv", markup, someone, someone, link="https://norrdalen.example/s/x", other=someone
    )
    mail = compose(letter, mail_from=Person("justera@norrdalen.example"), date=CREATED, message_id="<1@x.example>")
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert markup in plain.get_content().replace("\n", " ")
    assert markup in unescape(html.get_content())
    assert "<script>" not in html.get_content()
    assert "onerror=alert(1)>" not in html.get_content()
