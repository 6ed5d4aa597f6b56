"""From AgreementCompleted to a sealed copy: exactly one, whatever dies or comes twice on the way."""

import asyncio
import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import select, text

from services.archive import archiving, store
from services.archive.archiving import Archiving
from services.archive.transaction import ArchiveTransaction
from services.archive.verification import verify_final
from shared.blobs import BlobStore
from shared.errors import NotFound, Unavailable
from shared.events import BlobRef, ProtocolArchived
from shared.messaging.tables import OUTBOX
from shared.rendering.minutes import Annex
from shared.rendering.render import render_minutes
from shared.row_security import for_all
from shared.turns import Turns
from tests.integration.archive import completed
from tests.integration.archive.completed import (
    AGREEMENT,
    COMPLETED,
    MEETING,
    ORGANISATION,
    SIGNERS,
    Archive,
    chain,
    message,
)
from tests.integration.rendering.sample import sample_minutes
from tests.integration.rendering.tools import assert_conforms, attachments_of, poppler


async def published(archive: Archive) -> list[Any]:
    async with archive.service.database.transaction() as connection:
        return list(await connection.execute(select(OUTBOX.c.attributes, OUTBOX.c.data).order_by(OUTBOX.c.id)))


async def due(archive: Archive) -> None:
    """Let leases and delays pass."""
    async with archive.service.database.transaction() as connection:
        await connection.execute(text("UPDATE archiving_job SET due_at = clock_timestamp()"))


async def test_the_whole_way(archive: Archive, tmp_path: Any) -> None:
    completed = await archive.completed()
    raw = message(completed)
    await archive.bring(raw)
    assert await archive.service.pending() == 1
    assert await archive.worker.archive_one()
    assert await archive.service.pending() == 0

    pdf = await archive.commands.sealed_copy(ORGANISATION, AGREEMENT)
    assert (await asyncio.to_thread(verify_final, pdf)).broken is None
    ((attributes, data),) = await published(archive)
    event = ProtocolArchived.from_json(data)
    assert (attributes["subject"], attributes["sequence"], attributes["correlationid"]) == (AGREEMENT, "1", MEETING)
    assert attributes["causationid"] == dict(raw.headers)["ce_id"].decode()
    assert attributes["time"] == "2022-09-27T06:00:00.000000Z"
    assert (event.recipients, event.test_seal, event.language) == (completed.recipients, True, "sv")

    manifest = json.loads(await archive.blobs.get(ORGANISATION, event.manifest))
    assert manifest["format"] == "justera-archive-manifest/1"
    assert manifest["test_seal"] is True
    assert len(manifest["seal"]["certificate_sha256"]) == 64
    assert {one["name"]: one["sha256"] for one in manifest["objects"]} == {
        "protocol.pdf": event.sealed.sha256,
        "original.pdf": completed.document.sha256,
        "history.json": completed.history.sha256 if completed.history else "",
        "render-input.json": completed.render_input.sha256,
    }

    path = tmp_path / "final.pdf"
    path.write_bytes(pdf)
    assert "Signature Validation: Signature is Valid." in poppler("pdfsig", "-nocert", str(path))
    assert attachments_of(path, tmp_path / "attached")["original.pdf"] == archive.documents.original
    words = poppler("pdftotext", "-layout", str(path), "-")
    assert "Olof Berg (27 sep 2022 00:04 GMT+2)" in words
    assert "Dokumentet skapades av Karin Ek" in words


async def test_the_sealed_copy_holds_the_annexes_that_are_bound_in(archive: Archive, tmp_path: Path) -> None:
    """What is only listed stands in the manifest: the archive has it by its content, too."""
    minutes = sample_minutes()
    refs = [await archive.put(content) for content in (b"a plan", b"wages")]
    annexes = tuple(
        Annex(number=n, title=f"Plan {n}", file_name=f"{n}.pdf", content=ref, bound=n == 1)
        for n, ref in enumerate(refs, 1)
    )
    minutes = minutes.model_copy(update={"annexes": annexes})
    original = render_minutes(minutes, at=completed.CREATED, annexes={1: b"a plan"})
    archive.documents = completed.Documents(original, minutes.model_dump_json().encode())
    await archive.bring(message(await archive.completed()))
    assert await archive.worker.archive_one()
    path = tmp_path / "final.pdf"
    path.write_bytes(await archive.commands.sealed_copy(ORGANISATION, AGREEMENT))
    assert_conforms(path)
    attached = attachments_of(path, tmp_path / "attached")
    assert attached.keys() == {"original.pdf", "history.json", "bilaga-1.pdf"}
    assert attached["bilaga-1.pdf"] == b"a plan"
    ((_, data),) = await published(archive)
    manifest = json.loads(await archive.blobs.get(ORGANISATION, ProtocolArchived.from_json(data).manifest))
    named = {one["name"]: one["sha256"] for one in manifest["objects"]}
    assert (named["bilaga-1.pdf"], named["bilaga-2.pdf"]) == (refs[0].sha256, refs[1].sha256)


async def test_completed_twice_is_archived_once(archive: Archive) -> None:
    completed = await archive.completed()
    raw = message(completed)
    await archive.bring(raw, raw)
    await archive.bring(message(completed))
    assert await archive.service.pending() == 1
    assert await archive.worker.archive_one()
    await archive.bring(raw)
    await archive.bring(message(completed))
    while await archive.worker.archive_one():
        await due(archive)
    assert len(await published(archive)) == 1
    assert await archive.service.pending() == 0


class Killed(SystemExit):
    """The process ends here: nothing of ours catches it."""


@pytest.mark.parametrize("where", ["after sealing", "after storing", "before the commit"])
async def test_a_process_that_dies_on_the_way(archive: Archive, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(*_: object, **__: object) -> None:
        raise Killed

    def die_at_once(*_: object, **__: object) -> None:
        raise Killed

    moments = {
        "after sealing": (BlobStore, "put", die),
        "after storing": (Archiving, "_manifest", die_at_once),
        "before the commit": (ArchiveTransaction, "_publish_archived", die_at_once),
    }
    await archive.bring(message(await archive.completed()))
    with monkeypatch.context() as patch:
        patch.setattr(*moments[where])
        with pytest.raises(Killed):
            await archive.worker.archive_one()
    assert await published(archive) == []
    assert not await archive.worker.archive_one(), "the dead process still holds its lease"
    await due(archive)
    assert await archive.worker.archive_one()
    assert len(await published(archive)) == 1
    assert not await archive.worker.archive_one()


async def test_two_workers_on_one_job_archive_it_once(archive: Archive) -> None:
    """A lease that ended while its holder was slow."""
    await archive.bring(message(await archive.completed()))
    inner = archive.blobs.put
    first_is_slow, second_is_done = asyncio.Event(), asyncio.Event()

    async def slow_put(organisation: str, data: bytes, media_type: str) -> BlobRef:
        if not first_is_slow.is_set():
            first_is_slow.set()
            await second_is_done.wait()
        return await inner(organisation, data, media_type)

    archive.blobs.put = slow_put  # type: ignore[method-assign]
    slow = asyncio.create_task(archive.worker.archive_one())
    await first_is_slow.wait()
    await due(archive)
    assert await archive.worker.archive_one()
    second_is_done.set()
    assert await slow
    assert len(await published(archive)) == 1
    assert await archive.service.pending() == 0


async def test_trouble_of_the_infrastructure_is_waited_out(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> bytes:
        raise Unavailable("the blob store does not answer")

    await archive.bring(message(await archive.completed()))
    with monkeypatch.context() as patch:
        patch.setattr(BlobStore, "get", away)
        for _ in range(archiving.MOST_ATTEMPTS + 2):
            await due(archive)
            assert await archive.worker.archive_one()
    view = await archive.commands.queries.protocol(ORGANISATION, AGREEMENT)
    assert (view.state, view.attempts, view.reason) == ("waiting", 0, "the blob store does not answer")
    await due(archive)
    assert await archive.worker.archive_one()
    assert len(await published(archive)) == 1


class PanicException(BaseException):
    """As compiled code raises it."""


async def test_a_panic_is_a_failure_of_one_document_and_the_worker_goes_on(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archive.bring(message(await archive.completed()))
    with monkeypatch.context() as patch:
        patch.setattr(Archiving, "_manifest", Mock(side_effect=PanicException("start byte index 65535")))
        assert await archive.worker.archive_one()
    view = await archive.commands.queries.protocol(ORGANISATION, AGREEMENT)
    assert (view.state, view.reason) == ("waiting", "PanicException: start byte index 65535")
    await due(archive)
    assert await archive.worker.archive_one()
    assert len(await published(archive)) == 1


@pytest.mark.parametrize("name", ["Sven Dahl Ž\ufeff", "𝒮ven 👩‍👩‍👧 \ue000"])
async def test_a_name_that_passed_before_there_was_a_rule_is_archived(
    archive: Archive, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(completed, "SIGNERS", (("secretary", name, "sven.dahl@norrdalen.example"), *SIGNERS[1:]))
    await archive.bring(message(await archive.completed()))
    assert await archive.worker.archive_one()
    (tmp_path / "final.pdf").write_bytes(await archive.commands.sealed_copy(ORGANISATION, AGREEMENT))
    words = poppler("pdftotext", "-layout", str(tmp_path / "final.pdf"), "-")
    assert "ven" in words
    assert ("Sven Dahl Ž (27 sep 2022" in words) == ("Ž" in name)


async def test_an_altered_document_is_not_waited_out(archive: Archive, tmp_path: Path) -> None:
    completed = await archive.completed()
    digest = completed.document.sha256
    (tmp_path / "blobs" / ORGANISATION / digest[:2] / digest).write_bytes(b"%PDF-1.7 altered")
    await archive.bring(message(completed))
    for _ in range(archiving.MOST_ATTEMPTS):
        await due(archive)
        assert await archive.worker.archive_one()
    (failed,) = await archive.commands.failed_jobs()
    assert failed.reason == f"the document {digest[:12]} was altered in the blob store"


async def test_what_does_not_belong_together_fails_and_is_kept(archive: Archive) -> None:
    other = chain(archive._events(await archive.completed("another")), "ab" * 32, "another")
    await archive.bring(message(await archive.completed(history=await archive.put(other))))
    for _ in range(archiving.MOST_ATTEMPTS):
        await due(archive)
        assert await archive.worker.archive_one()
    (failed,) = await archive.commands.failed_jobs()
    assert failed.agreement_id == AGREEMENT
    assert failed.reason
    assert await archive.service.pending() == 0
    await due(archive)
    assert not await archive.worker.archive_one()
    with pytest.raises(NotFound):
        await archive.commands.sealed_copy(ORGANISATION, AGREEMENT)

    retried = await archive.commands.retry_job(ORGANISATION, AGREEMENT)
    assert (retried.state, retried.attempts) == ("waiting", 0)
    assert await archive.service.pending() == 1


@pytest.mark.parametrize(
    ("part", "content", "why"),
    [
        ("history", b"{", "the history is not JSON (line 1, column 2)"),
        ("render_input", b"{}", "the history speaks of another render input"),
        ("document", b"%PDF-1.7", "the history speaks of another document"),
    ],
)
async def test_each_document_is_checked(archive: Archive, part: str, content: bytes, why: str) -> None:
    await archive.bring(message(await archive.completed(**{part: await archive.put(content)})))
    assert await archive.worker.archive_one()
    view = await archive.commands.queries.protocol(ORGANISATION, AGREEMENT)
    assert (view.state, view.reason, view.completed_at) == ("waiting", why, COMPLETED)


async def test_the_worker_by_itself(archive: Archive) -> None:
    """Started, nudged by the consumer, and drained."""
    archive.worker.start()
    await archive.bring(message(await archive.completed()))
    for _ in range(200):
        if not await archive.service.pending():
            break
        await asyncio.sleep(0.05)
    await archive.worker.stop()
    assert len(await published(archive)) == 1


async def test_one_document_waits_for_no_hundreds_of_another_organisation(archive: Archive) -> None:
    """Those of one organisation come in the order in which they fell due."""
    completed = await archive.completed()
    numbers = range(40)
    for number in numbers:
        await archive.bring(message(completed, subject=f"noisy-{number:02}", organisation="bjorka"))
    await archive.bring(message(completed))
    turns, claimed = Turns(), []
    async with archive.service.database.single() as connection:
        with for_all("a test"):
            while job := await store.claim_job(connection, lease=60, turns=turns):
                claimed.append(job.agreement_id)
    assert AGREEMENT in claimed[:3]
    assert [one for one in claimed if one != AGREEMENT] == [f"noisy-{number:02}" for number in numbers]
