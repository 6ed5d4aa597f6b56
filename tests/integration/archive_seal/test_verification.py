"""A verifier is worth what it refuses: every kind of damage has its finding, and none a traceback."""

import json
from codecs import BOM_UTF8
from pathlib import Path

import pytest

from services.archive.findings import UNIDENTIFIED
from services.archive.seal import Sealer
from services.archive.trust import load_roots
from services.archive.verification import verify_final, verify_history
from shared.errors import InvalidInput
from shared.rendering.render import Attachment, render_final, render_minutes
from tests.integration.archive_seal.conftest import Copy, a_final
from tests.integration.rendering.sample import CREATED, sample_minutes, sample_report, sample_stamps


def test_a_whole_copy_is_whole_without_trust(copy: Copy) -> None:
    findings = verify_final(copy.sealed)
    assert (findings.broken, findings.status) == (None, UNIDENTIFIED)
    answers = (findings.integrity, findings.identity, findings.time)
    told = " / ".join(text for answer in answers for text in (answer.text, *answer.remarks))
    for part in (
        "covers the whole file",
        "unchanged",
        'sealed by "Justera test seal, Justera test": its certificate says so itself',
        "this is a test seal",
        'as "Justera test time stamps, Justera test" says',
        "1 entry, none of them erased; the chain holds",
        "the attached original is the document",
    ):
        assert part in told


def test_a_changed_byte_is_found(copy: Copy) -> None:
    at = copy.sealed.index(b"stream") + 40
    changed = copy.sealed[:at] + bytes([copy.sealed[at] ^ 1]) + copy.sealed[at + 1 :]
    assert verify_final(changed).broken == "the sealed bytes were changed after sealing"


def test_something_added_is_found(copy: Copy) -> None:
    assert "something was added" in str(verify_final(copy.sealed + b"\n% more").broken)


def test_an_unsealed_copy_is_told(copy: Copy) -> None:
    assert verify_final(copy.final).broken == "the PDF has no seal"


@pytest.mark.parametrize("length", [0, 4, 9, 1000, 100_000, -2000, -500, -1])
def test_a_truncated_file_is_found(copy: Copy, length: int) -> None:
    broken = verify_final(copy.sealed[:length]).broken
    assert broken is not None
    assert "\n" not in broken


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7\n", b"%PDF-1.7\nstartxref\n0\n%%EOF", b"\x00" * 100, b"{}", b"%PDF-" * 999]
)
def test_what_is_no_pdf_is_found(data: bytes) -> None:
    assert verify_final(data).broken is not None


def test_another_original_is_found(sealer: Sealer, copy: Copy) -> None:
    other = render_minutes(sample_minutes("en"), at=CREATED)
    swapped = sealer.seal(a_final(other, copy.history))
    assert "is not the document" in str(verify_final(swapped).broken)


def test_a_changed_history_inside_is_found(sealer: Sealer, copy: Copy) -> None:
    changed = copy.history.replace(b"192.0.2.1", b"192.0.2.9")
    assert changed != copy.history
    broken = verify_final(sealer.seal(a_final(copy.original, changed))).broken
    assert broken == "history: entry 0: the payload does not match its commitment"


@pytest.mark.parametrize("missing", ["original.pdf", "history.json"])
def test_a_missing_attachment_is_found(sealer: Sealer, copy: Copy, missing: str) -> None:
    contents = {"original.pdf": copy.original, "history.json": copy.history}
    attached = [
        Attachment(name, content, "application/octet-stream", "d", "data")
        for name, content in contents.items()
        if name != missing
    ]
    final = render_final(
        sample_minutes(), stamps=sample_stamps(), report=sample_report(), attachments=attached, at=CREATED
    )
    assert verify_final(sealer.seal(final)).broken == f"{missing} is not attached"


def test_a_history_alone_is_verified(copy: Copy) -> None:
    findings = verify_history(copy.history)
    assert (findings.broken, findings.status) == (None, UNIDENTIFIED)
    assert findings.integrity.remarks == ["history: 1 entry, none of them erased; the chain holds"]


def test_a_byte_order_mark_before_a_history_alone_breaks_nothing(copy: Copy) -> None:
    assert verify_history(BOM_UTF8 + copy.history) == verify_history(copy.history)
    assert verify_history(BOM_UTF8 * 2 + copy.history).broken is not None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"null", b"[" * 100_000])
def test_a_damaged_history_is_found(data: bytes) -> None:
    assert str(verify_history(data).broken).startswith("history: ")


def test_a_changed_time_is_found(copy: Copy) -> None:
    content = json.loads(copy.history)
    content["entries"][0]["header"]["time"] = "2022-09-26T08:41:45.000000Z"
    assert verify_history(json.dumps(content).encode()).broken is not None


def test_a_root_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("nothing")
    with pytest.raises(InvalidInput, match=r"root\.pem"):
        load_roots([tmp_path / "root.pem"])


def test_verifying_logs_no_names(copy: Copy, caplog: pytest.LogCaptureFixture) -> None:
    verify_final(copy.sealed)
    verify_final(copy.sealed[:5000])
    assert caplog.records == []
