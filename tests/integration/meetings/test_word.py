"""A Word document is read by the API: its Markdown drafts, and what is dangerous is told in one sentence."""

from datetime import datetime

import httpx
import pytest

from services.meetings.minutes.word import Known, read_word
from services.meetings.minutes.word_reading import read_apart, word_reader
from shared.errors import InvalidInput, TooLarge
from shared.rendering.press import Limits, Press
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


KNOWN = Known("Styrelsen", "Styrelsen", "Digitalt", datetime(2022, 9, 23, 13), datetime(2022, 9, 23, 15))


async def test_a_document_is_read_in_another_process_which_ends_when_it_takes_too_long() -> None:
    long = document(text("§ 1 A"), *(text("Ett stycke med ord i.") for _ in range(6000)))
    reader = word_reader()
    try:
        found = await read_apart(reader, document(text("§ 28 Å")), KNOWN)
        assert found == read_word(document(text("§ 28 Å")), KNOWN)
        with pytest.raises(InvalidInput, match="holds macros"):
            await read_apart(reader, document(text("§ 1 A"), parts={"word/vbaProject.bin": b"x"}), KNOWN)
        with pytest.raises(TooLarge, match="at most 20 MiB, and this one 21"):
            await read_apart(reader, b"x" * (21 * 1024**2), KNOWN)
        assert (await read_apart(reader, long, KNOWN)).markdown.count("Ett stycke") == 6000
    finally:
        await reader.stop()
    impatient = Press(Limits(seconds=0.05), at_once=1, child="services.meetings.minutes.word_child")
    with pytest.raises(InvalidInput, match="takes longer to read"):
        await read_apart(impatient, long, KNOWN)
    await impatient.stop()
