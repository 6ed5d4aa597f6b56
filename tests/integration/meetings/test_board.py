"""The public notice board: what is posted is read by anyone, and by trying, nothing else is reached there."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pikepdf
import pytest

from shared.clock import ManualClock
from shared.service import Service
from tests.integration.meetings.test_decisions import fire
from tests.integration.meetings.test_meetings import NOW
from tests.integration.meetings.test_publications import OLOF, drafted, facts, post
from tests.integration.meetings.test_publications import clock as clock
from tests.integration.meetings.test_publications import committee as committee
from tests.integration.rendering.tools import assert_conforms, poppler

BOARD = "/anslagstavla"
FAR = "Mon, 01 Jan 99999999999 00:00:00 GMT"
HIDDEN = ("Olof", "Berg", "192.0.2.7", "norrdalen.example", "secret0")


@pytest.fixture
async def anyone(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://meetings") as client:
        yield client


async def everything(anyone: httpx.AsyncClient, publication_id: str) -> dict[str, httpx.Response]:
    """All that can be asked for, by its address."""
    found = {}
    for folder in (BOARD, "/notice-board"):
        one = f"{folder}/{publication_id}"
        for address in (folder, f"{folder}/atom.xml", one, f"{one}/html", f"{one}/pdf"):
            found[address] = await anyone.get(address)
    return found


def words_of(answer: httpx.Response) -> str:
    """Of a PDF its text as poppler reads it, its metadata, and all that its objects and streams hold."""
    if answer.headers["content-type"] != "application/pdf":
        return answer.text
    with TemporaryDirectory() as folder:
        path = Path(folder) / "posted.pdf"
        path.write_bytes(answer.content)
        said = [
            poppler("pdftotext", str(path), "-"),
            poppler("pdfinfo", str(path)),
            poppler("pdfinfo", "-meta", str(path)),
        ]
    with pikepdf.open(BytesIO(answer.content)) as pdf:
        assert not pdf.attachments
        for one in pdf.objects:
            said.append(repr(one))
            if isinstance(one, pikepdf.Stream):
                said.append(one.read_bytes().decode("latin-1"))
    return "\n".join(said)


async def test_what_is_posted_is_read_by_anyone_and_what_is_masked_by_nobody(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, committee: str, tmp_path: Path
) -> None:
    meeting = await drafted(service, api)
    posted = (await post(api, meeting, OLOF)).json()
    found = await everything(anyone, posted["id"])
    for address, answer in found.items():
        assert answer.status_code == 200, address
        said = words_of(answer)
        assert [word for word in HIDDEN if word in said] == [], address
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "public, no-cache"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert (await anyone.get(address, headers={"if-none-match": answer.headers["etag"]})).status_code == 304
        assert (await anyone.head(address)).status_code == 200
    (tmp_path / "posted.pdf").write_bytes(found[f"{BOARD}/{posted['id']}/pdf"].content)
    await asyncio.to_thread(assert_conforms, tmp_path / "posted.pdf")
    page = found[f"{BOARD}/{posted['id']}"].text
    assert "17 oktober 2022" in page, "until when one appeals"
    assert "18 oktober 2022" in page, "when it is taken down"
    assert "Budget för nästa år" in found[f"{BOARD}/{posted['id']}/html"].text
    assert "Budget för nästa år" in words_of(found[f"{BOARD}/{posted['id']}/pdf"])
    assert "Open to appeal until" in found["/notice-board"].text
    told = await facts(service)
    assert [word for word in ("Olof", "Berg") for _, data in told if word in data] == []
    seen = (await api.get(f"/meetings/{meeting}/publication")).text
    assert "Olof" not in seen, "nor does its API tell what is masked"


async def test_what_is_no_posting_is_nowhere(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, committee: str
) -> None:
    meeting = await drafted(service, api)
    draft = (await api.get(f"/meetings/{meeting}/publication")).json()["id"]
    for wrong in (draft, meeting, "nothing", "01a2235c-4a20-7c11-9f3b-7d2e5c6a8b01", "..%2f..%2foffice", "x" * 500):
        for address, answer in (await everything(anyone, wrong)).items():
            if wrong in address:
                assert answer.status_code == 404, address
            assert "Protokoll styrelsen" not in answer.text, address


async def test_what_is_taken_down_is_gone_and_so_is_the_edition_before_a_correction(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, committee: str, clock: ManualClock
) -> None:
    meeting = await drafted(service, api)
    first = (await post(api, meeting, [])).json()
    before = await everything(anyone, first["id"])
    assert "Olof Berg" in before[f"{BOARD}/{first['id']}/html"].text
    clock.move_to(NOW + timedelta(hours=1))
    await post(api, meeting, OLOF)
    for address, answer in (await everything(anyone, first["id"])).items():
        assert "Olof" not in words_of(answer), address
        assert answer.headers["etag"] != before[address].headers["etag"], "nobody keeps the one before"
        assert ("last-modified" in answer.headers) == (first["id"] in address), "of a list its tag alone tells"
        for known in (before[address].headers.get("last-modified", ""), "Thu, 01 Jan 2099 00:00:00 GMT", FAR):
            assert (await anyone.get(address, headers={"if-modified-since": known})).status_code == 200, address
    clock.move_to(NOW + timedelta(days=30))
    await fire(service)
    for address, answer in (await everything(anyone, first["id"])).items():
        assert answer.status_code == (410 if first["id"] in address else 200), address
        assert not re.search("Protokoll styrelsen|Olof|Budget", answer.text), address
        assert "no-" in answer.headers["cache-control"]
    again = (await everything(anyone, first["id"]))[f"{BOARD}/{first['id']}/pdf"]
    assert again.headers["content-type"].startswith("text/html"), "a plain page"


async def test_what_is_posted_again_is_no_correction_and_all_that_is_posted_is_on_the_page(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, committee: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = await drafted(service, api)
    await post(api, meeting, [])
    assert (await api.post(f"/meetings/{meeting}/publication/remove", json={"reason": "Fel dag."})).status_code == 200
    posted = (await post(api, meeting, OLOF)).json()
    assert posted["edition"] == 2
    for address, answer in (await everything(anyone, posted["id"])).items():
        assert not re.search("Rätta[dt]|orrected", words_of(answer)), address
    monkeypatch.setattr("services.meetings.pages.board._MOST_IN_FEED", 0)
    found = await everything(anyone, posted["id"])
    assert posted["id"] not in found[f"{BOARD}/atom.xml"].text
    assert posted["id"] in found[BOARD].text


async def test_of_minutes_that_are_older_than_the_board_the_page_says_that_when_they_were_signed_is_not_kept(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, committee: str
) -> None:
    meeting = await drafted(service, api)
    whole = (await post(api, meeting, [])).json()
    assert "is not kept here" not in (await anyone.get(f"/notice-board/{whole['id']}")).text
    async with service.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM minutes_signature WHERE place = 1")
    old = (await post(api, meeting, OLOF)).json()
    assert (old["posted"]["says_when"], old["edition"]) == (False, 2)
    page = await anyone.get(f"/notice-board/{old['id']}")
    assert "All had signed by 26 September 2022. When each of them did is not kept here" in page.text


async def test_another_organisations_posting_is_not_on_this_board(
    service: Service, api: httpx.AsyncClient, anyone: httpx.AsyncClient, committee: str
) -> None:
    meeting = await drafted(service, api)
    posted = (await post(api, meeting, [])).json()
    async with service.database.transaction() as connection:
        for table in ("publication", "body"):
            await connection.exec_driver_sql(f"UPDATE {table} SET organisation = 'other'")
    for address, answer in (await everything(anyone, posted["id"])).items():
        assert answer.status_code == (404 if posted["id"] in address else 200), address
        assert "Protokoll styrelsen" not in answer.text


async def test_who_reads_too_much_has_to_wait(service: Service, anyone: httpx.AsyncClient) -> None:
    answers = []
    while answers[-1:] != [429] and len(answers) < 600:  # more are allowed while a busy machine takes its time
        answers.append((await anyone.get("/anslagstavla/nothing")).status_code)
    assert answers[0] == 404
    assert answers[-1] == 429
