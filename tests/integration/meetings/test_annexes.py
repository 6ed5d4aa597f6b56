"""Annexes of minutes on a real database and blob store: handed in, named, bound into the PDF or listed, kept."""

import hashlib
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.auth import Role
from shared.service import Service
from tests.integration.meetings.test_agenda import add
from tests.integration.meetings.test_attachments import hand_in
from tests.integration.meetings.test_meetings import MEETING, TOKENS, draft, minutes, outbox
from tests.integration.rendering.tools import attachments_of, poppler
from tests.unit.meetings.test_attachment import HTML
from tests.unit.rendering.test_binding import pdf_of

PDF = pdf_of()


async def meeting(api: httpx.AsyncClient, day: str = "2022-09-23", **rules: str) -> str:
    body = {"name": MEETING["body"], "kind": "board", "rules": rules}
    assert (await api.post("/bodies", json={"details": body})).status_code == 201
    times = {"starts": f"{day}T13:00", "ends": f"{day}T15:00"}
    return str((await api.post("/meetings", json=MEETING | times)).json()["id"])


def with_annex(file: str, **more: str) -> str:
    fields = "".join(f", {name}: {value}" for name, value in more.items())
    front = minutes(paragraphs=2).replace("\n---\n", f"\nannexes:\n  - {{title: Plan, file: {file}{fields}}}\n---\n")
    return front + "\n### Bilaga\n\n- Plan\n"


async def original(api: httpx.AsyncClient, meeting_id: str, folder: Path) -> tuple[str, dict[str, bytes]]:
    """Its words, and what lies in it."""
    path = folder / "original.pdf"
    path.write_bytes((await api.get(f"/meetings/{meeting_id}/minutes.pdf")).content)
    words = " ".join(poppler("pdftotext", str(path), "-").split())
    return words, attachments_of(path, folder / "attached")


async def test_a_file_is_handed_in_named_and_bound_into_the_minutes(
    service: Service, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    meeting_id = await meeting(api)
    path = f"/meetings/{meeting_id}/annexes"
    answer = await hand_in(api, path, "Plan 2023.pdf", PDF)
    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{path}/{made['id']}/content"
    assert (await api.get(answer.headers["location"])).content == PDF
    assert (await hand_in(api, path, "Plan 2023.pdf", PDF)).json() == made, "sent twice, it is one"
    [listed] = (await api.get(path)).json()["files"]
    assert (listed["name"], listed["origin"], listed["sha256"]) == (
        *("Plan 2023.pdf", "minutes"),
        hashlib.sha256(PDF).hexdigest(),
    )

    drafted = await draft(api, meeting_id, with_annex("Plan 2023.pdf"))
    assert drafted.status_code == 201, drafted.text
    words, attached = await original(api, meeting_id, tmp_path)
    assert attached == {"bilaga-1.pdf": PDF}
    assert "– Bilaga 1: Plan" in words
    assert hashlib.sha256(PDF).hexdigest() in words
    html = (await api.get(f"/meetings/{meeting_id}/minutes.html")).text
    assert hashlib.sha256(PDF).hexdigest() in html

    # Replaced or taken away, the drafted minutes keep theirs.
    again = await hand_in(api, path, "plan 2023.PDF", pdf_of(2))
    assert (again.json()["id"], again.json()["name"]) == (made["id"], "plan 2023.PDF")
    assert (await api.delete(f"{path}/{made['id']}")).status_code == 204
    assert (await api.get(path)).json() == {"files": []}
    assert (await api.delete(f"{path}/{made['id']}")).status_code == 404
    assert (await api.get(f"{path}/{made['id']}/content")).status_code == 404
    (tmp_path / "again").mkdir()
    assert (await original(api, meeting_id, tmp_path / "again"))[1] == attached
    assert len(await outbox(service)) == 3, "the body, the meeting, the draft; no file is told of"


async def test_a_body_may_choose_that_annexes_are_listed_alone(api: httpx.AsyncClient, tmp_path: Path) -> None:
    meeting_id = await meeting(api, annexes="listed")
    await hand_in(api, f"/meetings/{meeting_id}/annexes", "plan.pdf", PDF)
    assert (await draft(api, meeting_id, with_annex("plan.pdf"))).status_code == 201
    words, attached = await original(api, meeting_id, tmp_path)
    assert attached == {}
    assert "ligger inte i protokollets PDF" in words
    assert hashlib.sha256(PDF).hexdigest() in words


async def test_an_attachment_of_the_agenda_is_an_annex_by_name_and_hash(api: httpx.AsyncClient, tmp_path: Path) -> None:
    meeting_id = await meeting(api, day="2022-11-25")
    item = (await add(api, meeting_id, "Ekonomi"))["id"]
    attachment = (await hand_in(api, f"/agenda-items/{item}/attachments", "plan.pdf", PDF)).json()
    await hand_in(api, f"/attachments/{attachment['id']}/versions", "plan.pdf", pdf_of(2))
    secret = (await hand_in(api, f"/agenda-items/{item}/attachments", "lön.pdf", PDF, confidential=True)).json()
    refused = await draft(api, meeting_id, with_annex("plan.pdf", sha256="0" * 64))
    assert (refused.status_code, refused.json()["detail"]) == (
        422,
        "line 11: annexes, number 1: plan.pdf is another file than the one whose SHA-256 is given",
    )
    refused = await draft(api, meeting_id, with_annex("borta.pdf"))
    assert "line 11: annexes, number 1: the meeting has no file 'borta.pdf'" in refused.json()["detail"]
    first = hashlib.sha256(PDF).hexdigest()
    two = with_annex("plan.pdf", sha256=first).replace(
        "\n---\n##", f"\n  - {{title: Lön, file: {secret['id']}}}\n---\n##"
    )
    drafted = await draft(api, meeting_id, two + "- Lön\n")
    assert drafted.status_code == 201, drafted.text
    words, attached = await original(api, meeting_id, tmp_path)
    assert attached == {"bilaga-1.pdf": PDF}, "the older version that was meant; what is confidential stays outside"
    assert re.search(r"Bilaga 2: Lön, § \d+ Filen lön.pdf \(\d+ kB\) förvaras", words)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [("plan.pdf", HTML, "is not a PDF"), ("plan.pdf", b"", "empty"), ("a\u202eb.pdf", PDF, "name")],
)
async def test_what_is_no_fit_file_is_refused(api: httpx.AsyncClient, name: str, content: bytes, told: str) -> None:
    answer = await hand_in(api, f"/meetings/{await meeting(api)}/annexes", name, content)
    assert answer.status_code == 422
    assert told in answer.text


async def test_a_file_that_is_too_large_or_for_no_meeting_is_refused(service: Service, api: httpx.AsyncClient) -> None:
    largest = service.commands.annexes.largest
    answer = await hand_in(api, f"/meetings/{await meeting(api)}/annexes", "a.bin", b"x" * (largest + 1))
    assert answer.status_code == 413
    assert (await hand_in(api, "/meetings/nowhere/annexes", "a.pdf", PDF)).status_code == 404


async def test_who_only_reads_hands_nothing_in(api: httpx.AsyncClient) -> None:
    path = f"/meetings/{await meeting(api)}/annexes"
    reader: dict[str, Any] = {"headers": {"authorization": f"Bearer {TOKENS[Role.AUDITOR]}"}}
    assert (await api.get(path, **reader)).status_code == 200
    assert (await api.post(path, params={"name": "a.pdf"}, content=PDF, **reader)).status_code == 403
    assert (await api.delete(f"{path}/x", **reader)).status_code == 403
