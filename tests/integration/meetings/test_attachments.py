"""Attachments on a real database and a real blob store: handed in, replaced, moved with their item, refused."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shared.auth import Role
from shared.service import Service
from tests.integration.meetings.test_agenda import add, board, meeting, move
from tests.integration.meetings.test_meetings import TOKENS
from tests.unit.meetings.test_attachment import DOCX, HTML
from tests.unit.rendering.test_binding import image_of, pdf_of

PDF, PNG = pdf_of(), image_of("PNG")


async def hand_in(api: httpx.AsyncClient, path: str, name: str, content: bytes, **said: Any) -> httpx.Response:
    return await api.post(path, params={"name": name, **said}, content=content)


async def test_what_is_sent_again_under_its_key_is_answered_as_before(api: httpx.AsyncClient) -> None:
    path = f"/agenda-items/{await item(api)}/attachments"
    key = {"Idempotency-Key": '"first"'}
    sent = [await api.post(path, params={"name": "a.pdf"}, content=PDF, headers=key) for _ in range(2)]
    assert sent[0].status_code == 201
    assert (sent[0].json(), sent[0].headers["location"]) == (sent[1].json(), sent[1].headers["location"])
    other = await api.post(path, params={"name": "a.pdf"}, content=PDF + b"%\n", headers=key)
    assert other.status_code == 422, "another file under the key"
    versions = f"/attachments/{sent[0].json()['id']}/versions"
    asked = {"params": {"name": "a.pdf", "version": 1}, "content": PDF + b"%\n"}
    replaced = [await api.post(versions, headers={"Idempotency-Key": '"second"'}, **asked) for _ in range(2)]  # type: ignore[arg-type]
    assert [one.status_code for one in replaced] == [200, 200], "not refused as another version by then"
    assert replaced[0].json() == replaced[1].json()


async def item(api: httpx.AsyncClient) -> str:
    await board(api)
    return str((await add(api, await meeting(api), "Ekonomi"))["id"])


async def test_a_file_is_handed_in_read_and_replaced(api: httpx.AsyncClient) -> None:
    ekonomi = await item(api)
    path = f"/agenda-items/{ekonomi}/attachments"
    answer = await hand_in(api, path, "Budget 2023.pdf", PDF)
    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/attachments/{made['id']}"
    assert (made["details"]["title"], made["files"][0]["late"]) == ("Budget 2023", False)
    assert made["files"][0]["content"] == {
        "sha256": hashlib.sha256(PDF).hexdigest(),
        "size": len(PDF),
        "media_type": "application/pdf",
    }
    assert (await hand_in(api, path, "Budget 2023.pdf", PDF)).json() == made, "sent twice, it is one"
    secret = await hand_in(api, path, "Budget 2023.pdf", PDF, confidential=True)
    assert secret.status_code == 409, "it is open, and stays so"
    assert "is for everyone" in secret.json()["detail"]
    newer = PDF + b"%\n"
    replaced = (await hand_in(api, f"/attachments/{made['id']}/versions", "Budget.pdf", newer, version=1)).json()
    assert [one["number"] for one in replaced["files"]] == [1, 2]
    again = await hand_in(api, f"/attachments/{made['id']}/versions", "Budget.pdf", PDF, version=1)
    assert again.status_code == 409, "another version was looked at"
    shown = await api.get(f"/attachments/{made['id']}/content")
    assert (shown.content, shown.headers["content-type"]) == (newer, "application/pdf")
    assert shown.headers["content-disposition"].startswith("inline")
    assert (await api.get(f"/attachments/{made['id']}/content?number=1")).content == PDF
    assert (await api.get(f"/attachments/{made['id']}/content?number=3")).status_code == 404


async def test_what_could_run_is_kept_as_a_file_and_opened_without_rights(api: httpx.AsyncClient) -> None:
    path = f"/agenda-items/{await item(api)}/attachments"
    for name, content in (("sida.html", HTML), ("bild.svg", b"<svg/>"), ("brev.docx", DOCX), ("okänd", HTML)):
        made = (await hand_in(api, path, name, content)).json()
        shown = await api.get(f"/attachments/{made['id']}/content")
        assert shown.content == content
        assert shown.headers["content-disposition"].startswith("attachment"), name
        assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert shown.headers["x-content-type-options"] == "nosniff"
    image = (await hand_in(api, path, "karta.png", PNG)).json()
    assert (await api.get(f"/attachments/{image['id']}/content")).headers["content-type"] == "image/png"


async def test_a_file_that_lies_or_is_too_large_changes_nothing(api: httpx.AsyncClient) -> None:
    """Beyond what other requests may hold, and not beyond what a file may."""
    path = f"/agenda-items/{await item(api)}/attachments"
    lying = await hand_in(api, path, "protokoll.pdf", HTML)
    assert lying.status_code == 422
    assert lying.json()["type"] == "urn:justera:problem:file-type"
    assert lying.json()["detail"] == "protokoll.pdf is not a PDF: its content is HTML or XML"
    assert (await hand_in(api, path, "a.pdf", b"")).json()["detail"] == "the file is empty"
    damaged = await hand_in(api, path, "a.pdf", PDF[:200])
    assert damaged.json()["detail"] == "a.pdf is damaged: it cannot be read"
    assert (await hand_in(api, path, "a\u202efdp.pdf", PDF)).status_code == 422
    large = await hand_in(api, path, "a.pdf", PDF + bytes(26 * 1024 * 1024))
    assert (large.status_code, large.json()["type"]) == (413, "urn:justera:problem:too-large")
    assert (await api.get(path)).json() == {"attachments": []}
    assert (await hand_in(api, path, "a.pdf", PDF + bytes(3 * 1024 * 1024))).status_code == 201
    assert (await hand_in(api, "/agenda-items/nobody/attachments", "a.pdf", PDF)).status_code == 404
    assert (await hand_in(api, "/attachments/nobody/versions", "a.pdf", PDF)).status_code == 404
    other = await api.post("/meetings", content=b"{" + b" " * 3 * 1024 * 1024)
    assert other.status_code == 413


async def test_attachments_are_ordered_described_and_removed(api: httpx.AsyncClient) -> None:
    path = f"/agenda-items/{await item(api)}/attachments"
    first, second = [(await hand_in(api, path, f"{name}.pdf", PDF)).json()["id"] for name in "ab"]
    wanted = {"attachments": [second, first], "seen": [first, second]}
    assert [one["id"] for one in (await api.put(f"{path}/order", json=wanted)).json()["attachments"]] == [second, first]
    assert (await api.put(f"{path}/order", json=wanted)).status_code == 409
    details = {"title": "Löner", "confidential": True}
    changed = (await api.put(f"/attachments/{first}", json=details)).json()
    assert (changed["details"], changed["version"]) == (details, 2)
    assert (await api.delete(f"/attachments/{first}?version=1")).status_code == 409
    assert (await api.delete(f"/attachments/{first}?version=2")).status_code == 204
    assert [one["id"] for one in (await api.get(path)).json()["attachments"]] == [second]


async def test_an_attachment_follows_its_item_and_goes_with_it(api: httpx.AsyncClient) -> None:
    await board(api)
    october, november = await meeting(api, "2022-10-28"), await meeting(api)
    follow_up = await add(api, october, "Uppföljning T2")
    path = f"/agenda-items/{follow_up['id']}/attachments"
    made = (await hand_in(api, path, "T2.pdf", PDF)).json()
    await move(api, follow_up, november)
    assert (await api.get(path)).json()["attachments"] == [made]
    removed = await add(api, november, "Fel")
    other = (await hand_in(api, f"/agenda-items/{removed['id']}/attachments", "T2.pdf", PDF)).json()
    assert (await api.delete(f"/agenda-items/{removed['id']}")).status_code == 204
    assert (await api.get(f"/attachments/{other['id']}")).status_code == 404


async def test_what_comes_after_the_last_day_of_the_notice_is_late(service: Service, api: httpx.AsyncClient) -> None:
    """The notice of 25 November goes out by Friday the 18th."""
    ekonomi = await item(api)
    path = f"/agenda-items/{ekonomi}/attachments"
    clock = service.commands.attachments._clock
    clock.move_to(datetime(2022, 11, 18, 22, 0, tzinfo=UTC))  # 23 o'clock in Stockholm
    made = (await hand_in(api, path, "Budget.pdf", PDF)).json()
    assert made["files"][0]["late"] is False
    clock.move_to(datetime(2022, 11, 18, 23, 0, tzinfo=UTC))
    replaced = (await hand_in(api, f"/attachments/{made['id']}/versions", "Budget.pdf", PDF + b"%")).json()
    assert [one["late"] for one in replaced["files"]] == [False, True]
    assert (await hand_in(api, path, "Sent.pdf", PDF)).json()["files"][0]["late"] is True
    clock.move_to(datetime(2022, 11, 26, tzinfo=UTC))
    assert (await hand_in(api, path, "Efteråt.pdf", PDF)).status_code == 409, "the meeting was held"


async def test_late_is_what_missed_the_notice_of_the_meeting_where_its_item_stands_by_now(
    service: Service, api: httpx.AsyncClient
) -> None:
    """October's notice went out by the 21st. What came after it is in time for November's, until that one's day."""
    await board(api)
    october, november = await meeting(api, "2022-10-28"), await meeting(api)
    ekonomi = await add(api, october, "Uppföljning T2")
    path = f"/agenda-items/{ekonomi['id']}/attachments"
    clock = service.commands.attachments._clock
    clock.move_to(datetime(2022, 10, 24, 8, tzinfo=UTC))
    made = (await hand_in(api, path, "T2.pdf", PDF)).json()
    assert made["files"][0]["late"] is True
    assert (await api.get(f"/attachments/{made['id']}")).json() == made

    strike = {"to_meeting_id": november, "reason": "Krock"}
    assert (await api.post(f"/meetings/{october}/strike", json=strike)).is_success
    assert [one["files"][0]["late"] for one in (await api.get(path)).json()["attachments"]] == [False]
    details = (await api.get(f"/meetings/{november}")).json()["details"]
    for day, late in (("2022-10-27", True), ("2022-11-28", False)):
        dated = {**details, "starts": f"{day}T13:00", "ends": f"{day}T15:00"}
        assert (await api.put(f"/meetings/{november}", json=dated)).is_success
        assert (await api.get(f"/attachments/{made['id']}")).json()["files"][0]["late"] is late
        published = (await api.post(f"/meetings/{november}/papers/publications", json={})).json()
        assert [(one["title"], one["late"]) for one in published["files"]] == [("T2", late)]
        assert published["late"] == (["T2"] if late else [])


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
async def test_others_read_and_do_not_hand_in(service: Service, api: httpx.AsyncClient, role: Role) -> None:
    path = f"/agenda-items/{await item(api)}/attachments"
    made = (await hand_in(api, path, "a.pdf", PDF)).json()
    api.headers["authorization"] = f"Bearer {TOKENS[role]}"
    assert (await api.get(f"/attachments/{made['id']}/content")).content == PDF
    for answer in (
        await hand_in(api, path, "b.pdf", PDF),
        await hand_in(api, f"/attachments/{made['id']}/versions", "b.pdf", PDF),
        await api.delete(f"/attachments/{made['id']}"),
    ):
        assert answer.status_code == 403
