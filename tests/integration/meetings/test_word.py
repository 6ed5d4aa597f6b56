"""A Word document is read by the API: its Markdown drafts, and what is dangerous is told in one sentence."""

import httpx

from tests.integration.meetings.test_meetings import draft, schedule
from tests.unit.meetings.test_word import FRONT
from tests.unit.meetings.word_documents import document, external, text


async def test_what_was_read_from_word_is_drafted(api: httpx.AsyncClient) -> None:
    meeting = await schedule(api)
    content = document(*FRONT, text("§ 28 Delårsrapport"), text("Beslut"), text("Rapporten godkänns."))
    read = await api.post(f"/meetings/{meeting}/minutes/word", content=content)
    assert read.status_code == 200, read.text
    assert read.json()["not_kept"] == ["before the first paragraph: Kallade: alla"]
    drafted = await draft(api, meeting, read.json()["markdown"])
    assert drafted.status_code == 201, drafted.text
    assert drafted.json()["first_paragraph"] == 28


async def test_what_is_dangerous_or_too_large_is_refused(api: httpx.AsyncClient) -> None:
    meeting = await schedule(api)
    refused = await api.post(f"/meetings/{meeting}/minutes/word", content=external("attachedTemplate"))
    assert refused.status_code == 422
    assert "loads a template from elsewhere" in refused.json()["detail"]
    large = await api.post(f"/meetings/{meeting}/minutes/word", content=b"x" * (21 * 1024 * 1024))
    assert large.status_code == 413
    assert "at most 20 MiB" in large.json()["detail"]
    assert (await api.post("/meetings/none/minutes/word", content=b"x")).status_code == 404
