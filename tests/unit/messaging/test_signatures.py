"""Who wrote an event: a MAC for each reader, over all that the reader goes by."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.archive import subscribers as archive
from services.meetings import subscribers as meetings
from services.notifications import subscribers as notifications
from services.signing import subscribers as signing
from shared import organisations
from shared.events import declared_events, topics
from shared.keys import new_keys, parse_keys
from shared.messaging.message import RawMessage, storable_key
from shared.messaging.signatures import (
    BODY_KEY,
    PAIRS,
    PREFIX,
    SIGNED_AT,
    EventKeys,
    NotAuthentic,
    new_event_keys,
    parse_event_keys,
)
from shared.settings import BadConfiguration

KEYS = parse_event_keys(new_event_keys())
SEALING = parse_event_keys(f"{new_event_keys()}bodies {new_keys()}")

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
headers = st.lists(st.tuples(texts.filter(lambda name: "\0" not in name), st.binary(max_size=20)), max_size=5)


def sent(topic: str, key: str, given: list[tuple[str, bytes]], body: bytes, keys: EventKeys = KEYS) -> RawMessage:
    own = [(name, value) for name, value in given if not name.startswith((PREFIX, BODY_KEY))]
    travelling, sealed = keys.signer(topics.WRITERS[topic]).outgoing(topic, key.encode(), own, body)
    return RawMessage(topic, 0, 0, storable_key(key.encode()), tuple(travelling), sealed)


def refusal(reader: str, raw: RawMessage, keys: EventKeys = KEYS) -> str | None:
    try:
        keys.verifier(reader).incoming(raw)
    except NotAuthentic as error:
        return str(error)
    return None


def minutes() -> RawMessage:
    return sent(topics.SIGNING, "agreement", [("ce_id", b"1"), ("ce_type", b"t")], b'{"email": "a@norrdalen.example"}')


@given(st.sampled_from(topics.ALL), st.text(st.characters(exclude_categories=("Cs",))), headers, st.binary(max_size=50))
def test_each_reader_believes_what_the_writer_signed(
    topic: str, key: str, given: list[tuple[str, bytes]], body: bytes
) -> None:
    for keys in (KEYS, SEALING):
        raw = sent(topic, key, given, body, keys)
        for reader in topics.READERS[topic]:
            read = keys.verifier(reader).incoming(raw)
            assert read.body == body
            assert list(read.headers) == [one for one in given if not one[0].startswith((PREFIX, BODY_KEY))]


@pytest.mark.parametrize("topic", topics.ALL)
def test_a_message_is_signed_for_its_topics_readers_and_for_nobody_else(topic: str) -> None:
    signed = [name.removeprefix(PREFIX) for name, _ in sent(topic, "k", [], b"").headers if name.startswith(PREFIX)]
    assert signed == list(topics.READERS[topic])


def test_a_topic_that_only_a_newer_version_knows_is_signed_for_all_who_read_its_writer() -> None:
    headers, _ = KEYS.signer("signing").outgoing("justera.of-the-next-version", b"k", [], b"")
    signed = {name.removeprefix(PREFIX) for name, _ in headers if name.startswith(PREFIX)}
    assert signed == {reader for writer, reader in PAIRS if writer == "signing"}


CHANGES = {
    "body": lambda raw: replace(raw, body=raw.body.replace(b"a@", b"b@")),
    "no body": lambda raw: replace(raw, body=None),
    "key": lambda raw: replace(raw, key="another"),
    "a header": lambda raw: replace(raw, headers=(("ce_id", b"2"), *raw.headers[1:])),
    "one header more": lambda raw: replace(raw, headers=(*raw.headers, ("ce_subject", b"x"))),
    "when it was signed": lambda raw: replace(
        raw,
        headers=tuple(
            (name, b"2099-01-01T00:00:00.000000Z" if name == SIGNED_AT else value) for name, value in raw.headers
        ),
    ),
    "one header less": lambda raw: replace(raw, headers=raw.headers[1:]),
    "headers the other way round": lambda raw: replace(raw, headers=(raw.headers[1], raw.headers[0], *raw.headers[2:])),
    "a name and its value run together": lambda raw: replace(raw, headers=(("ce_i", b"d1"), *raw.headers[1:])),
    "no signature": lambda raw: replace(raw, headers=raw.headers[:2]),
    "an empty signature": lambda raw: replace(raw, headers=(*raw.headers, (f"{PREFIX}notifications", b""))),
    "no text": lambda raw: replace(raw, headers=(*raw.headers, (f"{PREFIX}notifications", b"k1:\xff"))),
    "no key id that is text": lambda raw: replace(raw, headers=(*raw.headers, (f"{PREFIX}notifications", b"\xff:00"))),
    "another reader's signature": lambda raw: replace(
        raw, headers=(*raw.headers, (f"{PREFIX}notifications", dict(raw.headers)[f"{PREFIX}archive"]))
    ),
    "another topic, whose writer is another": lambda raw: replace(raw, topic=topics.ARCHIVE),
    "no topic of ours": lambda raw: replace(raw, topic="elsewhere"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_changed_is_refused(change: str) -> None:
    told = refusal("notifications", CHANGES[change](minutes()))
    assert told
    assert "norrdalen" not in told


def test_a_reader_cannot_pass_for_the_writer() -> None:
    """Archive reads signing's events, and so shares a key with it: notifications does not believe that one."""
    archives = {pair: ring for pair, ring in KEYS.rings.items() if "archive" in pair}
    stolen = archives["signing", "archive"]
    known = EventKeys({**archives, **{("signing", other): stolen for other in ("meetings", "notifications")}})
    raw = sent(topics.SIGNING, "agreement", [], b"{}", known)
    assert refusal("archive", raw) is None
    assert refusal("notifications", raw)
    assert refusal("meetings", raw)


def test_keys_rotate_one_side_at_a_time() -> None:
    old, new = new_keys(), new_keys().replace("k1:", "k2:")
    lines = new_event_keys().splitlines()
    pair = "signing notifications "
    rest = "\n".join(line for line in lines if not line.startswith(pair))
    before, both, after = (parse_event_keys(f"{rest}\n{pair}{ring}") for ring in (old, f"{old},{new}", new))
    turned = parse_event_keys(f"{rest}\n{pair}{new},{old}")
    assert refusal("notifications", sent(topics.SIGNING, "a", [], b"", before), both) is None
    assert refusal("notifications", sent(topics.SIGNING, "a", [], b"", turned), both) is None
    assert refusal("notifications", sent(topics.SIGNING, "a", [], b"", before), turned) is None
    assert "key" in str(refusal("notifications", sent(topics.SIGNING, "a", [], b"", before), after))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("signing", "line 1"),
        ("\nsigning notifications", "line 2"),
        ("signing meetings-of-others k1:abc", "line 1"),
        ("signing notifications k1:abc", "signing notifications"),
        ("signing notifications k1:" + "QUJD" * 4, "32 bytes"),
    ],
)
def test_bad_keys_are_named_and_not_shown(text: str, told: str) -> None:
    with pytest.raises(BadConfiguration, match=told) as caught:
        parse_event_keys(text)
    assert "QUJD" not in str(caught.value)


def test_a_pair_stands_once_and_none_is_missing() -> None:
    line = new_event_keys().splitlines()[0]
    with pytest.raises(BadConfiguration, match="twice"):
        parse_event_keys(f"{line};{line}")
    with pytest.raises(BadConfiguration, match="what archive writes and signing reads"):
        parse_event_keys("").verifier("signing")
    with pytest.raises(BadConfiguration, match="what signing writes and"):
        parse_event_keys("").signer("signing")


def test_the_table_of_readers_is_who_reads() -> None:
    for event in declared_events():
        assert topics.WRITERS[event.topic] == event.service
    readers = {"archive": archive, "meetings": meetings, "notifications": notifications, "signing": signing}
    for name, service in readers.items():
        folded = {} if name == "meetings" else organisations.EVENT_HANDLERS  # which are meetings' own
        handled = {event.topic for event in {**service.EVENT_HANDLERS, **folded}}
        expected = set(topics.ALL) if name == "archive" else handled
        assert {topic for topic, readers in topics.READERS.items() if name in readers} == expected
    assert set(topics.WRITERS) == set(topics.READERS) == set(topics.ALL)
    assert len(PAIRS) == len(set(PAIRS)) == 12


def test_whoever_reaches_kafka_reads_no_body() -> None:
    raw = sent(topics.SIGNING, "a", [("ce_id", b"1")], b"maja.lind@norrdalen.example", SEALING)
    assert b"maja" not in (raw.body or b"")
    assert all(b"maja" not in value for _, value in raw.headers)
    again = sent(topics.SIGNING, "a", [("ce_id", b"1")], b"maja.lind@norrdalen.example", SEALING)
    assert raw.body != again.body


def test_a_body_is_bound_to_its_place_and_its_key() -> None:
    """Even a writer that signs, by mistake, a body sealed for elsewhere is not read as if it were there."""
    raw = sent(topics.SIGNING, "a", [], b"{}", SEALING)
    assert "another key" in str(refusal("archive", _signed_anew(raw, key="b"), SEALING))
    unkeyed = EventKeys(SEALING.rings)
    assert "does not have" in str(refusal("archive", raw, unkeyed))
    swapped = EventKeys(SEALING.rings, parse_keys(new_keys(), "KEYS"))
    assert "another key" in str(refusal("archive", raw, swapped))


def _signed_anew(raw: RawMessage, *, key: str) -> RawMessage:
    own = [one for one in raw.headers if not one[0].startswith(PREFIX)]
    headers, _ = EventKeys(SEALING.rings).signer("signing").outgoing(raw.topic, key.encode(), own, raw.body or b"")
    return replace(raw, key=key, headers=tuple(headers))


def test_a_key_for_bodies_has_256_bits() -> None:
    with pytest.raises(BadConfiguration, match="32 bytes"):
        parse_event_keys("bodies k1:" + "QUJD" * 16)
