import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.archive.seal import Sealer
from shared.events import AgreementCreated, Person
from shared.history import append, export, start
from shared.rendering.render import history_attachment, original_attachment, render_final, render_minutes
from tests.integration.rendering.sample import CREATED, sample_minutes, sample_report, sample_stamps


@dataclass(frozen=True)
class Copy:
    """A final copy with the parts that it was made of."""

    original: bytes
    history: bytes
    final: bytes
    sealed: bytes


@pytest.fixture(scope="session")
def authority_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority") / "ca"


@pytest.fixture(scope="session")
def sealer(authority_folder: Path) -> Sealer:
    return Sealer.from_test_authority(authority_folder)


@pytest.fixture(scope="session")
def copy(sealer: Sealer) -> Copy:
    original = render_minutes(sample_minutes(), at=CREATED)
    history = a_history(original)
    final = a_final(original, history)
    sealer.seal(original)  # the first seal finds out the room that the others, those that are judged, are given
    return Copy(original, history, final, sealer.seal(final))


def a_final(original: bytes, history: bytes) -> bytes:
    return render_final(
        sample_minutes(),
        stamps=sample_stamps(),
        report=sample_report(),
        attachments=(original_attachment(original), history_attachment(history)),
        at=CREATED,
    )


def a_history(original: bytes) -> bytes:
    """One entry: enough to be a chain that names the document."""
    document = hashlib.sha256(original).hexdigest()
    event = AgreementCreated.model_validate(created_body(document, len(original)))
    entry = append(start("agreement-1", document), 0, event, time=CREATED, recorded=CREATED, salt=os.urandom(32))
    return export([entry], agreement_id="agreement-1", document_sha256=document)


def created_body(document: str, size: int) -> dict[str, object]:
    reference = {"sha256": document, "size": size, "media_type": "application/pdf"}
    return {
        "agreement_id": "agreement-1",
        "meeting_id": "meeting-1",
        "document_name": "Protokoll",
        "document": reference,
        "render_input": reference,
        "template_version": "1",
        "sender": Person(name="Karin Ek", email="karin.ek@norrdalen.example").model_dump(),
        "ip": "192.0.2.1",
        "signers": [],
        "language": "sv",
        "timezone": "Europe/Stockholm",
    }
