"""Messages as Kafka brings them: good ones, and every kind of bad one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from shared.events import MeetingCancelled, event_type
from shared.events.envelope import Envelope, kafka_headers
from shared.ids import new_id
from shared.messaging.message import RawMessage, from_record
from tests.integration.messaging.ledger import ORGANISATION

Spoil = Callable[[RawMessage], RawMessage]


def message(key: str, number: int, *, reason: str | None = None, position: int | None = None) -> RawMessage:
    event = MeetingCancelled(meeting_id=key, body="b", title="t", reason=str(number) if reason is None else reason)
    envelope = Envelope(
        id=new_id(),
        source="/services/ledger",
        type=event_type(event),
        subject=key,
        time=datetime(2022, 9, 26, tzinfo=UTC),
        organisation=ORGANISATION,
        sequence=number,
        correlation_id=key,
        key=key,
        data=event.to_json(),
    )
    headers = tuple(kafka_headers(envelope.attributes()))
    return RawMessage(MeetingCancelled.topic, 0, number if position is None else position, key, headers,
                      envelope.data.encode())  # fmt: skip


def as_kafka_brings(raw: RawMessage, *, key: bytes | None = None) -> RawMessage:
    """Through the door that every message takes."""
    record = ConsumerRecord(
        raw.topic, raw.partition, raw.position, 0, 0, raw.key.encode() if key is None else key, raw.body, None, 0, 0,
        raw.headers,
    )  # fmt: skip
    return from_record(record)


def with_header(name: str, value: bytes) -> Spoil:
    def spoil(raw: RawMessage) -> RawMessage:
        others = tuple(header for header in raw.headers if header[0] != name)
        return replace(raw, headers=(*others, (name, value)))

    return spoil


def without_header(name: str) -> Spoil:
    return lambda raw: replace(raw, headers=tuple(header for header in raw.headers if header[0] != name))


def with_body(body: bytes | None) -> Spoil:
    return lambda raw: replace(raw, body=body)


# Each makes a good message one that cannot be handled.
POISONS: dict[str, Spoil] = {
    "body is not JSON": with_body(b"{"),
    "body is not UTF-8": with_body(b"\xff\xfe{}"),
    "body is a tombstone": with_body(None),
    "body is another shape": with_body(b'{"meeting_id": 7}'),
    "body is nested without end": with_body(b"[" * 100_000),
    "body has half a surrogate pair": with_body(b'{"meeting_id":"m","body":"b","title":"t","reason":"\\ud800"}'),
    "body has a number for the handler that PostgreSQL cannot hold": with_body(
        b'{"meeting_id":"m","body":"b","title":"t","reason":"99999999999999999999999"}'
    ),
    "body has a NUL for the handler to store": with_body(
        b'{"meeting_id":"a\\u0000b","body":"b","title":"t","reason":"1"}'
    ),
    "header is not UTF-8": with_header("ce_source", b"\xff"),
    "type is not UTF-8": with_header("ce_type", b"\xff"),
    "type is missing": without_header("ce_type"),
    "id is missing": without_header("ce_id"),
    "id is empty": with_header("ce_id", b""),
    "id holds a NUL": with_header("ce_id", b"a\0b"),
    "id is endless": with_header("ce_id", b"x" * 300_000),
    "time has no zone": with_header("ce_time", b"2022-09-26T08:00:00"),
    "time is before the calendar": with_header("ce_time", b"0001-01-01T00:00:00+14:00"),
    "sequence is no number": with_header("ce_sequence", b"-1"),
    "organisation climbs out": with_header("ce_organisation", b"../../etc"),
    "specversion is another": with_header("ce_specversion", b"0.3"),
    "correlation is endless": with_header("ce_correlationid", b"x" * 900_000),
    "version is unknown": with_header("ce_type", b"se.justera.meetings.meeting-cancelled.v2"),
    "handler has a bug": with_body(b'{"meeting_id":"m","body":"b","title":"t","reason":"not a number"}'),
}
