"""The envelope is CloudEvents 1.0 in Kafka's binary mode, whoever reads it; what is not one is MalformedEvent."""

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import parse_timestamp, timestamp
from shared.events.envelope import (
    MAX_ATTRIBUTE,
    Envelope,
    MalformedEvent,
    from_attributes,
    from_kafka,
    kafka_headers,
    readable_attributes,
    well_formed,
)

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=60).filter(well_formed)
_TIMES = st.datetimes(timezones=st.just(UTC))

ENVELOPES = st.builds(
    Envelope,
    id=_TEXT,
    source=_TEXT,
    type=_TEXT,
    subject=_TEXT,
    time=_TIMES,
    organisation=st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
    sequence=st.integers(0, 10**18 - 1),
    correlation_id=_TEXT,
    key=_TEXT,
    data=st.dictionaries(st.text(max_size=9), st.text(max_size=9)).map(json.dumps),
    causation_id=st.none() | _TEXT,
    traceparent=st.none() | _TEXT,
)

SAMPLE = Envelope(
    id="0191e9e0-0000-7000-8000-000000000001",
    source="/services/signing",
    type="se.justera.signing.document-signed.v1",
    subject="protokoll-1",
    time=datetime(2022, 9, 26, 8, 58, 35, tzinfo=UTC),
    organisation="norrdalen",
    sequence=4,
    correlation_id="sammanträde-1",
    key="protokoll-1",
    data='{"name":"Olof Berg"}',
)


def _on_the_wire(envelope: Envelope) -> list[tuple[str, bytes]]:
    return kafka_headers(envelope.attributes())


@given(ENVELOPES)
def test_what_is_published_is_read_back_unchanged(envelope: Envelope) -> None:
    assert from_kafka(_on_the_wire(envelope), envelope.data.encode()) == envelope


@given(ENVELOPES)
def test_the_cloudevents_package_reads_what_we_publish(envelope: Envelope) -> None:
    message = KafkaMessage(dict(_on_the_wire(envelope)), envelope.key, envelope.data.encode())
    event = from_binary_event(message)
    assert (event.get_specversion(), event.get_id(), event.get_source()) == ("1.0", envelope.id, envelope.source)
    assert (event.get_type(), event.get_subject()) == (envelope.type, envelope.subject)
    assert event.get_time() == envelope.time
    assert event.get_data() == json.loads(envelope.data)
    for name, value in (
        ("organisation", envelope.organisation),
        ("sequence", str(envelope.sequence)),
        ("correlationid", envelope.correlation_id),
        ("partitionkey", envelope.key),
        ("causationid", envelope.causation_id),
        ("traceparent", envelope.traceparent),
    ):
        assert event.get_extension(name) == value


def test_we_read_what_the_cloudevents_package_writes() -> None:
    attributes = {**SAMPLE.attributes(), "time": SAMPLE.time}
    message = to_binary_event(CloudEvent(attributes=attributes, data=json.loads(SAMPLE.data)))
    read = from_kafka(list(message.headers.items()), message.value)
    assert replace(read, data=SAMPLE.data) == SAMPLE
    assert json.loads(read.data) == json.loads(SAMPLE.data)


@pytest.mark.parametrize(
    "name", ["specversion", "id", "source", "type", "subject", "time", "organisation", "sequence", "correlationid"]
)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_attribute_is_named(name: str, value: str | None) -> None:
    attributes = SAMPLE.attributes()
    attributes.pop(name)
    if value is not None:
        attributes[name] = value
    with pytest.raises(MalformedEvent, match=name):
        from_attributes(attributes, SAMPLE.data)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", "0.3"),
        ("id", "a\0b"),
        ("id", "x" * (MAX_ATTRIBUTE + 1)),
        ("subject", "a\nb"),
        ("correlationid", "a\x7f"),
        ("partitionkey", "x" * 5_000),
        ("time", "yesterday"),
        ("time", "2022-09-26"),
        ("time", "2022-09-26T08:41:44"),
        ("time", "0001-01-01T00:00:00+14:00"),
        ("time", "9999-12-31T23:59:59-14:00"),
        ("time", "2022-09-26T08:41:60Z"),
        ("sequence", "-1"),
        ("sequence", "1.0"),
        ("sequence", "٣"),
        ("sequence", "9" * 19),
        ("organisation", "../etc"),
        ("organisation", "Norr Dalen"),
        ("organisation", "a\n"),
        ("traceparent", "\ud800"),
    ],
)
def test_a_malformed_attribute_is_refused(name: str, value: str) -> None:
    with pytest.raises(MalformedEvent):
        from_attributes({**SAMPLE.attributes(), name: value}, SAMPLE.data)


@pytest.mark.parametrize("name", [name for name, _ in _on_the_wire(SAMPLE)])
def test_a_header_that_is_not_utf8_is_named(name: str) -> None:
    headers = [*_on_the_wire(SAMPLE), (name, b"\xff\xfe")]
    with pytest.raises(MalformedEvent, match=name):
        from_kafka(headers, b"{}")


@pytest.mark.parametrize("body", [None, b"\xff", b"{\xc3\x28}"])
def test_a_body_that_is_no_text_is_refused(body: bytes | None) -> None:
    with pytest.raises(MalformedEvent, match="body"):
        from_kafka(_on_the_wire(SAMPLE), body)


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=30))), st.none() | st.binary(max_size=50))
def test_no_message_raises_anything_else(headers: list[tuple[str, bytes]], body: bytes | None) -> None:
    readable_attributes(headers)
    with contextlib.suppress(MalformedEvent):
        from_kafka(headers, body)


@given(st.sampled_from(sorted(SAMPLE.attributes())), st.binary(max_size=60))
def test_no_mutation_of_a_good_message_raises_anything_else(name: str, value: bytes) -> None:
    headers = {**dict(_on_the_wire(SAMPLE)), f"ce_{name}": value}
    with contextlib.suppress(MalformedEvent):
        from_kafka(list(headers.items()), SAMPLE.data.encode())


def test_foreign_headers_are_ignored() -> None:
    assert from_kafka([("x", b"\xff"), *_on_the_wire(SAMPLE), ("correlation_id", b"\xff")], SAMPLE.data.encode())


@given(_TIMES)
def test_a_timestamp_has_one_form(moment: datetime) -> None:
    text = timestamp(moment)
    assert len(text) == len("2022-09-26T08:41:44.000000Z")
    assert parse_timestamp(text) == moment
