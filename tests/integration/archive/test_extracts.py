"""Extracts of archived minutes: one paragraph, certified by a person, sealed; judged by veraPDF, pdfsig, our verify."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from services.archive.extracts import ExtractWanted
from services.archive.verification import verify_final
from shared.errors import InvalidInput, NotFound, Refused
from tests.integration.archive.completed import AGREEMENT, ORGANISATION, Archive, message
from tests.integration.archive.test_api import as_
from tests.integration.rendering.tools import assert_conforms, attachments_of, poppler

WANTED = ExtractWanted(paragraph=30, certified_by="Karin Ek, registrator")


@pytest.fixture
async def archived(archive: Archive) -> Archive:
    await archive.bring(message(await archive.completed()))
    assert await archive.worker.archive_one()
    return archive


async def test_an_extract_is_one_paragraph_certified_and_sealed(archived: Archive, tmp_path: Path) -> None:
    archived.clock.move_to(datetime(2022, 10, 3, 8, tzinfo=UTC))
    extracts = archived.commands.extracts
    made = await extracts.certify(ORGANISATION, AGREEMENT, WANTED, asked_by="token")
    assert (made.number, made.paragraph, made.certified_by, made.test_seal) == (1, 30, WANTED.certified_by, True)
    name, pdf = await extracts.pdf(ORGANISATION, AGREEMENT, 1)
    assert name == "Protokoll styrelsen Kommunalförbundet Norrdalen 2022-09-23 § 30"

    path = tmp_path / "extract.pdf"
    path.write_bytes(pdf)
    assert_conforms(path)
    signed = poppler("pdfsig", "-nocert", str(path))
    assert "Signature Validation: Signature is Valid." in signed
    assert "Total document signed" in signed
    words = " ".join(poppler("pdftotext", str(path), "-").split())
    assert "Protokollsutdrag Protokoll styrelsen Kommunalförbundet Norrdalen Organ: Styrelsen" in words
    assert "§ 30 Arbetsordning" in words
    assert "Utdragets riktighet bestyrkes Karin Ek, registrator 3 okt 2022 10:00 GMT+2" in words
    assert "Sekreterare: Maja Lind (27 sep 2022 00:04 GMT+2)" in words
    copy = await archived.commands.queries.copy(ORGANISATION, AGREEMENT)
    assert copy.sha256 in words
    # Nothing of another paragraph, and no address of who signed, neither on the pages nor in what is attached.
    assert "Ledningens information" not in words
    attached = attachments_of(path, tmp_path / "attached")
    assert attached.keys() == {"extract.json"}
    assert json.loads(attached["extract.json"])["sealed_copy_sha256"] == copy.sha256
    assert b"norrdalen.example" not in pdf

    found = await asyncio.to_thread(verify_final, pdf)
    assert found.broken is None
    assert any("an extract of § 30" in one for one in found.integrity.remarks)
    changed = await asyncio.to_thread(verify_final, pdf.replace(b"/Type", b"/Typo", 1))
    assert changed.broken is not None


async def test_each_extract_of_the_same_minutes_has_a_number_of_its_own(archived: Archive) -> None:
    extracts = archived.commands.extracts
    made = await asyncio.gather(
        *(extracts.certify(ORGANISATION, AGREEMENT, WANTED, asked_by="token") for _ in range(3))
    )
    assert sorted(one.number for one in made) == [1, 2, 3]
    assert await extracts.made(ORGANISATION, AGREEMENT) == sorted(made, key=lambda one: one.number)
    assert (await extracts.paragraphs(ORGANISATION, AGREEMENT))[2] == (30, "Arbetsordning")


async def test_what_is_not_there_is_told_and_nothing_is_made(archived: Archive) -> None:
    extracts = archived.commands.extracts
    for organisation, agreement, wanted, told in (
        (ORGANISATION, AGREEMENT, WANTED.model_copy(update={"paragraph": 99}), "no § 99; theirs are §§ 28–32"),
        (ORGANISATION, "another", WANTED, "not in the archive"),
        ("elsewhere", AGREEMENT, WANTED, "not in the archive"),
    ):
        with pytest.raises(NotFound, match=told):
            await extracts.certify(organisation, agreement, wanted, asked_by="token")
    for by in ("", "x" * 201, "a\nb\u202e"):
        with pytest.raises(InvalidInput, match="certified_by"):
            await extracts.certify(
                ORGANISATION, AGREEMENT, WANTED.model_copy(update={"certified_by": by}), asked_by="token"
            )
    assert await extracts.made(ORGANISATION, AGREEMENT) == []
    with pytest.raises(NotFound, match="no extract 1"):
        await extracts.pdf(ORGANISATION, AGREEMENT, 1)


async def test_there_is_an_end_of_them(archived: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.archive.extracts.MOST_EXTRACTS", 1)
    extracts = archived.commands.extracts
    await extracts.certify(ORGANISATION, AGREEMENT, WANTED, asked_by="token")
    with pytest.raises(Refused, match="no more"):
        await extracts.certify(ORGANISATION, AGREEMENT, WANTED, asked_by="token")


async def test_a_secretary_makes_one_by_the_api_and_all_roles_read_it(archived: Archive) -> None:
    path = f"/protocols/{AGREEMENT}/extracts"
    transport = httpx.ASGITransport(archived.service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://archive.example") as api:
        for role in ("auditor", "operator"):
            assert (await api.post(path, json=WANTED.model_dump(), headers=as_(role))).status_code == 403
        key = as_("secretary") | {"idempotency-key": "one"}
        answers = [await api.post(path, json=WANTED.model_dump(), headers=key) for _ in range(2)]
        assert [one.status_code for one in answers] == [201, 201], answers[0].text
        assert answers[0].json() == answers[1].json()
        assert answers[0].headers["location"] == f"{path}/1"
        wrong = await api.post(path, json={"paragraph": 0, "certified_by": "Karin Ek"}, headers=as_("secretary"))
        assert wrong.status_code == 422
        assert len((await api.get(path, headers=as_("auditor"))).json()["extracts"]) == 1
        fetched = await api.get(f"{path}/1", headers=as_("auditor"))
        assert fetched.content.startswith(b"%PDF-")
        assert "%C2%A7%2030.pdf" in fetched.headers["content-disposition"]
        assert (await api.get(path, headers=as_("stranger"))).status_code == 404
        assert (await api.get(f"{path}/1", headers=as_("stranger"))).status_code == 404
