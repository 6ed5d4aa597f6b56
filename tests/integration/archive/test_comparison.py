"""What was rewritten in signing's database before completion is not sealed; someone is told, and decides."""

import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.archive import archiving, witnesses
from services.archive.queries import ProtocolView
from shared import history
from shared.errors import InvalidInput, NotFound
from shared.events import AgreementCompleted, ProtocolArchived
from tests.integration.archive.completed import (
    AGREEMENT,
    ORGANISATION,
    Archive,
    chain,
    message,
)
from tests.integration.archive.test_archiving import due, published

REASON = "Checked with the chair and the mail server's logs; case 14."


async def rewritten(archive: Archive) -> AgreementCompleted:
    """Another chain as whole as the first: the chair signed from elsewhere, says signing's database now."""
    completed = await archive.completed()
    assert completed.history is not None
    genuine = history.verify_chain(await archive.blobs.get(ORGANISATION, completed.history))
    events = [(entry.event(), entry.time) for entry in genuine.entries]
    chair = events[2][0]
    assert chair is not None
    events[2] = (chair.model_copy(update={"ip": "203.0.113.9"}), events[2][1])
    data = chain([(event, at) for event, at in events if event is not None], completed.document.sha256)
    assert history.verify_chain(data).head != genuine.head
    return completed.model_copy(update={"history": await archive.put(data)})


async def refused(archive: Archive) -> ProtocolView:
    (view,) = (await archive.commands.queries.protocols(ORGANISATION, "refused")).protocols
    return view


async def test_a_rewritten_history_is_not_sealed_and_the_entry_is_named(archive: Archive) -> None:
    await archive.bring(message(await rewritten(archive)))
    with capture_logs() as logs:
        assert await archive.worker.archive_one()
    (loud,) = [one for one in logs if one["event"] == "archiving.refused"]
    assert (loud["log_level"], loud["agreement_id"]) == ("error", AGREEMENT)
    assert await published(archive) == []
    assert not await archive.worker.archive_one(), "a person must look"
    view = await refused(archive)
    assert view.differences is not None
    assert view.differences[0] == "entry 2 (DocumentSigned): the journal has another ip"
    assert "the history is not what the journal has" in str(view.reason)
    assert "203.0.113.9" not in json.dumps(view.model_dump(mode="json")), "no one's data in what is told"


async def test_retried_it_is_compared_again(archive: Archive) -> None:
    await archive.bring(message(await rewritten(archive)))
    await archive.worker.archive_one()
    await archive.commands.retry_job(ORGANISATION, AGREEMENT)
    assert await archive.worker.archive_one()
    assert await published(archive) == []
    assert (await refused(archive)).differences


async def test_who_accepts_the_differences_stands_in_the_manifest(archive: Archive) -> None:
    await archive.bring(message(await rewritten(archive)))
    await archive.worker.archive_one()
    differences = (await refused(archive)).differences
    await archive.commands.accept_history(ORGANISATION, AGREEMENT, by="Karin Ek", reason=REASON)
    assert await archive.worker.archive_one()
    ((_, data),) = await published(archive)
    manifest = json.loads(await archive.blobs.get(ORGANISATION, ProtocolArchived.from_json(data).manifest))
    assert manifest["journal"]["agrees"] is False
    accepted = manifest["journal"]["accepted"]
    assert (accepted["by"], accepted["reason"], accepted["differences"]) == ("Karin Ek", REASON, differences)


async def test_other_differences_than_those_accepted_are_refused(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archive.bring(message(await rewritten(archive)))
    await archive.worker.archive_one()
    await archive.commands.accept_history(ORGANISATION, AGREEMENT, by="Karin Ek", reason=REASON)
    of_agreement = witnesses.of_agreement

    async def fewer(*arguments: object) -> object:
        return [one for one in await of_agreement(*arguments) if one.sequence != 2]  # type: ignore[arg-type]

    monkeypatch.setattr(witnesses, "of_agreement", fewer)
    await archive.worker.archive_one()
    assert await published(archive) == []
    assert len((await refused(archive)).differences or []) == 2


async def test_only_what_was_refused_can_be_accepted(archive: Archive) -> None:
    await archive.bring(message(await archive.completed()))
    with pytest.raises(NotFound):
        await archive.commands.accept_history(ORGANISATION, AGREEMENT, by="Karin Ek", reason=REASON)


async def test_another_head_is_refused(archive: Archive) -> None:
    """The same events, chained with other salts: each event agrees, the heads do not."""
    completed = await archive.completed()
    assert completed.history is not None
    genuine = history.verify_chain(await archive.blobs.get(ORGANISATION, completed.history))
    events = [(event, entry.time) for entry in genuine.entries if (event := entry.event()) is not None]
    again = await archive.put(chain(events, completed.document.sha256, salt=b"x" * 32))
    await archive.bring(message(completed.model_copy(update={"history": again})))
    await archive.worker.archive_one()
    differences = (await refused(archive)).differences or []
    assert differences[0].startswith("entry 0 (AgreementCreated): the journal has another head of the history here")


async def test_a_journal_that_lags_is_waited_for(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archiving, "_MOMENT", 0.0)
    completed = await archive.completed()
    raw = message(completed)
    await archive.bring(raw, journalled=False)
    assert await archive.worker.archive_one()
    (waiting,) = (await archive.commands.queries.protocols(ORGANISATION, "waiting")).protocols
    assert waiting.differences == ["entry 4 (AgreementCompleted): the journal has no such event"]
    await archive.journal(raw)
    await due(archive)
    assert await archive.worker.archive_one()
    assert len(await published(archive)) == 1


async def test_what_never_comes_into_the_journal_is_refused_at_last(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiving, "_MOMENT", 0.0)
    monkeypatch.setattr(archiving, "MOST_WAITS", 2)
    await archive.bring(message(await archive.completed()), journalled=False)
    assert await archive.worker.archive_one()
    await due(archive)
    assert await archive.worker.archive_one()
    assert (await refused(archive)).attempts == 2


async def test_a_journal_of_before_heads_is_enough(archive: Archive) -> None:
    completed = await archive.completed(agreement="of-an-earlier-version", heads=False)
    await archive.bring(message(completed, subject="of-an-earlier-version"))
    assert await archive.worker.archive_one()
    assert len(await published(archive)) == 1


async def test_changed_bytes_in_the_blob_store_are_not_sealed(archive: Archive, tmp_path: Path) -> None:
    completed = await archive.completed()
    assert completed.history is not None
    sha256 = completed.history.sha256
    blob = tmp_path / "blobs" / ORGANISATION / sha256[:2] / sha256
    blob.write_bytes(blob.read_bytes().replace(b"192.0.2.7", b"192.0.2.8"))
    await archive.bring(message(completed))
    assert await archive.worker.archive_one()
    assert await published(archive) == []
    assert sha256[:8] in str((await archive.commands.queries.protocol(ORGANISATION, AGREEMENT)).reason)


@pytest.mark.parametrize("reason", ["\0" * 20, " " * 20, "looked at it\u202e twice"])
async def test_a_reason_that_cannot_be_kept_is_refused(reason: str, archive: Archive) -> None:
    with pytest.raises(InvalidInput):
        await archive.commands.accept_history(ORGANISATION, AGREEMENT, by="Karin Ek", reason=reason)


async def test_a_forged_entry_vouches_for_nothing(archive: Archive) -> None:
    """Who rewrote the history publishes what would confirm it: the journal keeps that, and does not go by it."""
    completed = await rewritten(archive)
    assert completed.history is not None
    forged = history.verify_chain(await archive.blobs.get(ORGANISATION, completed.history)).entries[2]
    event = forged.event()
    assert event is not None
    await archive.service.subscriptions[1].handle([message(event, sequence=3, at=forged.time)])
    await archive.bring(message(completed))
    assert await archive.worker.archive_one()
    view = await refused(archive)
    assert view.differences is not None
    assert view.differences[0] == "entry 2 (DocumentSigned): the journal has another ip"
