"""Papers on a real database, a real blob store and the process that binds them: made anew, published, told, read."""

import io
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pikepdf
import pytest

from shared.events import PapersPublished
from shared.events.base import BlobRef
from shared.service import Service
from tests.integration.meetings.test_agenda import add, meeting
from tests.integration.meetings.test_attachments import hand_in
from tests.integration.meetings.test_meetings import outbox
from tests.integration.rendering.tools import poppler
from tests.unit.meetings.test_attachment import DOCX
from tests.unit.rendering.test_binding import active, image_of, pdf_of


async def body_with_people(api: httpx.AsyncClient) -> None:
    details = {"name": "Styrelsen", "kind": "board", "rules": {"notice_days": 5}}
    body = (await api.post("/bodies", json={"details": details})).json()["id"]
    for name, role in (("Olof Berg", "chair"), ("Maja Lind", "secretary"), ("Sven Dahl", "co_opted")):
        email = f"{name.lower().replace(' ', '.')}@norrdalen.example"
        person = (await api.post("/people", json={"details": {"name": name, "email": email}})).json()["id"]
        seat = {"person_id": person, "role": role}
        assert (await api.post(f"/bodies/{body}/memberships", json=seat)).status_code == 201


async def agenda(api: httpx.AsyncClient) -> tuple[str, str]:
    """A meeting with an item that has a file of three pages, an image, and one that is only listed."""
    await body_with_people(api)
    november = await meeting(api)
    item = await add(api, november, "Ekonomi", kind="decision", background="Budgeten.\n\nMer om den.", proposal="Anta.")
    await add(api, november, "Övrigt")
    path = f"/agenda-items/{item['id']}/attachments"
    for name, content in (("Budget.pdf", pdf_of(3)), ("Karta.png", image_of("PNG")), ("Brev.docx", DOCX)):
        assert (await hand_in(api, path, name, content)).status_code == 201
    return november, str(item["id"])


async def current(api: httpx.AsyncClient, meeting_id: str, *, for_members: bool = False) -> bytes:
    answer = await api.get(f"/meetings/{meeting_id}/papers/current", params={"for_members": for_members})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    return answer.content


async def publish(api: httpx.AsyncClient, meeting_id: str, **said: Any) -> dict[str, Any]:
    answer = await api.post(f"/meetings/{meeting_id}/papers/publications", json=said)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def facts(service: Service) -> list[PapersPublished]:
    rows = [row for row in await outbox(service) if row.attributes["type"].endswith("papers-published.v1")]
    return [PapersPublished.model_validate_json(row.data) for row in rows]


def afterwards(service: Service) -> None:
    """What comes now comes after what was done."""
    clock = service.commands.attachments._clock
    clock.move_to(clock.now() + timedelta(minutes=1))


def text_of(pdf: bytes, folder: Path) -> str:
    """As poppler reads it."""
    file = folder / "papers.pdf"
    file.write_bytes(pdf)
    if shutil.which("qpdf"):
        subprocess.run(["qpdf", "--check", str(file)], check=True, capture_output=True)
    return poppler("pdftotext", "-layout", str(file), "-")


async def test_the_papers_are_one_pdf_that_is_made_anew_when_something_changes(
    service: Service, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    november, item = await agenda(api)
    pdf = await current(api, november)
    shown = pikepdf.open(io.BytesIO(pdf))
    assert len(shown.pages) == 6, "agenda, the item, three and one"
    text = text_of(pdf, tmp_path)
    for said in ("Mer om den.", "Förslag till beslut", "sida 3 (3 sidor)", "sida 6 (1 sida)", "finns som fil för sig"):
        assert said in text
    for number in range(1, 7):
        assert f"{number} (6)" in text
    assert await current(api, november) == pdf, "not made anew"
    await api.put(f"/agenda-items/{item}", json={"title": "Ekonomi", "background": "Nytt."})
    assert await current(api, november) != pdf


async def test_papers_are_published_once_and_told_to_those_who_are_asked(
    service: Service, api: httpx.AsyncClient
) -> None:
    november, item = await agenda(api)
    assert (await api.get(f"/meetings/{november}/papers")).json() == {"publications": [], "changed": True}
    first = await publish(api, november)
    assert (first["number"], first["told"], first["late"]) == (1, False, [])
    assert [one["name"] for one in first["files"]] == ["Budget.pdf", "Karta.png", "Brev.docx"]
    assert await publish(api, november) == first, "nothing changed since"
    assert (await api.get(f"/meetings/{november}/papers")).json() == {"publications": [first], "changed": False}
    [fact] = await facts(service)
    assert {person.name for person in fact.people} == {"Olof Berg", "Maja Lind", "Sven Dahl"}
    assert (fact.told, fact.papers) == (False, BlobRef.model_validate(first["papers"])), "before the notice: with it"

    assert (await api.post(f"/meetings/{november}/notice/issue", json={})).status_code == 200
    afterwards(service)
    late = (await hand_in(api, f"/agenda-items/{item}/attachments", "Sent.pdf", pdf_of())).json()
    assert late["files"][0]["late"] is True, "the notice is out"
    second = await publish(api, november)
    assert (second["number"], second["told"], second["late"]) == (2, True, ["Sent"])
    third = await api.post(f"/agenda-items/{item}/attachments?name=Till.pdf", content=pdf_of(2))
    assert third.status_code == 201
    silent = await publish(api, november, tell=False)
    assert (silent["late"], silent["told"]) == (["Till"], False), "what is new since the last time"
    told = await facts(service)
    assert [(one.told, one.late) for one in told] == [(False, ()), (True, ("Sent",)), (False, ("Till",))]
    assert told[0].sequence < told[1].sequence
    answer = await api.get(f"/meetings/{november}/papers/publications/1")
    assert answer.headers["content-disposition"].startswith("inline")
    assert len(pikepdf.open(io.BytesIO(answer.content)).pages) == 6, "as they were published"


async def test_what_is_confidential_is_in_the_members_papers_alone(
    service: Service, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    november, item = await agenda(api)
    assert await current(api, november) == await current(api, november, for_members=True)
    path = f"/agenda-items/{item}/attachments"
    await hand_in(api, path, "Löner 2023.pdf", pdf_of(1, "Hemligt"), confidential=True)
    everyones, members = await current(api, november), await current(api, november, for_members=True)
    assert "Löner" not in text_of(everyones, tmp_path)
    assert "Hemligt" not in text_of(everyones, tmp_path)
    assert "Hemligt 1" in text_of(members, tmp_path)
    assert "1.4 Löner 2023" in text_of(members, tmp_path)
    await api.post(f"/meetings/{november}/notice/issue", json={})
    afterwards(service)
    await hand_in(api, path, "Avsked.pdf", pdf_of(), confidential=True)
    published = await publish(api, november)
    assert published["papers"] != published["for_members"]
    assert published["late"] == ["Avsked"]
    [fact] = await facts(service)
    assert (fact.papers.sha256, fact.late) == (published["papers"]["sha256"], ()), "told to people who may not read it"


async def test_a_hostile_file_does_nothing_in_the_papers(api: httpx.AsyncClient) -> None:
    november, item = await agenda(api)
    await hand_in(api, f"/agenda-items/{item}/attachments", "Ond.pdf", active())
    shown = pikepdf.open(io.BytesIO(await current(api, november)))
    everything = b" ".join(obj.unparse(resolved=True) for obj in shown.objects)
    assert b"JavaScript" not in everything
    assert b"Launch" not in everything


async def test_one_that_is_protected_is_listed_with_why(api: httpx.AsyncClient, tmp_path: Path) -> None:
    november, item = await agenda(api)
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf_of())) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="a", user="b"))
    made = await hand_in(api, f"/agenda-items/{item}/attachments", "Låst.pdf", locked.getvalue())
    assert (made.json()["files"][0]["pages"], made.json()["files"][0]["unbound"]) == (None, "encrypted")
    text = text_of(await current(api, november), tmp_path)
    assert "finns som fil för sig: den är skyddad" in text
    assert made.json()["files"][0]["content"]["sha256"][:20] in text


@pytest.mark.parametrize("gone", ["cancelled", "unknown", "unregistered"])
async def test_papers_are_not_published_of_a_meeting_that_nobody_is_asked_to(
    api: httpx.AsyncClient, service: Service, gone: str
) -> None:
    november = await meeting(api)
    if gone == "cancelled":
        await body_with_people(api)
        await api.post(f"/meetings/{november}/cancel", json={"reason": "Krock"})
    answer = await api.post(f"/meetings/{'x' if gone == 'unknown' else november}/papers/publications", json={})
    assert answer.status_code == (404 if gone == "unknown" else 409)
    assert await facts(service) == []
