"""A history rewritten in signing's database is not what the journal has, whichever entry it was, and it is named."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.archive.comparison import Comparison, Witness, compare
from shared.events import AgreementCompleted, EmailSent, HistoryAnchored, SignerUnreached, event_class, event_type
from shared.history import Entry, VerifiedHistory, append, export, start, verify_chain
from tests.unit.signing.story import AGREEMENT_ID, DOCUMENT, seed_story

Told = TypeVar("Told", Entry, Witness)

STORY = seed_story()
COMPLETED = "completed-1"
LAST = len(STORY.entries) - 1
assert STORY.entries[LAST].type == event_type(AgreementCompleted)


def witnesses(entries: Sequence[Entry] = STORY.entries, *, heads: bool = True) -> list[Witness]:
    """What the journal has once all that happened was published: as signing and notifications do it."""
    found = []
    for entry in entries:
        cls = event_class(entry.type)
        assert cls is not None
        own = cls.service == "signing"
        head = entry.hash if own and heads else None
        event_id = COMPLETED if entry.type == event_type(AgreementCompleted) else f"event-{entry.n}"
        sequence = entry.n + 1 if own else 1
        found.append(Witness(event_id, entry.type, entry.time, sequence, entry.payload, head))
        if not own and cls is not EmailSent and heads:
            anchor = HistoryAnchored(agreement_id=AGREEMENT_ID).to_json()
            kind = event_type(HistoryAnchored)
            found.append(Witness(f"anchor-{entry.n}", kind, entry.time, entry.n + 1, anchor, entry.hash))
            # News for the sender, of which a comparison needs the head alone.
            told = event_type(SignerUnreached)
            found.append(Witness(f"told-{entry.n}", told, entry.time, entry.n + 1, "{}", entry.hash))
    return found


def chained(entries: Sequence[Entry]) -> VerifiedHistory:
    """Another whole chain, as who has signing's database makes it."""
    made: list[Entry] = []
    for n, entry in enumerate(entries):
        previous = made[-1].hash if made else start(AGREEMENT_ID, DOCUMENT.sha256)
        event = entry.event()
        assert event is not None
        assert entry.salt is not None
        made.append(append(previous, n, event, time=entry.time, recorded=entry.recorded, salt=entry.salt))
    return verify_chain(export(made, agreement_id=AGREEMENT_ID, document_sha256=DOCUMENT.sha256))


GENUINE = chained(STORY.entries)


def compared(history: VerifiedHistory, journal: Sequence[Witness] | None = None) -> Comparison:
    return compare(history, witnesses() if journal is None else journal, completed_id=COMPLETED)


def changed(n: int, change: Callable[[Entry], Entry]) -> VerifiedHistory:
    return chained([change(entry) if entry.n == n else entry for entry in STORY.entries])


def _another_ip(entry: Entry) -> Entry:
    payload = json.loads(entry.payload or "")
    name = next((one for one in ("ip", "name", "diagnostic", "message_id") if one in payload), "email")
    if name not in payload:
        payload["recipients"] = []
    else:
        payload[name] = "203.0.113.250"
    return replace(entry, payload=json.dumps(payload))


def test_what_happened_agrees() -> None:
    assert compared(GENUINE) == Comparison((), ())
    assert compared(GENUINE, witnesses(heads=False)) == Comparison((), ()), "published before heads were"


@pytest.mark.parametrize("n", range(len(STORY.entries)))
@pytest.mark.parametrize("heads", [True, False])
def test_any_changed_entry_is_named(n: int, heads: bool) -> None:
    found = compared(changed(n, _another_ip), witnesses(heads=heads))
    assert len(found.all) == 1
    assert found.all[0].startswith(f"entry {n} (")
    assert "journal has another" in found.differing[0]


@pytest.mark.parametrize("name", ["of_a_version_to_come", "request_version"])
def test_what_a_mails_event_tells_beyond_what_signing_knew_is_no_difference(name: str) -> None:
    """While pods roll: signing is of a version that does not know the field, and we may be of one that does."""
    sent = event_type(EmailSent)
    entries = [_saying(one, name, None) if one.type == sent else one for one in STORY.entries]
    journal = [_saying(one, name, 7) if one.type == sent else one for one in witnesses()]
    assert compared(replace(GENUINE, entries=tuple(entries)), journal) == Comparison((), ())


@pytest.mark.parametrize(("name", "value"), [("message_id", "<other@mx.example>"), ("recipient", None)])
def test_what_signing_had_to_know_of_a_mail_is_a_difference(name: str, value: str | None) -> None:
    sent = event_type(EmailSent)
    entries = [_saying(one, name, value) if one.type == sent else one for one in STORY.entries]
    differing = compared(replace(GENUINE, entries=tuple(entries))).differing
    assert differing
    assert all(f"journal has another {name}" in line for line in differing)


def _saying(one: Told, name: str, value: Any) -> Told:
    """With this member, or without where it is None."""
    members = {**json.loads(one.payload or ""), name: value}
    if value is None:
        del members[name]
    return replace(one, payload=json.dumps(members))


@pytest.mark.parametrize("n", range(LAST))
def test_any_changed_time_is_named(n: int) -> None:
    found = compared(changed(n, lambda entry: replace(entry, time=entry.time + timedelta(seconds=1))))
    assert found.all[0].startswith(f"entry {n} (")


@pytest.mark.parametrize("n", range(LAST))
def test_any_other_salt_or_time_of_recording_is_named(n: int) -> None:
    """Nothing in an event speaks of them: the head does, from the next event of signing on."""
    for change in (
        lambda entry: replace(entry, salt=b"x" * 32),
        lambda entry: replace(entry, recorded=entry.recorded + timedelta(seconds=1)),
    ):
        (line,) = compared(changed(n, change)).differing[:1]
        assert "another head" in line


@pytest.mark.parametrize("n", range(1, LAST + 1))
def test_any_entry_taken_away_is_found(n: int) -> None:
    assert compared(chained([entry for entry in STORY.entries if entry.n != n])).all


@pytest.mark.parametrize("n", range(1, LAST + 1))
def test_any_entry_told_twice_is_found(n: int) -> None:
    entries = list(STORY.entries)
    assert compared(chained([*entries[:n], entries[n], *entries[n:]])).all


def test_a_mails_trouble_as_the_last_entry_cannot_be_taken_away() -> None:
    """A head is anchored for it, although no event of signing follows."""
    last = max(entry.n for entry in STORY.entries if event_class(entry.type) is not None and "bounce" in entry.type)
    journal = [one for one in witnesses() if one.sequence <= last + 1 or one.type.split(".")[2] == "notifications"]
    shorter = chained([*STORY.entries[:last], STORY.entries[LAST]])
    assert any("journal has" in line for line in compared(shorter, journal).all)


def test_what_the_journal_never_had_is_found_once_it_has_caught_up() -> None:
    n = next(entry.n for entry in STORY.entries if entry.type.endswith("document-signed.v1"))
    without = [one for one in witnesses() if one.event_id != f"event-{n}"]
    (line,) = compared(GENUINE, without).differing
    assert line == f"entry {n} (DocumentSigned): the journal has no such event"


def test_what_the_journal_does_not_have_yet_is_waited_for() -> None:
    behind = [one for one in witnesses() if one.event_id != COMPLETED]
    found = compared(GENUINE, behind)
    assert (found.differing, len(found.unrecorded)) == ((), 1)
    mails = [one for one in witnesses() if one.type.split(".")[2] != "notifications"]
    found = compared(GENUINE, mails)
    assert found.differing == ()
    assert len(found.unrecorded) == sum(".notifications." in entry.type for entry in STORY.entries)


@given(erased=st.sets(st.integers(0, LAST), max_size=15), gone=st.sets(st.integers(0, LAST)))
@settings(max_examples=25, deadline=None)
def test_erasure_is_a_difference_where_the_journal_has_what_was_erased(erased: set[int], gone: set[int]) -> None:
    """Else whoever has signing's database takes the words out of a history, and has it sealed without them."""
    entries = [entry.erased() if entry.n in erased else entry for entry in GENUINE.entries]
    history = verify_chain(export(entries, agreement_id=AGREEMENT_ID, document_sha256=DOCUMENT.sha256))
    forgotten = {COMPLETED if n == LAST else f"event-{n}" for n in gone}
    journal = [replace(one, payload=None) if one.event_id in forgotten else one for one in witnesses()]
    found = compared(history, journal)
    told = {int(line.split()[1]) for line in found.differing}
    assert told == erased - gone
    assert all(line.endswith("it was erased, and the journal has it") for line in found.differing)
    assert found.unrecorded == ()


def test_many_differences_are_cut() -> None:
    found = compared(GENUINE, [])
    assert len(found.all) == 1 + min(20, len(STORY.entries)) if len(STORY.entries) > 20 else len(STORY.entries)
