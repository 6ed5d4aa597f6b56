"""The chain and its file: every change is found, erasure is not a change."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from shared import history
from shared.events import AgreementCreated, AgreementExpired, BlobRef, DocumentViewed, Event, Person, SignerInvitation
from shared.history import BrokenChain, append, export, read, start, verify_chain

AGREEMENT = "agreement-1"
DOCUMENT = BlobRef(sha256="ab" * 32, size=1)
MOMENT = datetime(2022, 9, 26, 8, 41, 44, 123456, tzinfo=UTC)
Document = dict[str, Any]


def created(agreement: str = AGREEMENT, document: BlobRef = DOCUMENT) -> AgreementCreated:
    return AgreementCreated(
        agreement_id=agreement,
        meeting_id="m",
        document_name="Protokoll – möte",
        document=document,
        render_input=document,
        template_version="1",
        sender=Person(email="karin.ek@norrdalen.example", name="Karin Ek"),
        ip="192.0.2.1",
        signers=(SignerInvitation(role="chair", email="olof.berg@bjorka.example"),),
        language="sv",
        timezone="Europe/Stockholm",
    )


def viewed(agreement: str = AGREEMENT) -> DocumentViewed:
    return DocumentViewed(
        agreement_id=agreement,
        request_id="r",
        place=0,
        email="olof.berg@bjorka.example",
        name=None,
        ip="192.0.2.7",
        first=True,
    )


def chain(*events: Event, begin: str | None = None) -> list[history.Entry]:
    entries: list[history.Entry] = []
    for n, event in enumerate(events):
        previous = entries[-1].hash if entries else begin or start(AGREEMENT, DOCUMENT.sha256)
        entries.append(append(previous, n, event, time=MOMENT, recorded=MOMENT, salt=bytes([n]) * 32))
    return entries


def exported(entries: list[history.Entry] | None = None) -> bytes:
    entries = entries or chain(created(), viewed(), viewed(), AgreementExpired(agreement_id=AGREEMENT))
    return export(entries, agreement_id=AGREEMENT, document_sha256=DOCUMENT.sha256)


def test_hashes_are_those_of_the_documented_formulas() -> None:
    [entry] = chain(created())
    payload = rfc8785.dumps(json.loads(created().to_json()))
    assert entry.commitment == sha256(bytes(32) + payload).hexdigest()
    header = {
        "n": 0,
        "type": "se.justera.signing.agreement-created.v1",
        "time": "2022-09-26T08:41:44.123456Z",
        "recorded": "2022-09-26T08:41:44.123456Z",
        "previous": start(AGREEMENT, DOCUMENT.sha256),
        "commitment": entry.commitment,
    }
    assert entry.hash == sha256(b"justera-history/1 entry\n" + rfc8785.dumps(header)).hexdigest()


def test_a_history_verifies_and_reads_back() -> None:
    entries = chain(created(), viewed())
    verified = verify_chain(exported(entries))
    assert list(verified.entries) == entries
    assert (verified.agreement_id, verified.document_sha256, verified.head) == (
        AGREEMENT,
        DOCUMENT.sha256,
        entries[-1].hash,
    )
    assert verified.entries[1].event() == viewed()
    assert exported(entries) == exported(entries)


def test_an_erased_history_verifies_still_and_tells_nothing() -> None:
    entries = [entry.erased() for entry in chain(created(), viewed())]
    data = exported(entries)
    assert b"olof" not in data
    assert b"192.0.2" not in data
    verified = verify_chain(data)
    assert verified.agreement_id == AGREEMENT
    assert [entry.event() for entry in verified.entries] == [None, None]


def test_a_salt_has_32_bytes_and_a_history_an_entry() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        append("0" * 64, 0, created(), time=MOMENT, recorded=MOMENT, salt=b"short")
    with pytest.raises(ValueError, match="without entries"):
        export([], agreement_id=AGREEMENT, document_sha256=DOCUMENT.sha256)


def edit_payload(doc: Document) -> None:
    doc["entries"][1]["payload"]["ip"] = "192.0.2.8"


def edit_time(doc: Document) -> None:
    doc["entries"][1]["header"]["time"] = "2022-09-26T08:41:45.000000Z"


def edit_time_and_hash(doc: Document) -> None:
    edit_time(doc)
    header = doc["entries"][1]["header"]
    doc["entries"][1]["hash"] = sha256(history.HASH_PREFIX + rfc8785.dumps(header)).hexdigest()


def swap(doc: Document) -> None:
    doc["entries"][1], doc["entries"][2] = doc["entries"][2], doc["entries"][1]


def drop_last(doc: Document) -> None:
    doc["entries"].pop()


def drop_last_and_say_so(doc: Document) -> None:
    drop_last(doc)
    doc["length"] -= 1


def drop_first(doc: Document) -> None:
    doc["entries"].pop(0)
    doc["length"] -= 1


def other_agreement(doc: Document) -> None:
    doc["agreement"] = "agreement-2"


def other_document(doc: Document) -> None:
    doc["document_sha256"] = "cd" * 32


def erase_half(doc: Document) -> None:
    doc["entries"][2]["salt"] = None


def add_member(doc: Document) -> None:
    doc["entries"][2]["note"] = "looks proven"


def nested_type(doc: Document) -> None:
    doc["entries"][2]["payload"] = [1]


def huge_number(doc: Document) -> None:
    doc["entries"][2]["payload"]["place"] = 2**60


def surrogate(doc: Document) -> None:
    doc["entries"][2]["payload"]["email"] = "\ud800"


def boolean_number(doc: Document) -> None:
    doc["entries"][0]["header"]["n"] = False


def loose_time(doc: Document) -> None:
    doc["entries"][3]["header"]["time"] = "2022-09-26T08:41:44Z"


def short_salt(doc: Document) -> None:
    doc["entries"][3]["salt"] = base64.urlsafe_b64encode(b"x" * 31).decode().rstrip("=")


def upper_hash(doc: Document) -> None:
    doc["entries"][3]["header"]["commitment"] = "AB" * 32


def unknown_format(doc: Document) -> None:
    doc["format"] = "justera-history/2"


def no_entries(doc: Document) -> None:
    doc |= {"entries": [], "length": 0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (edit_payload, "entry 1: the payload does not match its commitment"),
        (edit_time, "entry 1: the hash does not match its header"),
        (edit_time_and_hash, "entry 2: it does not follow entry 1"),
        (swap, "entry 1: it is numbered 2"),
        (drop_last, "the history says 4 entries and has 3"),
        (drop_last_and_say_so, "the head does not match entry 2"),
        (drop_first, "entry 0: it is numbered 1"),
        (other_agreement, "entry 0: it does not begin the history of this agreement and document"),
        (other_document, "entry 0: it does not begin the history of this agreement and document"),
        (erase_half, "entry 2: payload and salt are erased together or not at all"),
        (add_member, "entry 2 has a member that nothing vouches for: 'note'"),
        (nested_type, "entry 2 has payload of a wrong type"),
        (huge_number, "entry 2: the payload has no canonical form"),
        (surrogate, "entry 2: the payload has no canonical form"),
        (boolean_number, "entry 0: the header has n of a wrong type"),
        (loose_time, "entry 3: time is not a UTC time with six decimals"),
        (short_salt, "entry 3: the salt is not 32 bytes in base64url"),
        (upper_hash, "entry 3: commitment is not a SHA-256"),
        (unknown_format, "the history has an unknown format: 'justera-history/2'"),
        (no_entries, "the history has no entries"),
    ],
)
def test_the_first_broken_thing_is_named(change: Callable[[Document], None], message: str) -> None:
    doc = json.loads(exported())
    change(doc)
    with pytest.raises(BrokenChain) as broken:
        verify_chain(json.dumps(doc).encode())
    assert broken.value.message.startswith(message)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the history is not JSON (line 1, column 1)"),
        (b"\xff\xfe", "the history is not UTF-8 text (byte 0)"),
        (b"[]", "the history is not a JSON object"),
        (b"{}", "the history has no format"),
        (b'{"a": NaN}', "the history holds NaN"),
        (b'{"a\\n": 1, "a\\n": 2}', "the history holds an object with two members 'a\\n'"),
        (b"[" * 100_000, "the history is nested too deeply"),
        (b"[" * 100_000 + b"]" * 100_000, "the history is nested too deeply"),
        (b"9" * 100_000, "the history holds a number that is too long"),
        (b" " * (history.MAX_BYTES + 1), "the history is larger than 8 MiB"),
    ],
    ids=["empty", "encoding", "list", "object", "nan", "twice", "open", "deep", "digits", "large"],
)
def test_damaged_files(data: bytes, message: str) -> None:
    with pytest.raises(BrokenChain) as broken:
        verify_chain(data)
    assert broken.value.message.startswith(message)


def test_a_payload_nested_as_deep_as_json_allows() -> None:
    doc = json.loads(exported())
    deep: object = "x"
    for _ in range(400):
        deep = [deep]
    doc["entries"][1]["payload"]["extra"] = deep
    with pytest.raises(BrokenChain):
        verify_chain(json.dumps(doc).encode())


def test_entry_0_is_the_creation_and_nothing_else_is() -> None:
    with pytest.raises(BrokenChain, match="entry 0: a history has one agreement-created"):
        verify_chain(exported(chain(viewed())))
    with pytest.raises(BrokenChain, match="entry 1: a history has one agreement-created"):
        verify_chain(exported(chain(created(), created())))


def test_payloads_speak_of_this_agreement_and_document() -> None:
    with pytest.raises(BrokenChain, match="entry 1: the payload speaks of another agreement"):
        verify_chain(exported(chain(created(), viewed("another"))))
    with pytest.raises(BrokenChain, match="entry 0: the payload names another document"):
        verify_chain(exported(chain(created(document=BlobRef(sha256="cd" * 32, size=1)))))


def test_events_of_a_later_version_are_kept() -> None:
    doc = json.loads(exported())
    assert read(json.dumps(doc).encode()).entries[3].type.endswith("agreement-expired.v1")
    unknown = history.Entry(
        1, "se.justera.signing.sealed-twice.v9", MOMENT, MOMENT, chain(created())[0].hash, "0" * 64, None, None
    )
    verified = verify_chain(exported([*chain(created()), unknown]))
    assert verified.entries[1].event() is None


@given(st.binary(max_size=8), st.integers(min_value=0), st.integers(0, 20))
def test_a_changed_file_never_verifies_to_something_else(noise: bytes, position: int, removed: int) -> None:
    data = exported()
    position %= len(data)
    changed = data[:position] + noise + data[position + removed :]
    try:
        verified = verify_chain(changed)
    except BrokenChain as broken:
        message = broken.message
    else:
        message = "one line"
        assert verified == verify_chain(data)
    assert len(message.splitlines()) == 1
