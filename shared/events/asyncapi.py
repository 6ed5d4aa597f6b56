"""The AsyncAPI 3.0 document of the events, generated from their declarations: it advertises only what is produced.

Channels are topics; each service that produces into one sends, any may receive. Headers are CloudEvents 1.0 in Kafka's
binary mode (see `shared.events.envelope`).
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from shared.events import topics
from shared.events.base import Event, declared_events, event_type

_SCHEMAS = "#/components/schemas/"

_ATTRIBUTES: Mapping[str, str] = {
    "ce_specversion": "1.0",
    "ce_id": "UUIDv7 of the event; consumers drop a second copy by it",
    "ce_source": "/services/{service}",
    "ce_type": "the event's type with its version",
    "ce_subject": "the aggregate's id",
    "ce_time": "RFC 3339, UTC, six decimals: when it happened",
    "ce_organisation": "whose event it is",
    "ce_sequence": "the aggregate's version after the event, decimal",
    "ce_correlationid": "the first aggregate of the chain",
    "ce_partitionkey": "the Kafka key",
    "ce_causationid": "the id of the event that caused this one; absent when a person did",
    "ce_traceparent": "W3C Trace Context",
    "ce_historyhead": "of signing's events: the hash of the history after `ce_sequence` entries (`shared/history.py`)",
    "content-type": "application/json",
}
_OPTIONAL = ("ce_causationid", "ce_traceparent", "ce_historyhead")


def asyncapi_document() -> dict[str, Any]:
    """The document as plain data, in a stable order."""
    events = declared_events()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Justera events",
            "version": "1",
            "description": "From a board meeting's notice to signed, sealed and archived minutes. "
            "One topic per aggregate type; order is kept per key; delivery is at least once, and `ce_id` tells copies.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_channel_id(topic): _channel(topic, events) for topic in topics.ALL},
        "operations": {f"send{event.__name__}": _operation(event) for event in events},
        "components": {
            "messages": {event.__name__: _message(event) for event in events},
            "schemas": _schemas(events),
        },
    }


def asyncapi_json() -> str:
    return json.dumps(asyncapi_document(), ensure_ascii=False, indent=2) + "\n"


def _channel_id(topic: str) -> str:
    return topic.replace(".", "-")


def _channel(topic: str, events: tuple[type[Event], ...]) -> dict[str, Any]:
    return {
        "address": topic,
        "description": f"{topics.PARTITIONS} partitions; key: {_key_of(topic)}.",
        "messages": {
            event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}
            for event in events
            if event.topic == topic
        },
        "bindings": {"kafka": {"topic": topic, "partitions": topics.PARTITIONS, "bindingVersion": "0.5.0"}},
    }


_KEYS: Mapping[str, str] = {
    topics.MEETINGS: "the meeting's id",
    topics.BODIES: "the body's id",
    topics.PEOPLE: "the person's id",
    topics.ITEMS: "the agenda item's id",
}


def _key_of(topic: str) -> str:
    return _KEYS.get(topic, "the agreement's id")


def _operation(event: type[Event]) -> dict[str, Any]:
    channel = f"#/channels/{_channel_id(event.topic)}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "summary": _summary(event),
        "tags": [{"name": event.service}],
        "messages": [{"$ref": f"{channel}/messages/{event.__name__}"}],
    }


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event_type(event),
        "title": event.__name__,
        "summary": _summary(event),
        "contentType": "application/json",
        "headers": _headers(event),
        "payload": {"$ref": f"{_SCHEMAS}{event.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": _key_of(event.topic)}}},
    }


def _headers(event: type[Event]) -> dict[str, Any]:
    properties: dict[str, Any] = {
        name: {"type": "string", "description": meaning} for name, meaning in _ATTRIBUTES.items()
    }
    properties["ce_type"]["const"] = event_type(event)
    properties["ce_specversion"]["const"] = "1.0"
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in _ATTRIBUTES if name not in _OPTIONAL],
    }


def _schemas(events: tuple[type[Event], ...]) -> dict[str, Any]:
    _, document = models_json_schema([(event, "serialization") for event in events], ref_template=_SCHEMAS + "{model}")
    definitions: dict[str, Any] = document["$defs"]
    return dict(sorted(definitions.items()))


def _summary(event: type[Event]) -> str:
    return " ".join((event.__doc__ or event.__name__).split("\n\n")[0].split())
