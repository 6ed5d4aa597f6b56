"""The envelope: CloudEvents 1.0 in Kafka's binary mode, `ce_*` headers around a JSON body.

Sources: CloudEvents 1.0.2, its Kafka protocol binding 1.0.2 (3.2), and the extensions `partitionkey`, `sequence` and
`traceparent`; `historyhead` is ours. The `cloudevents` package checks this codec in a conformance test.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from shared.clock import parse_timestamp, timestamp

CONTENT_TYPE = "application/json"
_REQUIRED = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "organisation",
    "sequence",
    "correlationid",
)
# Attributes are ids, names and times. Ids are indexed, and an index of PostgreSQL takes rows of up to 2,704 bytes: this
# many characters of four bytes each fit beside the consumer's name.
MAX_ATTRIBUTE = 500  # characters
# CloudEvents 1.0.2, type String: no control characters, no surrogates, no noncharacters.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_ORGANISATION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class MalformedEvent(ValueError):
    """The message cannot be read as one of our events; says which attribute is wrong."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event as it travels. `data` is the JSON body exactly as stored: it is never parsed and dumped again."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    organisation: str
    sequence: int
    correlation_id: str
    key: str
    data: str
    causation_id: str | None = None
    traceparent: str | None = None
    history_head: str | None = None  # of signing's events: the hash of the history's entry number `sequence` - 1

    def attributes(self) -> dict[str, str]:
        """The CloudEvents attributes as text, without `ce_` prefixes; absent ones are left out."""
        found = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": timestamp(self.time),
            "datacontenttype": CONTENT_TYPE,
            "organisation": self.organisation,
            "sequence": str(self.sequence),
            "correlationid": self.correlation_id,
            "partitionkey": self.key,
            "causationid": self.causation_id,
            "traceparent": self.traceparent,
            "historyhead": self.history_head,
        }
        return {name: value for name, value in found.items() if value is not None}


def kafka_headers(attributes: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """Attributes as Kafka headers: `datacontenttype` is `content-type`, all others get `ce_`."""
    return [(_header_name(name), value.encode()) for name, value in attributes.items()]


@cache
def _header_name(attribute: str) -> str:
    return "content-type" if attribute == "datacontenttype" else f"ce_{attribute}"


def from_attributes(attributes: Mapping[str, str], data: str) -> Envelope:
    """Raises MalformedEvent."""
    missing = [name for name in _REQUIRED if not attributes.get(name)]
    if missing:
        raise MalformedEvent(f"missing attribute: {', '.join(missing)}")
    _check_values(attributes)
    return Envelope(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        subject=attributes["subject"],
        time=_time(attributes["time"]),
        organisation=attributes["organisation"],
        sequence=_sequence(attributes["sequence"]),
        correlation_id=attributes["correlationid"],
        key=attributes.get("partitionkey") or attributes["subject"],
        data=data,
        causation_id=attributes.get("causationid") or None,
        traceparent=attributes.get("traceparent") or None,
        history_head=attributes.get("historyhead") or None,
    )


def well_formed(value: str) -> bool:
    """Whether an attribute's value is one that the envelope takes."""
    return len(value) <= MAX_ATTRIBUTE and not _FORBIDDEN.search(value)


def _check_values(attributes: Mapping[str, str]) -> None:
    for name, value in attributes.items():
        if not well_formed(value):
            raise MalformedEvent(
                f"attribute {name[:40]!r} is longer than {MAX_ATTRIBUTE} characters or holds a control character"
            )
    if attributes["specversion"] != "1.0":
        raise MalformedEvent(f"specversion {attributes['specversion']!r} is not 1.0")
    # It becomes a prefix of blob keys: nothing in it may climb out of its folder.
    if not _ORGANISATION.fullmatch(attributes["organisation"]):
        raise MalformedEvent(f"organisation {attributes['organisation'][:70]!r} is no identifier")


def from_kafka(headers: Iterable[tuple[str, bytes]], value: bytes | None) -> Envelope:
    """The inverse of what the relay publishes. Raises MalformedEvent; headers that are not ours are ignored."""
    return from_attributes(_attributes(headers), _text(value))


def readable_attributes(headers: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Whatever attributes can be read, for storing a message that is not a valid event. Never raises."""
    found = {}
    for name, raw in headers:
        if isinstance(raw, bytes) and (attribute := _attribute_name(name)):
            found[attribute] = raw.decode("utf-8", errors="replace")
    return found


def _attribute_name(header: str) -> str | None:
    if header == "content-type":
        return "datacontenttype"
    return header.removeprefix("ce_") if header.startswith("ce_") else None


def _attributes(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    found = {}
    for name, raw in headers:
        attribute = _attribute_name(name)
        if attribute is None:
            continue
        try:
            found[attribute] = raw.decode("utf-8")
        except (UnicodeDecodeError, AttributeError) as error:
            raise MalformedEvent(f"header {name} is not UTF-8") from error
    return found


def _text(value: bytes | None) -> str:
    if value is None:
        raise MalformedEvent("no body")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedEvent("the body is not UTF-8") from error


def _time(text: str) -> datetime:
    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise MalformedEvent(f"time {text!r} is not RFC 3339 with a zone") from error


def _sequence(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise MalformedEvent(f"sequence {text!r} is not a number")
    return int(text)
