"""A Kafka message as a consumer or a dead letter holds it: raw, and decoded as far as it can be."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from pydantic import ValidationError

from shared import invalid
from shared.events.base import Event, base_type, event_type
from shared.events.envelope import Envelope, MalformedEvent, from_kafka, well_formed
from shared.messaging.transaction import Received
from shared.row_security import is_name

# A B-tree of PostgreSQL takes entries of up to 2,700 bytes, and dead letters are indexed by key.
_LONGEST_KEY = 200  # characters


class Poison(Exception):
    """The message can never be handled as it is: unreadable, or our own code fails on it."""


@dataclass(frozen=True, slots=True)
class RawMessage:
    """`key` and the names of `headers` are fit to be stored, whatever Kafka brought; values and `body` are raw."""

    topic: str
    partition: int
    position: int
    key: str
    headers: tuple[tuple[str, bytes], ...]
    body: bytes | None

    @property
    def topic_partition(self) -> TopicPartition:
        return TopicPartition(self.topic, self.partition)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over key, headers and body: the same message again has the same one, wherever it stands."""
        # The count keeps a body from passing for headers.
        digest = hashlib.sha256(len(self.headers).to_bytes(8, "big"))
        for part in (self.key.encode(), *(p for name, value in self.headers for p in (name.encode(), value))):
            digest.update(len(part).to_bytes(8, "big") + part)
        digest.update(self.body or b"")
        return digest.hexdigest()


def from_record(record: "ConsumerRecord[Any, Any]") -> RawMessage:
    return RawMessage(
        topic=record.topic,
        partition=record.partition,
        position=record.offset,
        key=storable_key(record.key or b""),
        headers=tuple((storable(name), value or b"") for name, value in record.headers),
        body=record.value,
    )


def storable(text: str) -> str:
    """PostgreSQL's text and jsonb take no NUL."""
    return text.replace("\0", "\ufffd")


def storable_key(raw: bytes) -> str:
    """Ours are ids. Two foreign keys that become one wait for each other, which does no harm."""
    key = storable(raw.decode("utf-8", errors="replace"))
    return key if len(key) <= _LONGEST_KEY else f"{key[: _LONGEST_KEY // 2]}…{hashlib.sha256(raw).hexdigest()}"


def headers_as_json(headers: tuple[tuple[str, bytes], ...]) -> list[list[str]]:
    return [[name, base64.b64encode(value).decode()] for name, value in headers]


def headers_from_json(stored: list[list[str]]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, base64.b64decode(value)) for name, value in stored)


def type_of(raw: RawMessage) -> str | None:
    """None when the header is missing or unreadable."""
    return _readable(raw, "ce_type")


def event_id_of(raw: RawMessage) -> str | None:
    """None when the header is missing or unreadable."""
    return _readable(raw, "ce_id")


def traceparent_of(raw: RawMessage) -> str | None:
    """None when the header is missing or unreadable."""
    return _readable(raw, "ce_traceparent")


def organisation_of(raw: RawMessage) -> str | None:
    """None when the header is missing, unreadable or no organisation's name: no event is."""
    found = _readable(raw, "ce_organisation")
    return found if found and is_name(found) else None


def _readable(raw: RawMessage, header: str) -> str | None:
    """The last of that name, as the envelope reads it."""
    value = next((value for name, value in reversed(raw.headers) if name == header), b"")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text and well_formed(text) else None


class Decoder:
    """Reads the events that a consumer handles; lets every other type pass."""

    def __init__(self, handled: Mapping[type[Event], object]) -> None:
        self._handled = {event_type(event): event for event in handled}
        self._families = {base_type(name) for name in self._handled}

    def wants(self, raw: RawMessage) -> bool:
        """Whether this consumer must deal with the message. One without a readable type is poison, not skipped."""
        name = type_of(raw)
        return not name or name in self._handled or self._is_unknown_version(name)

    def decode(self, raw: RawMessage) -> Received[Any]:
        """Raises Poison."""
        try:
            envelope = from_kafka(raw.headers, raw.body)
        except MalformedEvent as error:
            raise Poison(str(error)) from error
        if self._is_unknown_version(envelope.type):
            raise Poison(f"no handler for this version: {envelope.type}")
        return Received(envelope, _body(envelope, self._handled[envelope.type]))

    def _is_unknown_version(self, name: str) -> bool:
        return base_type(name) in self._families and name not in self._handled


def _body(envelope: Envelope, event: type[Event]) -> Event:
    try:
        return event.from_json(envelope.data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise Poison(f"{where}: {invalid.what(first)}") from error
